import { SluiceError } from '@sluice/core'
import type { Protocol } from '../../session/protocol.js'
import { divide } from './divide.js'
import { correlations, pairsOf, roots, type Sample, type Scatter, scatter, split } from './moments.js'
import { multiply } from './multiply.js'
import { type OpenedStatistics, openWhere } from './opening.js'
import type { Party } from './party.js'
import { type Arithmetic, add, affineOf, concatenate, gather, known, slice, subtract } from './shares.js'
import { truncate } from './truncate.js'

/** Binary digits of what is solved: correlations and standardized coefficients. */
const BITS = 24
const ONE = 1n << BigInt(BITS)
/** The least pivot: a column of which 255 parts of 256 are a combination of those before it is refused. */
const LEAST_PIVOT = ONE >> 8n
/** Standardized coefficients stay below 16. */
const MOST = 16n * ONE

/**
 * Ordinary least squares with an intercept, by normal equations in standardized form: of correlations R and r the
 * system R·γ = r is solved by an LDLᵀ decomposition on shares (Golub and Van Loan, Matrix Computations, 4th edition,
 * section 4.1), then β_j = γ_j · s_y / s_j, and the intercept is ȳ − Σ β_j · x̄_j. Only the coefficients are opened.
 *
 * Fixed-point numbers have 24 binary digits. With k columns whose correlations have the condition number κ, the
 * standardized coefficients are off by at most (k + κ)·2^-22 wherever this was compared with doubles (a bound that was
 * seen, with a factor of two to spare, and not proven); each β_j by as much of s_y / s_j, and by 10^-digits.
 *
 * Nothing is opened where fewer than `minimum` entities have all values, where a column does not vary or nearly is a
 * combination of others (a pivot below 2^-8), or where a coefficient does not fit; which of them it was, nobody learns.
 *
 * Rounds: 3,764, and 485 for each explaining column; some 2 MB a party with two of them, however many rows.
 *
 * @param sample the explaining columns, and last the one that is explained
 * @returns at a receiver, by column the coefficient and then the intercept, scaled by 10^digits
 * @throws SluiceError PARAMETER_INVALID
 */
export function* regress(
  party: Party,
  sample: Sample,
  { minimum, digits, receivers }: { minimum: bigint; digits: number; receivers: readonly number[] },
): Protocol<OpenedStatistics | undefined> {
  const features = sample.columns.length - 1
  const limit = coefficientLimit(sample, digits)
  const all = yield* scatter(party, sample)
  const root = yield* roots(party, all)
  const matrix = yield* correlations(party, all, { fraction: { base: 2, digits: BITS }, rootsOf: root })
  const { solution, pivots } = yield* solve(party, symmetric(party, matrix, features + 1), features)
  const standardized = concatenate(solution)
  const { coefficients, fits } = yield* unscaled(party, standardized, root, { digits, limit })
  const values = concatenate([coefficients, yield* intercept(party, all, coefficients, digits)])
  const conditions = [
    affineOf(party, all.count, 1n, mod(-minimum)),
    affineOf(party, concatenate(pivots), 1n, mod(-LEAST_PIVOT)),
    affineOf(party, standardized, 1n, MOST),
    affineOf(party, standardized, mod(-1n), MOST),
    ...fits,
  ]
  return yield* openWhere(party, conditions, values, receivers)
}

type Matrix = Arithmetic[][]

/** The matrix of correlations from those above its diagonal. */
function symmetric(party: Party, upper: Arithmetic, size: number): Matrix {
  const one = known(party, new BigUint64Array([ONE]))
  const matrix: Matrix = Array.from({ length: size }, () => Array(size).fill(one))
  const different = pairsOf(size).filter(([i, j]) => i !== j)
  for (const [place, [i, j]] of different.entries()) {
    const element = gather(upper, [place])
    matrix[i]![j] = element
    matrix[j]![i] = element
  }
  return matrix
}

