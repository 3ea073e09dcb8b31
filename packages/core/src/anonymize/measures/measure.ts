import type { Classes } from '../classes.js'

/** What a generalization costs; less is better. */
export interface Measure {
  readonly name: string
  /** known from the levels alone: the loss there, and everywhere above, is at least this */
  bound(levels: readonly number[]): number
  /** @param failing 1 for every class that is suppressed */
  loss(classes: Classes, failing: Uint8Array): number
  /** the loss at this node, and everywhere above it, is at least this, whatever is suppressed */
  floor(classes: Classes): number
}
