import { dirname, join } from 'node:path'
import { signCheckpoint } from '../checkpoint/checkpoint.js'
import type { Signer } from '../keys/signer.js'
import type { Edge } from './edge.js'
import type { Files } from './files.js'
import { journalHeader } from './journal.js'
import { CHECKPOINT, JOURNAL, TEMPORARY } from './layout.js'

/**
 * Publishes the edge: first every tile, durably, then the checkpoint that needs them. A crash in between leaves the
 * old checkpoint with some tiles that it does not look at.
 *
 * @param time milliseconds since the epoch
 * @returns the checkpoint's note
 */
export async function publish(
  files: Files,
  directory: string,
  edge: Edge,
  log: Signer,
  time: number,
): Promise<string> {
  await replaceAll(files, directory, edge.files())
  const tree = { origin: log.name, size: edge.size, root: edge.root() }
  const { note } = await signCheckpoint(tree, log, Math.floor(time / 1000))
  await replaceAll(files, directory, [{ path: CHECKPOINT, bytes: Buffer.from(note) }])
  for (const partials of edge.published()) await files.remove(join(directory, partials))
  return note
}

/** Starts the journal anew, when everything in it is published. */
export async function startJournal(files: Files, directory: string, base: number): Promise<number> {
  const header = journalHeader(base)
  await replaceAll(files, directory, [{ path: JOURNAL, bytes: header }])
  return header.length
}

/** Writes files to their place, each whole or not at all: content, then name, then the directories' own entries. */
export async function replaceAll(
  files: Files,
  directory: string,
  items: readonly { readonly path: string; readonly bytes: Uint8Array; readonly mode?: number }[],
): Promise<void> {
  const directories = new Set<string>()
  for (const { path } of items) {
    for (let above = dirname(path); ; above = dirname(above)) {
      directories.add(above)
      if (above === '.') break
    }
  }
  await files.makeDirectory(join(directory, TEMPORARY))
  // from the deepest: a directory that exists is where `mkdir -p` stops
  for (const below of directories) await files.makeDirectory(join(directory, below))
  await inGroups(items, async ({ path, bytes, mode }, i) => {
    const temporary = join(directory, TEMPORARY, String(i))
    await files.write(temporary, bytes, mode)
    await files.rename(temporary, join(directory, path))
  })
  for (const below of directories) await files.syncDirectory(join(directory, below))
}

const AT_ONCE = 16

async function inGroups<T>(
  items: readonly T[],
  action: (item: T, i: number) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += AT_ONCE) {
    const group = items.slice(start, start + AT_ONCE)
    const results = await Promise.allSettled(group.map((item, i) => action(item, start + i)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }
}
