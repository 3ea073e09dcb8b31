import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import {
  type Checkpoint,
  mergeCosignatures,
  parseCheckpoint,
  verifyCheckpoint,
} from '../checkpoint/checkpoint.js'
import type { VerifierKey } from '../keys/verifier-key.js'
import { CompactRange, perfectSubtrees } from '../tree/compact-range.js'
import { leafHash } from '../tree/hashes.js'
import type { SubtreeReader } from '../tree/proofs.js'
import { decodeBundle, splitTile, TILE_WIDTH, tilePath, tileReader, tileWidth } from '../tree/tiles.js'
import type { Files } from './files.js'
import { CHECKPOINT, WITNESSED } from './layout.js'

/** What is read out of a ledger's directory. A bare reader checks no more than the shape: the verifier does the rest. */
export class Reader {
  readonly #files: Files
  readonly #directory: string
  readonly #logKey: VerifierKey
  /** the checkpoint that was verified last; verifying it again costs more than reading it */
  #verified: (Checkpoint & { readonly time: number }) | undefined

  constructor(files: Files, directory: string, logKey: VerifierKey) {
    this.#files = files
    this.#directory = directory
    this.#logKey = logKey
  }

  /** @throws SluiceError FILE_MISSING, CHECKPOINT_INVALID */
  async checkpoint(): Promise<Checkpoint & { readonly time: number }> {
    const bytes = await this.#files.read(join(this.#directory, CHECKPOINT))
    if (bytes === null) {
      throw new SluiceError('FILE_MISSING', `there is no ledger in ${this.#directory}`, {
        remedy: 'Check the directory; a ledger has a file "checkpoint" in it.',
      })
    }
    const note = textOf(bytes)
    if (this.#verified?.note === note) return this.#verified
    const checkpoint = parseCheckpoint(note)
    const time = verifyCheckpoint(checkpoint, this.#logKey)
    if (time === null) {
      throw new SluiceError('CHECKPOINT_INVALID', 'the log’s own cosignature, which says when, is missing')
    }
    this.#verified = { ...checkpoint, time }
    return this.#verified
  }

  /** With the cosignatures that came in for it. */
  async withCosignatures(checkpoint: Checkpoint): Promise<Checkpoint> {
    const witnessed = await this.witnessed(checkpoint.size)
    return witnessed === null ? checkpoint : mergeCosignatures(checkpoint, witnessed)
  }

  async witnessed(size: number): Promise<Checkpoint | null> {
    const bytes = await this.#files.read(join(this.#directory, WITNESSED, String(size)))
    return bytes === null ? null : parseCheckpoint(textOf(bytes))
  }

  /** sizes of the checkpoints that were cosigned, ascending */
  async witnessedSizes(): Promise<number[]> {
    const names = await this.#files.list(join(this.#directory, WITNESSED))
    return names
      .filter(name => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b)
  }

  /** Entries of one bundle, as the level-0 tile has their hashes. */
  async bundle(index: number, size: number): Promise<{ entries: Uint8Array[]; leaves: Uint8Array[] }> {
    const width = tileWidth(0, index, size)
    const bytes = await this.#tile('entries', index, width)
    const entries = bytes.full
      ? decodeBundle(bytes.content, TILE_WIDTH).slice(0, width)
      : decodeBundle(bytes.content, width)
    const leaves = await this.hashes(0, index, width)
    entries.forEach((entry, i) => {
      if (leafHash(entry).equals(leaves[i]!)) return
      const at = index * TILE_WIDTH + i
      throw new SluiceError('LEDGER_CORRUPT', `entry ${at} is not what its tree was made of`, {
        rule: 'ledger.entry',
        remedy: 'Run "sluice ledger verify", and restore the ledger from a copy that verifies.',
        facts: { entry: at },
      })
    })
    return { entries, leaves }
  }

  /** The first `width` hashes of a tile. */
  async hashes(level: number, index: number, width: number): Promise<Uint8Array[]> {
    const { content, full } = await this.#tile(level, index, width)
    if (content.length !== (full ? TILE_WIDTH : width) * 32) throw missingTile(tilePath(level, index, width))
    return splitTile(content).slice(0, width)
  }

  subtrees(size: number): SubtreeReader {
    return tileReader(size, async (level, index, width) =>
      Buffer.concat(await this.hashes(level, index, width)),
    )
  }

  async range(size: number): Promise<CompactRange> {
    const read = this.subtrees(size)
    const hashes: Uint8Array[] = []
    for (const { level, index } of perfectSubtrees(size)) hashes.push(await read(level, index))
    return new CompactRange(size, hashes)
  }

  /** A partial tile may have been removed once the full one was there (C2SP tlog-tiles, "Partial Tiles"). */
  async #tile(
    level: number | 'entries',
    index: number,
    width: number,
  ): Promise<{ content: Uint8Array; full: boolean }> {
    const partial =
      width === TILE_WIDTH
        ? null
        : await this.#files.read(join(this.#directory, tilePath(level, index, width)))
    if (partial !== null) return { content: partial, full: false }
    const path = tilePath(level, index, TILE_WIDTH)
    const content = await this.#files.read(join(this.#directory, path))
    if (content === null) throw missingTile(tilePath(level, index, width))
    return { content, full: true }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new SluiceError('CHECKPOINT_INVALID', 'a checkpoint is not UTF-8', { cause })
  }
}

function missingTile(path: string): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', `the ledger’s ${path} is missing or has the wrong length`, {
    rule: 'ledger.tile',
    remedy: 'Run "sluice ledger verify", and restore the ledger from a copy that verifies.',
    facts: { file: path },
  })
}
