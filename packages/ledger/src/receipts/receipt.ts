import { canonicalBytes, SluiceError } from '@sluice/core'
import { type Checkpoint, parseCheckpoint } from '../checkpoint/checkpoint.js'
import { type Envelope, openEnvelope } from '../entries/envelope.js'
import { leafHash } from '../tree/hashes.js'
import { verifyInclusion } from '../tree/proofs.js'

/**
 * That an entry is in the ledger, for whoever has the trusted keys and nothing else. A plain JSON value; its file is
 * its canonical bytes (`receiptBytes`).
 */
export interface Receipt {
  readonly kind: 'receipt'
  readonly version: 1
  readonly index: number
  /** the entry's envelope, base64 */
  readonly entry: string
  /** RFC 6962 audit path from the leaf upwards, each hash in base64 */
  readonly proof: readonly string[]
  /** C2SP tlog-checkpoint with its signature lines */
  readonly checkpoint: string
}

const RECEIPT_BYTES = 256 * 1024

/** @throws SluiceError PROOF_INVALID where the proof does not lead to the checkpoint's root */
export function createReceipt(
  index: number,
  envelope: Envelope,
  proof: readonly Uint8Array[],
  checkpoint: Checkpoint,
): Receipt {
  verifyInclusion(leafHash(envelope.bytes), index, checkpoint.size, proof, checkpoint.root)
  return Object.freeze({
    kind: 'receipt',
    version: 1,
    index,
    entry: Buffer.from(envelope.bytes).toString('base64'),
    proof: Object.freeze(proof.map(hash => Buffer.from(hash).toString('base64'))),
    checkpoint: checkpoint.note,
  })
}

export function receiptBytes(receipt: Receipt): Uint8Array {
  return canonicalBytes(receipt)
}

/**
 * The strict way in: form, entry and proof. Whether the signatures are those of people one trusts, `verifyReceipt`
 * of `@sluice/ledger/verify` says.
 *
 * @throws SluiceError FILE_FORMAT, FILE_TOO_LARGE, SCHEMA_INVALID, CHECKPOINT_INVALID, PROOF_INVALID
 */
export function parseReceipt(bytes: Uint8Array): { readonly receipt: Receipt; readonly envelope: Envelope } {
  if (bytes.length > RECEIPT_BYTES) {
    throw new SluiceError('FILE_TOO_LARGE', 'a receipt is smaller than this', {
      facts: { limit: RECEIPT_BYTES },
    })
  }
  const parsed = parseJson(bytes)
  const { index, entry, proof, checkpoint } = parsed as unknown as Receipt
  if (typeof index !== 'number' || typeof entry !== 'string' || typeof checkpoint !== 'string')
    throw malformed()
  if (!Array.isArray(proof) || proof.length > 64 || !proof.every(hash => typeof hash === 'string'))
    throw malformed()
  const envelope = openEnvelope(Buffer.from(entry, 'base64'))
  const hashes = proof.map(hash => Buffer.from(hash, 'base64'))
  const receipt = createReceipt(index, envelope, hashes, parseCheckpoint(checkpoint))
  if (!Buffer.from(receiptBytes(receipt)).equals(bytes)) throw malformed()
  return { receipt, envelope }
}

function parseJson(bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    )
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // falls through: a parser's message quotes what it read
  }
  throw malformed()
}

function malformed(): SluiceError {
  return new SluiceError('FILE_FORMAT', 'this is not a receipt, or not one as it was handed out', {
    rule: 'receipt',
    remedy: 'Take the receipt’s file unchanged, or ask for it again: "sluice ledger receipt".',
  })
}
