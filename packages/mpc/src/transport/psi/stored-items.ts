import { createHash, randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isSluiceError, SluiceError } from '@sluice/core'
import type { Table } from 'apache-arrow'
import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import { ItemSet } from '../../psi/item-set.js'
import { bucketBound, PARTITIONS, partitionOf } from '../../psi/job/buckets.js'
import { hashedBatches } from '../../psi/job/items.js'
import { type PsiJob, psiJobDigest } from '../../psi/job/job.js'
import { type KeptPlace, KeptReading } from './kept-reading.js'
import { PartitionFile } from './partition-file.js'
import { SEAL_KEY_BYTES, unwritable } from './sealed.js'

export interface StoredItemsOptions {
  /** a folder of this set alone, for its temporary files: made where it is not there, and removed by `remove` */
  readonly directory: string
  readonly signal?: AbortSignal
  /** of rows that were read */
  readonly onProgress?: (rows: number) => void
}

export interface KeptItemsOptions extends Omit<StoredItemsOptions, 'directory'>, KeptPlace {}

type Tables = AsyncIterable<Table> | Iterable<Table>

/** The last row that a number of four bytes names. */
const MOST_ROWS = 2 ** 32 - 1

/**
 * A party's set on disk: rows and the hashes of their keys, cut into parts by their hash and encrypted.
 *
 * Memory is that of a part: some 20 megabytes, and 64 bytes for each of its different keys.
 */
export class PsiStoredItems {
  /** different keys */
  readonly count: number
  readonly rows: number
  /** SHA-256 over the different keys' hashes, part by part, each in the file's order */
  readonly fingerprint: Uint8Array
  readonly #parts: readonly PartitionFile[]
  readonly #home: Home
  /** different keys of each part */
  readonly #sizes: readonly number[]

  private constructor(
    home: Home,
    parts: readonly PartitionFile[],
    rows: number,
    { sizes, fingerprint }: { readonly sizes: readonly number[]; readonly fingerprint: Uint8Array },
  ) {
    this.#home = home
    this.#parts = parts
    this.#sizes = sizes
    this.rows = rows
    this.fingerprint = fingerprint
    this.count = sizes.reduce((sum, size) => sum + size, 0)
  }

