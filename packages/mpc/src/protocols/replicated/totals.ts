import { type Protocol, together } from '../../session/protocol.js'
import { atLeast } from './compare.js'
import { bitsToArithmetic } from './convert.js'
import { innerProducts, multiply } from './multiply.js'
import { open } from './open.js'
import type { Party } from './party.js'
import { type Arithmetic, affineOf, concatenate, known, slice, total } from './shares.js'

/** One column to total, and for which rows it has a value. */
export interface Measure {
  readonly values: Arithmetic
  /** 1 where there is a value, 0 where there is none and `values` is 0; not given where no value is missing */
  readonly present?: Arithmetic
  /** for `groupBy`: columns that in a group have to reach the minimum each, zero where there is no value */
  readonly distinct?: readonly Arithmetic[]
}

/** Rows that are counted, of which nothing is totalled: their sum is their number. */
export interface RowCount {
  readonly rows: number
}

/** Shared cells: for each measure a count and a sum of the rows that have a value. */
export interface Cells {
  readonly counts: readonly Arithmetic[]
  readonly sums: readonly Arithmetic[]
}

/**
 * Counts and sums of every measure in every cell of the dimensions' product, the last dimension fastest.
 *
 * A dimension is one column of zeros and ones for each category of a public list: row r is in cell (i, j) where both
 * are 1. A filter is a dimension of one category. Without dimensions there is one cell.
 *
 * A cell costs one ring element a party for its count and one for its sum, whatever the number of rows; only
 * dimensions beyond the first cost: an element a row and measure for each cell of those before the last, so the
 * dimension with most categories goes last.
 */
export function* totals(
  party: Party,
  dimensions: readonly (readonly Arithmetic[])[],
  measures: readonly (Measure | RowCount)[],
): Protocol<Cells> {
  let outer: Arithmetic[] | undefined
  for (const dimension of dimensions.slice(0, -1)) {
    outer = outer === undefined ? [...dimension] : yield* products(party, outer, dimension)
  }
  const last = dimensions.at(-1)
  const counts: Arithmetic[] = []
  const sums: Arithmetic[] = []
  for (const measure of measures) {
    const rows = 'rows' in measure ? measure.rows : measure.values.own.length
    const cells = (column?: Arithmetic) => cellsOf(party, column, rows, outer, last)
    const count = yield* cells('rows' in measure ? undefined : measure.present)
    counts.push(count)
    sums.push('rows' in measure ? count : yield* cells(measure.values))
  }
  return { counts, sums }
}

/** One column's total in every cell; without a column, the number of rows in it. */
function* cellsOf(
  party: Party,
  column: Arithmetic | undefined,
  rows: number,
  outer: readonly Arithmetic[] | undefined,
  last: readonly Arithmetic[] | undefined,
): Protocol<Arithmetic> {
  if (last === undefined)
    return column === undefined ? known(party, new BigUint64Array([BigInt(rows)])) : total(column)
  if (outer === undefined) {
    if (column === undefined) return concatenate(last.map(total))
    return yield* innerProducts(
      party,
      last.map(category => [column, category] as const),
    )
  }
  const weighted = column === undefined ? outer : yield* products(party, outer, [column])
  return yield* innerProducts(
    party,
    weighted.flatMap(left => last.map(right => [left, right] as const)),
  )
}

/** Every column of one list times every column of the other, in one round. */
function products(party: Party, a: readonly Arithmetic[], b: readonly Arithmetic[]): Protocol<Arithmetic[]> {
  return together(...a.flatMap(x => b.map(y => multiply(party, x, y))))
}

/** What is opened of a cell. Of one that is suppressed nothing is, not even its count. */
export interface OpenedCells {
  /** by measure, by cell: 1 where it was opened */
  readonly passed: readonly BigUint64Array[]
  readonly counts: readonly BigUint64Array[]
  /** two's complement */
  readonly sums: readonly BigInt64Array[]
}

/**
 * Opens the cells in which at least `minimum` rows have a value, to the receivers alone. The rule runs on shares,
 * before anything is opened: each count is compared under the protocol, and what fails is multiplied by zero. What
 * the receivers learn of a suppressed cell is that its count is below the minimum; they see all counts and sums of the
 * others, so a job that opens a total beside all but one of its parts opens that part too.
 *
 * Twelve rounds: eight for the comparison, two for its bits, one for the products, one for the opening; and one more for
 * each further count of the measure that has most of them.
 *
 * @param further by measure, counts of other rows of each cell that have to reach the minimum too; see `noneOrEnough`
 */
export function* openAtLeast(
  party: Party,
  { counts, sums }: Cells,
  minimum: bigint,
  receivers: readonly number[],
  further: readonly (readonly Arithmetic[])[] = [],
): Protocol<OpenedCells | undefined> {
  const allCounts = concatenate(counts)
  const tested = concatenate([allCounts, ...further.flat()])
  const flags = yield* bitsToArithmetic(party, yield* atLeast(party, tested, minimum), tested.own.length)
  const passed = yield* allOf(party, flags, counts[0]!.own.length, counts.length, further)
  const kept = yield* multiply(
    party,
    concatenate([passed, passed]),
    concatenate([allCounts, concatenate(sums)]),
  )
  const opened = yield* open(party, concatenate([passed, kept]), receivers)
  return opened === undefined ? undefined : cellsIn(opened, counts.length)
}

/** Of every cell of every measure, the product of its flag and of those of its further counts. */
function* allOf(
  party: Party,
  flags: Arithmetic,
  width: number,
  measures: number,
  further: readonly (readonly Arithmetic[])[],
): Protocol<Arithmetic> {
  const columns = columnsIn(flags, width)
  const own = columns.splice(0, measures)
  const others = further.map(({ length }) => columns.splice(0, length))
  for (;;) {
    const places = [...others.keys()].filter(place => others[place]!.length > 0)
    if (places.length === 0) return concatenate(own)
    const factors = places.map(place => others[place]!.pop()!)
    const kept = yield* multiply(party, concatenate(places.map(place => own[place]!)), concatenate(factors))
    for (const [i, column] of columnsIn(kept, width).entries()) own[places[i]!] = column
  }
}

/** Columns of so many cells that stand one behind the other. */
function columnsIn(all: Arithmetic, width: number): Arithmetic[] {
  return Array.from({ length: all.own.length / width }, (_, i) => slice(all, i * width, (i + 1) * width))
}

/**
 * Turns counts into such as reach the minimum exactly where they did, or were zero: c becomes c·(c − minimum) + minimum,
 * of counts and a minimum below 2^31.
 *
 * @param counts columns of one length
 */
export function* noneOrEnough(
  party: Party,
  counts: readonly Arithmetic[],
  minimum: bigint,
): Protocol<Arithmetic[]> {
  if (counts.length === 0) return []
  const all = concatenate(counts)
  const product = yield* multiply(party, all, affineOf(party, all, 1n, BigInt.asUintN(64, -minimum)))
  return columnsIn(affineOf(party, product, 1n, minimum), counts[0]!.own.length)
}

/** The same from what a receiver outside the three got, which is `3 · measures · cells` values. */
export function cellsIn(opened: BigUint64Array<ArrayBuffer>, measures: number): OpenedCells {
  const width = opened.length / 3 / measures
  const part = (third: number): BigUint64Array<ArrayBuffer>[] =>
    Array.from({ length: measures }, (_, i) => {
      const start = (third * measures + i) * width
      return opened.slice(start, start + width)
    })
  return {
    passed: part(0),
    counts: part(1),
    sums: part(2).map(words => new BigInt64Array(words.buffer)),
  }
}
