import { SluiceError } from '@sluice/core'
import type { Protocol } from '../../session/protocol.js'
import { divide, type Fraction, squareRoot } from './divide.js'
import { innerProducts, multiply } from './multiply.js'
import type { Party } from './party.js'
import {
  type Arithmetic,
  add,
  affineOf,
  concatenate,
  gather,
  known,
  slice,
  subtract,
  total,
} from './shares.js'

/** Columns over the same rows, of which a row counts where it has a value in all. */
export interface Sample {
  /** scaled integers; 0 in rows that do not count */
  readonly columns: readonly Arithmetic[]
  /** 1 in rows that count, 0 in others; not given where all do */
  readonly present?: Arithmetic
  /** no value's magnitude is above it; public */
  readonly bound: bigint
}

/** What means, covariances and regressions are made of; still shared. */
export interface Scatter {
  /** how many rows count: one value */
  readonly count: Arithmetic
  /** by column: the mean, rounded towards zero to an integer */
  readonly means: Arithmetic
  /** by column: the sum less count times `means` */
  readonly remainders: Arithmetic
  /** Σ (x − x̄)(y − ȳ) of every two columns, first those of column 0 with 0, 1, 2 …, then of 1 with 1, 2 …; times `scale` */
  readonly deviations: Arithmetic
  readonly scale: bigint
  readonly columns: number
  readonly bound: bigint
}

/**
 * Rows that have a value in every column: each column with zeros in the other rows, and which rows they are.
 *
 * A round for each doubling up to the number of presences, and one more; a party sends one ring element for each row
 * and presence but the first, and one for each row and column.
 */
export function* completeCases(
  party: Party,
  columns: readonly { readonly values: Arithmetic; readonly present?: Arithmetic }[],
): Protocol<{ columns: Arithmetic[]; present?: Arithmetic }> {
  let flags = columns.flatMap(({ present }) => present ?? [])
  if (flags.length === 0) return { columns: columns.map(({ values }) => values) }
  const rows = flags[0]!.own.length
  while (flags.length > 1) {
    const half = Math.floor(flags.length / 2)
    const pairs = [flags.slice(0, half), flags.slice(half, 2 * half)].map(concatenate) as [
      Arithmetic,
      Arithmetic,
    ]
    const products = yield* multiply(party, ...pairs)
    flags = [...split(products, half, rows), ...flags.slice(2 * half)]
  }
  const present = flags[0]!
  if (columns.length === 1) return { columns: [columns[0]!.values], present }
  const values = concatenate(columns.map(column => column.values))
  const repeated = concatenate(columns.map(() => present))
  return { columns: split(yield* multiply(party, values, repeated), columns.length, rows), present }
}

/**
 * Sums of squares and products about the means, in two passes without a second look at the rows: with the integer
 * means m the ring gives Σ (x − m)(y − m') exactly from Σ xy, Σ x and the count, and what the rounding of m leaves is
 * taken off by a division of `scale` times its product. So `deviations` is off by at most 1.
 *
 * 707 rounds; up to 64 pairs of columns some 430 kB a party, however many rows.
 *
 * @throws SluiceError PARAMETER_INVALID where rows times the bound's square is too much for the ring
 */
export function* scatter(party: Party, { columns, present, bound }: Sample): Protocol<Scatter> {
  const rows = columns[0]!.own.length
  const scale = scaleFor(BigInt(rows), bound)
  const pairs = pairsOf(columns.length)
  const count = present === undefined ? known(party, new BigUint64Array([BigInt(rows)])) : total(present)
  const sums = concatenate(columns.map(total))
  const products = yield* innerProducts(
    party,
    pairs.map(([i, j]) => [columns[i]!, columns[j]!] as const),
  )
  const counts = gather(count, Array(columns.length).fill(0))
  const all = yield* meansOf(party, sums, counts)
  const [first, second] = [0, 1].map(side =>
    sideOf(
      all,
      pairs.map(pair => pair[side]!),
    ),
  )
  const each = gather(count, Array(pairs.length).fill(0))
  const deviations = yield* deviationsOf(party, products, [first!, second!], each, scale)
  const { means, remainders } = all
  return { count, means, remainders, deviations, scale, columns: columns.length, bound }
}

/** Sums as a whole mean and what is left. */
export interface Means {
  readonly sums: Arithmetic
  /** rounded towards zero to integers */
  readonly means: Arithmetic
  /** the sums less counts times `means` */
  readonly remainders: Arithmetic
}

/** The means of sums, one by one; of a count of zero, zero. */
export function* meansOf(party: Party, sums: Arithmetic, counts: Arithmetic): Protocol<Means> {
  const means = yield* divide(party, sums, counts)
  return { sums, means, remainders: subtract(sums, yield* multiply(party, counts, means)) }
}

/**
 * Σ (x − x̄)(y − ȳ) times `scale`, off by at most 1, from Σ xy and the means, one by one.
 *
 * @param scale `scaleFor` of the rows and the bound
 */
