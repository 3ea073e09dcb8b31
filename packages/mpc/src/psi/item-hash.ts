import { hkdfSync } from 'node:crypto'
import { blockCipher, cmacColumn, type Messages } from '@sluice/core/desensitize/cipher'

/** Bytes of an item's hash. A column of n of them is one array of 16 n bytes. */
export const ITEM_BYTES = 16

export type ItemHashes = Uint8Array<ArrayBuffer>

/**
 * Keys as 16 bytes each: AES-256-CMAC (RFC 4493) under a key derived from the job's digest, a column in a few bulk
 * calls. Different keys have one hash with probability 2^-128 a pair as long as nobody chose them by the job's digest:
 * whoever makes keys up after the job can make some that collide, as they could have used the other's key itself.
 *
 * @param job digest of the job, hexadecimal
 */
export function itemHashes(keys: Messages, job: string): ItemHashes {
  return new Uint8Array(cmacColumn(blockCipher('aes', derived(job, 'items')), keys))
}

/**
 * The same hashes as one session sees them: AES-256 under a key derived from the session's identifier, a permutation,
 * so that distinct items stay distinct. What was recorded of one session says nothing in another.
 *
 * @param session identifier of the session, hexadecimal
 */
export function boundToSession(hashes: ItemHashes, session: string): ItemHashes {
  if (hashes.length === 0) return hashes
  return new Uint8Array(blockCipher('aes', derived(session, 'session')).encrypt(hashes))
}

function derived(context: string, purpose: string): Uint8Array {
  const secret = Buffer.from(context, 'hex')
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), `sluice-psi/1 ${purpose}`, 32))
}
