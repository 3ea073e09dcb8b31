import { combine, reduce, uniform } from '../../field/kernels.js'
import { bytesOf, wordsOf } from '../../prg/aes-ctr.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import { Supply } from '../field/supply.js'
import type { Dealer, DealtParty } from './party.js'

/**
 * Triples (a, b, a·b) of random elements, one for each product to come. All shares come from the keys that each party
 * has in common with the dealer, but one: party 0 is sent what its share of a·b has to be. The dealer's side is `deal`.
 *
 * One round; nobody but the dealer sends anything.
 */
export function* prepareProducts(party: DealtParty, count: number): Protocol<Supply> {
  const [a, b] = [uniform(party.dealt.words(count)), uniform(party.dealt.words(count))]
  if (party.index !== 0) return new Supply([a, b, uniform(party.dealt.words(count))])
  const [correction] = yield { send: [], receive: [{ from: party.dealer, bytes: count * 8 }] }
  return new Supply([a, b, reduce(wordsOf(correction!))])
}

/** The dealer's side: it sends one element for each triple, to party 0. */
export function* deal(dealer: Dealer, count: number): Protocol<void> {
  const draw = (of: readonly Dealer['streams'][number][]): Words =>
    of.map(stream => uniform(stream.words(count))).reduce((sum, share) => combine('add', sum, share))
  const [a, b] = [draw(dealer.streams), draw(dealer.streams)]
  const correction = combine('sub', combine('mul', a, b), draw(dealer.streams.slice(1)))
  yield { send: [{ to: 0, bytes: bytesOf(correction) }], receive: [] }
}
