import { SluiceError } from '../../errors.js'

/** More nodes than this are not searched: a tag and a bound each have to be kept. */
export const MAXIMUM_NODES = 2 ** 24

/** All combinations of levels, numbered in mixed radix; a node is above another where no level is lower. */
export class Lattice {
  readonly heights: readonly number[]
  readonly size: number
  readonly #strides: readonly number[]

  /** @throws SluiceError CONFIG_INVALID `lattice.size` */
  constructor(heights: readonly number[]) {
    this.heights = heights
    let size = 1
    this.#strides = heights.map(height => {
      const stride = size
      size *= height + 1
      return stride
    })
    if (size > MAXIMUM_NODES) {
      throw new SluiceError(
        'CONFIG_INVALID',
        `the hierarchies have more than ${MAXIMUM_NODES} combinations of levels`,
        {
          rule: 'lattice.size',
          remedy: 'Take fewer quasi-identifiers or levels, or method: mondrian.',
          facts: { nodes: size },
        },
      )
    }
    this.size = size
  }

  levels(node: number): number[] {
    return this.heights.map((height, column) => ((node / this.#strides[column]!) | 0) % (height + 1))
  }

  /** The nodes one level up in one column. */
  successors(node: number): number[] {
    const found: number[] = []
    for (let column = 0; column < this.heights.length; column++) {
      const stride = this.#strides[column]!
      const height = this.heights[column]!
      if (((node / stride) | 0) % (height + 1) < height) found.push(node + stride)
    }
    return found
  }

  /** The nodes one level down in one column. */
  predecessors(node: number): number[] {
    const found: number[] = []
    for (let column = 0; column < this.heights.length; column++) {
      const stride = this.#strides[column]!
      if (((node / stride) | 0) % (this.heights[column]! + 1) > 0) found.push(node - stride)
    }
    return found
  }
}
