/**
 * Bytes of a pseudorandom value, of which one side's are compared with the other's: so many that two that should
 * differ are equal anywhere with probability below 2^-`bits`.
 */
export function valueBytes(own: number, theirs: number, bits = STATISTICAL_BITS): number {
  return Math.ceil((bits + Math.log2(own) + Math.log2(theirs)) / 8)
}

/** What each of so many runs has to hold to, for all of them together to fail with probability below 2^-40. */
export function statisticalBits(runs = 1): number {
  return STATISTICAL_BITS + Math.log2(runs)
}

export const STATISTICAL_BITS = 40
