import { SluiceError } from '@sluice/core'
import { blockCipher } from '@sluice/core/desensitize/cipher'
import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import { PARTITIONS, partitionOf } from '../../psi/job/buckets.js'
import type { PsiItems } from '../../psi/job/items.js'

/** A set cut into buckets by its items' hashes. */
export interface Buckets {
  readonly rows: number
  /** The different keys of a bucket, one of so many (a power of two). */
  bucket(index: number, of: number): Promise<ItemHashes>
  /** The totals of those keys' rows, where values are totalled. */
  values(index: number, of: number): Promise<BigUint64Array<ArrayBuffer>>
  /** The rows of a bucket, and the place of each one's key in what `bucket` gives, some at a time. */
  places(
    index: number,
    of: number,
  ): AsyncIterable<{ readonly rows: Uint32Array; readonly places: Int32Array }>
}

/** A set that can be cut again, by another keyed hash. */
export interface CutSet extends Buckets {
  /** @param key of AES. @param limit keys that each of so many parts has at most */
  recut(
    key: Uint8Array,
    limit: number,
    signal?: AbortSignal,
  ): Promise<{ readonly cut: Buckets; readonly close: () => Promise<void> }>
}

/** A set in memory, cut as one on disk is. */
export class BucketsInMemory implements CutSet {
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

  async values(index: number, of: number): Promise<BigUint64Array<ArrayBuffer>> {
    const { values } = this.#items
    return BigUint64Array.from(this.#itemsOf(index, of), item => values![item]!)
  }

  async recut(key: Uint8Array) {
    const { hashes } = this.#items
    const encrypted = hashes.length === 0 ? hashes : new Uint8Array(blockCipher('aes', key).encrypt(hashes))
    return { cut: new BucketsInMemory({ ...this.#items, hashes: encrypted }), close: async () => undefined }
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

export function overfull(): SluiceError {
  return new SluiceError('PARAMETER_INVALID', 'too many keys of this set fall into one bucket', {
    rule: 'psi.buckets',
    remedy:
      'With keys that nobody chose by the job’s digest this happens once in 2^40 jobs: agree on a new job.',
  })
}
