import { together } from '@sluice/mpc'
import * as dealing from '@sluice/mpc/dealer'
import { combine } from '@sluice/mpc/field'
import * as shamir from '@sluice/mpc/shamir'

const ELEMENT = 8
const COUNT = 1_000_000
/** The dealer comes after the parties. */
const CIRCLE = { size: 3, dealer: 3 }
const COMMITTEE = { size: 3, threshold: 2 }

/**
 * What is measured in the field of order 2^61 − 1: the protocol of each participant, three parties and then the
 * dealer, with its preparation, and what it needs by theory, all together. `peer` is the operation of jiff-mpc.
 */
export const fieldMeasurements = [
  {
    name: `Shamir, any 2 of 3: three columns of ${COUNT} shared, added and opened`,
    count: COUNT,
    unit: 'sums',
    peer: 'sadd',
    theory: { rounds: 2, bytes: 2 * 3 * 2 * ELEMENT * COUNT },
    *protocol({ self, polynomial }) {
      if (self === CIRCLE.dealer) return
      const columns = yield* together(
        ...[0, 1, 2].map(owner => shamir.inputOf(polynomial, owner, self === owner ? column() : COUNT)),
      )
      const added = columns.reduce((sum, share) => combine('add', sum, share))
      yield* shamir.open(polynomial, added, [0, 1, 2])
    },
  },
  {
    name: `Shamir, any 2 of 3: ${COUNT} products with their preparation`,
    count: COUNT,
    unit: 'products',
    peer: 'smult',
    theory: { rounds: 3, bytes: 3 * 2 * 2 * ELEMENT * (COUNT / 2) + 4 * ELEMENT * COUNT },
    *protocol({ self, polynomial }) {
      if (self === CIRCLE.dealer) return
      const supply = yield* shamir.prepareProducts(polynomial, COUNT)
      yield* shamir.multiply(polynomial, column(), column(), supply)
    },
  },
  {
    name: `three parties and a dealer: ${COUNT} products with their triples`,
    count: COUNT,
    unit: 'products',
    peer: 'smult',
    theory: { rounds: 2, bytes: (1 + 3 * 2 * 2) * ELEMENT * COUNT },
    *protocol({ self, circle }) {
      if (self === CIRCLE.dealer) return yield* dealing.deal(circle, COUNT)
      const supply = yield* dealing.prepareProducts(circle, COUNT)
      yield* dealing.multiply(circle, column(), column(), supply)
    },
  },
]

/** What a participant needs for all of them. */
export function* start(self, session) {
  const circle =
    self === CIRCLE.dealer
      ? yield* dealing.establishDealer(CIRCLE, session)
      : yield* dealing.establish(self, CIRCLE, session)
  return { self, circle, ...(self < COMMITTEE.size && { polynomial: shamir.shamirParty(self, COMMITTEE) }) }
}

function column() {
  return new BigUint64Array(COUNT).fill(7n)
}
