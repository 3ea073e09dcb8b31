import { SluiceError } from '@sluice/core'
import type { Protocol } from '../../session/protocol.js'
import { isZero, lessThan } from './compare.js'
import { bitsToArithmetic } from './convert.js'
import { innerProducts, multiply } from './multiply.js'
import type { Party } from './party.js'
import {
  type Arithmetic,
  add,
  affineOf,
  arithmetic,
  concatenate,
  known,
  padded,
  slice,
  subtract,
  total,
} from './shares.js'
import { type SortKey, sortBy } from './sort.js'
import { divideByPublic } from './truncate.js'

/** Values of a column, one for each that was asked for, and of how many values they are: what a minimum is held to. */
export interface OrderStatistics {
  readonly values: Arithmetic
  /** one value */
  readonly count: Arithmetic
}

/** A public share of a column: 1/2 for the median. */
export interface QuantileFraction {
  readonly numerator: number
  readonly denominator: number
}

/**
 * Quantiles of the values that are there: the smallest value to which at least the fraction of them is at most equal,
 * as SQL's `percentile_disc`; so the lower of two medians. Of no values, zero. The column is sorted; where some values
 * may not be there, the place itself is a secret, and is looked up by a test of equality for each row and fraction.
 *
 * @param present 1 where there is a value; all are there unless it is given
 * @throws SluiceError PARAMETER_INVALID
 */
export function* quantiles(
  party: Party,
  column: SortKey,
  fractions: readonly QuantileFraction[],
  present?: Arithmetic,
): Protocol<OrderStatistics> {
  if (fractions.some(fraction => !isFraction(fraction))) {
    throw invalid('a fraction is not within 0 and 1', 'Give whole numbers, the denominator at most 1000000.')
  }
  const { values, count, rows } = yield* inOrder(party, column, present)
  if (present === undefined) {
    const places = fractions.map(({ numerator, denominator }) =>
      Math.max(0, Math.ceil((numerator * rows) / denominator) - 1),
    )
    return { values: at(values, places), count }
  }
  const places: Arithmetic[] = []
  for (const { numerator, denominator } of fractions) {
    const above = affineOf(party, count, BigInt(numerator), BigInt(denominator) - 1n)
    const rank = yield* divideByPublic(party, above, BigInt(denominator))
    places.push(affineOf(party, rank, 1n, MINUS_ONE))
  }
  // of fraction 0 the place is −1, which is the first
  const negative = fractions.map(({ numerator }) => (numerator === 0 ? 1n : 0n))
  const wanted = places.map((place, i) => affineOf(party, place, 1n, negative[i]!))
  const numbers = known(
    party,
    new BigUint64Array(rows).map((_, row) => BigInt(row)),
  )
  const distances = wanted.map(place => subtract(numbers, repeated(place, rows)))
  const found = yield* isZero(party, padded(distances))
  const step = Math.ceil(rows / 64) * 64
  const flags = yield* bitsToArithmetic(party, found, fractions.length * step)
  const pairs = fractions.map((_, i) => [slice(flags, i * step, i * step + rows), values] as const)
  return { values: yield* innerProducts(party, pairs), count }
}

/**
 * The k-th largest of the values that are there: the threshold that the k largest reach. Right only where there are k
 * values, so hold it to a minimum of at least k when it is opened.
 *
 * @param present 1 where there is a value; all are there unless it is given
 * @throws SluiceError PARAMETER_INVALID where k is not 1 to the number of rows
 */
export function* kthLargest(
  party: Party,
  column: SortKey,
  k: number,
  present?: Arithmetic,
): Protocol<OrderStatistics> {
  if (!Number.isInteger(k) || k < 1 || k > column.values.own.length) {
    throw invalid('k is not 1 to the number of rows', 'Ask for one of the rows that there are.')
  }
  const { values, count } = yield* inOrder(party, { ...column, descending: true }, present)
  return { values: slice(values, k - 1, k), count }
}

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
  // who is not there loses against everybody
  const last = which === 'smallest' ? BOUND : -BOUND
  let left = column
  if (present !== undefined) {
    const above = yield* multiply(party, affineOf(party, column, 1n, mod(-last)), present)
    left = affineOf(party, above, 1n, mod(last))
  }
  while (left.own.length > 1) {
    const pairs = Math.floor(left.own.length / 2)
    const [a, b] = [slice(left, 0, pairs), slice(left, pairs, 2 * pairs)]
    const [first, second] = which === 'smallest' ? [a, b] : [b, a]
    const less = yield* bitsToArithmetic(party, yield* lessThan(party, first, second), pairs)
    // where `less` holds a wins, in either order
    const winners = add(b, yield* multiply(party, less, subtract(a, b)))
    left = concatenate([winners, slice(left, 2 * pairs, left.own.length)])
  }
  if (present === undefined) return { values: left, count }
  const some = affineOf(party, yield* bitsToArithmetic(party, yield* isZero(party, count), 1), MINUS_ONE, 1n)
  return { values: yield* multiply(party, left, some), count }
}

/** Values by size; where some are not there, those last and zero. */
function* inOrder(
  party: Party,
  column: SortKey,
  present: Arithmetic | undefined,
): Protocol<OrderStatistics & { readonly rows: number }> {
  const rows = column.values.own.length
  if (present === undefined) {
    const [values] = yield* sortBy(party, [column], [column.values])
    return { values: values!, count: known(party, new BigUint64Array([BigInt(rows)])), rows }
  }
  const absent = { values: affineOf(party, present, MINUS_ONE, 1n), bits: 1 }
  const there = yield* multiply(party, column.values, present)
  const [values] = yield* sortBy(party, [absent, column], [there])
  return { values: values!, count: total(present), rows }
}

/** One shared value in every row. */
function repeated({ own, next }: Arithmetic, rows: number): Arithmetic {
  return arithmetic(new BigUint64Array(rows).fill(own[0]!), new BigUint64Array(rows).fill(next[0]!))
}

/** Values at public places; zero where there is no row. */
function at({ own, next }: Arithmetic, places: readonly number[]): Arithmetic {
  return arithmetic(
    new BigUint64Array(places.map(place => own[place] ?? 0n)),
    new BigUint64Array(places.map(place => next[place] ?? 0n)),
  )
}

function isFraction({ numerator, denominator }: QuantileFraction): boolean {
  const whole = Number.isInteger(numerator) && Number.isInteger(denominator)
  return whole && numerator >= 0 && denominator >= 1 && numerator <= denominator && denominator <= 1_000_000
}

const BOUND = 1n << 61n
const MINUS_ONE = 2n ** 64n - 1n
const mod = (value: bigint): bigint => BigInt.asUintN(64, value)

function invalid(reason: string, remedy: string): SluiceError {
  return new SluiceError('PARAMETER_INVALID', reason, { rule: 'mpc.parameters', remedy })
}
