import { affine, combine, fromPlanes, toPlanes, type Words } from '../../ring/kernels.js'
import type { Protocol } from '../../session/protocol.js'
import { addBits } from './adder.js'
import { elementsInBlocks } from './blocks.js'
import { bitsOf, inputOf } from './input.js'
import { multiply } from './multiply.js'
import type { Party } from './party.js'
import {
  type Arithmetic,
  add,
  affineOf,
  arithmetic,
  type Binary,
  binary,
  only,
  slice,
  subtract,
} from './shares.js'

/**
 * A column as two bit-sliced summands, x = p + q (ABY3, section 5.3): party 0, which knows x0 + x1, shares p; q is x2,
 * which the other two know. Planes of `ceil(n / 64)` words, the lowest bit first.
 *
 * One round; party 0 sends `bits` bits for each value.
 *
 * @param negated whether q is negated, so that p = q exactly where x is zero
 * @param bits how many planes, from the lowest on
 */
export function* summands(
  party: Party,
  x: Arithmetic,
  { negated = false, bits = 64 }: { negated?: boolean; bits?: number } = {},
): Protocol<[Binary, Binary]> {
  const words = Math.ceil(x.own.length / 64) * bits
  const planes = (column: Words): Words => toPlanes(column).subarray(0, words)
  const p = yield* bitsOf(party, 0, party.index === 0 ? planes(combine('add', x.own, x.next)) : words)
  const third = party.index === 1 ? x.next : x.own
  const q = party.index === 0 ? words : planes(negated ? affine(third, ONES, 0n) : third)
  return [p, binary(...only(party, 2, q))]
}

/**
 * The lowest bits of every value, bit-sliced: planes of `ceil(n / 64)` words, the lowest bit first (ABY3, section 5.3).
 * Exact for every element of the ring.
 *
 * Rounds: 2 and one for each doubling up to `bits − 1`; for 64 bits 8, and for each value a party sends 373 bits,
 * party 0 another 64.
 *
 * @param bits 1 to 64
 */
export function* toBits(party: Party, x: Arithmetic, bits = 64): Protocol<Binary> {
  const [p, q] = yield* summands(party, x, { bits })
  return yield* addBits(party, p, q, bits)
}

/**
 * Packed bits as a column of zeros and ones (ABY3, section 5.4.1, with two summands in place of three): with
 * c = b0 ⊕ b1, which party 0 knows, and b2, which the others know, b = c + b2 − 2·c·b2.
 *
 * Two rounds for each 2^20 bits; a party sends one ring element for each bit, party 0 two.
 *
 * @param length how many bits the column has
 */
export function bitsToArithmetic(party: Party, bits: Binary, length: number): Protocol<Arithmetic> {
  return elementsInBlocks(party, length, (start, end) =>
    converted(party, slice(bits, start / 64, Math.ceil(end / 64)), end - start),
  )
}

function* converted(party: Party, bits: Binary, length: number): Protocol<Arithmetic> {
  const unpack = (words: Words): Words => {
    const planes = new BigUint64Array(words.length * 64)
    planes.set(words)
    return fromPlanes(planes, length)
  }
  const c = yield* inputOf(party, 0, party.index === 0 ? unpack(combine('xor', bits.own, bits.next)) : length)
  const third = party.index === 0 ? length : unpack(party.index === 1 ? bits.next : bits.own)
  const b2 = arithmetic(...only(party, 2, third))
  const product = yield* multiply(party, c, b2)
  return subtract(add(c, b2), affineOf(party, product, 2n, 0n))
}

/** The same for so many planes of packed bits, each as a column of `length` values: two rounds for all of them. */
export function* planesToArithmetic(
  party: Party,
  bits: Binary,
  planes: number,
  length: number,
): Protocol<Arithmetic[]> {
  const step = Math.ceil(length / 64) * 64
  const columns = yield* bitsToArithmetic(party, bits, planes * step)
  return Array.from({ length: planes }, (_, plane) => slice(columns, plane * step, plane * step + length))
}

const ONES = 2n ** 64n - 1n
