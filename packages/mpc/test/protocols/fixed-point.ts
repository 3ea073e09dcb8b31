/**
 * What `scatter`, `correlations` and `regress` compute, in the same fixed-point integers without any sharing: each of
 * their steps is exact, so that a protocol has to agree to the last digit, and their rounding can be looked at over
 * thousands of inputs in the time that a protocol takes for a few.
 */

const ONE = 1n << 24n
const ROOT_DIGITS = 28n

export interface Moments {
  readonly count: bigint
  readonly means: readonly bigint[]
  readonly remainders: readonly bigint[]
  /** by column and column, times `scale` */
  readonly deviations: readonly (readonly bigint[])[]
  readonly scale: bigint
}

/** Towards zero, as BigInt divides; by zero, zero. */
const quotient = (a: bigint, b: bigint): bigint => (b === 0n ? 0n : a / b)

/** Complete rows by column; `rows` are those of the table, complete or not. */
export function moments(columns: readonly (readonly bigint[])[], rows: number, bound: bigint): Moments {
  const count = BigInt(columns[0]!.length)
  const total = (values: readonly bigint[]) => values.reduce((sum, value) => sum + value, 0n)
  const [all, square] = [BigInt(rows), bound * bound + 1n]
  let scale = 1n
  while (2n * scale * all * (square > all ? square : all) < 2n ** 58n && scale < 2n ** 40n) scale *= 2n
  const sums = columns.map(total)
  const means = sums.map(sum => quotient(sum, count))
  const remainders = sums.map((sum, i) => sum - count * means[i]!)
  const deviations = columns.map((x, i) =>
    columns.map((y, j) => {
      // in the order of the upper triangle, whichever is asked for
      const [a, b] = i <= j ? [i, j] : [j, i]
      const products = total(x.map((value, row) => value * y[row]!))
      const about = products - means[a]! * sums[b]! - means[b]! * remainders[a]!
      return about * scale - quotient(remainders[a]! * remainders[b]! * scale, count)
    }),
  )
  return { count, means, remainders, deviations, scale }
}

export function rootOf(x: bigint): bigint {
  if (x < 2n) return x
  let root = BigInt(Math.floor(Math.sqrt(Number(x))))
  while (root * root > x) root--
  while ((root + 1n) ** 2n <= x) root++
  return root
}

/** With 28 binary digits. */
export const roots = ({ deviations }: Moments): bigint[] =>
  deviations.map((row, i) => rootOf(row[i]! << (2n * ROOT_DIGITS)))

/** Correlation of columns i < j, times `one`. */
export function correlation(
  { deviations }: Moments,
  root: readonly bigint[],
  [i, j]: readonly [number, number],
  one: bigint,
): bigint {
  const once = quotient(deviations[i]![j]! << (2n * ROOT_DIGITS), root[i]!)
  return quotient(once * one, root[j]!)
}

export interface Fitted {
  /** standardized coefficients, with 24 binary digits */
  readonly standardized: readonly bigint[]
  readonly pivots: readonly bigint[]
  /** the coefficients and the intercept, times 10^digits */
  readonly opened: readonly bigint[]
}

/** The last column by the others; right only where every pivot is above zero. */
export function fit(all: Moments, digits: number): Fitted {
  const features = all.means.length - 1
  const root = roots(all)
  const matrix = all.means.map((_, i) =>
    all.means.map((_, j) => (i === j ? ONE : correlation(all, root, i < j ? [i, j] : [j, i], ONE))),
  )
  const factors: bigint[][] = matrix.map(() => [])
  const pivots: bigint[] = []
  for (let step = 0; step < features; step++) {
    const pivot = matrix[step]![step]!
    pivots.push(pivot)
    for (let i = step + 1; i <= features; i++) factors[i]![step] = quotient(matrix[i]![step]! * ONE, pivot)
    for (let i = step + 1; i <= features; i++)
      for (let j = step + 1; j <= i; j++) matrix[i]![j]! -= (factors[i]![step]! * matrix[j]![step]!) >> 24n
  }
  const standardized: bigint[] = []
  for (let step = features - 1; step >= 0; step--) {
    let value = factors[features]![step]!
    for (const [d, later] of standardized.entries()) value -= (factors[step + 1 + d]![step]! * later) >> 24n
    standardized.unshift(value)
  }
  const shorter = root.map(value => value >> 3n)
  const scale = 10n ** BigInt(digits)
  const slopes = standardized.map((value, j) =>
    quotient(((value * shorter[features]!) >> 24n) * scale, shorter[j]!),
  )
  const left = (of: readonly bigint[]) =>
    slopes.reduce((rest, slope, j) => rest - slope * of[j]!, of[features]! * scale)
  const intercept = left(all.means) + quotient(left(all.remainders), all.count)
  return { standardized, pivots, opened: [...slopes, intercept] }
}
