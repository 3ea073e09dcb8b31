import { emptyRoot, nodeHash } from './hashes.js'

/**
 * The roots of the perfect subtrees that a tree of `size` leaves is made of, largest first: all that is needed to
 * append, and to know the root (RFC 6962, section 2.1). At most 53 hashes.
 */
export class CompactRange {
  #size: number
  readonly #subtrees: Uint8Array[]

  constructor(size = 0, subtrees: readonly Uint8Array[] = []) {
    this.#size = size
    this.#subtrees = [...subtrees]
  }

  get size(): number {
    return this.#size
  }

  get subtrees(): readonly Uint8Array[] {
    return this.#subtrees
  }

  append(leaf: Uint8Array): void {
    let hash = leaf
    // a subtree is complete for every trailing one of the size, as in binary addition
    for (let size = this.#size; size % 2 === 1; size = Math.floor(size / 2)) {
      hash = nodeHash(this.#subtrees.pop()!, hash)
    }
    this.#subtrees.push(hash)
    this.#size++
  }

  root(): Uint8Array {
    const last = this.#subtrees.at(-1)
    if (last === undefined) return emptyRoot()
    return this.#subtrees.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last)
  }

  clone(): CompactRange {
    return new CompactRange(this.#size, this.#subtrees)
  }
}

/** The perfect subtrees of a tree, as `CompactRange` takes them: level (0: leaves) and index within the level. */
export function perfectSubtrees(size: number): { readonly level: number; readonly index: number }[] {
  const subtrees: { level: number; index: number }[] = []
  let start = 0
  for (let level = 52; level >= 0; level--) {
    const width = 2 ** level
    if (size - start < width) continue
    subtrees.push({ level, index: start / width })
    start += width
  }
  return subtrees
}
