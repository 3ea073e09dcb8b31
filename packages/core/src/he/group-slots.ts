import { SluiceError } from '../errors.js'
import type { Groups } from './aggregation.js'
import type { NumberVector, Vector } from './vectors.js'

/** The slot of every row, by the values of its keys. */
export type SlotFinder = (keys: readonly Vector[], rows: number) => Uint32Array

/** @returns a function that throws SluiceError PARAMETER_INVALID `he.group` for a row whose group is not in the list */
export function slotFinder(groups: Groups): SlotFinder {
  if (groups.kind === 'range') {
    const { first, count } = groups
    return ([key]) => slotsInRange(key as NumberVector, first, count)
  }
  const places = new Map(groups.keys.map((key, slot) => [nameOf(key), slot]))
  return (keys, rows) => {
    const slots = new Uint32Array(rows)
    if (keys.length === 0) return slots
    const readers = keys.map(valueReader)
    for (let row = 0; row < rows; row++) {
      const slot = places.get(nameOf(readers.map(read => read(row))))
      if (slot === undefined) throw otherGroup()
      slots[row] = slot
    }
    return slots
  }
}

function slotsInRange({ values, valid }: NumberVector, first: number, count: number): Uint32Array {
  const slots = new Uint32Array(values.length)
  for (let row = 0; row < slots.length; row++) {
    const slot = Number(values[row]) - first
    if (!(slot >= 0 && slot < count) || (valid !== null && valid[row] === 0)) throw otherGroup()
    slots[row] = slot
  }
  return slots
}

const nameOf = (key: readonly unknown[]) =>
  key.length === 1 && typeof key[0] === 'string'
    ? key[0]
    : `\0${JSON.stringify(key.map(part => (part === null ? null : String(part))))}`

/** A key as a literal is written; a decimal with all its places. */
function valueReader(vector: Vector): (row: number) => string | boolean | null {
  if (vector.kind === 'text') return row => vector.values[row] ?? null
  const { valid } = vector
  const present = (row: number) => valid === null || valid[row] === 1
  if (vector.kind === 'boolean') return row => (present(row) ? vector.values[row] === 1 : null)
  const { scale } = vector.interval
  if (scale > 0) return row => (present(row) ? decimalText(BigInt(vector.values[row]!), scale) : null)
  return row => (present(row) ? String(vector.values[row]!) : null)
}

function decimalText(units: bigint, scale: number): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function otherGroup(): SluiceError {
  return new SluiceError('PARAMETER_INVALID', 'a row is of a group that is not in the public list', {
    rule: 'he.group',
    remedy: 'Correct the row, leave it out, or ask for an aggregation whose list has its group.',
  })
}
