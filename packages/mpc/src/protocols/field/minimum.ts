import { SluiceError } from '@sluice/core'
import { toSigned } from '../../field/kernels.js'
import { concatenate } from '../../ring/columns.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import type { Scheme } from './scheme.js'

/** Shared cells: how many entities stand behind each, and its sum. */
export interface FieldCells {
  readonly counts: Words
  readonly sums: Words
}

/** What is opened of cells. Of one that is suppressed nothing is, not even its count. */
export interface OpenedFieldCells {
  /** 1 where the cell was opened */
  readonly passed: BigUint64Array
  readonly counts: BigUint64Array
  readonly sums: BigInt64Array
}

/** The largest minimum of entities that is tested in the field: a cell takes one product for each up to it. */
export const LARGEST_MINIMUM = 100_000n

/**
 * Opens the cells with at least `minimum` entities to the receivers. A count c is below the minimum k exactly where
 * c·(c−1)⋯(c−k+1) is zero, which in a field holds of the product times a random factor too, save once in 2^61: that
 * masked product is opened to everybody, and only shares of cells that passed are sent at all. The few cells that the
 * random factor suppresses wrongly stay closed. (Masking before a test for zero: Bar-Ilan and Beaver, PODC 1989.)
 *
 * Every computing party learns which cells passed, not only the receivers.
 *
 * Rounds: one product for each doubling up to k, one with the mask, two openings.
 */
export function* openAtLeast(
  scheme: Scheme,
  { counts, sums }: FieldCells,
  minimum: bigint,
  receivers: readonly number[],
): Protocol<OpenedFieldCells | undefined> {
  const masked = yield* scheme.multiply(
    yield* belowIsZero(scheme, counts, minimum),
    yield* scheme.random(counts.length),
  )
  const outside = receivers.filter(receiver => !scheme.everyone.includes(receiver))
  const tests = yield* scheme.open(masked, [...scheme.everyone, ...outside])
  const passed = passing(tests!)
  const kept = concatenate([select(counts, passed), select(sums, passed)])
  const opened = yield* scheme.open(kept, receivers)
  return opened === undefined ? undefined : cellsIn(opened, passed)
}

/**
 * The side of a receiver that is no computing party.
 *
 * @param receive the scheme's own, for so many values
 */
export function* receiveAtLeast(
  receive: (length: number) => Protocol<Words>,
  cells: number,
): Protocol<OpenedFieldCells> {
  const passed = passing(yield* receive(cells))
  return cellsIn(yield* receive(2 * count(passed)), passed)
}

/** How many products `openAtLeast` takes of a supply, and how many random elements. */
export function needsOfMinimum(cells: number, minimum: bigint): { products: number; random: number } {
  // of k factors k − 1 products are one, and one more has the mask
  return { products: cells * Number(factorsOf(minimum)), random: cells }
}

/** Elements that are zero where the count is below the minimum, and only there. */
function* belowIsZero(scheme: Scheme, counts: Words, minimum: bigint): Protocol<Words> {
  const factors = Array.from({ length: Number(factorsOf(minimum)) }, (_, j) =>
    // without a minimum, the one factor is 1
    minimum <= 0n ? scheme.affineOf(counts, 0n, 1n) : scheme.affineOf(counts, 1n, -BigInt(j)),
  )
  let product = concatenate(factors)
  const width = counts.length
  for (let left = factors.length; left > 1; ) {
    const pairs = Math.floor(left / 2)
    const [low, high] = [
      product.subarray(0, pairs * width),
      product.subarray(pairs * width, 2 * pairs * width),
    ]
    const rest = product.subarray(2 * pairs * width)
    product = concatenate([yield* scheme.multiply(low, high), rest])
    left -= pairs
  }
  return product
}

function factorsOf(minimum: bigint): bigint {
  if (minimum > LARGEST_MINIMUM) {
    throw new SluiceError(
      'JOB_INVALID',
      `A minimum of entities above ${LARGEST_MINIMUM} cannot be tested here`,
      {
        rule: 'minimum.entities',
        remedy: 'Use three parties with replicated sharing, whose comparison has no such limit.',
      },
    )
  }
  return minimum <= 1n ? 1n : minimum
}

function passing(tests: Words): Words {
  return tests.map(test => (test === 0n ? 0n : 1n))
}

function count(flags: Words): number {
  return Number(flags.reduce((total, flag) => total + flag, 0n))
}

function select(column: Words, flags: Words): Words {
  return column.filter((_, cell) => flags[cell] === 1n)
}

function cellsIn(opened: Words, passed: Words): OpenedFieldCells {
  const half = opened.length / 2
  const sums = toSigned(opened.subarray(half))
  const placed = { counts: new BigUint64Array(passed.length), sums: new BigInt64Array(passed.length) }
  let position = 0
  passed.forEach((flag, cell) => {
    if (flag === 0n) return
    placed.counts[cell] = opened[position]!
    placed.sums[cell] = sums[position]!
    position++
  })
  return { passed, ...placed }
}
