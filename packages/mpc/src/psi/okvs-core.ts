import type { OkvsParameters } from './okvs-parameters.js'

const ROW_BYTES = 48
const DENSE_BITS = 16
const COLUMNS = 28
const VALUE_BITS = 128n

/**
 * Solves the rows that peeling has left, by elimination over GF(2) on their sparse columns and the dense ones of their
 * part, and corrects the columns so that every row sums to its value. Rarely called, and with few rows: two keys that
 * share three columns are the likeliest case.
 *
 * @param rows of 48 bytes, with their columns
 * @param store all columns, which have values already
 * @param core numbers of the rows
 * @param dense first dense column of the part
 * @returns whether the rows are independent, or agree
 */
export function solveCore(
  rows: Uint8Array,
  store: Uint8Array,
  core: Uint32Array,
  dense: number,
  parameters: OkvsParameters,
): boolean {
  if (core.length > MOST) return false
  const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength)
  const columns = new DataView(store.buffer, store.byteOffset, store.byteLength)
  const numbers = new Map<number, number>()
  const numberOf = (column: number): bigint => {
    const known = numbers.get(column) ?? numbers.size
    numbers.set(column, known)
    return BigInt(known)
  }
  for (let k = 0; k < parameters.dense; k++) numberOf(dense + k)

  // a row of the matrix: its value, corrected by what its columns hold, below; a bit for each column above
  const pivots = new Map<bigint, bigint>()
  for (const index of core) {
    const at = index * ROW_BYTES
    let row = valueAt(view, at)
    const add = (column: number): void => {
      row ^= valueAt(columns, column * 16)
      row ^= 1n << (VALUE_BITS + numberOf(column))
    }
    for (let k = 0; k < 3; k++) add(view.getUint32(at + COLUMNS + 4 * k, true))
    const bits = view.getBigUint64(at + DENSE_BITS, true)
    for (let k = 0; k < parameters.dense; k++) if ((bits >> BigInt(k)) & 1n) add(dense + k)
    for (const [pivot, other] of pivots) if ((row >> pivot) & 1n) row ^= other
    if (row >> VALUE_BITS === 0n) {
      if (row !== 0n) return false
      continue
    }
    const pivot = BigInt(row.toString(2).length - 1)
    for (const [known, other] of pivots) if ((other >> pivot) & 1n) pivots.set(known, other ^ row)
    pivots.set(pivot, row)
  }

  const columnOf = [...numbers.keys()]
  for (const [pivot, row] of pivots) {
    const at = columnOf[Number(pivot - VALUE_BITS)]! * 16
    setValue(columns, at, valueAt(columns, at) ^ BigInt.asUintN(Number(VALUE_BITS), row))
  }
  return true
}

/** Elimination takes the square of this; what the parameters allow is far below. */
const MOST = 1024

function valueAt(view: DataView, at: number): bigint {
  return view.getBigUint64(at, true) | (view.getBigUint64(at + 8, true) << 64n)
}

function setValue(view: DataView, at: number, value: bigint): void {
  view.setBigUint64(at, BigInt.asUintN(64, value), true)
  view.setBigUint64(at + 8, value >> 64n, true)
}
