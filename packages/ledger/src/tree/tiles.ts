import { SluiceError } from '@sluice/core'
import { HASH_BYTES, nodeHash } from './hashes.js'
import type { SubtreeReader } from './proofs.js'

/** C2SP tlog-tiles: a full tile has 256 hashes, a full bundle 256 entries; a tile's level counts 8 of the tree's. */
export const TILE_WIDTH = 256
export const TILE_HEIGHT = 8

/** `tile/<L>/<N>[.p/<W>]`, or `tile/entries/<N>[.p/<W>]` for the entries themselves. */
export function tilePath(level: number | 'entries', index: number, width: number): string {
  const groups = [String(index % 1000).padStart(3, '0')]
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`)
  }
  return `tile/${level}/${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** How many hashes the tile has in a tree of `size` entries. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level)
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH))
}

/** Number of levels that have a tile in a tree of `size` entries. */
export function tileLevels(size: number): number {
  let levels = 0
  while (size >= TILE_WIDTH ** levels) levels++
  return levels
}

/** An entry bundle: each entry after its length in 16 bits, big-endian. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(entries.reduce((sum, entry) => sum + 2 + entry.length, 0))
  let at = 0
  for (const entry of entries) {
    at = bytes.writeUInt16BE(entry.length, at)
    bytes.set(entry, at)
    at += entry.length
  }
  return bytes
}

/** @throws SluiceError LEDGER_CORRUPT unless the bytes are exactly `count` entries */
export function decodeBundle(bytes: Uint8Array, count: number): Uint8Array[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: Uint8Array[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 2 > view.length) throw corruptBundle()
    const end = at + 2 + view.readUInt16BE(at)
    if (end > view.length) throw corruptBundle()
    entries.push(view.subarray(at + 2, end))
    at = end
  }
  if (at !== view.length) throw corruptBundle()
  return entries
}

/** The root of the perfect subtree over these hashes; their number is a power of two. */
export function perfectRoot(hashes: readonly Uint8Array[]): Uint8Array {
  let level = hashes
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) above.push(nodeHash(level[i]!, level[i + 1]!))
    level = above
  }
  return level[0]!
}

/** The hashes of a tile. */
export function splitTile(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  )
}

/**
 * Reads subtrees of a tree of `size` entries out of its tiles; reads a tile once.
 *
 * @param readTile the tile's bytes, `width` hashes
 */
export function tileReader(
  size: number,
  readTile: (level: number, index: number, width: number) => Promise<Uint8Array>,
): SubtreeReader {
  const tiles = new Map<string, Promise<Uint8Array>>()
  return async (level, index) => {
    const tileLevel = Math.floor(level / TILE_HEIGHT)
    const count = 2 ** (level % TILE_HEIGHT)
    const first = index * count
    const tileIndex = Math.floor(first / TILE_WIDTH)
    const key = `${tileLevel}/${tileIndex}`
    const width = tileWidth(tileLevel, tileIndex, size)
    let tile = tiles.get(key)
    if (tile === undefined) {
      tile = readTile(tileLevel, tileIndex, width)
      tiles.set(key, tile)
    }
    const within = first % TILE_WIDTH
    if (within + count > width) throw new SluiceError('INTERNAL', 'a subtree reaches past the tree')
    return perfectRoot(splitTile(await tile).slice(within, within + count))
  }
}

function corruptBundle(): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', 'an entry bundle is not what its tree has entries for', {
    rule: 'ledger.bundle',
  })
}
