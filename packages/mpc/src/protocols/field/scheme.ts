import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'

/**
 * What protocols over the field ask of a linear secret sharing, whichever it is: a share is one element for each
 * value, sums of shares share the sum.
 */
export interface Scheme {
  /** indices of the computing parties */
  readonly everyone: readonly number[]
  /** `factor · a + term` with a public factor and term */
  affineOf(share: Words, factor: bigint, term: bigint): Words
  multiply(a: Words, b: Words): Protocol<Words>
  /** shares of elements that nobody knows */
  random(length: number): Protocol<Words>
  /** the values, at a party that receives */
  open(share: Words, receivers: readonly number[]): Protocol<Words | undefined>
}
