import { type Arena, arena } from './arena.js'
import { ITEM_BYTES, type ItemHashes } from './item-hash.js'

/** Items that are worked on together. */
const CHUNK = 1 << 14
const SLOT_BYTES = 8

/** Different items, in the order in which they came, in memory that is taken once: 32 to 48 bytes an item. */
export class ItemSet {
  readonly #arena: Arena<'items' | 'places' | 'kept' | 'table'>
  readonly #limit: number
  readonly #mask: number
  #size = 0

  /** @param limit how many different items it has room for */
  constructor(limit: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(2, limit * 2)))
    this.#limit = limit
    this.#mask = slots - 1
    this.#arena = arena({
      ...{ items: CHUNK * ITEM_BYTES, places: CHUNK * 4 },
      ...{ kept: limit * ITEM_BYTES, table: slots * SLOT_BYTES },
    })
  }

  get size(): number {
    return this.#size
  }

  /** A view of the items, 16 bytes each; what it shows changes with `clear`. */
  get hashes(): ItemHashes {
    return this.#arena.bytes.kept.subarray(0, this.#size * ITEM_BYTES)
  }

  /** Adds those that are not there. @returns false where there are more than it has room for: then it is of no use */
  add(hashes: ItemHashes): boolean {
    const { kernels, at } = this.#arena
    for (const count of this.#chunks(hashes)) {
      const size = kernels.keepDistinct(
        at.items,
        count,
        at.kept,
        this.#size,
        this.#limit,
        at.table,
        this.#mask,
      )
      if (size > this.#limit) return false
      this.#size = size
    }
    return true
  }

  /** For each of these hashes, its place among the items, or −1. */
  places(hashes: ItemHashes): Int32Array {
    const { kernels, at, bytes } = this.#arena
    const found = new Int32Array(hashes.length / ITEM_BYTES)
    const places = new Int32Array(bytes.places.buffer, at.places, CHUNK)
    let done = 0
    for (const count of this.#chunks(hashes)) {
      kernels.findPlaces(at.kept, at.table, this.#mask, at.items, count, at.places)
      found.set(places.subarray(0, count), done)
      done += count
    }
    return found
  }

  clear(): void {
    this.#size = 0
    this.#arena.bytes.table.fill(0)
  }

  *#chunks(hashes: ItemHashes): Generator<number> {
    const step = CHUNK * ITEM_BYTES
    for (let start = 0; start < hashes.length; start += step) {
      const part = hashes.subarray(start, start + step)
      this.#arena.bytes.items.set(part)
      yield part.length / ITEM_BYTES
    }
  }
}