  /**
   * Reads a table batch by batch. The key is in this process's memory alone: nobody can read what a killed one leaves.
   *
   * @param key the file's names of the job's key columns, in the job's order
   * @throws SluiceError NAME_UNKNOWN, SCHEMA_INVALID, PARAMETER_INVALID (more keys than the job allows), FILE_TOO_LARGE,
   *   DISK_FULL, FILE_MISSING, INTERRUPTED; then nothing is left of it
   */
  static async read(
    job: PsiJob,
    batches: Tables,
    key: readonly string[],
    options: StoredItemsOptions,
  ): Promise<PsiStoredItems> {
    const { directory } = options
    await makeFolder(directory)
    const parts = partsIn(directory, randomBytes(SEAL_KEY_BYTES), aboutSet(job))
    const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 5 })
    const home = { close: remove, remove }
    try {
      const rows = await cut(job, batches, key, parts, { ...options, read: 0 })
      return new PsiStoredItems(home, parts, rows, await examined(job, parts, options))
    } catch (error) {
      await closed(parts)
      await remove()
      throw error
    }
  }

  /**
   * The same, kept under a key in a file: after a process that was killed or interrupted, or called `close`, the same call
   * goes on where it was, and reads nothing again that was safe. What it finds is checked to the last byte: a set of which
   * something was changed is refused, and one of another input is read anew.
   *
   * @param tables the input's rows from this one on, in its order
   * @throws SluiceError as `read`, and LOCKED, FINGERPRINT_MISMATCH, KEY_PERMISSIONS; after INTERRUPTED and ends for
   *   want of time, memory or disk, what was read is kept
   */
  static async resume(
    job: PsiJob,
    tables: (from: number) => Tables,
    key: readonly string[],
    options: KeptItemsOptions,
  ): Promise<PsiStoredItems> {
    const { every = 2 ** 20, unchanged } = options
    const kept = await KeptReading.open(job, key, options)
    const parts = partsIn(kept.folder, kept.key, `${aboutSet(job)} of ${kept.source}`)
    try {
      await kept.restore(parts)
      let { rows } = kept
      if (!kept.isWhole) {
        let safe = rows
        const save = async (read: number): Promise<void> => {
          if (read - safe < every) return
          await unchanged?.()
          await kept.save(parts, read, false)
          safe = read
        }
        rows = await cut(job, tables(rows), key, parts, { ...options, read: rows, save })
        await unchanged?.()
        await kept.save(parts, rows, true)
      }
      return new PsiStoredItems(kept, parts, rows, await examined(job, parts, options))
    } catch (error) {
      await closed(parts)
      // what was changed is for somebody to look at; what was read of an input that is refused is of no use
      const stays = isSluiceError(error) && STAYS.has(error.code)
      await (stays ? kept.close() : kept.remove())
      throw kept.explained(error)
    }
  }

  /** The different keys of a bucket, one of so many. @throws SluiceError FINGERPRINT_MISMATCH, FILE_MISSING */
  async bucket(index: number, of: number): Promise<ItemHashes> {
    const parts = partsOf(index, of)
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + this.#sizes[part]!, 0) * ITEM_BYTES)
    let at = 0
    for (const part of parts) {
      const { hashes } = await this.#distinct(part)
      whole.set(hashes, at)
      at += hashes.length
    }
    return whole
  }

  /** The rows of a bucket, and the place of each one's key in what `bucket` gives, a chunk at a time. */
  async *places(
    index: number,
    of: number,
  ): AsyncGenerator<{ readonly rows: Uint32Array; readonly places: Int32Array }> {
    let before = 0
    for (const part of partsOf(index, of)) {
      const set = await this.#distinct(part)
      for await (const { hashes, rows } of this.#parts[part]!.read()) {
        const start = before
        yield { rows, places: set.places(hashes).map(place => place + start) }
      }
      before += set.size
    }
  }

  /** Lets go of it: what is kept stays for the next process, all else is removed. */
  async close(): Promise<void> {
    await closed(this.#parts)
    await this.#home.close()
  }

  async remove(): Promise<void> {
    await closed(this.#parts)
    await this.#home.remove()
  }

  async #distinct(part: number): Promise<ItemSet> {
    const set = new ItemSet(this.#sizes[part]!)
    for await (const { hashes } of this.#parts[part]!.read()) set.add(hashes)
    return set
  }
}

/** What a set's files lie in. */
interface Home {
  close(): Promise<void>
  remove(): Promise<void>
}

/** Ends of a reading after which the same call goes on: the engine that reads the input may have had too little. */
const STAYS: ReadonlySet<string> = new Set([
  'INTERRUPTED',
  'FINGERPRINT_MISMATCH',
  'TIME_EXCEEDED',
  'ENGINE_KILLED',
  'MEMORY_EXCEEDED',
  'DISK_FULL',
])

function aboutSet(job: PsiJob): string {
  return `sluice-psi/1 items ${psiJobDigest(job)}`
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch(cause => {
    throw unwritable(cause)
  })
}

function partsIn(folder: string, key: Uint8Array, about: string): PartitionFile[] {
  return Array.from({ length: PARTITIONS }, (_, part) => {
    return new PartitionFile(join(folder, String(part)), key, about, part)
  })
}

function partsOf(index: number, of: number): number[] {
  const each = PARTITIONS / of
  return Array.from({ length: each }, (_, i) => index * each + i)
}

interface Cutting extends Pick<StoredItemsOptions, 'signal' | 'onProgress'> {
  /** rows before the first that comes */
  readonly read: number
  /** called between batches, with the rows that were pushed */
  readonly save?: (read: number) => Promise<void>
}

/** @returns how many rows there are */
async function cut(
  job: PsiJob,
  batches: Tables,
  key: readonly string[],
  parts: readonly PartitionFile[],
  { signal, onProgress, save, read: before }: Cutting,
): Promise<number> {
  let read = before
  for await (const { table, rows, hashes } of hashedBatches(job, batches, key, signal)) {
    if (read + table.numRows > MOST_ROWS) throw tooLarge()
    const words = new Uint32Array(hashes.buffer, hashes.byteOffset, hashes.length / 4)
    for (let i = 0; i < rows.length; i++) {
      const part = parts[partitionOf(hashes[i * ITEM_BYTES + ITEM_BYTES - 1]!)]!
      if (part.push(words, i * 4, read + rows[i]!)) await part.flush()
    }
    read += table.numRows
    await save?.(read)
    onProgress?.(read)
  }
  for (const part of parts) await part.flush()
  return read
}

/** How many different keys each part has, and the fingerprint of them all. */
async function examined(
  job: PsiJob,
  parts: readonly PartitionFile[],
  { signal }: Pick<StoredItemsOptions, 'signal'>,
) {
  const most = Math.max(...parts.map(part => part.records))
  const set = new ItemSet(Math.min(most, bucketBound(job.size.ceiling, PARTITIONS)))
  const digest = createHash('sha256')
  const sizes: number[] = []
  for (const part of parts) {
    if (signal?.aborted) throw new SluiceError('INTERRUPTED', 'the reading was interrupted')
    set.clear()
    for await (const { hashes } of part.read()) if (!set.add(hashes)) throw tooMany(job)
    digest.update(set.hashes)
    sizes.push(set.size)
  }
  return { sizes, fingerprint: new Uint8Array(digest.digest()) }
}

async function closed(parts: readonly PartitionFile[]): Promise<void> {
  for (const part of parts) await part.close()
}

function tooMany({ size }: PsiJob): SluiceError {
  return new SluiceError(
    'PARAMETER_INVALID',
    `the input has more different keys than the job allows: ${size.ceiling} as padded`,
    {
      rule: 'psi.size',
      remedy: 'Check the file and its key column, or agree on a job with other sizes.',
    },
  )
}

function tooLarge(): SluiceError {
  return new SluiceError('FILE_TOO_LARGE', `the input has more than ${MOST_ROWS} rows`, {
    rule: 'psi.size',
    remedy: 'Leave out rows whose keys repeat.',
  })
}
