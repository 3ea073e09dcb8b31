import { logGamma } from './log-gamma.js'

/** Share of the population that is alone in it, estimated from a sample of it. */
export interface PopulationUniqueness {
  readonly zayatz: number
  /** null where the likelihood has no maximum (no two rows alike, or no unique one) */
  readonly pitman: number | null
}

/**
 * Two published estimators, for a simple random sample. They disagree where the sample is small; neither is a bound.
 *
 * @param sizes rows of each class of the sample
 * @param population rows of the population, more than the sample has
 */
export function populationUniqueness(sizes: ArrayLike<number>, population: number): PopulationUniqueness {
  const frequencies = new Map<number, number>()
  let rows = 0
  for (let index = 0; index < sizes.length; index++) {
    const size = sizes[index]!
    if (size === 0) continue
    frequencies.set(size, (frequencies.get(size) ?? 0) + 1)
    rows += size
  }
  return { zayatz: zayatz(frequencies, rows, population), pitman: pitman(frequencies, rows, population) }
}

type Frequencies = ReadonlyMap<number, number>

/**
 * Zayatz (Estimation of the number of unique population elements using a sample, US Bureau of the Census, 1991): the
 * share of class sizes in the population is taken for that of the sample, and a sample unique is a population unique
 * by Bayes, with the hypergeometric chance that a class of i people has one row in the sample.
 */
function zayatz(frequencies: Frequencies, rows: number, population: number): number {
  const unique = frequencies.get(1) ?? 0
  if (unique === 0) return 0
  let classes = 0
  for (const count of frequencies.values()) classes += count
  const alone = (rows / population) * (unique / classes)
  let single = 0
  for (const [size, count] of frequencies) single += oneInSample(size, rows, population) * (count / classes)
  return (unique / rows) * (alone / single)
}

/** The chance that of i people exactly one is among n of N: i · C(N − i, n − 1) / C(N, n). */
function oneInSample(i: number, n: number, N: number): number {
  if (N - i < n - 1) return 0
  const log = logChoose(N - i, n - 1) - logChoose(N, n)
  return i * Math.exp(log)
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
}

/**
 * Pitman's sampling formula (Hoshino, Journal of Official Statistics 17(4), 2001, section 3): maximum likelihood of
 * (θ, α), then the expected number of uniques among N: N · Γ(θ+α+N−1)/Γ(θ+α) · Γ(θ+1)/Γ(θ+N), the exact form of the
 * expectation that the paper gives for large N.
 */
function pitman(frequencies: Frequencies, rows: number, population: number): number | null {
  let classes = 0
  for (const count of frequencies.values()) classes += count
  if (classes === rows || classes <= 1 || (frequencies.get(1) ?? 0) === 0) return null
  const likelihood = pitmanLikelihood(frequencies, rows, classes)
  let best = { value: Number.NEGATIVE_INFINITY, theta: 1, alpha: 0 }
  for (let step = 0; step < 60; step++) {
    const alpha = step / 60
    const { at, value } = maximum(logTheta => likelihood(Math.exp(logTheta), alpha), -12, 30)
    if (value > best.value) best = { value, theta: Math.exp(at), alpha }
  }
  const refined = maximum(
    alpha => maximum(logTheta => likelihood(Math.exp(logTheta), alpha), -12, 30).value,
    Math.max(0, best.alpha - 1 / 60),
    Math.min(1 - 1e-9, best.alpha + 1 / 60),
  )
  const alpha = refined.at
  const theta = Math.exp(maximum(logTheta => likelihood(Math.exp(logTheta), alpha), -12, 30).at)
  const log =
    logGamma(theta + alpha + population - 1) -
    logGamma(theta + alpha) +
    logGamma(theta + 1) -
    logGamma(theta + population)
  return Math.min(1, Math.exp(log))
}

/** Σ ln(θ + iα) − Σ ln(θ + i) + Σ s_j Σ ln(i − α), up to a constant; θ > 0 here, though the formula allows θ > −α. */
function pitmanLikelihood(frequencies: Frequencies, rows: number, classes: number) {
  const sizes = [...frequencies].filter(([size]) => size > 1)
  return (theta: number, alpha: number): number => {
    const first =
      alpha < 1e-12
        ? (classes - 1) * Math.log(theta)
        : (classes - 1) * Math.log(alpha) + logGamma(theta / alpha + classes) - logGamma(theta / alpha + 1)
    const second = logGamma(theta + rows) - logGamma(theta + 1)
    let third = 0
    for (const [size, count] of sizes) third += count * (logGamma(size - alpha) - logGamma(1 - alpha))
    return first - second + third
  }
}

/** Golden section search on a function with one maximum. */
function maximum(f: (x: number) => number, from: number, to: number): { at: number; value: number } {
  const ratio = (Math.sqrt(5) - 1) / 2
  let [low, high] = [from, to]
  let [a, b] = [high - ratio * (high - low), low + ratio * (high - low)]
  let [fa, fb] = [f(a), f(b)]
  for (let step = 0; step < 60; step++) {
    if (fa > fb) {
      ;[high, b, fb] = [b, a, fa]
      a = high - ratio * (high - low)
      fa = f(a)
    } else {
      ;[low, a, fa] = [a, b, fb]
      b = low + ratio * (high - low)
      fb = f(b)
    }
  }
  return fa > fb ? { at: a, value: fa } : { at: b, value: fb }
}
