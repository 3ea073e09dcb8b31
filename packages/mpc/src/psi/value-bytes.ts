/**
 * Bytes of a pseudorandom value, of which one side's are compared with the other's: so many that two that should
 * differ are equal anywhere with probability below 2^-40.
 */
export function valueBytes(own: number, theirs: number): number {
  return Math.ceil((STATISTICAL_BITS + Math.log2(own) + Math.log2(theirs)) / 8)
}

export const STATISTICAL_BITS = 40
