import { openAtLeast, productsOfMinimum, receiveAtLeast } from '../../protocols/dealer/cells.js'
import { dealInnerProducts, innerProducts } from '../../protocols/dealer/inner-products.js'
import { inputOf, provide, receiveFrom } from '../../protocols/dealer/input.js'
import { multiply } from '../../protocols/dealer/multiply.js'
import { affineOf, type Circle, establish, establishDealer } from '../../protocols/dealer/party.js'
import { deal, prepareProducts } from '../../protocols/dealer/triples.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import { elementsOf, type FieldProvider, type FieldSharing, linear } from './field.js'

/** A job by additive sharing with a dealer, at a computing party. Everybody has to be there to the end. */
export function* startDealt(
  self: number,
  circle: Circle,
  session: string,
  minimum: bigint,
): Protocol<FieldSharing> {
  const party = yield* establish(self, circle, session)
  const constant = (values: Words) => (self === 0 ? values : new BigUint64Array(values.length))
  return {
    ...linear,
    affineOf: (a, factor, term) => affineOf(party, a, factor, term),
    known: values => constant(elementsOf(values)),
    constant,
    *input(owner, values) {
      if (owner < circle.size) return inputOf(party, owner, elementsOf(values))
      return yield* receiveFrom(party, owner, values as number)
    },
    *multiply(a, b) {
      return yield* multiply(party, a, b, yield* prepareProducts(party, a.length))
    },
    innerProducts: pairs => innerProducts(party, pairs),
    // biome-ignore lint/correctness/useYield: sums of shares are shares
    *settled(cells) {
      return cells
    },
    *openAtLeast(cells, receivers) {
      const supply = yield* prepareProducts(party, productsOfMinimum(cells.counts.length, minimum))
      return yield* openAtLeast(party, cells, minimum, receivers, supply)
    },
  }
}

/**
 * The dealer's side: it goes through the same steps over columns of zeros, so that it deals what the parties' steps
 * take, in their order. It gets no message.
 */
export function* startDealing(circle: Circle, session: string, minimum: bigint): Protocol<FieldSharing> {
  const dealer = yield* establishDealer(circle, session)
  const like = (column: Words) => new BigUint64Array(column.length)
  return {
    ...linear,
    add: like,
    subtract: like,
    affineOf: like,
    known: like,
    constant: like,
    // biome-ignore lint/correctness/useYield: a dealer has no share of an input
    *input(_owner, rows) {
      return new BigUint64Array(rows as number)
    },
    *multiply(a) {
      yield* deal(dealer, a.length)
      return like(a)
    },
    *innerProducts(pairs) {
      yield* dealInnerProducts(dealer, pairs)
      return new BigUint64Array(pairs.length)
    },
    // biome-ignore lint/correctness/useYield: nothing is dealt for it
    *settled(cells) {
      return cells
    },
    *openAtLeast({ counts }) {
      yield* deal(dealer, productsOfMinimum(counts.length, minimum))
      return undefined
    },
  }
}

/** The same at a participant who neither computes nor deals. */
export function dealtProvider({ size }: Circle): FieldProvider {
  return {
    provide: values => provide(elementsOf(values), size),
    receiveAtLeast: cells => receiveAtLeast(size, cells),
  }
}
