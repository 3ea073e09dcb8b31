import type { Classes, Grouping } from '../classes.js'

/** Classes that are kept at once, in all. */
const KEPT_CLASSES = 2 ** 22

/** From so many on, classes on the way are worth being kept: many nodes have them in common. */
const MANY = 4096

/**
 * Classes that were computed, to compute those above them from: of those at a node nowhere above, the fewest. Where
 * there are too many, the largest go first: they save least.
 */
export class RollUp {
  readonly #grouping: Grouping
  readonly #bottom: Classes
  /** from the one of most values on */
  readonly #columns: readonly number[]
  /** from the fewest on */
  readonly #kept: Classes[] = []
  #total = 0

  constructor(grouping: Grouping) {
    this.#grouping = grouping
    this.#bottom = grouping.bottom
    const values = grouping.records.quasi.map(({ hierarchy }) => hierarchy.labels[0]!.length)
    this.#columns = values.map((_, column) => column).sort((a, b) => values[b]! - values[a]!)
  }

  classesAt(levels: readonly number[]): Classes {
    const below = this.#kept.find(kept => isBelow(kept.levels, levels)) ?? this.#bottom
    const midway = below.count > MANY ? this.#midway(below.levels, levels) : null
    return this.#rollUp(midway === null ? below : this.#rollUp(below, midway), levels)
  }

  /** The first step of a long way: the two columns of most values, which bring the most classes together. */
  #midway(from: readonly number[], to: readonly number[]): number[] | null {
    const moved = this.#columns.filter(column => from[column]! < to[column]!)
    if (moved.length < 3) return null
    return from.map((level, column) => (column === moved[0] || column === moved[1] ? to[column]! : level))
  }

  #rollUp(below: Classes, levels: readonly number[]): Classes {
    const classes = this.#grouping.rollUp(below, levels)
    this.#keep(classes)
    return classes
  }

  #keep(classes: Classes): void {
    let low = 0
    let high = this.#kept.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#kept[middle]!.count <= classes.count) low = middle + 1
      else high = middle
    }
    this.#kept.splice(low, 0, classes)
    this.#total += classes.count
    while (this.#total > KEPT_CLASSES) this.#total -= this.#kept.pop()!.count
  }
}

function isBelow(lower: readonly number[], upper: readonly number[]): boolean {
  for (let column = 0; column < lower.length; column++) if (lower[column]! > upper[column]!) return false
  return true
}
