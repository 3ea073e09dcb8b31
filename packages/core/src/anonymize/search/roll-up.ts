import type { Classes, Grouping } from '../classes.js'

const KEPT = 192
const KEPT_CLASSES = 2 ** 22

/** Classes that were computed, to compute those above them from. The ones used longest ago go first. */
export class RollUp {
  readonly #grouping: Grouping
  readonly #bottom: Classes
  #kept: Classes[] = []
  #total = 0

  constructor(grouping: Grouping) {
    this.#grouping = grouping
    this.#bottom = grouping.bottom()
  }

  classesAt(levels: readonly number[]): Classes {
    let base = this.#bottom
    let at = -1
    for (const [index, candidate] of this.#kept.entries()) {
      if (candidate.count >= base.count || !isBelow(candidate.levels, levels)) continue
      base = candidate
      at = index
    }
    if (at >= 0) {
      this.#kept.splice(at, 1)
      this.#kept.push(base)
    }
    const classes = this.#grouping.rollUp(base, levels)
    // what is hardly smaller than its base saves nothing
    if (classes.count < 0.9 * base.count) this.#keep(classes)
    return classes
  }

  #keep(classes: Classes): void {
    this.#kept.push(classes)
    this.#total += classes.count
    while (this.#kept.length > KEPT || (this.#total > KEPT_CLASSES && this.#kept.length > 1)) {
      this.#total -= this.#kept.shift()!.count
    }
  }
}

function isBelow(lower: readonly number[], upper: readonly number[]): boolean {
  for (let column = 0; column < lower.length; column++) if (lower[column]! > upper[column]!) return false
  return true
}
