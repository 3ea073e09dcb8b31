import { uniform } from '../../field/kernels.js'
import type { Protocol } from '../../session/protocol.js'
import {
  type FieldCells,
  needsOfMinimum,
  type OpenedFieldCells,
  openAtLeast as openCells,
  receiveAtLeast as receiveCells,
} from '../field/minimum.js'
import type { Scheme } from '../field/scheme.js'
import type { Supply } from '../field/supply.js'
import { multiply } from './multiply.js'
import { open, receiveOpened } from './open.js'
import { affineOf, type DealtParty, partiesOf } from './party.js'

/**
 * Opens the cells with at least `minimum` entities; see `openAtLeast` of `protocols/field`. The supply gives
 * `productsOfMinimum` of products. Every computing party learns which cells passed.
 */
export function openAtLeast(
  party: DealtParty,
  cells: FieldCells,
  minimum: bigint,
  receivers: readonly number[],
  supply: Supply,
): Protocol<OpenedFieldCells | undefined> {
  return openCells(schemeOf(party, supply), cells, minimum, receivers)
}

/** The side of a receiver that is no computing party. */
export function receiveAtLeast(size: number, cells: number): Protocol<OpenedFieldCells> {
  return receiveCells(length => receiveOpened(size, length), cells)
}

/** How much `openAtLeast` takes of a supply. */
export function productsOfMinimum(cells: number, minimum: bigint): number {
  return needsOfMinimum(cells, minimum).products
}

function schemeOf(party: DealtParty, supply: Supply): Scheme {
  return {
    everyone: partiesOf(party),
    affineOf: (share, factor, term) => affineOf(party, share, factor, term),
    multiply: (a, b) => multiply(party, a, b, supply),
    // biome-ignore lint/correctness/useYield: the sum of everybody's own elements is random without a round
    *random(length) {
      return uniform(party.own.words(length))
    },
    open: (share, receivers) => open(party, share, receivers),
  }
}
