import { combine, reduce, sum, uniform } from '../../field/kernels.js'
import { bytesOf, wordsOf } from '../../prg/aes-ctr.js'
import { concatenate, split } from '../../ring/columns.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import type { Pair } from '../field/totals.js'
import { type Dealer, type DealtParty, partiesOf } from './party.js'

/**
 * Inner products, one for each pair of columns, all of one length (Beaver 1991 for vectors): every column gets one mask
 * m, however many pairs it is in, and x − m is opened; the dealer has dealt the inner product of the masks of each pair.
 * The dealer's side is `dealInnerProducts`, over the same pairs.
 *
 * One round; a party sends one element for each value of the different columns to every other party, and the dealer one
 * for each pair to party 0.
 */
export function* innerProducts(party: DealtParty, pairs: readonly Pair[]): Protocol<Words> {
  const { columns, places } = distinct(pairs)
  const rows = columns[0]?.length ?? 0
  const masks = columns.map(() => uniform(party.dealt.words(rows)))
  const own = concatenate(columns.map((column, at) => combine('sub', column, masks[at]!)))
  const drawn = party.index === 0 ? undefined : uniform(party.dealt.words(pairs.length))
  const others = partiesOf(party).filter(other => other !== party.index)
  const received = yield {
    send: others.map(to => ({ to, bytes: bytesOf(own) })),
    receive: [
      ...others.map(from => ({ from, bytes: own.byteLength })),
      ...(drawn === undefined ? [{ from: party.dealer, bytes: pairs.length * 8 }] : []),
    ],
  }
  const masked = others.reduce((all, _, at) => combine('add', all, reduce(wordsOf(received[at]!))), own)
  const opened = split(masked, columns.length)
  const ofMasks = drawn ?? reduce(wordsOf(received.at(-1)!))
  const products = places.map(([x, y]) => {
    // Σ x·y = Σ m·m' + Σ d·m' + Σ e·m + Σ d·e, the last in one share only
    const right = party.index === 0 ? combine('add', masks[y]!, opened[y]!) : masks[y]!
    return sum(combine('mul', opened[x]!, right)) + sum(combine('mul', opened[y]!, masks[x]!))
  })
  return combine('add', ofMasks, reduce(new BigUint64Array(products)))
}

/** The dealer's side: columns of the parties' lengths, in the parties' pairs; what is in them plays no part. */
export function* dealInnerProducts(dealer: Dealer, pairs: readonly Pair[]): Protocol<void> {
  const { columns, places } = distinct(pairs)
  const draw = (of: Dealer['streams'], length: number): Words =>
    of.map(stream => uniform(stream.words(length))).reduce((total, share) => combine('add', total, share))
  const masks = columns.map(({ length }) => draw(dealer.streams, length))
  const products = places.map(([x, y]) => sum(combine('mul', masks[x]!, masks[y]!)))
  const correction = combine('sub', new BigUint64Array(products), draw(dealer.streams.slice(1), pairs.length))
  yield { send: [{ to: 0, bytes: bytesOf(correction) }], receive: [] }
}

/** The columns, each once, and where those of each pair are among them. */
function distinct(pairs: readonly Pair[]): { columns: Words[]; places: (readonly [number, number])[] } {
  const columns = [...new Set(pairs.flat())]
  const at = new Map(columns.map((column, place) => [column, place]))
  return { columns, places: pairs.map(([a, b]) => [at.get(a)!, at.get(b)!]) }
}
