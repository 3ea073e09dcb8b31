import { isNegative } from '../../protocols/replicated/compare.js'
import { bitsToArithmetic } from '../../protocols/replicated/convert.js'
import { divide, squareRoot } from '../../protocols/replicated/divide.js'
import { deviationsOf, meansOf, scaleFor, split } from '../../protocols/replicated/moments.js'
import { multiply } from '../../protocols/replicated/multiply.js'
import { type OpenedEach, openEach, reaching } from '../../protocols/replicated/opening.js'
import type { Party } from '../../protocols/replicated/party.js'
import { type Arithmetic, affineOf, concatenate, subtract } from '../../protocols/replicated/shares.js'
import type { Cells } from '../../protocols/replicated/totals.js'
import { divideByPublic } from '../../protocols/replicated/truncate.js'
import type { Protocol } from '../../session/protocol.js'
import type { Query } from '../query.js'
import type { Derived } from './cells.js'

/** What is asked of an opening. */
export interface Opening {
  readonly minimum: bigint
  readonly receivers: readonly number[]
}

/** Computes each cell's value on shares, and opens those, with neither counts nor sums, that have the minimum. */
export function* openDerived(
  party: Party,
  { derived, rows }: Query,
  { counts, sums }: Cells,
  { minimum, receivers }: Opening,
): Protocol<OpenedEach | undefined> {
  const asked = derived!
  const count = counts[0]!
  const enough = reaching(party, count, minimum)
  if (asked.kind === 'ratio') {
    const { quotient, defined } = yield* ratioOf(party, sums[0]!, sums[1]!, asked)
    return yield* openEach(party, [enough, defined], [quotient], receivers)
  }
  const values =
    asked.kind === 'mean'
      ? yield* divide(party, sums[0]!, count, { fraction: { base: 10, digits: asked.digits } })
      : yield* varianceOf(party, count, sums[0]!, sums[1]!, asked, BigInt(rows))
  return yield* openEach(party, [enough], [values], receivers)
}

/** Of a sample; its root is rounded down to the digits asked for, from a variance with twice as many. */
function* varianceOf(
  party: Party,
  count: Arithmetic,
  sums: Arithmetic,
  squares: Arithmetic,
  { kind, digits, bound }: Derived,
  rows: bigint,
): Protocol<Arithmetic> {
  const scale = scaleFor(rows, bound)
  const side = yield* meansOf(party, sums, count)
  const deviations = yield* deviationsOf(party, squares, [side, side], count, scale)
  const divisor = affineOf(party, count, scale, 2n ** 64n - scale)
  const root = kind === 'deviation'
  const fraction = { base: 10, digits: root ? 2 * digits : digits } as const
  const variance = yield* divide(party, deviations, divisor, { fraction })
  return root ? yield* squareRoot(party, variance) : variance
}

/** No quotient that is opened has this magnitude, scaled. */
const LARGEST = 2n ** 61n

/** `defined` is not negative where the divisor is not zero, and the quotient fits. */
function* ratioOf(
  party: Party,
  a: Arithmetic,
  b: Arithmetic,
  { digits }: Derived,
): Protocol<{ readonly quotient: Arithmetic; readonly defined: Arithmetic }> {
  const both = concatenate([a, b])
  const negative = yield* bitsToArithmetic(party, yield* isNegative(party, both), both.own.length)
  const signs = affineOf(party, negative, MINUS_TWO, 1n)
  const [dividend, divisor] = split(yield* multiply(party, both, signs), 2, a.own.length) as [
    Arithmetic,
    Arithmetic,
  ]
  // |a| / |b| < limit exactly where ⌊|a| / limit⌋ ≤ |b| − 1
  const parts = yield* divideByPublic(party, dividend, LARGEST / 10n ** BigInt(digits))
  const defined = affineOf(party, subtract(divisor, parts), 1n, MINUS_ONE)
  return { quotient: yield* divide(party, a, b, { fraction: { base: 10, digits } }), defined }
}

const MINUS_ONE = 2n ** 64n - 1n
const MINUS_TWO = 2n ** 64n - 2n
