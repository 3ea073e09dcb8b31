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
import { multiply, random } from './multiply.js'
import { open, receiveOpened } from './open.js'
import { affineOf, type Committee, type ShamirParty } from './party.js'

/**
 * Opens the cells with at least `minimum` entities; see `openAtLeast` of `protocols/field`. The supply gives
 * `productsOfMinimum` of products. Every computing party learns which cells passed.
 */
export function openAtLeast(
  party: ShamirParty,
  cells: FieldCells,
  minimum: bigint,
  receivers: readonly number[],
  supply: Supply,
): Protocol<OpenedFieldCells | undefined> {
  return openCells(schemeOf(party, supply), cells, minimum, receivers)
}

/** The side of a receiver that is no computing party. */
export function receiveAtLeast(committee: Committee, cells: number): Protocol<OpenedFieldCells> {
  return receiveCells(length => receiveOpened(committee, length), cells)
}

/** How much `openAtLeast` takes of a supply. */
export function productsOfMinimum(cells: number, minimum: bigint): number {
  const needs = needsOfMinimum(cells, minimum)
  return needs.products + needs.random
}

function schemeOf(party: ShamirParty, supply: Supply): Scheme {
  return {
    everyone: Array.from({ length: party.size }, (_, index) => index),
    affineOf,
    multiply: (a, b) => multiply(party, a, b, supply),
    // biome-ignore lint/correctness/useYield: the supply needs no round
    *random(length) {
      return random(supply, length)
    },
    open: (share, receivers) => open(party, share, receivers),
  }
}
