import type { SlotValues } from './contribute.js'
import type { NumberVector } from './vectors.js'

/**
 * Sums a slot: in doubles while they are exact, carried over to integers before they are not. Integers of 64 bits hold
 * what the bound allows, and wrap only where a group has more rows than were declared, which is refused.
 */
export class SlotSums {
  readonly #bound: bigint
  readonly #small: Float64Array
  #large: BigInt64Array | bigint[] | undefined
  /** how far any slot of `#small` may be from zero */
  #reach = 0

  /** @param bound largest magnitude of a slot's sum */
  constructor(slots: number, bound: bigint) {
    this.#small = new Float64Array(slots)
    this.#bound = bound
  }

  count(slot: Uint32Array, taken: Uint8Array | null): void {
    this.#makeRoom(slot.length)
    for (let row = 0; row < slot.length; row++) this.#small[slot[row]!]! += taken === null ? 1 : taken[row]!
  }

  add({ values, valid }: NumberVector, slot: Uint32Array, taken: Uint8Array | null): void {
    const skipped = (row: number) =>
      (taken !== null && taken[row] === 0) || (valid !== null && valid[row] === 0)
    if (values instanceof BigInt64Array) {
      const large = this.#widen()
      for (let row = 0; row < slot.length; row++) if (!skipped(row)) large[slot[row]!]! += values[row]!
      return
    }
    let most = 0
    for (let row = 0; row < values.length; row++) most = Math.max(most, Math.abs(values[row]!))
    const step = Math.max(1, Math.floor(2 ** 52 / Math.max(1, most)))
    for (let from = 0; from < slot.length; from += step) {
      const to = Math.min(slot.length, from + step)
      this.#makeRoom((to - from) * most)
      for (let row = from; row < to; row++) if (!skipped(row)) this.#small[slot[row]!]! += values[row]!
    }
  }

  /** Doubles where the bound lets them be exact. */
  values(): SlotValues {
    if (this.#large === undefined && this.#bound < 2n ** 53n) return this.#small
    return this.#carry()
  }

  #makeRoom(further: number): void {
    if (this.#reach + further > Number.MAX_SAFE_INTEGER) this.#carry()
    this.#reach += further
  }

  #carry(): BigInt64Array | bigint[] {
    const large = this.#widen()
    for (let slot = 0; slot < large.length; slot++) large[slot]! += BigInt(this.#small[slot]!)
    this.#small.fill(0)
    this.#reach = 0
    return large
  }

  #widen(): BigInt64Array | bigint[] {
    this.#large ??=
      this.#bound < 2n ** 63n
        ? new BigInt64Array(this.#small.length)
        : new Array<bigint>(this.#small.length).fill(0n)
    return this.#large
  }
}
