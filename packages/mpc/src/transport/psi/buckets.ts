import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import { PARTITIONS, partitionOf } from '../../psi/job/buckets.js'
import type { PsiItems } from '../../psi/job/items.js'

/** A set cut into buckets by its items' hashes. */
export interface Buckets {
  readonly rows: number
  /** The different keys of a bucket, one of so many (a power of two). */
  bucket(index: number, of: number): Promise<ItemHashes>
  /** The rows of a bucket, and the place of each one's key in what `bucket` gives, some at a time. */
  places(
    index: number,
    of: number,
  ): AsyncIterable<{ readonly rows: Uint32Array; readonly places: Int32Array }>
}

/** A set in memory, cut as one on disk is. */
export class BucketsInMemory implements Buckets {
  readonly #items: PsiItems

  constructor(items: PsiItems) {
    this.#items = items
  }

  get rows(): number {
    return this.#items.itemOf.length
  }

  async bucket(index: number, of: number): Promise<ItemHashes> {
    const { hashes } = this.#items
    const items = this.#itemsOf(index, of)
    const bucket = new Uint8Array(items.length * ITEM_BYTES)
    items.forEach((item, i) => {
      bucket.set(hashes.subarray(item * ITEM_BYTES, (item + 1) * ITEM_BYTES), i * ITEM_BYTES)
    })
    return bucket
  }

  async *places(index: number, of: number) {
    const { hashes, itemOf } = this.#items
    const place = new Int32Array(hashes.length / ITEM_BYTES).fill(-1)
    this.#itemsOf(index, of).forEach((item, i) => {
      place[item] = i
    })
    const isHere = (item: number): boolean => item >= 0 && place[item]! >= 0
    const rows = Uint32Array.from(itemOf.keys()).filter(row => isHere(itemOf[row]!))
    yield { rows, places: Int32Array.from(rows, row => place[itemOf[row]!]!) }
  }

  #itemsOf(index: number, of: number): Uint32Array {
    const { hashes } = this.#items
    const each = PARTITIONS / of
    const all = new Uint32Array(hashes.length / ITEM_BYTES)
    let count = 0
    for (let item = 0; item < all.length; item++) {
      const part = partitionOf(hashes[item * ITEM_BYTES + ITEM_BYTES - 1]!)
      if (Math.floor(part / each) === index) all[count++] = item
    }
    return all.subarray(0, count)
  }
}
