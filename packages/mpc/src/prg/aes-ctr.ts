import { createCipheriv } from 'node:crypto'
import type { MaskSource, Words } from '../ring/kernels.js'

/** Bytes of a key. */
export const PRG_KEY_BYTES = 16

const BULK_BYTES = 1 << 16
const ZEROS = new Uint8Array(BULK_BYTES)

/**
 * A pseudorandom stream: the keystream of AES-128 in counter mode from counter zero (NIST SP 800-38A, section 6.5).
 * Two holders of a key who draw the same amounts in the same order draw the same words. A key serves one stream of
 * one session and is never used again.
 */
export class AesCtrPrg implements MaskSource {
  readonly #cipher: ReturnType<typeof createCipheriv>

  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('aes-128-ctr', key, new Uint8Array(16))
  }

  fill(target: Uint8Array): void {
    for (let start = 0; start < target.length; start += BULK_BYTES) {
      const length = Math.min(BULK_BYTES, target.length - start)
      target.set(this.#cipher.update(length === BULK_BYTES ? ZEROS : ZEROS.subarray(0, length)), start)
    }
  }

  /** The next `length` words. */
  words(length: number): Words {
    const words = new BigUint64Array(length)
    this.fill(bytesOf(words))
    return words
  }
}

/** The bytes of a column, little-endian, without a copy. */
export function bytesOf(words: Words): Uint8Array<ArrayBuffer> {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}

/** The column whose bytes these are; copied only where they are not aligned. */
export function wordsOf(bytes: Uint8Array<ArrayBuffer>): Words {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  return new BigUint64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 8)
}
