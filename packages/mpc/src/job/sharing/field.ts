import { SluiceError } from '@sluice/core'
import { affine, combine, fromSigned, modulo } from '../../field/kernels.js'
import type { FieldCells, OpenedFieldCells } from '../../protocols/field/minimum.js'
import type { Totalling } from '../../protocols/field/totals.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import type { Sharing } from './sharing.js'

/** The cells of one operation: how many, all measures together, and whether they come out of products of shares. */
export interface CellsForm {
  readonly cells: number
  readonly products: boolean
}

/** What a computing party, or a dealer, does for the rows and cells of a job over the field of order 2^61 − 1. */
export interface FieldSharing extends Sharing<Words>, Totalling {
  /** an operation's cells once its last row is in, ready to be opened */
  settled(cells: FieldCells, form: CellsForm): Protocol<FieldCells>
  /** opens the cells that have the minimum of entities */
  openAtLeast(cells: FieldCells, receivers: readonly number[]): Protocol<OpenedFieldCells | undefined>
}

/** The side of a participant who computes nothing. */
export interface FieldProvider {
  provide(values: Words): Protocol<void>
  receiveAtLeast(cells: number): Protocol<OpenedFieldCells>
}

/** What parties of every sharing over the field do alike, without a message. */
export const linear = {
  add: (a: Words, b: Words): Words => combine('add', a, b),
  subtract: (a: Words, b: Words): Words => combine('sub', a, b),
  related(): Protocol<Words> {
    throw new SluiceError('INTERNAL', 'values that are shared in a field are compared')
  },
}

/** Two's complement as field elements; a number of rows as it stands. */
export function elementsOf<V extends Words | number>(values: V): V {
  if (typeof values === 'number') return values
  return fromSigned(new BigInt64Array(values.buffer, values.byteOffset, values.length)) as V
}

/** `factor · a + term` of elements, with signed integers. */
export function affineIn(a: Words, factor: bigint, term: bigint): Words {
  return affine(a, modulo(factor), modulo(term))
}
