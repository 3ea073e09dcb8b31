import { SluiceError } from '@sluice/core'
import { type Protocol, together } from '../../session/protocol.js'
import { atLeast } from './compare.js'
import { bitsToArithmetic } from './convert.js'
import { innerProducts } from './multiply.js'
import type { Party } from './party.js'
import { type Arithmetic, concatenate, slice, subtract, total } from './shares.js'
import type { Measure } from './totals.js'

/**
 * How many values lie in each bin between public edges: bin i has what is at least edge i and below edge i + 1; what
 * is below the first edge or not below the last is in none. Counts stay shared: `openAtLeast` opens them.
 *
 * 10 rounds, and one where values can be missing; for each row and edge a party sends 181 bits and a ring element,
 * party 0 another 64 bits and element.
 *
 * @param edges two or more, rising; a value less an edge is within ±2^63
 * @throws SluiceError PARAMETER_INVALID
 */
export function* histogram(
  party: Party,
  { values, present }: Measure,
  edges: readonly bigint[],
): Protocol<Arithmetic> {
  if (edges.length < 2 || edges.some((edge, i) => i > 0 && edge <= edges[i - 1]!)) {
    throw new SluiceError('PARAMETER_INVALID', 'The edges of a histogram do not rise', {
      rule: 'mpc.histogram',
      remedy: 'Give two edges or more, each above the one before.',
    })
  }
  const reached = yield* reachedBy(party, values, edges)
  const counts =
    present === undefined
      ? concatenate(reached.map(total))
      : yield* innerProducts(
          party,
          reached.map(flags => [flags, present] as const),
        )
  const bins = edges.length - 1
  return subtract(slice(counts, 0, bins), slice(counts, 1, bins + 1))
}

/**
 * Which values lie in each bin: from an edge to below the next, and from the last edge on where there are as many bins
 * as edges. Ten rounds; cost as `histogram`.
 */
export function* binsOf(
  party: Party,
  values: Arithmetic,
  edges: readonly bigint[],
  bins: number,
): Protocol<Arithmetic[]> {
  const reached = yield* reachedBy(party, values, edges)
  return reached.slice(0, bins).map((flags, bin) => {
    const next = reached[bin + 1]
    return next === undefined ? flags : subtract(flags, next)
  })
}

/** By edge, 1 where a value is at least the edge. */
function reachedBy(party: Party, values: Arithmetic, edges: readonly bigint[]): Protocol<Arithmetic[]> {
  return together(...edges.map(edge => reaches(party, values, edge)))
}

function* reaches(party: Party, values: Arithmetic, edge: bigint): Protocol<Arithmetic> {
  return yield* bitsToArithmetic(party, yield* atLeast(party, values, edge), values.own.length)
}
