import { SluiceError } from '@sluice/core'
import type { Table, Vector } from 'apache-arrow'
import { prepare } from '../../job/columns.js'
import { scaled } from '../../job/decimal.js'
import { distinct } from '../hash-index.js'
import { ITEM_BYTES, type ItemHashes, itemHashes } from '../item-hash.js'
import { columnOf, keyColumns, keysOf } from '../keys.js'
import { MAXIMUM_TOTAL, type PsiJob, psiJobDigest } from './job.js'

/**
 * A party's set: its different keys, hashed, and which of them each row has. Memory is 20 bytes a row and 16 a key,
 * whatever else the file holds.
 *
 * A row without a key (null or empty in one of its columns) is in no set and matches nothing. Rows of one key are one
 * item, and match together.
 */
export interface PsiItems {
  readonly hashes: ItemHashes
  /** by row, the place of its key in `hashes`; −1 where it has none */
  readonly itemOf: Int32Array
  /** by item, the total of its rows' values, scaled; where the party owns what is totalled */
  readonly values?: BigUint64Array<ArrayBuffer>
}

export interface PsiColumns {
  /** the file's names of the job's key columns, in the job's order */
  readonly key: readonly string[]
  /** the column that is totalled, where this party owns it */
  readonly sum?: string
}

/**
 * Reads a table batch by batch.
 *
 * @throws SluiceError NAME_UNKNOWN, SCHEMA_INVALID, PARAMETER_INVALID (a value beyond the job's bound), INTERRUPTED
 */
export async function readPsiItems(
  job: PsiJob,
  batches: AsyncIterable<Table> | Iterable<Table>,
  { key, sum }: PsiColumns,
  signal?: AbortSignal,
): Promise<PsiItems> {
  const hashed: Uint8Array[] = []
  const keyed: { readonly rows: Uint32Array; readonly start: number }[] = []
  const totals: BigUint64Array[] = []
  let rows = 0
  for await (const batch of hashedBatches(job, batches, key, signal)) {
    hashed.push(batch.hashes)
    keyed.push({ rows: batch.rows, start: rows })
    if (sum !== undefined) totals.push(valuesOf(job, columnOf(batch.table, sum), batch.table.numRows))
    rows += batch.table.numRows
  }
  const set = distinct(joined(hashed))
  const itemOf = new Int32Array(rows).fill(-1)
  let next = 0
  for (const { rows: chunk, start } of keyed) {
    for (let i = 0; i < chunk.length; i++) itemOf[start + chunk[i]!] = set.itemOf[next++]!
  }
  return {
    hashes: set.hashes,
    itemOf,
    ...(sum !== undefined && { values: totalled(job, totals, itemOf, set.hashes.length / ITEM_BYTES) }),
  }
}

/** The rows of a table that have a key, by their place in it, and the hashes of their keys under the job. */
export interface HashedBatch {
  readonly table: Table
  readonly rows: Uint32Array
  readonly hashes: ItemHashes
}

/** @throws SluiceError NAME_UNKNOWN, SCHEMA_INVALID, PARAMETER_INVALID, INTERRUPTED */
export async function* hashedBatches(
  job: PsiJob,
  batches: AsyncIterable<Table> | Iterable<Table>,
  key: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<HashedBatch> {
  if (key.length !== job.key.length) {
    throw new SluiceError(
      'PARAMETER_INVALID',
      `the job’s key has another number of columns: ${job.key.length}`,
      {
        rule: 'psi.key',
        remedy: 'Name as many columns, in the job’s order.',
      },
    )
  }
  // a prepared set was hashed before there was a job
  const context = job.prepared?.set ?? psiJobDigest(job)
  for await (const table of batches) {
    if (signal?.aborted) throw new SluiceError('INTERRUPTED', 'the reading was interrupted')
    const keys = keysOf(keyColumns(table, job.key, key))
    yield { table, rows: keys.rows, hashes: itemHashes(keys.messages, context) }
  }
}

/** One after the other. */
export function joined(chunks: readonly Uint8Array[]): ItemHashes {
  const whole = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** A row without a value counts as zero. */
export function valuesOf({ sum }: PsiJob, vector: Vector, rows: number): BigUint64Array {
  const { column, scale, bound } = sum!
  const prepared = prepare(vector, { name: column, nullable: true, type: { kind: 'number', scale, bound } })
  return prepared.kind === 'number' ? prepared.values : new BigUint64Array(rows)
}

function totalled(
  job: PsiJob,
  chunks: readonly BigUint64Array[],
  itemOf: Int32Array,
  count: number,
): BigUint64Array<ArrayBuffer> {
  const totals = new BigUint64Array(count)
  let row = 0
  for (const chunk of chunks) {
    for (const value of chunk) {
      const item = itemOf[row++]!
      if (item >= 0) totals[item]! += value
    }
  }
  requireWithin(job, totals, itemOf.length)
  return totals
}

/**
 * Rows of one key are one value, and may not exceed together what one may be: totals are reckoned with that.
 *
 * @param totals by item
 * @throws SluiceError PARAMETER_INVALID
 */
export function requireWithin({ sum }: PsiJob, totals: BigUint64Array<ArrayBuffer>, rows: number): void {
  const bound = scaled(sum!.bound, sum!.scale)!
  const within = new BigInt64Array(totals.buffer).every(total => total <= bound && -total <= bound)
  if (within && bound * BigInt(rows) < MAXIMUM_TOTAL) return
  throw new SluiceError(
    'PARAMETER_INVALID',
    'rows of one key add up to more than the job’s bound, or are too many for it',
    {
      rule: 'psi.sum',
      remedy: 'Give rows that are totalled by key within the bound, or agree on a job with a larger one.',
    },
  )
}
