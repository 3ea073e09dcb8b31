import { ITEM_BYTES, type ItemHashes } from './item-hash.js'

const WORDS = ITEM_BYTES / 4

/** Finds items by their hash: open addressing over the hashes' own words, which are as good as random. */
export class HashIndex {
  readonly #words: Uint32Array
  /** place of an item, plus one; 0 where there is none */
  readonly #slots: Uint32Array
  readonly #mask: number

  /** Of equal hashes, the first is found. */
  constructor(hashes: ItemHashes) {
    this.#words = wordsOf(hashes)
    const count = this.#words.length / WORDS
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(2, count * 2))))
    this.#mask = this.#slots.length - 1
    for (let item = 0; item < count; item++) {
      const slot = this.#slotOf(this.#words, item)
      if (this.#slots[slot] === 0) this.#slots[slot] = item + 1
    }
  }

  /** For each of these hashes, the place of the equal one here, or −1. */
  places(hashes: ItemHashes): Int32Array {
    const words = wordsOf(hashes)
    const places = new Int32Array(words.length / WORDS)
    for (let item = 0; item < places.length; item++) {
      places[item] = this.#slots[this.#slotOf(words, item)]! - 1
    }
    return places
  }

  /** The slot that holds the equal hash, or the free one where it would go. */
  #slotOf(words: Uint32Array, item: number): number {
    const at = item * WORDS
    for (let slot = words[at]! & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const found = this.#slots[slot]!
      if (found === 0) return slot
      const other = (found - 1) * WORDS
      let same = true
      for (let i = 0; i < WORDS; i++) same &&= this.#words[other + i] === words[at + i]
      if (same) return slot
    }
  }
}

/** A set of items, and which of them each row has. */
export interface DistinctItems {
  readonly hashes: ItemHashes
  /** for each of the given hashes, its place in `hashes` */
  readonly itemOf: Uint32Array
}

/** Each hash once, in the order of their first appearance. */
export function distinct(hashes: ItemHashes): DistinctItems {
  const firsts = new HashIndex(hashes).places(hashes)
  const itemOf = new Uint32Array(firsts.length)
  const kept = new Uint8Array(hashes.length)
  let count = 0
  for (let row = 0; row < firsts.length; row++) {
    const first = firsts[row]!
    if (first < row) {
      itemOf[row] = itemOf[first]!
      continue
    }
    itemOf[row] = count
    kept.set(hashes.subarray(row * ITEM_BYTES, (row + 1) * ITEM_BYTES), count++ * ITEM_BYTES)
  }
  return { hashes: kept.slice(0, count * ITEM_BYTES), itemOf }
}

function wordsOf(hashes: ItemHashes): Uint32Array {
  const aligned = hashes.byteOffset % 4 === 0 ? hashes : hashes.slice()
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
}
