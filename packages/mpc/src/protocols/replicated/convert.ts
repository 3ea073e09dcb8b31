import { affine, combine, fromPlanes, toPlanes } from '../../ring/kernels.js'
import type { Protocol } from '../../session/protocol.js'
import { bitsOf, inputOf } from './input.js'
import { multiply } from './multiply.js'
import type { Party } from './party.js'
import { type Arithmetic, add, affineOf, arithmetic, type Binary, binary, only, subtract } from './shares.js'

/**
 * A column as two bit-sliced summands, x = p + q (ABY3, section 5.3): party 0, which knows x0 + x1, shares p; q is x2,
 * which the other two know. Planes of `ceil(n / 64)` words, the lowest bit first.
 *
 * One round; party 0 sends one ring element for each value.
 *
 * @param sign −1 for the summands of p − (−q), so that p = q exactly where x is zero
 */
export function* summands(party: Party, x: Arithmetic, sign: 1 | -1 = 1): Protocol<[Binary, Binary]> {
  const words = Math.ceil(x.own.length / 64) * 64
  const p = yield* bitsOf(party, 0, party.index === 0 ? toPlanes(combine('add', x.own, x.next)) : words)
  const third = party.index === 1 ? x.next : x.own
  const factor = sign === 1 ? 1n : ONES
  const q = party.index === 0 ? words : toPlanes(sign === 1 ? third : affine(third, factor, 0n))
  return [p, binary(...only(party, 2, q))]
}

/**
 * Packed bits as a column of zeros and ones (ABY3, section 5.4.1, with two summands in place of three): with
 * c = b0 ⊕ b1, which party 0 knows, and b2, which the others know, b = c + b2 − 2·c·b2.
 *
 * Two rounds; a party sends one ring element for each bit, party 0 two.
 *
 * @param length how many bits the column has
 */
export function* bitsToArithmetic(party: Party, bits: Binary, length: number): Protocol<Arithmetic> {
  const unpack = (words: BigUint64Array<ArrayBuffer>): BigUint64Array<ArrayBuffer> => {
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

const ONES = 2n ** 64n - 1n
