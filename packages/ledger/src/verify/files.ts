import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { damaged, readTile } from './scan.js'
import { pathOfTile, rootOf } from './tree.js'

/** Upper levels of the tree, computed from the bundles, against the tiles that hold them. */
export async function checkUpperTiles(
  directory: string,
  size: number,
  bundleRoots: readonly Uint8Array[],
): Promise<void> {
  let hashes = bundleRoots.slice(0, Math.floor(size / 256))
  for (let level = 1; hashes.length > 0; level++) {
    const above: Uint8Array[] = []
    for (let index = 0; index * 256 < hashes.length; index++) {
      const within = hashes.slice(index * 256, index * 256 + 256)
      const { path, bytes, full } = await readTile(directory, level, index, within.length)
      const expected = Buffer.concat(within)
      const wrongLength = bytes.length !== (full ? 256 : within.length) * 32
      if (wrongLength || expected.compare(bytes, 0, expected.length) !== 0) {
        throw damaged(path, 'its hashes are not those of the level below')
      }
      if (within.length === 256) above.push(rootOf(within))
    }
    hashes = above
  }
}

/**
 * Everything else that lies under `tile/`: older partial tiles must be beginnings of the tiles that were verified, and
 * what is no tile must not be there.
 *
 * @returns how many files belong to a tree that is larger than the checkpoint's; a writer may be about to publish it
 */
export async function checkOtherTiles(directory: string, size: number): Promise<number> {
  let beyond = 0
  for (const path of await filesBelow(directory, 'tile')) {
    const tile = parseTilePath(path)
    if (tile === null) throw damaged(path, 'it is no tile')
    const { level, index, width } = tile
    const hashes = Math.floor(size / 256 ** (level === 'entries' ? 0 : level))
    const available = Math.max(0, Math.min(256, hashes - index * 256))
    if (width > available) beyond++
    else if (width < available) await checkPrefix(directory, path, level, index, width, available)
  }
  return beyond
}

async function checkPrefix(
  directory: string,
  path: string,
  level: number | 'entries',
  index: number,
  width: number,
  available: number,
): Promise<void> {
  const older = await readFile(join(directory, path))
  const { bytes } = await readTile(directory, level, index, available)
  let length = width * 32
  if (level === 'entries') {
    length = 0
    for (let i = 0; i < width; i++) length += 2 + bytes.readUInt16BE(length)
  }
  if (older.length !== length || older.compare(bytes, 0, length) !== 0) {
    throw damaged(path, 'it is not how the newer tile begins')
  }
}

async function filesBelow(directory: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(directory, folder), { withFileTypes: true })
  const nested = await Promise.all(
    entries.map(entry => {
      const path = `${folder}/${entry.name}`
      return entry.isDirectory() ? filesBelow(directory, path) : [path]
    }),
  )
  return nested.flat().sort()
}

function parseTilePath(path: string) {
  const match = /^tile\/(entries|[0-9]{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path)
  if (match === null) return null
  const level = match[1] === 'entries' ? ('entries' as const) : Number(match[1])
  const index = Number(match[2]!.replace(/[x/]/g, ''))
  const width = match[3] === undefined ? 256 : Number(match[3])
  return pathOfTile(level, index, width) === path ? { level, index, width } : null
}
