import type { Protocol } from '../../session/protocol.js'
import { isNegative, isZero } from './compare.js'
import { bitsToArithmetic } from './convert.js'
import { multiply } from './multiply.js'
import { open } from './open.js'
import type { Party } from './party.js'
import { type Arithmetic, affineOf, concatenate, gather, total } from './shares.js'

/** What is opened of one statistic: nothing where a condition does not hold. */
export interface OpenedStatistics {
  readonly passed: boolean
  /** scaled integers, all zero where the statistic is suppressed */
  readonly values: BigInt64Array<ArrayBuffer>
}

/**
 * Opens values to the receivers where every condition holds, and nothing of them otherwise: conditions are elements
 * that must not be negative, tested on shares before anything is opened. What the receivers learn of a suppressed
 * statistic is that some condition failed, not which.
 *
 * 21 rounds.
 */
export function* openWhere(
  party: Party,
  conditions: readonly Arithmetic[],
  values: Arithmetic,
  receivers: readonly number[],
): Protocol<OpenedStatistics | undefined> {
  const tests = concatenate(conditions)
  const negative = yield* isNegative(party, tests)
  const failed = total(yield* bitsToArithmetic(party, negative, tests.own.length))
  const passed = yield* bitsToArithmetic(party, yield* isZero(party, failed), 1)
  const length = values.own.length
  const kept = yield* multiply(party, gather(passed, Array(length).fill(0)), values)
  const opened = yield* open(party, concatenate([passed, kept]), receivers)
  return opened === undefined ? undefined : statisticsIn(opened)
}

/**
 * Opens values where at least `minimum` entities stand behind them.
 *
 * @param count how many entities do, one value
 */
export function openFromEntities(
  party: Party,
  { count, values }: { readonly count: Arithmetic; readonly values: Arithmetic },
  minimum: bigint,
  receivers: readonly number[],
): Protocol<OpenedStatistics | undefined> {
  return openWhere(party, [affineOf(party, count, 1n, BigInt.asUintN(64, -minimum))], values, receivers)
}

/** The same from what a receiver outside the three got, which is one value more than the statistic has. */
export function statisticsIn(opened: BigUint64Array<ArrayBuffer>): OpenedStatistics {
  return { passed: opened[0] === 1n, values: new BigInt64Array(opened.slice(1).buffer) }
}