/** Solves for the last column of the matrix: LDLᵀ of the others, which the last row goes through as well. */
function* solve(
  party: Party,
  matrix: Matrix,
  features: number,
): Protocol<{ solution: Arithmetic[]; pivots: Arithmetic[] }> {
  const lower: Matrix = matrix.map(() => [])
  const pivots: Arithmetic[] = []
  for (let step = 0; step < features; step++) {
    const pivot = matrix[step]![step]!
    pivots.push(pivot)
    const below = Array.from({ length: features - step }, (_, i) => step + 1 + i)
    const column = concatenate(below.map(i => matrix[i]![step]!))
    const factors = yield* divide(party, column, gather(pivot, Array(below.length).fill(0)), {
      bits: BITS + 8,
      fraction: { base: 2, digits: BITS },
    })
    for (const [place, i] of below.entries()) lower[i]![step] = gather(factors, [place])
    const pairs = below.flatMap(i => below.flatMap(j => (j <= i ? [[i, j] as const] : [])))
    const products = yield* multiplyFixed(
      party,
      concatenate(pairs.map(([i]) => lower[i]![step]!)),
      concatenate(pairs.map(([, j]) => matrix[j]![step]!)),
    )
    for (const [place, [i, j]] of pairs.entries()) {
      matrix[i]![j] = subtract(matrix[i]![j]!, gather(products, [place]))
    }
  }
  const solution: Arithmetic[] = []
  for (let step = features - 1; step >= 0; step--) {
    let value = lower[features]![step]!
    if (solution.length > 0) {
      const factors = concatenate(solution.map((_, d) => lower[step + 1 + d]![step]!))
      const products = yield* multiplyFixed(party, factors, concatenate(solution))
      for (const d of solution.keys()) value = subtract(value, gather(products, [d]))
    }
    solution.unshift(value)
  }
  return { solution, pivots }
}

/** γ_j · s_y / s_j, scaled by 10^digits, and the conditions under which it fits. */
function* unscaled(
  party: Party,
  standardized: Arithmetic,
  root: Arithmetic,
  { digits, limit }: { digits: number; limit: number },
): Protocol<{ coefficients: Arithmetic; fits: Arithmetic[] }> {
  const features = standardized.own.length
  // 25 binary digits of the roots' 28; then γ·s_y with as many, by halves since the whole product does not fit
  const shorter = yield* truncate(party, root, 3)
  const y = gather(shorter, Array(features).fill(features))
  const x = slice(shorter, 0, features)
  const high = yield* truncate(party, y, BITS)
  const low = subtract(y, affineOf(party, high, ONE, 0n))
  const products = yield* multiply(party, concatenate([standardized, standardized]), concatenate([high, low]))
  const [upper, rest] = split(products, 2, features) as [Arithmetic, Arithmetic]
  const dividend = add(upper, yield* truncate(party, rest, BITS))
  const coefficients = yield* divide(party, dividend, x, { fraction: { base: 10, digits } })
  const quotient = yield* truncate(party, dividend, limit)
  return { coefficients, fits: [affineOf(party, subtract(x, quotient), 1n, mod(-1n)), add(quotient, x)] }
}

/** ȳ − Σ β_j · x̄_j, scaled by 10^digits. */
function* intercept(
  party: Party,
  { count, means, remainders }: Scatter,
  coefficients: Arithmetic,
  digits: number,
): Protocol<Arithmetic> {
  const features = coefficients.own.length
  const scale = 10n ** BigInt(digits)
  const products = yield* multiply(
    party,
    concatenate([coefficients, coefficients]),
    concatenate([slice(means, 0, features), slice(remainders, 0, features)]),
  )
  const [ofMeans, ofRemainders] = split(products, 2, features) as [Arithmetic, Arithmetic]
  const left = (own: Arithmetic, taken: Arithmetic): Arithmetic =>
    split(taken, features, 1).reduce(subtract, affineOf(party, gather(own, [features]), scale, 0n))
  return add(left(means, ofMeans), yield* divide(party, left(remainders, ofRemainders), count))
}

function* multiplyFixed(party: Party, a: Arithmetic, b: Arithmetic): Protocol<Arithmetic> {
  return yield* truncate(party, yield* multiply(party, a, b), BITS)
}

/** How many bits a coefficient may have before the point: more, and the intercept would not fit. */
function coefficientLimit({ columns, bound }: Sample, digits: number): number {
  const features = columns.length - 1
  const rows = BigInt(columns[0]!.own.length)
  const largest = 10n ** BigInt(digits) * ((rows > bound ? rows : bound) + 1n) * BigInt(features + 1)
  let limit = 0
  while (largest << BigInt(limit + 1) < 2n ** 58n) limit++
  if (features < 1 || limit < 1) {
    throw new SluiceError('PARAMETER_INVALID', 'The coefficients have more digits than the ring holds', {
      rule: 'mpc.regression',
      remedy: 'Give one explaining column at least; ask for fewer digits, or give a lower bound.',
    })
  }
  return limit
}

const mod = (value: bigint): bigint => BigInt.asUintN(64, value)
