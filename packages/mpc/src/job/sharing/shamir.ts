import { openAtLeastByTriples, prepareMinimum, receiveAtLeast } from '../../protocols/shamir/cells.js'
import { inputOf, provide, receiveFrom } from '../../protocols/shamir/input.js'
import { innerProducts, lowered, multiply, prepareProducts } from '../../protocols/shamir/multiply.js'
import { type Committee, shamirParty } from '../../protocols/shamir/party.js'
import { concatenate, split } from '../../ring/columns.js'
import type { Protocol } from '../../session/protocol.js'
import {
  affineIn,
  type CellsForm,
  elementsOf,
  type FieldProvider,
  type FieldSharing,
  linear,
} from './field.js'

/**
 * A job by Shamir's sharing, at a computing party. All parties prepare what the operations take after their rows; then
 * every owner has to be there until its rows are shared, everybody while rows are multiplied, 2t − 1 parties for one
 * round once an operation's last row is in, and any t from then on.
 *
 * @param forms of all operations, in their order
 */
export function* startShamir(
  self: number,
  committee: Committee,
  minimum: bigint,
  forms: readonly CellsForm[],
): Protocol<FieldSharing> {
  const party = shamirParty(self, committee)
  const all = (of: readonly CellsForm[]) => of.reduce((total, { cells }) => total + cells, 0)
  const lowering = yield* prepareProducts(party, 2 * all(forms.filter(({ products }) => products)))
  const test = yield* prepareMinimum(party, all(forms), minimum)
  return {
    ...linear,
    affineOf: affineIn,
    known: elementsOf,
    constant: values => values,
    input: (owner, values) =>
      owner < committee.size
        ? inputOf(party, owner, elementsOf(values))
        : receiveFrom(owner, values as number),
    *multiply(a, b) {
      return yield* multiply(party, a, b, yield* prepareProducts(party, a.length))
    },
    // biome-ignore lint/correctness/useYield: inner products need no round until cells are settled
    *innerProducts(pairs) {
      return innerProducts(pairs)
    },
    *settled({ counts, sums }, { products }) {
      if (!products) return { counts, sums }
      const [c, s] = split(yield* lowered(party, concatenate([counts, sums]), lowering), 2)
      return { counts: c!, sums: s! }
    },
    openAtLeast: (cells, receivers) => openAtLeastByTriples(party, cells, minimum, receivers, test),
  }
}

/** The same at a participant who computes nothing. */
export function shamirProvider(committee: Committee): FieldProvider {
  return {
    provide: values => provide(elementsOf(values), committee),
    receiveAtLeast: cells => receiveAtLeast(committee, cells),
  }
}
