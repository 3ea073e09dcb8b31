import type { Protocol } from '../../session/protocol.js'
import { isZero, lessThan } from './compare.js'
import { bitsToArithmetic } from './convert.js'
import { multiply } from './multiply.js'
import type { Party } from './party.js'
import type { OrderStatistics } from './quantiles.js'
import { type Arithmetic, add, affineOf, concatenate, known, slice, subtract, total } from './shares.js'

/**
 * The smallest or the largest of the values that are there, which lie within ±2^61; of no values, zero. A knock-out:
 * neighbours are compared, level by level, so that it costs a comparison, its bit and a product for each value but
 * one, and 11 rounds for each doubling of their number.
 *
 * @param present 1 where there is a value; all are there unless it is given
 */
export function* extreme(
  party: Party,
  which: 'smallest' | 'largest',
  column: Arithmetic,
  present?: Arithmetic,
): Protocol<OrderStatistics> {
  const rows = column.own.length
  const count = total(present ?? known(party, new BigUint64Array(rows).fill(1n)))
  if (rows === 0) return { values: count, count }
  const turned = which === 'largest'
  const competing = turned ? affineOf(party, column, MINUS_ONE, 0n) : column
  const left =
    present === undefined ? competing : losing(party, yield* multiply(party, competing, present), present)
  const first = yield* smallest(party, [left])
  const values = turned ? affineOf(party, first, MINUS_ONE, 0n) : first
  if (present === undefined) return { values, count }
  const some = affineOf(party, yield* bitsToArithmetic(party, yield* isZero(party, count), 1), MINUS_ONE, 1n)
  return { values: yield* multiply(party, values, some), count }
}

/**
 * The smallest and the largest value of each cell by itself, values being within ±2^61. Of a cell without values it is
 * ±2^61: open what has a minimum of at least one.
 *
 * 11 rounds for each doubling of the rows, however many cells, and one; otherwise for each cell as two of `extreme`.
 *
 * @param column of at least one value
 * @param cells by cell, 1 in its rows; not given where there is one cell, of all rows
 */
export function* extremes(
  party: Party,
  column: Arithmetic,
  cells?: readonly Arithmetic[],
): Protocol<{ readonly smallest: Arithmetic; readonly largest: Arithmetic }> {
  const turned = (x: Arithmetic) => affineOf(party, x, MINUS_ONE, 0n)
  if (cells === undefined) {
    const both = yield* smallest(party, [column, turned(column)])
    return { smallest: slice(both, 0, 1), largest: turned(slice(both, 1, 2)) }
  }
  const inside = yield* multiply(party, concatenate(cells.map(() => column)), concatenate(cells))
  const rows = column.own.length
  const parts = cells.map((flags, cell) => [slice(inside, cell * rows, (cell + 1) * rows), flags] as const)
  const both = yield* smallest(party, [
    ...parts.map(([values, flags]) => losing(party, values, flags)),
    ...parts.map(([values, flags]) => losing(party, turned(values), flags)),
  ])
  const count = cells.length
  return { smallest: slice(both, 0, count), largest: turned(slice(both, count, 2 * count)) }
}

/** Of each column the smallest value, by a knock-out; columns are of one length, of at least one value. */
function* smallest(party: Party, columns: readonly Arithmetic[]): Protocol<Arithmetic> {
  let left = columns
  for (let rows = columns[0]!.own.length; rows > 1; rows = Math.ceil(rows / 2)) {
    const pairs = Math.floor(rows / 2)
    const a = concatenate(left.map(column => slice(column, 0, pairs)))
    const b = concatenate(left.map(column => slice(column, pairs, 2 * pairs)))
    const less = yield* bitsToArithmetic(party, yield* lessThan(party, a, b), a.own.length)
    const winners = add(b, yield* multiply(party, less, subtract(a, b)))
    left = left.map((column, i) =>
      concatenate([slice(winners, i * pairs, (i + 1) * pairs), slice(column, 2 * pairs, rows)]),
    )
  }
  return concatenate(left)
}

/** Who is not there loses against everybody. */
function losing(party: Party, values: Arithmetic, flags: Arithmetic): Arithmetic {
  return add(values, affineOf(party, flags, MINUS_BOUND, BOUND))
}

const BOUND = 1n << 61n
const MINUS_BOUND = 2n ** 64n - BOUND
const MINUS_ONE = 2n ** 64n - 1n
