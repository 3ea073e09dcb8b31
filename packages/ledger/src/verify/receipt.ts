import { canonicalBytes, SluiceError } from '@sluice/core'
import type { Predicate } from '../entries/predicates.js'
import { cosigners, readCheckpoint, verifyLog } from './checkpoint.js'
import { readEntry } from './entry.js'
import { isSignature } from './keys.js'
import { checkInclusion, leafHash } from './tree.js'
import { type Trust, trustedKeys } from './trust.js'

/** What holds of a receipt that verifies. */
export interface ReceiptReport {
  readonly origin: string
  readonly index: number
  /** what the entry says */
  readonly predicate: Predicate
  /** `trusted`: by a founder, and verified; a key that was enrolled later is vouched for by the log alone */
  readonly signedBy: readonly { readonly keyId: string; readonly trusted: boolean }[]
  /** the checkpoint that holds it: number of entries, and when the log says that it signed it (ISO 8601) */
  readonly size: number
  readonly time: string
  /** trusted witnesses of that checkpoint; empty: only the log's word stands for it */
  readonly witnessedBy: readonly { readonly name: string; readonly time: string }[]
}

/**
 * Verifies a receipt with nothing but trusted keys: no zone, no ledger, no network.
 *
 * @param receipt the receipt, or its file's bytes
 * @throws SluiceError FILE_FORMAT, FILE_TOO_LARGE, LEDGER_CORRUPT (entry), CHECKPOINT_INVALID, PROOF_INVALID,
 *   SIGNATURE_INVALID
 */
export async function verifyReceipt(
  receipt: object | Uint8Array,
  options: { readonly trust: Trust },
): Promise<ReceiptReport> {
  const trust = trustedKeys(options.trust)
  const { index, entry, proof, checkpoint: note } = readReceipt(receipt)
  const checkpoint = readCheckpoint(note)
  const time = verifyLog(checkpoint, trust.log)
  checkInclusion(leafHash(entry), index, checkpoint.size, proof, checkpoint.root)
  const { predicate, message, signatures } = readEntry(entry, index)
  const founders = new Map(trust.founders.map(key => [key.id, key]))
  const signedBy = signatures.map(({ keyId, signature }) => {
    const key = founders.get(keyId)
    if (key !== undefined && !isSignature(key, message, signature)) {
      throw new SluiceError('SIGNATURE_INVALID', 'a signature on the entry is wrong', {
        rule: 'entry.signature',
        facts: { entry: index, keyId },
      })
    }
    return { keyId, trusted: key !== undefined }
  })
  const { by } = cosigners(checkpoint, trust.log, trust.witnesses)
  return {
    origin: checkpoint.origin,
    index,
    predicate,
    signedBy,
    size: checkpoint.size,
    time: new Date(time * 1000).toISOString(),
    witnessedBy: by.map(({ key, time }) => ({ name: key.name, time: new Date(time * 1000).toISOString() })),
  }
}

interface ReadReceipt {
  readonly index: number
  readonly entry: Buffer
  readonly proof: readonly Buffer[]
  readonly checkpoint: string
}

function readReceipt(receipt: object | Uint8Array): ReadReceipt {
  const bytes = receipt instanceof Uint8Array ? receipt : canonicalBytes(receipt)
  if (bytes.length > 256 * 1024) throw new SluiceError('FILE_TOO_LARGE', 'a receipt is smaller than this')
  let value: Record<string, unknown>
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    throw malformed()
  }
  const { index, entry, proof, checkpoint } = value ?? {}
  if (typeof index !== 'number' || typeof entry !== 'string' || typeof checkpoint !== 'string')
    throw malformed()
  if (!Array.isArray(proof) || proof.length > 64 || !proof.every(hash => typeof hash === 'string'))
    throw malformed()
  const read = {
    index,
    entry: Buffer.from(entry, 'base64'),
    proof: proof.map(hash => Buffer.from(hash, 'base64')),
    checkpoint,
  }
  const expected = canonicalBytes({
    kind: 'receipt',
    version: 1,
    index,
    entry: read.entry.toString('base64'),
    proof: read.proof.map(hash => hash.toString('base64')),
    checkpoint,
  })
  if (!Buffer.from(expected).equals(bytes)) throw malformed()
  return read
}

function malformed(): SluiceError {
  return new SluiceError('FILE_FORMAT', 'this is not a receipt, or not one as it was handed out', {
    rule: 'receipt',
    remedy: 'Take the receipt’s file unchanged, or ask the zone for it again.',
  })
}
