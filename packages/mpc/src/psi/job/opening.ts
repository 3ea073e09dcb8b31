import { createHash, randomBytes } from 'node:crypto'
import { canonicalBytes, SluiceError } from '@sluice/core'
import { parseVerifierKey, type Signer, verifySignature } from '@sluice/ledger/keys'
import { approveJob, isApproved } from '../../session/approval.js'
import type { Protocol } from '../../session/protocol.js'
import { ITEM_BYTES } from '../item-hash.js'
import type { PsiItems } from './items.js'
import { type PsiJob, paddedSize, psiJobDigest, psiOwners } from './job.js'

/**
 * A party's approval: that it takes part, and with which input, fixed before anybody meets. The salt stays with the
 * party: without it the commitment says nothing of the input, and with it the party can show later what it was.
 */
export interface PsiApproval {
  readonly job: string
  readonly party: string
  /** over the job's digest, base64 */
  readonly signature: string
  /** not there for a helper */
  readonly input?: PsiCommitment
}

export interface PsiCommitment {
  /** 32 bytes, hexadecimal */
  readonly salt: string
  /**
   * SHA-256 over salt, number of items and their hashes in the file's order, and the items' values where they are
   * totalled, hexadecimal; of a set on disk, over the SHA-256 of these, part by part
   */
  readonly commitment: string
  /** items, as padded */
  readonly size: number
  /** of the party, over job, commitment and size, base64 */
  readonly signature: string
}

/** What one party knows of another's input when it begins. */
export interface OpenedInput {
  readonly size: number
  readonly commitment: string
}

/** A set on disk, as far as it is committed to. */
export interface FingerprintedItems {
  readonly count: number
  /** 32 bytes */
  readonly fingerprint: Uint8Array
}

/** How many different keys a set has. */
export function itemCount(items: PsiItems | FingerprintedItems): number {
  return 'hashes' in items ? items.hashes.length / ITEM_BYTES : items.count
}

/** Reads the input that is to be used, and signs it with the job. @param items not given by a helper */
export async function approvePsi(
  job: PsiJob,
  signer: Signer,
  items: PsiItems | FingerprintedItems | undefined,
  random: (bytes: number) => Uint8Array = randomBytes,
): Promise<PsiApproval> {
  const digest = psiJobDigest(job)
  const approval = { job: digest, party: signer.name, signature: await approveJob(digest, signer) }
  if (items === undefined) return approval
  const salt = Buffer.from(random(32)).toString('hex')
  const size = paddedSize(job, itemCount(items))
  const commitment = commitmentTo(items, salt)
  const signature = await signer.sign(inputStatement(digest, signer.name, size, commitment))
  const input = { salt, commitment, size, signature: Buffer.from(signature).toString('base64') }
  return { ...approval, input }
}

/**
 * Is this the party's own approval of this job, and this the input that it was given for?
 *
 * @throws SluiceError NOT_APPROVED, FINGERPRINT_MISMATCH
 */
export function checkPsiApproval(
  job: PsiJob,
  party: { readonly name: string; readonly publicKey: string },
  approval: PsiApproval,
  items: PsiItems | FingerprintedItems | undefined,
): void {
  const { name, publicKey } = party
  const digest = psiJobDigest(job)
  const signed = approval.job === digest && isApproved(digest, name, publicKey, approval.signature)
  if (!signed || approval.party !== name || (approval.input === undefined) !== (items === undefined)) {
    throw new SluiceError('NOT_APPROVED', `this is not the approval of this job by "${name}"`, {
      rule: 'psi.approval',
      remedy: 'Read the job with `sluice psi show`, then sign it with `sluice psi approve`.',
    })
  }
  if (items === undefined || commitmentTo(items, approval.input!.salt) === approval.input!.commitment) return
  throw new SluiceError('FINGERPRINT_MISMATCH', 'the input is not the one that was approved', {
    rule: 'psi.input',
    remedy: 'Give the file and the key columns of the approval, or approve the job with this one.',
  })
}

/**
 * The first messages: owners tell everybody the size of their set, as padded, and their signed commitment to it.
 *
 * One round; 100 bytes to each.
 *
 * @returns what each other owner said, by index
 * @throws SluiceError JOB_MISMATCH where a size is beyond the job or a commitment is not signed
 */
export function* openInputs(
  job: PsiJob,
  self: number,
  approval: PsiApproval,
): Protocol<Map<number, OpenedInput>> {
  const others = [...job.parties.keys()].filter(index => index !== self)
  const owners = psiOwners(job).filter(index => index !== self)
  const said = approval.input === undefined ? undefined : encode(approval.input)
  const received = yield {
    send: said === undefined ? [] : others.map(to => ({ to, bytes: said.slice() })),
    receive: owners.map(from => ({ from, bytes: MESSAGE_BYTES })),
  }
  return new Map(owners.map((owner, i) => [owner, decode(job, owner, received[i]!)]))
}

const MESSAGE_BYTES = 4 + 32 + 64

function encode({ size, commitment, signature }: PsiCommitment): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(MESSAGE_BYTES)
  new DataView(bytes.buffer).setUint32(0, size, true)
  bytes.set(Buffer.from(commitment, 'hex'), 4)
  bytes.set(Buffer.from(signature, 'base64'), 36)
  return bytes
}

function decode(job: PsiJob, owner: number, bytes: Uint8Array<ArrayBuffer>): OpenedInput {
  const { name, key } = job.parties[owner]!
  const { floor, ceiling, step } = job.size
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const commitment = Buffer.from(bytes.subarray(4, 36)).toString('hex')
  if (size < floor || size > ceiling || size % step !== 0) {
    throw mismatch(name, `"${name}" has a set of a size that the job does not allow`)
  }
  const statement = inputStatement(psiJobDigest(job), name, size, commitment)
  if (!verifySignature(parseVerifierKey(key), statement, bytes.subarray(36))) {
    throw mismatch(name, `"${name}" has not signed the input that it brings`)
  }
  return { size, commitment }
}

function mismatch(party: string, message: string): SluiceError {
  return new SluiceError('JOB_MISMATCH', message, {
    rule: 'psi.input',
    remedy: 'Ask that party to approve the job with the input that it uses; nothing was computed.',
    facts: { party },
  })
}

function inputStatement(job: string, party: string, size: number, commitment: string): Uint8Array {
  return canonicalBytes({ purpose: 'sluice.psi.input/1', job, participant: party, size, commitment })
}

function commitmentTo(items: PsiItems | FingerprintedItems, salt: string): string {
  const count = new Uint8Array(8)
  new DataView(count.buffer).setBigUint64(0, BigInt(itemCount(items)), true)
  const [purpose, content] = 'hashes' in items ? ['input', items.hashes] : ['stored input', items.fingerprint]
  const digest = createHash('sha256').update(`sluice-psi/1 ${purpose}\0`).update(Buffer.from(salt, 'hex'))
  digest.update(count).update(content)
  if ('hashes' in items && items.values !== undefined) digest.update(items.values)
  return digest.digest('hex')
}
