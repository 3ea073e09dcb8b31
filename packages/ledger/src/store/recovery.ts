import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { openEnvelope } from '../entries/envelope.js'
import { MADE_IN_ZONE } from '../entries/predicates.js'
import { TILE_WIDTH, tileLevels, tileWidth } from '../tree/tiles.js'
import { Edge } from './edge.js'
import type { Files } from './files.js'
import { corruptJournal, type Journal, parseJournal } from './journal.js'
import { JOURNAL } from './layout.js'
import type { Reader } from './reader.js'

/** Where a ledger stands, as the holder of its lock found it. */
export interface State {
  readonly edge: Edge
  /** size and note of the newest checkpoint */
  published: number
  note: string
  /** length of the journal's file, all of it synced */
  journalEnd: number
  /** no entry that the zone makes may be older: milliseconds since the epoch */
  latest: number
}

/**
 * Reads where the ledger stands, cuts a torn tail off the journal, and refuses whatever a crash cannot have left
 * behind. Only the holder of the lock may call this.
 *
 * @throws SluiceError LEDGER_CORRUPT, LEDGER_ROLLED_BACK, CHECKPOINT_INVALID, FILE_MISSING
 */
export async function recover(files: Files, directory: string, reader: Reader): Promise<State> {
  const checkpoint = await reader.checkpoint()
  await refuseRollback(reader, checkpoint)
  const path = join(directory, JOURNAL)
  const bytes = await files.read(path)
  if (bytes === null) throw corruptJournal('it is missing')
  const journal = parseJournal(bytes)
  await compare(reader, checkpoint, journal)
  if (journal.end < bytes.length) {
    const file = await files.open(path)
    try {
      await file.truncate(journal.end)
      await file.sync()
    } finally {
      await file.close()
    }
  }
  const edge = await loadEdge(reader, checkpoint)
  let latest = checkpoint.time * 1000
  for (const entry of journal.entries.slice(checkpoint.size - journal.base)) {
    const { predicate } = openEnvelope(entry.bytes)
    if (MADE_IN_ZONE.has(predicate.kind)) latest = Math.max(latest, Date.parse(predicate.time))
    edge.append(entry)
  }
  return { edge, published: checkpoint.size, note: checkpoint.note, journalEnd: journal.end, latest }
}

/** The log must not have shrunk below what somebody cosigned. */
async function refuseRollback(reader: Reader, checkpoint: Checkpoint): Promise<void> {
  const witnessed = (await reader.witnessedSizes()).at(-1) ?? 0
  if (witnessed > checkpoint.size) {
    throw rolledBack(
      `a checkpoint over ${witnessed} entries was cosigned, and the newest is over ${checkpoint.size}`,
    )
  }
}

/** Journal and tree must have the same entries wherever both have them, and leave no gap. */
async function compare(reader: Reader, checkpoint: Checkpoint, journal: Journal): Promise<void> {
  if (journal.base > checkpoint.size) {
    throw rolledBack(
      `the journal begins at entry ${journal.base}, and the checkpoint ends at ${checkpoint.size}`,
    )
  }
  if (journal.base + journal.entries.length < checkpoint.size) {
    throw rolledBack(
      `the journal ends at entry ${journal.base + journal.entries.length}, before the checkpoint at ${checkpoint.size}`,
    )
  }
  const first = Math.floor(journal.base / TILE_WIDTH)
  for (let tile = first; tile * TILE_WIDTH < checkpoint.size; tile++) {
    const hashes = await reader.hashes(0, tile, tileWidth(0, tile, checkpoint.size))
    hashes.forEach((hash, i) => {
      const index = tile * TILE_WIDTH + i
      const entry = journal.entries[index - journal.base]
      if (entry !== undefined && !Buffer.from(hash).equals(entry.leaf)) {
        throw corruptJournal(`entry ${index} is not the one in the tree`, index)
      }
    })
  }
}

async function loadEdge(reader: Reader, checkpoint: Checkpoint): Promise<Edge> {
  const { size } = checkpoint
  const levels: Uint8Array[][] = []
  for (let level = 0; level < tileLevels(size); level++) {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1))
    const width = tileWidth(level, index, size)
    levels.push(width === 0 ? [] : await reader.hashes(level, index, width))
  }
  const last = Math.floor(size / TILE_WIDTH)
  const bundle = size % TILE_WIDTH === 0 ? [] : (await reader.bundle(last, size)).entries
  const range = await reader.range(size)
  if (!Buffer.from(range.root()).equals(checkpoint.root)) {
    throw new SluiceError(
      'LEDGER_CORRUPT',
      'the tree’s tiles do not lead to the root that the checkpoint signs',
      {
        rule: 'ledger.root',
        remedy: 'Run "sluice ledger verify", and restore the ledger from a copy that verifies.',
      },
    )
  }
  return new Edge(range, levels, bundle)
}

function rolledBack(reason: string): SluiceError {
  return new SluiceError('LEDGER_ROLLED_BACK', `the ledger was set back: ${reason}`, {
    rule: 'ledger.rollback',
    remedy: 'Nothing was changed; put the newer files back, and find out who replaced them.',
  })
}
