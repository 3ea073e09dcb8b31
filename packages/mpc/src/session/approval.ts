import { canonicalBytes } from '@sluice/core'
import { parseVerifierKey, type Signer, verifySignature } from '@sluice/ledger/keys'

/** What a participant signs: that it takes part in the job of this digest, under its name. */
function statement(jobDigest: string, participant: string): Uint8Array {
  return canonicalBytes({ purpose: 'sluice.joint.approval/1', job: jobDigest, participant })
}

/** @returns the participant's signature, base64 */
export async function approveJob(jobDigest: string, signer: Signer): Promise<string> {
  const signature = await signer.sign(statement(jobDigest, signer.name))
  return Buffer.from(signature).toString('base64')
}

/** Is this the signature of the participant with this key (verifier key text) over this job? */
export function isApproved(jobDigest: string, participant: string, key: string, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64')
  return verifySignature(parseVerifierKey(key), statement(jobDigest, participant), bytes)
}
