import { randomBytes } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import { affine } from '../../field/kernels.js'
import { AesCtrPrg, PRG_KEY_BYTES } from '../../prg/aes-ctr.js'
import type { Words } from '../../ring/slots.js'

/** Who holds shares: participants 0 to size − 1, any `threshold` of whom read everything together. */
export interface Committee {
  readonly size: number
  readonly threshold: number
}

/**
 * One of n parties of Shamir's secret sharing ("How to Share a Secret", CACM 1979) over the field of order 2^61 − 1:
 * a value is a polynomial of degree t − 1 at zero, and party i holds it at i + 1. A share is one element for each
 * value; sums of shares share the sum.
 *
 * Secure against parties that follow the protocol, fewer than t of them together: t − 1 shares say nothing at all,
 * t read everything. Sums survive as long as t parties are there; products need 2t − 1. A party that does not follow
 * the protocol can change results; where more than t shares arrive at an opening, a changed one is noticed.
 */
export interface ShamirParty extends Committee {
  readonly index: number
  /** whom products go through; where it leaves, they fail */
  readonly king: number
  /** stream of coefficients, which no other party has */
  readonly coefficients: AesCtrPrg
}

/**
 * A party, without a message: there are no keys in common.
 *
 * @throws SluiceError JOB_INVALID where the threshold does not fit
 */
export function shamirParty(
  index: number,
  { size, threshold }: Committee,
  { king = 0, random = randomBytes }: { king?: number; random?: (bytes: number) => Uint8Array } = {},
): ShamirParty {
  checkCommittee({ size, threshold })
  return { index, size, threshold, king, coefficients: coefficientsFrom(random) }
}

/** @throws SluiceError JOB_INVALID */
export function checkCommittee({ size, threshold }: Committee): void {
  const whole = Number.isInteger(size) && Number.isInteger(threshold)
  if (whole && threshold >= 2 && threshold <= size && size <= MOST) return
  throw new SluiceError('JOB_INVALID', `The threshold does not fit ${size} parties`, {
    rule: 'shamir.threshold',
    remedy: `Take at most ${MOST} parties, and a threshold of at least 2 and at most their number.`,
  })
}

export function coefficientsFrom(random: (bytes: number) => Uint8Array): AesCtrPrg {
  return new AesCtrPrg(random(PRG_KEY_BYTES))
}

/** Where the party's share is taken. */
export const pointOf = (index: number): bigint => BigInt(index) + 1n

/** `factor · a + term` with a public factor and term. */
export function affineOf(share: Words, factor: bigint, term: bigint): Words {
  return affine(share, factor, term)
}

const MOST = 1000
