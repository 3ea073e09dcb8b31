import { randomBytes } from 'node:crypto'
import { ITEM_BYTES, type ItemHashes } from './item-hash.js'
import { Oprf } from './oprf.js'
import { VALUE_BYTES } from './prepared-layout.js'
import { POINT_BYTES, type Ristretto, SCALAR_BYTES } from './ristretto.js'

/**
 * Items that somebody who holds a key is asked for, each under a blind of its own (RFC 9497, section 3.3.1). Blinding
 * needs nothing of the other side, so that it can begin before that is there. For one run: a blind that is used again
 * shows which items are asked for again.
 */
export class Questions {
  readonly count: number
  readonly #oprf: Oprf
  readonly #hashes: ItemHashes
  readonly #inverses: Uint8Array[]
  readonly #blinds: Uint8Array[]
  /** of the first `#made` items */
  readonly #points: Uint8Array<ArrayBuffer>
  #made = 0

  /** @param hashes of the items, 16 bytes each */
  constructor(hashes: ItemHashes, group: Ristretto, random: (bytes: number) => Uint8Array = randomBytes) {
    this.count = hashes.length / ITEM_BYTES
    this.#oprf = new Oprf(group)
    this.#hashes = hashes
    this.#blinds = scalarsOf(this.count, group, random)
    this.#inverses = group.invertAll(this.#blinds)
    this.#points = new Uint8Array(this.count * POINT_BYTES)
  }

  /** Blinds some more items, for some milliseconds. @returns whether any are left */
  ahead(): boolean {
    this.#blindUpTo(Math.min(this.count, this.#made + AHEAD))
    return this.#made < this.count
  }

  /** The blinded elements of these items, which are asked for in turn. */
  blinded(start: number, end: number): Uint8Array<ArrayBuffer> {
    this.#blindUpTo(end)
    return this.#points.slice(start * POINT_BYTES, end * POINT_BYTES)
  }

  /** The values of the items from `start` on, of what was answered for them. @throws SluiceError PROTOCOL_VIOLATION */
  values(start: number, elements: Uint8Array): Uint8Array<ArrayBuffer> {
    const count = elements.length / POINT_BYTES
    const values = new Uint8Array(count * VALUE_BYTES)
    for (let i = 0; i < count; i++) {
      const element = elements.subarray(i * POINT_BYTES, (i + 1) * POINT_BYTES)
      const value = this.#oprf.unblind(this.#input(start + i), this.#inverses[start + i]!, element)
      values.set(value.subarray(0, VALUE_BYTES), i * VALUE_BYTES)
    }
    return values
  }

  #blindUpTo(end: number): void {
    for (; this.#made < end; this.#made++) {
      const point = this.#oprf.blind(this.#input(this.#made), this.#blinds[this.#made]!)
      this.#points.set(point, this.#made * POINT_BYTES)
    }
  }

  #input(item: number): Uint8Array {
    return this.#hashes.subarray(item * ITEM_BYTES, (item + 1) * ITEM_BYTES)
  }
}

const AHEAD = 32
const DRAWN = 1024

/** Uniform scalars, their random bytes drawn for many at once. */
function scalarsOf(count: number, group: Ristretto, random: (bytes: number) => Uint8Array): Uint8Array[] {
  let [drawn, at]: [Uint8Array, number] = [new Uint8Array(0), 0]
  const next = (bytes: number) => {
    if (at === drawn.length) [drawn, at] = [random(DRAWN * 2 * SCALAR_BYTES), 0]
    at += bytes
    return drawn.subarray(at - bytes, at)
  }
  return Array.from({ length: count }, () => group.randomScalar(next))
}
