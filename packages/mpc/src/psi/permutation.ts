import { randomBytes } from 'node:crypto'
import { AesCtrPrg, PRG_KEY_BYTES } from '../prg/aes-ctr.js'

/**
 * A uniformly random order of 0 … count − 1: Fisher and Yates' shuffle, drawn from AES-128 in counter mode under a
 * fresh key, each draw without bias (a draw beyond the largest multiple of the range is thrown away).
 */
export function randomPermutation(
  count: number,
  random: (bytes: number) => Uint8Array = randomBytes,
): Uint32Array {
  const draw = drawer(random)
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = draw(i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}

/** The pieces of `width` bytes in this order: piece i of the answer is piece `order[i]`. */
export function permuted(bytes: Uint8Array, order: Uint32Array, width: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length)
  for (let i = 0; i < order.length; i++) {
    const from = order[i]! * width
    for (let k = 0; k < width; k++) out[i * width + k] = bytes[from + k]!
  }
  return out
}

const BATCH = 4096

/** Draws uniformly from 0 … range − 1. */
function drawer(random: (bytes: number) => Uint8Array): (range: number) => number {
  const prg = new AesCtrPrg(new Uint8Array(random(PRG_KEY_BYTES)))
  const words = new Uint32Array(BATCH)
  const bytes = new Uint8Array(words.buffer)
  let next = BATCH
  return range => {
    const limit = 2 ** 32 - (2 ** 32 % range)
    for (;;) {
      if (next === BATCH) {
        prg.fill(bytes)
        next = 0
      }
      const word = words[next++]!
      if (word < limit) return word % range
    }
  }
}
