/** A share of rows: as counted where all rows were, else with the interval in which it lies at 95 % confidence. */
export interface Share {
  readonly value: number
  readonly low: number
  readonly high: number
}

/**
 * Wilson's score interval (JASA 22, 1927) of a share in a sample drawn without replacement; the finite population's
 * correction makes it a point where the sample is everything.
 *
 * @param population rows that the sample was drawn from; null where nobody knows: then it counts as endless
 */
export function shareOf(count: number, sample: number, population: number | null): Share {
  if (sample === 0) return { value: 0, low: 0, high: population === 0 ? 0 : 1 }
  const value = count / sample
  const left = population === null ? 1 : Math.max(0, (population - sample) / Math.max(1, population - 1))
  if (left === 0) return { value, low: value, high: value }
  const z2 = Z * Z * left
  const middle = (value + z2 / (2 * sample)) / (1 + z2 / sample)
  const half =
    Math.sqrt(z2 * ((value * (1 - value)) / sample + z2 / (4 * sample * sample))) / (1 + z2 / sample)
  return { value, low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

/** The normal quantile of 0.975. */
const Z = 1.959964
