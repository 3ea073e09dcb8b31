import type { Data, Vector } from 'apache-arrow'
import { textsIn } from './texts.js'

/** The place of a null, and of a text that the list lacks. */
export const NULL = -1
export const OTHER = -2

/**
 * For each row of a column of texts its place in a public list.
 *
 * @returns nothing where the column holds no texts
 */
export function placesIn(vector: Vector, categories: readonly string[]): Int32Array | undefined {
  const list = new CategoryList(categories)
  const places = new Int32Array(vector.length)
  let start = 0
  for (const data of vector.data) {
    const part = places.subarray(start, start + data.length)
    if (!placed(data, list, part)) return undefined
    start += data.length
  }
  return places
}

function placed(data: Data, list: CategoryList, into: Int32Array): boolean {
  const texts = textsIn(data)
  if (texts === undefined) return false
  const { bytes, offsets, isNull, hasNulls } = texts
  for (let row = 0; row < into.length; row++)
    into[row] = list.placeOf(bytes, offsets[row]!, offsets[row + 1]!)
  if (hasNulls) for (let row = 0; row < into.length; row++) if (isNull(row)) into[row] = NULL
  return true
}

/** Finds texts by their bytes: a table of hashes, at most a quarter full, whose hits are compared. */
class CategoryList {
  readonly #texts: readonly Uint8Array[]
  readonly #slots: Int32Array
  readonly #mask: number

  constructor(categories: readonly string[]) {
    this.#texts = categories.map(category => Buffer.from(category))
    const size = 2 ** Math.ceil(Math.log2(4 * categories.length + 1))
    this.#slots = new Int32Array(size).fill(OTHER)
    this.#mask = size - 1
    this.#texts.forEach((text, place) => {
      let slot = this.#slotOf(text, 0, text.length)
      while (this.#slots[slot] !== OTHER) slot = (slot + 1) & this.#mask
      this.#slots[slot] = place
    })
  }

  placeOf(bytes: Uint8Array, start: number, end: number): number {
    let slot = this.#slotOf(bytes, start, end)
    for (; ; slot = (slot + 1) & this.#mask) {
      const place = this.#slots[slot]!
      if (place === OTHER || isAt(this.#texts[place]!, bytes, start, end)) return place
    }
  }

  /** FNV-1a (draft-eastlake-fnv), folded. */
  #slotOf(bytes: Uint8Array, start: number, end: number): number {
    let hash = 0x811c9dc5
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
    return (hash ^ (hash >>> 16)) & this.#mask
  }
}

function isAt(text: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== text.length) return false
  for (let at = 0; at < text.length; at++) if (text[at] !== bytes[start + at]) return false
  return true
}
