import { SluiceError } from '@sluice/core'
import type { Words } from '../../ring/slots.js'

/**
 * Correlated randomness that was prepared ahead, such as triples: columns of one length, of which every use takes the
 * next elements. What was taken is overwritten and never given again.
 */
export class Supply {
  readonly #columns: readonly Words[]
  readonly #length: number
  #taken = 0

  constructor(columns: readonly Words[]) {
    this.#columns = columns
    this.#length = columns[0]!.length
  }

  /** How many elements are left. */
  get left(): number {
    return this.#length - this.#taken
  }

  /** @throws SluiceError INTERNAL where the supply is used up */
  take(length: number): Words[] {
    if (length > this.left) {
      throw new SluiceError('INTERNAL', 'the protocol needs more correlated randomness than was prepared')
    }
    const end = this.#taken + length
    const given = this.#columns.map(column => {
      const part = column.slice(this.#taken, end)
      column.fill(0n, this.#taken, end)
      return part
    })
    this.#taken = end
    return given
  }
}
