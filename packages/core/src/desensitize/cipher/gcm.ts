import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto'
import { ghash } from '@noble/ciphers/_polyval.js'
import { aesGcmName, BLOCK_BYTES, type BlockCipher, blockCipher } from './block-cipher.js'
import { ctrColumn } from './ctr.js'
import { messagesOf } from './messages.js'

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
  const cipher = blockCipher('sm4', key)
  const hashKey = cipher.encrypt(new Uint8Array(BLOCK_BYTES))
  return {
    seal(nonce, message, associated) {
      const body = counterMode(cipher, nonce, message)
      return Buffer.concat([body, tagOf(cipher, hashKey, nonce, body, associated)])
    },
    open(nonce, sealed, associated) {
      if (sealed.length < TAG_BYTES) return null
      const body = sealed.subarray(0, -TAG_BYTES)
      const tag = tagOf(cipher, hashKey, nonce, body, associated)
      return timingSafeEqual(tag, sealed.subarray(-TAG_BYTES)) ? counterMode(cipher, nonce, body) : null
    },
  }
}

/** GCTR from inc32(J0) (SP 800-38D, algorithm 4, steps 3 and 4). */
function counterMode(cipher: BlockCipher, nonce: Uint8Array, message: Uint8Array): Uint8Array {
  const out = new Uint8Array(message.length)
  ctrColumn(cipher, counterBlock(nonce, 2), messagesOf([message]), out, Int32Array.of(0))
  return out
}

/** Steps 5 to 7. */
function tagOf(
  cipher: BlockCipher,
  hashKey: Uint8Array,
  nonce: Uint8Array,
  body: Uint8Array,
  associated: Uint8Array,
): Uint8Array {
  const padded = (size: number) => Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
  const bodyAt = padded(associated.length)
  const lengthsAt = bodyAt + padded(body.length)
  const input = new Uint8Array(lengthsAt + BLOCK_BYTES)
  input.set(associated)
  input.set(body, bodyAt)
  const view = new DataView(input.buffer)
  view.setBigUint64(lengthsAt, BigInt(associated.length) * 8n)
  view.setBigUint64(lengthsAt + 8, BigInt(body.length) * 8n)
  const mask = cipher.encrypt(counterBlock(nonce, 1))
  return ghash(input, hashKey).map((byte, i) => byte ^ mask[i]!)
}

function counterBlock(nonce: Uint8Array, counter: number): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES)
  block.set(nonce)
  block[BLOCK_BYTES - 1] = counter
  return block
}
