import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { SluiceError } from '@sluice/core'

/** What is committed to; a commitment to one cannot be shown as one to the other. */
export type CommitmentPurpose = 'parameters' | 'result'

export interface Commitment {
  /** 64 hexadecimal digits; goes into the entry */
  readonly commitment: string
  /** 64 hexadecimal digits; stays outside with what was committed to, and can be erased with it */
  readonly salt: string
}

/**
 * A commitment that tells nothing about a value, however few values it could have: HMAC-SHA-256 (RFC 2104) of the
 * bytes under 32 random bytes. It hides as long as HMAC-SHA-256 is pseudo-random, which holds against everybody
 * who does not have the salt, and binds because keys of one fixed length leave only SHA-256 collisions. A bare hash
 * would do neither for a count between 0 and a thousand: anybody could try them all.
 *
 * @param random for tests that replay; 32 bytes
 */
export function commit(
  purpose: CommitmentPurpose,
  bytes: Uint8Array,
  random: (bytes: number) => Uint8Array = randomBytes,
): Commitment {
  const salt = Buffer.from(random(32))
  return { commitment: compute(purpose, salt, bytes).toString('hex'), salt: salt.toString('hex') }
}

/** @throws SluiceError PROOF_INVALID unless these are the bytes that were committed to */
export function openCommitment(purpose: CommitmentPurpose, opened: Commitment, bytes: Uint8Array): void {
  const form = /^[0-9a-f]{64}$/
  const matches =
    form.test(opened.salt) &&
    form.test(opened.commitment) &&
    timingSafeEqual(
      compute(purpose, Buffer.from(opened.salt, 'hex'), bytes),
      Buffer.from(opened.commitment, 'hex'),
    )
  if (!matches) {
    throw new SluiceError('PROOF_INVALID', `these are not the ${purpose} that the entry commits to`, {
      rule: 'commitment',
    })
  }
}

function compute(purpose: CommitmentPurpose, salt: Uint8Array, bytes: Uint8Array): Buffer {
  return createHmac('sha256', salt).update(`sluice-commitment/v1\n${purpose}\n`).update(bytes).digest()
}
