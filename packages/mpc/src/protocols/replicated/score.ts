import { affine, combine, type Words } from '../../ring/kernels.js'
import type { Protocol } from '../../session/protocol.js'
import { resharing } from './multiply.js'
import type { Party } from './party.js'
import { type Arithmetic, arithmetic } from './shares.js'

/**
 * Scores Σ w_j · x_j of every row under secret weights, with a secret intercept: inner products across the columns,
 * summed before they are masked (ABY3, section 5.1), so that a row costs one ring element however many columns it
 * has. In scaled integers: a score has the digits of weights and columns together; `divideByPublic` or `truncate`
 * take them off again, exactly.
 *
 * Scores stay shared. A score is about one entity: open totals, a histogram or what `openAtLeast` lets through.
 *
 * One round; a party sends one ring element for each row.
 *
 * @param weights one value for each column, and then the intercept, which has the digits of the scores
 */
export function* score(
  party: Party,
  columns: readonly Arithmetic[],
  weights: Arithmetic,
): Protocol<Arithmetic> {
  const rows = columns[0]!.own.length
  const last = columns.length
  // party i's part of a product: a_i·b_i + a_i·b_(i+1) + a_(i+1)·b_i; the intercept is shared already
  let own: Words = new BigUint64Array(rows).fill(weights.own[last]!)
  for (const [j, column] of columns.entries()) {
    const both = combine('add', column.own, column.next)
    own = combine('add', own, affine(both, weights.own[j]!, 0n))
    own = combine('add', own, affine(column.own, weights.next[j]!, 0n))
  }
  const mask = combine('sub', party.own.words(rows), party.next.words(rows))
  const masked = combine('add', own, mask)
  return arithmetic(masked, yield* resharing(party, masked))
}
