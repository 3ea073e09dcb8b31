import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto'
import { ghash } from '@noble/ciphers/_polyval.js'
import { aesGcmName, BLOCK_BYTES, blockCipher } from './block-cipher.js'

/** GCM's nonces here: 96 bits (SP 800-38D, section 8.2.1). */
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

/** Galois/Counter Mode (SP 800-38D) under one key. A nonce must never be used twice under a key. */
export interface Gcm {
  /** Ciphertext, as long as the message, and a tag of 16 bytes. */
  seal(nonce: Uint8Array, message: Uint8Array, associated: Uint8Array): Uint8Array
  /** The message, or null where it is not authentic. */
  open(nonce: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Uint8Array | null
}

/** AES-GCM by OpenSSL. @param key 16, 24 or 32 bytes @throws SluiceError KEY_INVALID */
export function aesGcm(key: Uint8Array): Gcm {
  const name = aesGcmName(key)
  return {
    seal(nonce, message, associated) {
      const cipher = createCipheriv(name, key, nonce).setAAD(associated)
      const body = cipher.update(message)
      cipher.final()
      return Buffer.concat([body, cipher.getAuthTag()])
    },
    open(nonce, sealed, associated) {
      if (sealed.length < TAG_BYTES) return null
      const decipher = createDecipheriv(name, key, nonce, { authTagLength: TAG_BYTES })
        .setAAD(associated)
        .setAuthTag(sealed.subarray(-TAG_BYTES))
      const body = decipher.update(sealed.subarray(0, -TAG_BYTES))
      try {
        decipher.final()
      } catch {
        return null
      }
      return body
    },
  }
}

/**
 * SM4-GCM (RFC 8998, section 2; GB/T 36624 mechanism 5): OpenSSL's SM4 in counter mode and the GHASH of
 * @noble/ciphers, since Node has no `sm4-gcm` before version 26.
 *
 * @param key 16 bytes
 * @throws SluiceError KEY_INVALID
 */
export function sm4Gcm(key: Uint8Array): Gcm {
  const hashKey = blockCipher('sm4', key).encrypt(new Uint8Array(BLOCK_BYTES))
  return {
    seal(nonce, message, associated) {
      const { mask, body } = counterMode(key, nonce, message)
      return Buffer.concat([body, tagOf(hashKey, mask, body, associated)])
    },
    open(nonce, sealed, associated) {
      if (sealed.length < TAG_BYTES) return null
      const body = sealed.subarray(0, -TAG_BYTES)
      const { mask, body: message } = counterMode(key, nonce, body)
      const tag = tagOf(hashKey, mask, body, associated)
      return timingSafeEqual(tag, sealed.subarray(-TAG_BYTES)) ? message : null
    },
  }
}

/**
 * GCTR from inc32(J0) (SP 800-38D, algorithm 4, step 3), and before it the block that masks the tag. OpenSSL counts in
 * 128 bits where GCM counts in 32: the same for messages below 64 GiB.
 */
function counterMode(
  key: Uint8Array,
  nonce: Uint8Array,
  message: Uint8Array,
): { readonly mask: Uint8Array; readonly body: Uint8Array } {
  const first = new Uint8Array(BLOCK_BYTES)
  first.set(nonce)
  first[BLOCK_BYTES - 1] = 1
  const cipher = createCipheriv('sm4-ctr', key, first)
  return { mask: cipher.update(new Uint8Array(BLOCK_BYTES)), body: cipher.update(message) }
}

/** Steps 5 to 7. */
function tagOf(hashKey: Uint8Array, mask: Uint8Array, body: Uint8Array, associated: Uint8Array): Uint8Array {
  const padded = (size: number) => Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
  const bodyAt = padded(associated.length)
  const lengthsAt = bodyAt + padded(body.length)
  const input = new Uint8Array(lengthsAt + BLOCK_BYTES)
  input.set(associated)
  input.set(body, bodyAt)
  const view = new DataView(input.buffer)
  view.setBigUint64(lengthsAt, BigInt(associated.length) * 8n)
  view.setBigUint64(lengthsAt + 8, BigInt(body.length) * 8n)
  return ghash(input, hashKey).map((byte, i) => byte ^ mask[i]!)
}
