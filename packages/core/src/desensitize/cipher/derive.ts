import { createHash, hkdfSync } from 'node:crypto'
import { canonicalBytes, type Json } from '../../canonical.js'
import { SluiceError } from '../../errors.js'

/** Bytes of a provider's secret, from which every key is derived. */
export const SECRET_BYTES = 32

/** What a derived key is for. A key of one purpose is of no use for another. */
export interface KeyPurpose {
  readonly rule: string
  readonly algorithm: string
  /** values join under keys of one domain, and not across */
  readonly domain: string
  /** whatever else tells this key from others */
  readonly [other: string]: Json
}

/**
 * A key for one purpose: HKDF (RFC 5869) with SHA-256, or SM3 for the national ciphers, whose `info` is the digest of
 * the purpose's canonical JSON: two purposes that differ in anything have keys that tell nothing of one another.
 *
 * @throws SluiceError KEY_INVALID where the secret is not of 32 bytes
 */
export function deriveKey(
  secret: Uint8Array,
  purpose: KeyPurpose,
  size: number,
  { digest = 'sha256', salt = new Uint8Array(0) }: { digest?: 'sha256' | 'sm3'; salt?: Uint8Array } = {},
): Uint8Array {
  if (secret.length !== SECRET_BYTES) {
    throw new SluiceError('KEY_INVALID', `a secret for keyed rules is not of ${SECRET_BYTES} bytes`, {
      rule: 'key.length',
      remedy: 'Make one with "sluice key new FILE --for desensitize".',
    })
  }
  const statement = canonicalBytes({ use: 'sluice/desensitize/1', ...purpose })
  const info = createHash(digest).update(statement).digest()
  return new Uint8Array(hkdfSync(digest, secret, salt, info, size))
}
