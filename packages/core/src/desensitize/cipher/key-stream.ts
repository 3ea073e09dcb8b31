import { blockCipher } from './block-cipher.js'

/**
 * 32-bit numbers of AES-256 in counter mode, 64 KiB at a time: as random as the seed, and the same for the same seed.
 *
 * @param seed 32 random bytes
 */
export function keyStream(seed: Uint8Array): () => number {
  const cipher = blockCipher('aes', seed)
  const counters = new Uint8Array(65_536)
  const view = new DataView(counters.buffer)
  let block = 0
  let words: DataView = new DataView(new ArrayBuffer(0))
  let at = 0
  return () => {
    if (at === words.byteLength) {
      for (let i = 0; i < counters.length; i += 16) view.setBigUint64(i + 8, BigInt(block++))
      const stream = cipher.encrypt(counters)
      words = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
      at = 0
    }
    at += 4
    return words.getUint32(at - 4)
  }
}

/** A number of 0 … range − 1, every one as likely: those that would favour some are rejected. `range` is at most 2^32. */
export function below(next: () => number, range: number): number {
  const limit = 2 ** 32 - (2 ** 32 % range)
  let number = next()
  while (number >= limit) number = next()
  return number % range
}
