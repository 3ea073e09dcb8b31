import { randomBytes } from 'node:crypto'
import { AesCtrPrg, PRG_KEY_BYTES } from '../prg/aes-ctr.js'
import { scratch } from './arena.js'

/** Bytes that are drawn for one call of the kernel. */
const DRAWN_BYTES = 1 << 16

/**
 * A uniformly random order of 0 … count − 1: Fisher and Yates' shuffle, drawn from AES-128 in counter mode under a
 * fresh key, each draw without bias.
 */
export function randomPermutation(
  count: number,
  random: (bytes: number) => Uint8Array = randomBytes,
): Uint32Array<ArrayBuffer> {
  const prg = new AesCtrPrg(new Uint8Array(random(PRG_KEY_BYTES)))
  const most = Math.min(DRAWN_BYTES, count * 4)
  const { kernels, at, bytes } = scratch({ order: count * 4, words: most })
  kernels.countUp(at.order, count)
  for (let place = count - 1; place > 0; ) {
    const drawn = Math.min(most, place * 4)
    prg.fill(bytes.words.subarray(0, drawn))
    place = kernels.shuffle(at.order, place, at.words, drawn / 4)
  }
  return new Uint32Array(bytes.order.slice().buffer)
}

/**
 * The pieces of `width` bytes in this order: piece i of the answer is piece `order[i]`.
 *
 * @param order places of pieces: all of them, or those that are wanted
 * @param width a multiple of 4
 */
export function permuted(bytes: Uint8Array, order: Uint32Array, width: number): Uint8Array<ArrayBuffer> {
  const memory = scratch({ pieces: bytes.length, order: order.byteLength, out: order.length * width })
  memory.bytes.pieces.set(bytes)
  new Uint32Array(memory.bytes.order.buffer, memory.at.order, order.length).set(order)
  memory.kernels.gatherPieces(memory.at.pieces, width, memory.at.order, order.length, memory.at.out)
  return memory.bytes.out.slice()
}
