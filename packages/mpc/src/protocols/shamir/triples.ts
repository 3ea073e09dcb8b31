import { combine } from '../../field/kernels.js'
import { concatenate } from '../../ring/columns.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import { Supply } from '../field/supply.js'
import { everyoneOf, multiply, prepareProducts, random } from './multiply.js'
import { open } from './open.js'
import type { ShamirParty } from './party.js'

/**
 * Triples (a, b, a·b) of random elements that nobody knows, made by everybody together: one for each product that any
 * t parties have to be able to finish by `multiplyByTriples`.
 *
 * Three rounds: the preparation of three elements for each triple, and a product.
 *
 * @throws SluiceError JOB_INVALID where fewer than 2t − 1 parties take part, PEER_LOST where one has left
 */
export function* prepareTriples(party: ShamirParty, count: number): Protocol<Supply> {
  const supply = yield* prepareProducts(party, 3 * count)
  const [a, b] = [random(supply, count), random(supply, count)]
  return new Supply([a, b, yield* multiply(party, a, b, supply)])
}

/**
 * Products, element by element, out of triples (Beaver, "Efficient Multiparty Protocols Using Circuit Randomization",
 * CRYPTO 1991): x − a and y − b are opened, which needs any t parties, where `multiply` needs 2t − 1 and the king.
 *
 * One round; every party sends two elements for each product to every other party.
 *
 * @throws SluiceError PEER_LOST where fewer than t parties are left
 */
export function* multiplyByTriples(party: ShamirParty, x: Words, y: Words, triples: Supply): Protocol<Words> {
  const [a, b, c] = triples.take(x.length) as [Words, Words, Words]
  const masked = concatenate([combine('sub', x, a), combine('sub', y, b)])
  const opened = (yield* open(party, masked, everyoneOf(party)))!
  const [d, e] = [opened.subarray(0, x.length), opened.subarray(x.length)]
  // x·y = c + d·b + e·a + d·e = c + d·y + e·a
  return combine('add', c, combine('add', combine('mul', d, y), combine('mul', e, a)))
}
