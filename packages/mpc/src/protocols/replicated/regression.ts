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
 * Fixed-point numbers have 24 binary digits. With k explaining columns, λ the least eigenvalue of their correlations
 * (at least 1 / κ, with κ their condition number), v the least of the columns' scale·Σ (x − x̄)² (see `scatter`), and
 * g = max(1, ‖γ‖), where v ≥ 4 and λ ≥ 2·(k²·2^-22 + 8k / v), each
 *
 *     |β_j − exact| ≤ (s_y / s_j)·(g / λ)·(k²·2^-22 + 8k / v) + 10^-digits
 *
 * and the intercept is off by Σ |x̄_j|·|β_j − exact| + 10^-digits. The proof stands at `solve`.
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

/**
 * Solves for the last column of the matrix: LDLᵀ of the others, which the last row goes through as well.
 *
 * How far rounding moves the solution is seen backwards (Wilkinson's analysis; Higham, Accuracy and Stability of
 * Numerical Algorithms, 2nd edition, sections 9.3 and 10.1), here with errors below u = 2^-24 in place of relative ones.
 * A pivot that is opened lies within 2^-8 and 1, for what is taken from the diagonal is never negative; and so
 * l_is²·p_s ≤ 1. Adding up the steps, with w for the last row's factors,
 *
 *     (L·D·Lᵀ)_ij = M_ij + E_ij,  |E_ij| ≤ (2j + 1)·u below the diagonal and 2j·u on it,
 *     (L·D·w)_j = m_j + e_j,  |e_j| ≤ (j + 1 + Σ_s<j |w_s|·p_s)·u,  |w_s|·p_s ≤ √k·‖γ‖ + k·u,
 *     Lᵀ·γ = w + h,  0 ≤ h_s ≤ (k − 1 − s)·u,
 *
 * and the correlations M are off by δ ≤ 2^-24 + 2^-26 + (8/3) / v. With C and c the exact ones, (C + F)·γ = c + f +
 * L·D·h, so that ‖γ − C⁻¹c‖ ≤ (‖f‖ + ‖L·D·h‖ + ‖F‖·‖γ‖) / λ, in which
 *
 *     ‖F‖ ≤ (k − 1)·(δ + (2k − 1)·u),  ‖f‖ ≤ √k·(δ + k·u) + k·(k − 1)·‖γ‖·u,  ‖L·D·h‖ ≤ k·√((k − 1)·(2k − 1) / 6)·u
 *
 * up to terms of u². Their sum is below g·(k²·4u + 8k / v) with room for the rounding of s_y / s_j, 1.3u + 2 / v. While
 * λ is at least twice that, factors stay within 16, the rest of the matrix within 3 and ‖γ‖ within 1,449: nothing wraps.
 */
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
