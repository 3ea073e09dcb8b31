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
  let active = Int32Array.from({ length: to - from }, (_, i) => from + i)
  const work = new Uint8Array(active.length * BLOCK_BYTES)
  for (let step = 0; active.length > 0; step++) {
    const start = step * BLOCK_BYTES
    let unfinished = 0
    for (let k = 0; k < active.length; k++) {
      const row = active[k]!
      const length = offsets[row + 1]! - offsets[row]!
      const block = k * BLOCK_BYTES
      const source = offsets[row]! + start
      const here = Math.min(BLOCK_BYTES, length - start)
      for (let i = 0; i < here; i++) work[block + i] = bytes[source + i]!
      if (here < BLOCK_BYTES) {
        work[block + here] = 0x80
        work.fill(0, block + here + 1, block + BLOCK_BYTES)
      }
      if (step > 0) xorInto(work, block, tags, row * BLOCK_BYTES)
      if (length > start + BLOCK_BYTES) unfinished++
      else xorInto(work, block, here === BLOCK_BYTES ? subkeys.whole : subkeys.padded, 0)
    }
    const states = cipher.encrypt(work.subarray(0, active.length * BLOCK_BYTES))
    scatter(states, active, tags)
    if (unfinished === 0) return
    const next = start + BLOCK_BYTES
    active = active.filter(row => offsets[row + 1]! - offsets[row]! > next)
  }
}

function xorInto(target: Uint8Array, at: number, source: Uint8Array, from: number): void {
  for (let i = 0; i < BLOCK_BYTES; i++) target[at + i]! ^= source[from + i]!
}

function scatter(states: Uint8Array, rows: Int32Array, tags: Uint8Array): void {
  for (let k = 0; k < rows.length; k++) {
    const [source, target] = [k * BLOCK_BYTES, rows[k]! * BLOCK_BYTES]
    for (let i = 0; i < BLOCK_BYTES; i++) tags[target + i] = states[source + i]!
  }
}
