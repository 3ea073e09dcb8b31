import type { Protocol } from '../../session/protocol.js'
import { isNegative, isZero } from './compare.js'
import { bitsToArithmetic } from './convert.js'
import { multiply } from './multiply.js'
import { open } from './open.js'
import type { Party } from './party.js'
import { type Arithmetic, affineOf, concatenate, gather, not, slice, total } from './shares.js'

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
  return openWhere(party, [reaching(party, count, minimum)], values, receivers)
}

/** The same from what a receiver outside the three got, which is one value more than the statistic has. */
export function statisticsIn(opened: BigUint64Array<ArrayBuffer>): OpenedStatistics {
  return { passed: opened[0] === 1n, values: new BigInt64Array(opened.slice(1).buffer) }
}

/** What is opened of cells, each by itself: of one that is suppressed nothing, not even its count. */
export interface OpenedEach {
  /** by cell: 1 where it was opened */
  readonly passed: BigUint64Array<ArrayBuffer>
  /** by value, by cell: scaled integers, 0 where the cell is suppressed */
  readonly values: readonly BigInt64Array<ArrayBuffer>[]
}

/**
 * Opens the values of each cell in which every condition holds: elements that must not be negative, tested on shares
 * before anything is opened. What the receivers learn of a suppressed cell is that some condition failed, not which.
 *
 * Twelve rounds with one condition, and one more with each other.
 *
 * @param conditions by condition, by cell; `reaching` makes one of the minimum of entities
 * @param values by value, by cell
 */
export function* openEach(
  party: Party,
  conditions: readonly Arithmetic[],
  values: readonly Arithmetic[],
  receivers: readonly number[],
): Protocol<OpenedEach | undefined> {
  const cells = conditions[0]!.own.length
  const holds = not(party, yield* isNegative(party, concatenate(conditions)))
  const flags = yield* bitsToArithmetic(party, holds, conditions.length * cells)
  let passed = slice(flags, 0, cells)
  for (let start = cells; start < flags.own.length; start += cells)
    passed = yield* multiply(party, passed, slice(flags, start, start + cells))
  const kept = yield* multiply(party, concatenate(values.map(() => passed)), concatenate(values))
  const opened = yield* open(party, concatenate([passed, kept]), receivers)
  return opened === undefined ? undefined : eachIn(opened, values.length)
}

/** Counts as a condition: not negative where at least `minimum` stand behind a cell. */
export function reaching(party: Party, counts: Arithmetic, minimum: bigint): Arithmetic {
  return affineOf(party, counts, 1n, BigInt.asUintN(64, -minimum))
}

/** The same from what a receiver outside the three got: for each cell one element, and one for each of so many values. */
export function eachIn(opened: BigUint64Array<ArrayBuffer>, values: number): OpenedEach {
  const cells = opened.length / (1 + values)
  const part = (place: number) => opened.slice(place * cells, (place + 1) * cells)
  return {
    passed: part(0),
    values: Array.from({ length: values }, (_, i) => new BigInt64Array(part(1 + i).buffer)),
  }
}
