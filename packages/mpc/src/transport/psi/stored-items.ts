import { createHash, randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { Table } from 'apache-arrow'
import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import { ItemSet } from '../../psi/item-set.js'
import { bucketBound, PARTITIONS, partitionOf } from '../../psi/job/buckets.js'
import { hashedBatches } from '../../psi/job/items.js'
import { type PsiJob, psiJobDigest } from '../../psi/job/job.js'
import { PartitionFile } from './partition-file.js'
import { SEAL_KEY_BYTES, unwritable } from './sealed.js'

export interface StoredItemsOptions {
  /** a folder of this set alone, for its temporary files: made where it is not there, and removed by `remove` */
  readonly directory: string
  readonly signal?: AbortSignal
  /** of rows that were read */
  readonly onProgress?: (rows: number) => void
}

/** The last row that a number of four bytes names. */
const MOST_ROWS = 2 ** 32 - 1

/**
 * A party's set on disk: rows and the hashes of their keys, cut into parts by their hash, encrypted under a key that is
 * in this process's memory alone. Nobody can read what a killed process leaves behind.
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
  readonly #directory: string
  /** different keys of each part */
  readonly #sizes: readonly number[]

  private constructor(
    { directory }: StoredItemsOptions,
    parts: readonly PartitionFile[],
    rows: number,
    { sizes, fingerprint }: { readonly sizes: readonly number[]; readonly fingerprint: Uint8Array },
  ) {
    this.#directory = directory
    this.#parts = parts
    this.#sizes = sizes
    this.rows = rows
    this.fingerprint = fingerprint
    this.count = sizes.reduce((sum, size) => sum + size, 0)
  }

  /**
   * Reads a table batch by batch.
   *
   * @param key the file's names of the job's key columns, in the job's order
   * @throws SluiceError NAME_UNKNOWN, SCHEMA_INVALID, PARAMETER_INVALID (more keys than the job allows), FILE_TOO_LARGE,
   *   DISK_FULL, FILE_MISSING, INTERRUPTED; then nothing is left of it
   */
  static async read(
    job: PsiJob,
    batches: AsyncIterable<Table> | Iterable<Table>,
    key: readonly string[],
    options: StoredItemsOptions,
  ): Promise<PsiStoredItems> {
    const { directory } = options
    await mkdir(directory, { recursive: true, mode: 0o700 }).catch(cause => {
      throw unwritable(cause)
    })
    const secret = randomBytes(SEAL_KEY_BYTES)
    const about = `sluice-psi/1 items ${psiJobDigest(job)}`
    const parts = Array.from({ length: PARTITIONS }, (_, part) => {
      return new PartitionFile(join(directory, String(part)), secret, about, part)
    })
    try {
      const rows = await cut(job, batches, key, parts, options)
      return new PsiStoredItems(options, parts, rows, await examined(job, parts, options))
    } catch (error) {
      await removed(parts, directory)
      throw error
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

  async remove(): Promise<void> {
    await removed(this.#parts, this.#directory)
  }

  async #distinct(part: number): Promise<ItemSet> {
    const set = new ItemSet(this.#sizes[part]!)
    for await (const { hashes } of this.#parts[part]!.read()) set.add(hashes)
    return set
  }
}

function partsOf(index: number, of: number): number[] {
  const each = PARTITIONS / of
  return Array.from({ length: each }, (_, i) => index * each + i)
}

/** @returns how many rows there are */
async function cut(
  job: PsiJob,
  batches: AsyncIterable<Table> | Iterable<Table>,
  key: readonly string[],
  parts: readonly PartitionFile[],
  { signal, onProgress }: StoredItemsOptions,
): Promise<number> {
  let read = 0
  for await (const { table, rows, hashes } of hashedBatches(job, batches, key, signal)) {
    if (read + table.numRows > MOST_ROWS) throw tooLarge()
    const words = new Uint32Array(hashes.buffer, hashes.byteOffset, hashes.length / 4)
    for (let i = 0; i < rows.length; i++) {
      const part = parts[partitionOf(hashes[i * ITEM_BYTES + ITEM_BYTES - 1]!)]!
      if (part.push(words, i * 4, read + rows[i]!)) await part.flush()
    }
    read += table.numRows
    onProgress?.(read)
  }
  for (const part of parts) await part.flush()
  return read
}

/** How many different keys each part has, and the fingerprint of them all. */
async function examined(job: PsiJob, parts: readonly PartitionFile[], { signal }: StoredItemsOptions) {
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

async function removed(parts: readonly PartitionFile[], directory: string): Promise<void> {
  for (const part of parts) await part.close()
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
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
