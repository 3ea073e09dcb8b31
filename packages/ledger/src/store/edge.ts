import type { CompactRange } from '../tree/compact-range.js'
import { encodeBundle, perfectRoot, TILE_WIDTH, tilePath } from '../tree/tiles.js'
import type { JournalEntry } from './journal.js'

/** A file of the tree, ready to be written: path below the ledger's directory. */
export interface TileFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * The right edge of the tree: the tiles that are not full, of every level, and the full ones that were not written yet.
 * Takes entries, gives files; touches none.
 */
export class Edge {
  readonly #range: CompactRange
  /** hashes of the last tile of each level, fewer than 256 */
  readonly #levels: Uint8Array[][]
  /** entries of the last bundle, fewer than 256 */
  #bundle: Uint8Array[]
  #full: { readonly tile: TileFile; readonly partials: string }[] = []
  #unpublishedBytes = 0

  /** @param levels and @param bundle what the tiles at the edge hold in a tree of the range's size */
  constructor(range: CompactRange, levels: readonly Uint8Array[][], bundle: readonly Uint8Array[]) {
    this.#range = range
    this.#levels = levels.map(level => [...level])
    this.#bundle = [...bundle]
  }

  get size(): number {
    return this.#range.size
  }

  /** bytes of entries since `published` was called last */
  get unpublishedBytes(): number {
    return this.#unpublishedBytes
  }

  root(): Uint8Array {
    return this.#range.root()
  }

  append({ bytes, leaf }: JournalEntry): void {
    this.#bundle.push(bytes)
    this.#unpublishedBytes += bytes.length
    if (this.#bundle.length === TILE_WIDTH) {
      this.#addFull('entries', Math.floor(this.size / TILE_WIDTH), encodeBundle(this.#bundle))
      this.#bundle = []
    }
    this.#range.append(leaf)
    this.#addHash(0, leaf)
  }

  /** Every file that a checkpoint over this tree needs and that may not be there yet. */
  files(): TileFile[] {
    const files = this.#full.map(({ tile }) => tile)
    if (this.#bundle.length > 0) {
      const path = tilePath('entries', Math.floor(this.size / TILE_WIDTH), this.#bundle.length)
      files.push({ path, bytes: encodeBundle(this.#bundle) })
    }
    this.#levels.forEach((hashes, level) => {
      if (hashes.length === 0) return
      const index = Math.floor(this.size / TILE_WIDTH ** (level + 1))
      files.push({ path: tilePath(level, index, hashes.length), bytes: Buffer.concat(hashes) })
    })
    return files
  }

  /** To be called when a checkpoint over this tree is durable; gives the directories of partial tiles that it obsoletes. */
  published(): string[] {
    const obsolete = this.#full.map(({ partials }) => partials)
    this.#full = []
    this.#unpublishedBytes = 0
    return obsolete
  }

  #addHash(level: number, hash: Uint8Array): void {
    let hashes = this.#levels[level]
    if (hashes === undefined) {
      hashes = []
      this.#levels.push(hashes)
    }
    hashes.push(hash)
    if (hashes.length < TILE_WIDTH) return
    // the range already counts this entry, so the tile that it filled is the one before the next
    this.#addFull(level, this.size / TILE_WIDTH ** (level + 1) - 1, Buffer.concat(hashes))
    const root = perfectRoot(hashes)
    hashes.length = 0
    this.#addHash(level + 1, root)
  }

  #addFull(level: number | 'entries', index: number, bytes: Uint8Array): void {
    const path = tilePath(level, index, TILE_WIDTH)
    this.#full.push({ tile: { path, bytes }, partials: `${path}.p` })
  }
}
