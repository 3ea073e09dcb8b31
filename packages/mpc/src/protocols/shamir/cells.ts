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
import { everyoneOf, multiply, prepareProducts, random } from './multiply.js'
import { open, receiveOpened } from './open.js'
import { affineOf, type Committee, type ShamirParty } from './party.js'
import { multiplyByTriples, prepareTriples } from './triples.js'

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

/** What `openAtLeastByTriples` takes: see `prepareMinimum`. */
export interface MinimumSupply {
  readonly triples: Supply
  readonly masks: Supply
}

/**
 * Prepares the test of so many cells, so that any t parties can finish it. Everybody has to be there.
 *
 * Four rounds: those of the triples, and of one more element for each cell.
 */
export function* prepareMinimum(party: ShamirParty, cells: number, minimum: bigint): Protocol<MinimumSupply> {
  const { products, random: masks } = needsOfMinimum(cells, minimum)
  return {
    triples: yield* prepareTriples(party, products),
    masks: yield* prepareProducts(party, masks),
  }
}

/** `openAtLeast` that any t parties finish, whoever has left since the preparation. */
export function openAtLeastByTriples(
  party: ShamirParty,
  cells: FieldCells,
  minimum: bigint,
  receivers: readonly number[],
  { triples, masks }: MinimumSupply,
): Protocol<OpenedFieldCells | undefined> {
  const scheme: Scheme = {
    ...schemeOf(party, masks),
    multiply: (a, b) => multiplyByTriples(party, a, b, triples),
  }
  return openCells(scheme, cells, minimum, receivers)
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
    everyone: everyoneOf(party),
    affineOf,
    multiply: (a, b) => multiply(party, a, b, supply),
    // biome-ignore lint/correctness/useYield: the supply needs no round
    *random(length) {
      return random(supply, length)
    },
    open: (share, receivers) => open(party, share, receivers),
  }
}
