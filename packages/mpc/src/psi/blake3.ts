import { arena } from './arena.js'

export const BLAKE3_KEY_BYTES = 32

/**
 * The keyed hash of BLAKE3 (O'Connor, Aumasson, Neves and Wilcox-O'Hearn, 2020) of every row of a column.
 *
 * @param key 32 bytes; bound to the session by `domainKey`
 * @param rows messages of `width` bytes, one after the other
 * @param width 16, 32, 48 or 64
 * @param take bytes of a hash: 16, 32, 48 or 64
 * @returns the hashes, one after the other
 */
export function blake3Rows(
  key: Uint8Array,
  rows: Uint8Array,
  width: number,
  take: number,
): Uint8Array<ArrayBuffer> {
  const count = rows.length / width
  const chunk = Math.min(count, CHUNK)
  const { kernels, at, bytes } = arena({ key: BLAKE3_KEY_BYTES, rows: chunk * width, out: chunk * take })
  const out = new Uint8Array(count * take)
  bytes.key.set(key)
  for (let start = 0; start < count; start += CHUNK) {
    const length = Math.min(CHUNK, count - start)
    bytes.rows.set(rows.subarray(start * width, (start + length) * width))
    kernels.blake3Keyed(at.key, at.rows, width, 0, at.out, take, length)
    out.set(bytes.out.subarray(0, length * take), start * take)
  }
  return out
}

const CHUNK = 4096
