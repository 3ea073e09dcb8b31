export type { FieldCells, OpenedFieldCells } from '../field/minimum.js'
export { Supply } from '../field/supply.js'
export {
  type MinimumSupply,
  openAtLeast,
  openAtLeastByTriples,
  prepareMinimum,
  productsOfMinimum,
  receiveAtLeast,
} from './cells.js'
export { inputOf, provide, receiveFrom } from './input.js'
export { innerProducts, lowered, multiply, prepareProducts, random } from './multiply.js'
export { open, receiveOpened } from './open.js'
export { affineOf, type Committee, type ShamirParty, shamirParty } from './party.js'
export { multiplyByTriples, prepareTriples } from './triples.js'
