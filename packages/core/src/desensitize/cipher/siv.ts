import { BLOCK_BYTES, type BlockCipher, blockCipher, wrongKeyLength } from './block-cipher.js'
import { cmacColumn, double } from './cmac.js'
import { ctrColumn } from './ctr.js'
import { type Messages, messageCount, messagesOf } from './messages.js'

/**
 * AES-SIV (RFC 5297) over a column: deterministic authenticated encryption. Equal messages under one key and one
 * associated data have equal ciphertexts, and that is all that a ciphertext tells but for the length.
 */
export interface Siv {
  /** Every message as its synthetic initialization vector (16 bytes) and its ciphertext, which is as long as the message. */
  seal(messages: Messages): Messages
  /**
   * What `seal` was given. A message that is not authentic (changed, of another key, of other associated data) is
   * empty and `authentic` is 0 for it.
   */
  open(sealed: Messages): { readonly messages: Messages; readonly authentic: Uint8Array }
}

/**
 * @param key 32, 48 or 64 bytes: the first half for S2V, the second for counter mode
 * @param associated bound to every message of the column
 * @throws SluiceError KEY_INVALID where the key has another length
 */
export function aesSiv(key: Uint8Array, ...associated: readonly Uint8Array[]): Siv {
  if (key.length !== 32 && key.length !== 48 && key.length !== 64) throw wrongKeyLength('aes')
  const mac = blockCipher('aes', key.subarray(0, key.length / 2))
  const encryption = blockCipher('aes', key.subarray(key.length / 2))
  const chain = associatedChain(mac, associated)
  return {
    seal(messages) {
      const vectors = cmacColumn(mac, finals(messages, chain))
      const count = messageCount(messages)
      const offsets = new Int32Array(count + 1)
      const bodies = new Int32Array(count)
      for (let row = 0; row < count; row++) {
        bodies[row] = offsets[row]! + BLOCK_BYTES
        offsets[row + 1] = bodies[row]! + messages.offsets[row + 1]! - messages.offsets[row]!
      }
      const bytes = new Uint8Array(offsets[count]!)
      for (let row = 0; row < count; row++) {
        bytes.set(vectors.subarray(row * BLOCK_BYTES, (row + 1) * BLOCK_BYTES), offsets[row]!)
      }
      ctrColumn(encryption, countersOf(vectors), messages, bytes, bodies)
      return { bytes, offsets }
    },
    open(sealed) {
      const count = messageCount(sealed)
      const { vectors, bodies, long } = split(sealed)
      const bytes = new Uint8Array(bodies.bytes.length)
      ctrColumn(encryption, countersOf(vectors), bodies, bytes, bodies.offsets)
      const opened = { bytes, offsets: bodies.offsets }
      const expected = cmacColumn(mac, finals(opened, chain))
      const authentic = Uint8Array.from({ length: count }, (_, row) => {
        let difference = long[row]! ^ 1
        for (let i = row * BLOCK_BYTES; i < (row + 1) * BLOCK_BYTES; i++) {
          difference |= vectors[i]! ^ expected[i]!
        }
        return difference === 0 ? 1 : 0
      })
      return { messages: withoutForgeries(opened, authentic), authentic }
    },
  }
}

/** S2V of everything but the last string (RFC 5297, section 2.4): the same for all messages. */
function associatedChain(mac: BlockCipher, associated: readonly Uint8Array[]): Uint8Array {
  let chain = cmacColumn(mac, messagesOf([new Uint8Array(BLOCK_BYTES)]))
  const tags = cmacColumn(mac, messagesOf(associated))
  for (let i = 0; i < associated.length; i++) {
    chain = double(chain).map((byte, k) => byte ^ tags[i * BLOCK_BYTES + k]!)
  }
  return chain
}

/** What the last CMAC of S2V is taken of: `xorend` for messages of a block or more, the padded form for others. */
function finals({ bytes, offsets }: Messages, chain: Uint8Array): Messages {
  const count = offsets.length - 1
  const doubled = double(chain)
  const out = new Int32Array(count + 1)
  for (let row = 0; row < count; row++) {
    out[row + 1] = out[row]! + Math.max(BLOCK_BYTES, offsets[row + 1]! - offsets[row]!)
  }
  const final = new Uint8Array(out[count]!)
  for (let row = 0; row < count; row++) {
    const [start, end] = [offsets[row]!, offsets[row + 1]!]
    const size = end - start
    const target = out[row]!
    for (let i = 0; i < size; i++) final[target + i] = bytes[start + i]!
    if (size < BLOCK_BYTES) final[target + size] = 0x80
    const mask = size < BLOCK_BYTES ? doubled : chain
    const last = out[row + 1]! - BLOCK_BYTES
    for (let i = 0; i < BLOCK_BYTES; i++) final[last + i]! ^= mask[i]!
  }
  return { bytes: final, offsets: out }
}

/** The first counter blocks: bits 31 and 63 are cleared (RFC 5297, section 2.6). */
function countersOf(vectors: Uint8Array): Uint8Array {
  const counters = Uint8Array.from(vectors)
  for (let at = 0; at < counters.length; at += BLOCK_BYTES) {
    counters[at + 8]! &= 0x7f
    counters[at + 12]! &= 0x7f
  }
  return counters
}

/** Vectors and bodies apart; `long` is 0 where a message is too short to hold a vector. */
function split({ bytes, offsets }: Messages): {
  readonly vectors: Uint8Array
  readonly bodies: Messages
  readonly long: Uint8Array
} {
  const count = offsets.length - 1
  const vectors = new Uint8Array(count * BLOCK_BYTES)
  const long = new Uint8Array(count)
  const bodies = new Int32Array(count + 1)
  const body = new Uint8Array(offsets[count]! - offsets[0]!)
  for (let row = 0; row < count; row++) {
    const [start, end] = [offsets[row]!, offsets[row + 1]!]
    bodies[row + 1] = bodies[row]!
    if (end - start < BLOCK_BYTES) continue
    long[row] = 1
    vectors.set(bytes.subarray(start, start + BLOCK_BYTES), row * BLOCK_BYTES)
    body.set(bytes.subarray(start + BLOCK_BYTES, end), bodies[row]!)
    bodies[row + 1]! += end - start - BLOCK_BYTES
  }
  return { vectors, bodies: { bytes: body.subarray(0, bodies[count]!), offsets: bodies }, long }
}

/** Nothing of a message that is not authentic is handed out. */
function withoutForgeries({ bytes, offsets }: Messages, authentic: Uint8Array): Messages {
  const kept = new Int32Array(offsets.length)
  const out = new Uint8Array(bytes.length)
  for (let row = 0; row < authentic.length; row++) {
    kept[row + 1] = kept[row]!
    if (authentic[row] !== 1) continue
    out.set(bytes.subarray(offsets[row]!, offsets[row + 1]!), kept[row]!)
    kept[row + 1]! += offsets[row + 1]! - offsets[row]!
  }
  return { bytes: out.subarray(0, kept[authentic.length]!), offsets: kept }
}
