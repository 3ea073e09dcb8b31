import { bytesOf, wordsOf } from '../../prg/aes-ctr.js'
import { combine, cross, crossDot, type Words } from '../../ring/kernels.js'
import type { Protocol } from '../../session/protocol.js'
import { next, type Party, previous } from './party.js'
import { type Arithmetic, arithmetic, type Binary, binary } from './shares.js'

/**
 * Products, word by word (Araki et al. 2016, section 2.2, protocol 2.4; in the ring, ABY3, section 3.2.1).
 *
 * One round; a party sends one ring element for each product.
 */
export function* multiply(party: Party, a: Arithmetic, b: Arithmetic): Protocol<Arithmetic> {
  const own = cross('crossMul', [a.own, a.next], [b.own, b.next], [party.own, party.next])
  return arithmetic(own, yield* resharing(party, own))
}

/**
 * Conjunctions of bits.
 *
 * One round; a party sends one bit for each.
 */
export function* and(party: Party, a: Binary, b: Binary): Protocol<Binary> {
  const own = cross('crossAnd', [a.own, a.next], [b.own, b.next], [party.own, party.next])
  return binary(own, yield* resharing(party, own))
}

/**
 * Inner products of pairs of columns, as one column: the sum is taken before the mask, so that it costs one element
 * however long the columns are (ABY3, section 5.1).
 *
 * One round; a party sends one ring element for each pair.
 */
export function* innerProducts(
  party: Party,
  pairs: readonly (readonly [Arithmetic, Arithmetic])[],
): Protocol<Arithmetic> {
  const sums = new BigUint64Array(pairs.map(([a, b]) => crossDot(a.own, a.next, b.own, b.next)))
  const mask = combine('sub', party.own.words(pairs.length), party.next.words(pairs.length))
  const own = combine('add', sums, mask)
  return arithmetic(own, yield* resharing(party, own))
}

/** From shares of which each party holds one to shares of which it holds two. */
export function* resharing(party: Party, own: Words): Protocol<Words> {
  const [received] = yield {
    send: [{ to: previous(party.index), bytes: bytesOf(own) }],
    receive: [{ from: next(party.index), bytes: own.byteLength }],
  }
  return wordsOf(received!)
}
