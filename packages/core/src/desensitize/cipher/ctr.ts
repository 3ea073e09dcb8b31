import { BLOCK_BYTES, type BlockCipher } from './block-cipher.js'
import { type Messages, messageCount } from './messages.js'

const TILE_BLOCKS = 4096

/**
 * Counter mode over a column: every message is XORed with the key stream that starts at its own counter block, and
 * written to `target` at `positions`. Counters grow in their last 32 bits, modulo 2^32, as GCM's do (SP 800-38D,
 * section 6.2); those of SIV, whose bit 31 is cleared, never carry out of them either (RFC 5297, section 2.5).
 *
 * @param counters 16 bytes a message: the first counter block
 */
export function ctrColumn(
  cipher: BlockCipher,
  counters: Uint8Array,
  { bytes, offsets }: Messages,
  target: Uint8Array,
  positions: Int32Array,
): void {
  const blocks = new Uint8Array(TILE_BLOCKS * BLOCK_BYTES)
  const view = new DataView(blocks.buffer)
  const first = new DataView(counters.buffer, counters.byteOffset, counters.byteLength)
  const from = new Int32Array(TILE_BLOCKS)
  const to = new Int32Array(TILE_BLOCKS)
  const sizes = new Uint8Array(TILE_BLOCKS)
  let filled = 0
  const flush = (): void => {
    if (filled === 0) return
    const stream = cipher.encrypt(blocks.subarray(0, filled * BLOCK_BYTES))
    for (let k = 0; k < filled; k++) {
      const [source, sink, at] = [from[k]!, to[k]!, k * BLOCK_BYTES]
      for (let i = 0; i < sizes[k]!; i++) target[sink + i] = bytes[source + i]! ^ stream[at + i]!
    }
    filled = 0
  }
  const count = messageCount({ bytes, offsets })
  for (let row = 0; row < count; row++) {
    const [start, end] = [offsets[row]!, offsets[row + 1]!]
    for (let at = start, block = 0; at < end; at += BLOCK_BYTES, block++) {
      for (let word = 0; word < 12; word += 4) {
        view.setUint32(filled * BLOCK_BYTES + word, first.getUint32(row * BLOCK_BYTES + word))
      }
      view.setUint32(filled * BLOCK_BYTES + 12, first.getUint32(row * BLOCK_BYTES + 12) + block)
      from[filled] = at
      to[filled] = positions[row]! + at - start
      sizes[filled] = Math.min(BLOCK_BYTES, end - at)
      if (++filled === TILE_BLOCKS) flush()
    }
  }
  flush()
}
