import { combine, sum } from '../../field/kernels.js'
import { concatenate, split } from '../../ring/columns.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import type { FieldCells } from './minimum.js'

/** Two shared columns of one length. */
export type Pair = readonly [Words, Words]

/** What totals ask of a secret sharing over the field. */
export interface Totalling {
  /** a column that everybody knows, field elements */
  constant(values: Words): Words
  multiply(a: Words, b: Words): Protocol<Words>
  /** one element for each pair; they may be of a kind that only adds up, as long as all cells are */
  innerProducts(pairs: readonly Pair[]): Protocol<Words>
}

/** One column to total; without values, rows are. `present` is 1 where there is a value, and not given where all are. */
export interface FieldMeasure {
  readonly values?: Words
  readonly present?: Words
}

/**
 * Counts and sums of every measure in every cell of the dimensions' product, the last dimension fastest, measure by
 * measure. A dimension is one column of zeros and ones for each category of a public list, a filter a dimension of one.
 *
 * All inner products are asked for at once, a column that several measures share once. Dimensions before the last cost
 * one product for each row and cell of them, and each column that is totalled one more.
 */
export function* totals(
  on: Totalling,
  rows: number,
  dimensions: readonly (readonly Words[])[],
  measures: readonly FieldMeasure[],
): Protocol<FieldCells> {
  const columns = [...new Set(measures.flatMap(({ values, present }) => [present, values]))]
  const cells = yield* cellsOf(on, rows, dimensions, columns)
  const of = (column: Words | undefined): Words => cells[columns.indexOf(column)]!
  return {
    counts: concatenate(measures.map(({ present }) => of(present))),
    sums: concatenate(measures.map(({ values }) => of(values))),
  }
}

/** Every column's total in every cell; of a column that is not given, the number of rows in it. */
function* cellsOf(
  on: Totalling,
  rows: number,
  dimensions: readonly (readonly Words[])[],
  columns: readonly (Words | undefined)[],
): Protocol<Words[]> {
  const last = dimensions.at(-1)
  if (last === undefined) {
    const all = on.constant(new BigUint64Array([BigInt(rows)]))
    return columns.map(column => (column === undefined ? all : new BigUint64Array([sum(column)])))
  }
  const given = columns.filter(column => column !== undefined)
  let outer: readonly Words[] | undefined
  for (const dimension of dimensions.slice(0, -1))
    outer = outer === undefined ? dimension : yield* products(on, outer, dimension)
  const weighted = outer === undefined ? given : yield* products(on, given, outer)
  const width = outer?.length ?? 1
  const left = columns.flatMap(column => {
    if (column === undefined) return outer ?? []
    const at = given.indexOf(column) * width
    return weighted.slice(at, at + width)
  })
  const pairs = left.flatMap(a => last.map(b => [a, b] as const))
  const sums = pairs.length === 0 ? [] : split(yield* on.innerProducts(pairs), left.length / width)
  // without an outer dimension, the rows of a cell are the total of its category
  if (outer === undefined && columns.includes(undefined))
    sums.splice(columns.indexOf(undefined), 0, new BigUint64Array(last.map(sum)))
  return sums
}

/** Every column of one list times every column of the other, in one product. */
function* products(on: Totalling, a: readonly Words[], b: readonly Words[]): Protocol<Words[]> {
  const pairs = a.flatMap(x => b.map(y => [x, y] as const))
  if (pairs.length === 0) return []
  const [x, y] = [concatenate(pairs.map(([left]) => left)), concatenate(pairs.map(([, right]) => right))]
  return split(yield* on.multiply(x, y), pairs.length)
}

/** Further rows' cells. */
export function addCells(before: FieldCells | undefined, cells: FieldCells): FieldCells {
  if (before === undefined) return cells
  return {
    counts: combine('add', before.counts, cells.counts),
    sums: combine('add', before.sums, cells.sums),
  }
}