export function* deviationsOf(
  party: Party,
  products: Arithmetic,
  [x, y]: readonly [Means, Means],
  counts: Arithmetic,
  scale: bigint,
): Protocol<Arithmetic> {
  // Σ (x − m)(y − m') = Σ xy − m·Σ y − m'·(Σ x − n·m)
  const corrections = yield* multiply(
    party,
    concatenate([x.means, y.means, x.remainders]),
    concatenate([y.sums, x.remainders, y.remainders]),
  )
  const [one, two, rounding] = split(corrections, 3, products.own.length) as [
    Arithmetic,
    Arithmetic,
    Arithmetic,
  ]
  const about = subtract(products, add(one, two))
  const left = yield* divide(party, affineOf(party, rounding, scale, 0n), counts)
  return subtract(affineOf(party, about, scale, 0n), left)
}

function sideOf({ sums, means, remainders }: Means, places: readonly number[]): Means {
  return {
    sums: gather(sums, places),
    means: gather(means, places),
    remainders: gather(remainders, places),
  }
}

/**
 * The covariance of every two columns in the order of `deviations`, that of a column with itself being its variance;
 * of a sample (divided by count − 1), or of a population. Scaled by base^digits; off by at most
 * 1 / (scale · (count − 1)) before it is rounded towards zero. Zero where the divisor is.
 *
 * @throws SluiceError PARAMETER_INVALID where one could be too large for the ring
 */
export function* covariances(
  party: Party,
  { count, deviations, scale, bound }: Scatter,
  { fraction, of = 'sample' }: { readonly fraction: Fraction; readonly of?: 'sample' | 'population' },
): Protocol<Arithmetic> {
  // of a sample of two, the variance of −bound and bound is twice the square
  if (2n * bound ** 2n * BigInt(fraction.base) ** BigInt(fraction.digits) >= 2n ** 63n) throw tooPrecise()
  const divisor = affineOf(party, count, scale, of === 'sample' ? 2n ** 64n - scale : 0n)
  return yield* divide(party, deviations, gather(divisor, Array(deviations.own.length).fill(0)), { fraction })
}

/** Binary digits of a deviation's root; with the 30 of its integer part all that `squareRoot` gives. */
const ROOT_DIGITS = 28

/** By column, the square root of `scale` times Σ (x − x̄)², with ROOT_DIGITS binary digits. */
export function* roots(party: Party, { deviations, columns }: Scatter): Protocol<Arithmetic> {
  const diagonal = pairsOf(columns).flatMap(([i, j], place) => (i === j ? [place] : []))
  return yield* squareRoot(party, gather(deviations, diagonal), { bits: 59, digits: ROOT_DIGITS })
}

/**
 * Pearson's correlation of every two different columns, scaled by base^digits, in the order of `deviations` without
 * the diagonal; off by at most 2^-26 and 4 / (scale · Σ (x − x̄)²) of the column that varies least, before it is
 * rounded towards zero. Zero where a column does not vary.
 *
 * 2,034 rounds.
 */
export function* correlations(
  party: Party,
  all: Scatter,
  { fraction, rootsOf }: { readonly fraction: Fraction; readonly rootsOf?: Arithmetic },
): Protocol<Arithmetic> {
  const places = pairsOf(all.columns).map((pair, place) => ({ pair, place }))
  const different = places.filter(({ pair: [i, j] }) => i !== j)
  const root = rootsOf ?? (yield* roots(party, all))
  const once = yield* divide(
    party,
    gather(
      all.deviations,
      different.map(({ place }) => place),
    ),
    gather(
      root,
      different.map(({ pair }) => pair[0]),
    ),
    { fraction: { base: 2, digits: 2 * ROOT_DIGITS } },
  )
  const other = gather(
    root,
    different.map(({ pair }) => pair[1]),
  )
  return yield* divide(party, once, other, { fraction })
}

/** Every column with itself and those after it. */
export function pairsOf(columns: number): (readonly [number, number])[] {
  return Array.from({ length: columns }, (_, i) => i).flatMap(i =>
    Array.from({ length: columns - i }, (_, d) => [i, i + d] as const),
  )
}

export function split(share: Arithmetic, parts: number, length: number): Arithmetic[] {
  return Array.from({ length: parts }, (_, part) => slice(share, part * length, (part + 1) * length))
}

/**
 * The largest power of two by which sums of squares can be scaled: divisions take what is below 2^59.
 *
 * @throws SluiceError PARAMETER_INVALID where rows times the bound's square is too much for the ring
 */
export function scaleFor(rows: bigint, bound: bigint): bigint {
  const most = rows * (bound * bound + 1n) > rows * rows ? rows * (bound * bound + 1n) : rows * rows
  let scale = 1n
  while (2n * scale * most < DIVISIBLE && scale < 2n ** 40n) scale *= 2n
  if (bound < 0n || scale * most >= DIVISIBLE) {
    throw new SluiceError('PARAMETER_INVALID', 'The columns have too many rows for their bound', {
      rule: 'mpc.moments',
      remedy: 'Rows times the square of the bound stay below 2^58: give a lower bound, or larger units.',
    })
  }
  return scale
}

const DIVISIBLE = 2n ** 58n

function tooPrecise(): SluiceError {
  return new SluiceError('PARAMETER_INVALID', 'The result has more digits than the ring holds', {
    rule: 'mpc.moments',
    remedy: 'Ask for fewer digits, or give a lower bound.',
  })
}
