import { SluiceError } from '@sluice/core'
import type { Protocol } from '../../session/protocol.js'
import { isZero } from './compare.js'
import { bitsToArithmetic } from './convert.js'
import { innerProducts } from './multiply.js'
import type { Party } from './party.js'
import {
  type Arithmetic,
  add,
  affineOf,
  arithmetic,
  concatenate,
  gather,
  known,
  padded,
  slice,
  subtract,
  total,
} from './shares.js'
import { type SortKey, sortBy } from './sort.js'
import { divideByPublic } from './truncate.js'

/** A public share of a column: 1/2 for the median. */
export interface QuantileFraction {
  readonly numerator: number
  readonly denominator: number
}

/** A place in a cell's order: a quantile, or so many-th from above or below. */
export type Rank = QuantileFraction | { readonly largest: number } | { readonly smallest: number }

/** By rank one value for each cell; and of how many values they are: what a minimum is held to. */
export interface RankedCells {
  readonly values: readonly Arithmetic[]
  /** by cell */
  readonly counts: Arithmetic
}

/**
 * Quantiles, and the k-th largest or smallest, of each cell by itself. One sort by cell and value puts every cell's values in a row;
 * where they begin and how many there are stays secret, so each rank is looked up by a test of equality for every row.
 *
 * Of a cell that has no values, or fewer than `largest` or `smallest`, it is the value of another: open what has a
 * minimum, of at least one and at least as many.
 *
 * Rounds: those of the sort, and at most 20 for each fraction, and ten for each batch of look-ups; a look-up costs a
 * party 63 bits and a ring element for each row, party 0 another 64 bits and element.
 *
 * @param column 0 in rows that are in no cell
 * @param cells by cell, 1 in its rows; a row is in one cell or none
 * @throws SluiceError PARAMETER_INVALID
 */
export function* ranked(
  party: Party,
  column: SortKey,
  cells: readonly Arithmetic[],
  ranks: readonly Rank[],
): Protocol<RankedCells> {
  checkFractions(ranks)
  const rows = column.values.own.length
  const counts = concatenate(cells.map(total))
  const [ordered] = yield* sortBy(party, [cellOf(party, cells), column], [column.values])
  const places = yield* placesOf(party, counts, ranks)
  const numbers = known(
    party,
    new BigUint64Array(rows).map((_, row) => BigInt(row)),
  )
  const batch = Math.max(1, Math.floor(BATCH_ELEMENTS / Math.max(rows, 1)))
  const found: Arithmetic[] = []
  for (let start = 0; start < places.own.length; start += batch) {
    const some = slice(places, start, start + batch)
    found.push(yield* lookedUp(party, ordered!, numbers, some))
  }
  const values = concatenate(found)
  const width = cells.length
  return { values: ranks.map((_, i) => slice(values, i * width, (i + 1) * width)), counts }
}

/** @throws SluiceError PARAMETER_INVALID where one is not within 0 and 1, or not of whole numbers */
export function checkFractions(ranks: readonly Rank[]): void {
  if (ranks.every(isRank)) return
  throw new SluiceError('PARAMETER_INVALID', 'a fraction is not within 0 and 1, or a place below 1', {
    rule: 'mpc.parameters',
    remedy: 'Give whole numbers, the denominator at most 1000000.',
  })
}

/** Elements that one batch of look-ups has at most, beyond one for each row. */
const BATCH_ELEMENTS = 2 ** 18
const MINUS_ONE = 2n ** 64n - 1n

/** Each row's cell as the first key; rows that are in none come last. */
function cellOf(party: Party, cells: readonly Arithmetic[]): SortKey {
  const last = BigInt(cells.length)
  const before = cells.map((flags, cell) => affineOf(party, flags, BigInt(cell) - last, 0n)).reduce(add)
  return { values: affineOf(party, before, 1n, last), bits: last.toString(2).length }
}

/** Places of all ranks in the sorted rows, rank by rank. */
function* placesOf(party: Party, counts: Arithmetic, ranks: readonly Rank[]): Protocol<Arithmetic> {
  const starts = subtract(runningTotals(counts), counts)
  const places: Arithmetic[] = []
  for (const rank of ranks) {
    if ('largest' in rank) {
      places.push(affineOf(party, add(starts, counts), 1n, BigInt.asUintN(64, -BigInt(rank.largest))))
      continue
    }
    if ('smallest' in rank) {
      places.push(affineOf(party, starts, 1n, BigInt(rank.smallest - 1)))
      continue
    }
    const [numerator, denominator] = [BigInt(rank.numerator), BigInt(rank.denominator)]
    if (numerator === 0n) places.push(starts)
    else {
      const raised = affineOf(party, counts, numerator, denominator - 1n)
      const upTo = numerator === denominator ? counts : yield* divideByPublic(party, raised, denominator)
      places.push(affineOf(party, add(starts, upTo), 1n, MINUS_ONE))
    }
  }
  return concatenate(places)
}

function runningTotals({ own, next }: Arithmetic): Arithmetic {
  return arithmetic(...([own, next].map(running) as [Arithmetic['own'], Arithmetic['own']]))
}

function running(values: Arithmetic['own']): Arithmetic['own'] {
  let sum = 0n
  return values.map(value => {
    sum = BigInt.asUintN(64, sum + value)
    return sum
  })
}

/** The values at secret places; zero where there is no such row. */
function* lookedUp(
  party: Party,
  values: Arithmetic,
  numbers: Arithmetic,
  places: Arithmetic,
): Protocol<Arithmetic> {
  const rows = values.own.length
  const count = places.own.length
  const distances = Array.from({ length: count }, (_, i) => {
    const place = gather(places, [i])
    return subtract(numbers, repeated(place, rows))
  })
  const found = yield* isZero(party, padded(distances))
  const step = Math.ceil(rows / 64) * 64
  const flags = yield* bitsToArithmetic(party, found, count * step)
  return yield* innerProducts(
    party,
    distances.map((_, i) => [slice(flags, i * step, i * step + rows), values] as const),
  )
}

/** One shared value in every row. */
function repeated({ own, next }: Arithmetic, rows: number): Arithmetic {
  return arithmetic(new BigUint64Array(rows).fill(own[0]!), new BigUint64Array(rows).fill(next[0]!))
}

function isRank(rank: Rank): boolean {
  if ('largest' in rank) return isPlace(rank.largest)
  return 'smallest' in rank ? isPlace(rank.smallest) : isFraction(rank)
}

function isFraction({ numerator, denominator }: QuantileFraction): boolean {
  const whole = Number.isInteger(numerator) && Number.isInteger(denominator)
  return whole && numerator >= 0 && denominator >= 1 && numerator <= denominator && denominator <= 1_000_000
}

function isPlace(place: number): boolean {
  return Number.isInteger(place) && place >= 1 && place <= 2 ** 31
}
