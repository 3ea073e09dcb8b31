import { BLOCK_BYTES, type BlockCipher } from './block-cipher.js'
import { type Messages, messageCount } from './messages.js'

/** Rows that are worked on at once: their blocks are 64 KiB, enough for a bulk call and little enough for the cache. */
const TILE_ROWS = 4096

/**
 * CMAC of every message of a column (RFC 4493; SP 800-38B; GB/T 15852.1-2020 MAC algorithm 5), 16 bytes each, one
 * after the other. The messages advance in lock step: the first blocks of all, then the second blocks of those that
 * have one, each step one bulk call; a column of values up to 16 bytes takes a single call per 4,096 rows.
 */
export function cmacColumn(cipher: BlockCipher, messages: Messages): Uint8Array {
  const count = messageCount(messages)
  const tags = new Uint8Array(count * BLOCK_BYTES)
  const subkeys = cmacSubkeys(cipher)
  for (let from = 0; from < count; from += TILE_ROWS) {
    macTile(cipher, messages, subkeys, from, Math.min(count, from + TILE_ROWS), tags)
  }
  return tags
}

/** Doubling in GF(2^128) with the polynomial of CMAC (RFC 4493, section 2.3; `dbl` of RFC 5297). */
export function double(block: Uint8Array): Uint8Array {
  const doubled = new Uint8Array(BLOCK_BYTES)
  const carry = block[0]! >> 7
  for (let i = 0; i < BLOCK_BYTES; i++) doubled[i] = (block[i]! << 1) | ((block[i + 1] ?? 0) >> 7)
  // a multiplication instead of a branch: which of the two is secret
  doubled[BLOCK_BYTES - 1]! ^= carry * 0x87
  return doubled
}

interface Subkeys {
  /** for a last block that is whole */
  readonly whole: Uint8Array
  /** for one that is padded */
  readonly padded: Uint8Array
}

function cmacSubkeys(cipher: BlockCipher): Subkeys {
  const whole = double(cipher.encrypt(new Uint8Array(BLOCK_BYTES)))
  return { whole, padded: double(whole) }
}

function macTile(
  cipher: BlockCipher,
  { bytes, offsets }: Messages,
  subkeys: Subkeys,
  from: number,
  to: number,
  tags: Uint8Array,
): void {
  const work = new Uint8Array((to - from) * BLOCK_BYTES)
  const blocks = wordsOf(work)
  const chained = wordsOf(tags)
  const [whole, padded] = [wordsOf(subkeys.whole), wordsOf(subkeys.padded)]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const active = new Int32Array(to - from)
  for (let k = 0; k < active.length; k++) active[k] = from + k
  let count = active.length
  for (let start = 0; count > 0; start += BLOCK_BYTES) {
    for (let k = 0; k < count; k++) {
      const row = active[k]!
      const source = offsets[row]! + start
      const left = offsets[row + 1]! - source
      const word = k * BLOCK_WORDS
      if (left >= BLOCK_BYTES) {
        for (let i = 0; i < BLOCK_WORDS; i++) blocks[word + i] = view.getUint32(source + 4 * i, LITTLE_ENDIAN)
      } else {
        for (let i = 0; i < BLOCK_WORDS; i++) blocks[word + i] = 0
        const block = k * BLOCK_BYTES
        for (let i = 0; i < left; i++) work[block + i] = bytes[source + i]!
        work[block + left] = 0x80
      }
      if (start > 0)
        for (let i = 0; i < BLOCK_WORDS; i++) blocks[word + i]! ^= chained[row * BLOCK_WORDS + i]!
      if (left > BLOCK_BYTES) continue
      const subkey = left === BLOCK_BYTES ? whole : padded
      for (let i = 0; i < BLOCK_WORDS; i++) blocks[word + i]! ^= subkey[i]!
    }
    // what was encrypted goes back into the same memory, where words can be read
    work.set(cipher.encrypt(work.subarray(0, count * BLOCK_BYTES)))
    let unfinished = 0
    for (let k = 0; k < count; k++) {
      const row = active[k]!
      const [source, target] = [k * BLOCK_WORDS, row * BLOCK_WORDS]
      for (let i = 0; i < BLOCK_WORDS; i++) chained[target + i] = blocks[source + i]!
      if (offsets[row + 1]! - offsets[row]! > start + BLOCK_BYTES) active[unfinished++] = row
    }
    count = unfinished
  }
}

/** As arrays of words have it here. */
const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1
const BLOCK_WORDS = BLOCK_BYTES / 4

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}
