/** Seeded draws (mulberry32): the same seed gives the same register on every machine. */
export class Random {
  #state

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0
  }

  /** A number from 0 to 1, 1 excluded. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** @param {number} least @param {number} most inclusive */
  whole(least, most) {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  /** @template T @param {ArrayLike<T>} items @returns {T} */
  pick(items) {
    return items[this.whole(0, items.length - 1)]
  }

  /** @param {number} count */
  digits(count) {
    let text = ''
    for (let i = 0; i < count; i++) text += this.whole(0, 9)
    return text
  }

  /** @param {number} count @param {string} alphabet */
  text(count, alphabet) {
    let text = ''
    for (let i = 0; i < count; i++) text += this.pick(alphabet)
    return text
  }

  /** @param {number} chance */
  happens(chance) {
    return this.next() < chance
  }
}
