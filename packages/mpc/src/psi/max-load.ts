/**
 * The most of `items` that fall into any one of `bins`, each by a uniform hash: more do with probability below
 * 2^-`bits`, by the union of the exact binomial tails. From public numbers alone.
 */
export function maxLoad(items: number, bins: number, bits: number): number {
  if (bins === 1 || items === 0) return items
  const chance = 1 / bins
  const bound = -bits - Math.log2(bins)
  let load = Math.ceil(items * chance)
  while (load < items && log2Tail(items, chance, load) > bound) load += Math.max(1, Math.floor(load / 1000))
  return Math.min(load, items)
}

/** log2 of the probability of more than `load` among `items`, above the mean: the first term times a geometric series. */
function log2Tail(items: number, chance: number, load: number): number {
  const k = load + 1
  const ways = logFactorial(items) - logFactorial(k) - logFactorial(items - k)
  const term = (ways + k * Math.log(chance) + (items - k) * Math.log1p(-chance)) / Math.LN2
  const ratio = ((items - k) / (k + 1)) * (chance / (1 - chance))
  return term - Math.log2(1 - Math.min(ratio, 0.999))
}

/** Stirling's series for ln n!, with an error below 1e-10 from 10 on. */
function logFactorial(n: number): number {
  if (n < 10) return Math.log([1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880][n]!)
  const x = n + 1
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3)
}
