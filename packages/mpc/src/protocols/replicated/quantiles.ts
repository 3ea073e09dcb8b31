import { SluiceError } from '@sluice/core'
import type { Protocol } from '../../session/protocol.js'
import { multiply } from './multiply.js'
import type { Party } from './party.js'
import { checkFractions, type QuantileFraction, ranked } from './ranked.js'
import { type Arithmetic, affineOf, arithmetic, concatenate, known, slice, total } from './shares.js'
import { type SortKey, sortBy } from './sort.js'

/** Values of a column, one for each that was asked for, and of how many values they are: what a minimum is held to. */
export interface OrderStatistics {
  readonly values: Arithmetic
  /** one value */
  readonly count: Arithmetic
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
  checkFractions(fractions)
  if (present === undefined) {
    const { values, count, rows } = yield* inOrder(party, column, undefined)
    const places = fractions.map(({ numerator, denominator }) =>
      Math.max(0, Math.ceil((numerator * rows) / denominator) - 1),
    )
    return { values: at(values, places), count }
  }
  const there = yield* multiply(party, column.values, present)
  const found = yield* ranked(party, { ...column, values: there }, [present], fractions)
  return { values: concatenate(found.values), count: found.counts }
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

/** Values at public places; zero where there is no row. */
function at({ own, next }: Arithmetic, places: readonly number[]): Arithmetic {
  return arithmetic(
    new BigUint64Array(places.map(place => own[place] ?? 0n)),
    new BigUint64Array(places.map(place => next[place] ?? 0n)),
  )
}

const MINUS_ONE = 2n ** 64n - 1n

function invalid(reason: string, remedy: string): SluiceError {
  return new SluiceError('PARAMETER_INVALID', reason, { rule: 'mpc.parameters', remedy })
}
