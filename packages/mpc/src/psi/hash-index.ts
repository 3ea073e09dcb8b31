import { randomBytes } from 'node:crypto'
import { blockCipher } from '@sluice/core/desensitize/cipher'
import { type Arena, arena, scratch } from './arena.js'
import { ITEM_BYTES, type ItemHashes } from './item-hash.js'
import { permuted } from './permutation.js'

const ENTRY_BYTES = 8
/** Hashes that are looked for in one call of a kernel. */
const AT_ONCE = 1 << 10
const SMALL_BYTES = 1 << 12

type Memory = Arena<'values' | 'table' | 'theirs' | 'places'>

/** Finds items by their hash: open addressing over the hashes' own words, which have to be as good as random. */
export class HashIndex {
  readonly #hashes: ItemHashes
  readonly #slots: number
  readonly #kept: Memory | undefined

  /** Of equal hashes, the first is found. */
  constructor(hashes: ItemHashes) {
    this.#hashes = hashes
    this.#slots = 2 ** Math.ceil(Math.log2(Math.max(2, (hashes.length / ITEM_BYTES) * 2)))
    // a small one is built again for each search
    if (hashes.length > SMALL_BYTES) this.#kept = this.#built(arena)
  }

  /** For each of these hashes, the place of the equal one here, or −1. */
  places(hashes: ItemHashes): Int32Array<ArrayBuffer> {
    const { kernels, at, bytes } = this.#kept ?? this.#built(scratch)
    const places = new Int32Array(hashes.length / ITEM_BYTES)
    const found = new Int32Array(bytes.places.buffer, at.places, AT_ONCE)
    for (let start = 0; start < places.length; start += AT_ONCE) {
      const count = Math.min(AT_ONCE, places.length - start)
      bytes.theirs.set(hashes.subarray(start * ITEM_BYTES, (start + count) * ITEM_BYTES))
      kernels.findPlaces(at.values, at.table, this.#slots - 1, at.theirs, count, at.places)
      places.set(found.subarray(0, count), start)
    }
    return places
  }

  #built(memoryOf: typeof arena): Memory {
    const memory = memoryOf({
      ...{ values: this.#hashes.length, table: this.#slots * ENTRY_BYTES },
      ...{ theirs: AT_ONCE * ITEM_BYTES, places: AT_ONCE * 4 },
    })
    const { kernels, at, bytes } = memory
    bytes.values.set(this.#hashes)
    kernels.buildIndex(at.values, this.#hashes.length / ITEM_BYTES, at.table, this.#slots - 1)
    return memory
  }
}

/**
 * Hashes that a peer made up, as they go into an index: under AES with a fresh key equal ones stay equal, and all are as
 * good as random. Else a million that share their first word would be searched for in a million steps each.
 */
export function scattering(
  random: (bytes: number) => Uint8Array = randomBytes,
): (hashes: ItemHashes) => ItemHashes {
  const cipher = blockCipher('aes', new Uint8Array(random(SCATTERING_KEY)))
  return hashes => (hashes.length === 0 ? hashes : new Uint8Array(cipher.encrypt(hashes)))
}

const SCATTERING_KEY = 16

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
  const kept = new Uint32Array(firsts.length)
  let count = 0
  for (let row = 0; row < firsts.length; row++) {
    const first = firsts[row]!
    if (first < row) {
      itemOf[row] = itemOf[first]!
      continue
    }
    itemOf[row] = count
    kept[count++] = row
  }
  return { hashes: permuted(hashes, kept.subarray(0, count), ITEM_BYTES), itemOf }
}
