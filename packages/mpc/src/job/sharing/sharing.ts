import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import type { Relation } from '../expression.js'

/** What the rows of a job ask of a secret sharing, whichever it is; an `S` is one party's part of a shared column. */
export interface Sharing<S> {
  /** a participant's column becomes shared: two's complement at its owner, the number of rows at the others */
  input(owner: number, values: Words | number): Protocol<S>
  /** a column that everybody knows, two's complement */
  known(values: Words): S
  add(a: S, b: S): S
  subtract(a: S, b: S): S
  /** `factor · a + term`, both known */
  affineOf(a: S, factor: bigint, term: bigint): S
  multiply(a: S, b: S): Protocol<S>
  /** 1 where the value stands in this relation to zero, else 0 */
  related(value: S, is: Relation): Protocol<S>
}
