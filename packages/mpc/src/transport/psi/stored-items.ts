import { createHash, randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isSluiceError, SluiceError } from '@sluice/core'
import type { Table } from 'apache-arrow'
import type { ItemHashes } from '../../psi/item-hash.js'
import { ItemSet } from '../../psi/item-set.js'
import { bucketBound, PARTITIONS } from '../../psi/job/buckets.js'
import { hashedBatches, requireWithin, valuesOf } from '../../psi/job/items.js'
import { type PsiJob, psiJobDigest } from '../../psi/job/job.js'
import { columnOf } from '../../psi/keys.js'
import type { CutSet } from './buckets.js'
import { addValues, CutParts, closed, makeFolder, partsIn, pushAll } from './cut-parts.js'
import { type KeptPlace, KeptReading } from './kept-reading.js'
import type { PartitionFile } from './partition-file.js'
import { SEAL_KEY_BYTES } from './sealed.js'

export interface StoredItemsOptions {
  /** a folder of this set alone, for its temporary files: made where it is not there, and removed by `remove` */
  readonly directory: string
  readonly signal?: AbortSignal
  /** the file's name of the column that is totalled, where this party owns it */
  readonly sum?: string
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
export class PsiStoredItems implements CutSet {
  /** different keys */
  readonly count: number
  readonly rows: number
  /** SHA-256 over the different keys' hashes, part by part, each in the file's order, and their values beside them */
  readonly fingerprint: Uint8Array
  readonly #parts: readonly PartitionFile[]
  readonly #cut: CutParts
  readonly #home: Home
  readonly #isValued: boolean

  private constructor(
    home: Home,
    parts: readonly PartitionFile[],
    { rows, isValued }: { readonly rows: number; readonly isValued: boolean },
    { sizes, fingerprint }: { readonly sizes: readonly number[]; readonly fingerprint: Uint8Array },
  ) {
    this.#home = home
    this.#parts = parts
    this.#cut = new CutParts(parts, rows, sizes)
    this.#isValued = isValued
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
    const { directory, sum } = options
    const isValued = sum !== undefined
    await makeFolder(directory)
    const parts = partsIn(directory, randomBytes(SEAL_KEY_BYTES), aboutSet(job), isValued)
    const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 5 })
    const home = { folder: directory, close: remove, remove }
    try {
      const read = { rows: await cut(job, batches, key, parts, { ...options, read: 0 }), isValued }
      return new PsiStoredItems(home, parts, read, await examined(job, parts, read, options))
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
    const { every = 2 ** 20, unchanged, sum } = options
    const kept = await KeptReading.open(job, key, options)
    const isValued = sum !== undefined
    const parts = partsIn(kept.folder, kept.key, `${aboutSet(job)} of ${kept.source}`, isValued)
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
      const read = { rows, isValued }
      return new PsiStoredItems(kept, parts, read, await examined(job, parts, read, options))
    } catch (error) {
      await closed(parts)
      // what was changed is for somebody to look at; what was read of an input that is refused is of no use
      const stays = isSluiceError(error) && STAYS.has(error.code)
      await (stays ? kept.close() : kept.remove())
      throw kept.explained(error)
    }
  }

  bucket(index: number, of: number): Promise<ItemHashes> {
    return this.#cut.bucket(index, of)
  }

  values(index: number, of: number): Promise<BigUint64Array<ArrayBuffer>> {
    return this.#cut.values(index, of)
  }

  places(index: number, of: number) {
    return this.#cut.places(index, of)
  }

  /** Takes as much disk again, until it is closed. */
  recut(key: Uint8Array, limit: number, signal?: AbortSignal) {
    const folder = join(this.#home.folder, 'cut')
    return this.#cut.recut(key, { folder, limit, isValued: this.#isValued, ...(signal && { signal }) })
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
}

/** What a set's files lie in. */
interface Home {
  readonly folder: string
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

interface Cutting extends Pick<StoredItemsOptions, 'signal' | 'onProgress' | 'sum'> {
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
  { signal, onProgress, save, sum, read: before }: Cutting,
): Promise<number> {
  let read = before
  for await (const { table, rows, hashes } of hashedBatches(job, batches, key, signal)) {
    if (read + table.numRows > MOST_ROWS) throw tooLarge()
    const start = read
    const values = sum === undefined ? undefined : valuesOf(job, columnOf(table, sum), table.numRows)
    await pushAll(parts, hashes, i => start + rows[i]!, values && { values, placeOf: rows })
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
  read: { readonly rows: number; readonly isValued: boolean },
  { signal }: Pick<StoredItemsOptions, 'signal'>,
) {
  const most = Math.max(...parts.map(part => part.records))
  const limit = bucketBound(job.size.ceiling, PARTITIONS)
  const set = new ItemSet(Math.min(most, limit))
  const digest = createHash('sha256')
  const sizes: number[] = []
  for (const part of parts) {
    if (signal?.aborted) throw new SluiceError('INTERRUPTED', 'the reading was interrupted')
    set.clear()
    const totals = new BigUint64Array(read.isValued ? Math.min(part.records, limit) : 0)
    for await (const records of part.read()) {
      if (!set.add(records.hashes)) throw tooMany(job)
      if (read.isValued) addValues(totals, set, records)
    }
    digest.update(set.hashes)
    if (read.isValued) {
      requireWithin(job, totals, read.rows)
      digest.update(totals.subarray(0, set.size))
    }
    sizes.push(set.size)
  }
  return { sizes, fingerprint: new Uint8Array(digest.digest()) }
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
