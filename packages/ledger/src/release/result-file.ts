import { hash } from 'node:crypto'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { Suppression } from '@sluice/core/disclosure'
import type { Table } from 'apache-arrow'
import { type Commitment, openCommitment } from '../entries/commitment.js'
import type { Release } from '../entries/predicates.js'
import { type Files, withFileErrors } from '../store/files.js'
import { nodeFiles } from '../store/node-files.js'

/** A released result, read again. */
export interface ReleasedResult {
  readonly table: Table
  readonly suppressions: readonly Suppression[]
  /** Arrow IPC stream; its SHA-256 is what the release's entry commits to */
  readonly bytes: Uint8Array
}

/**
 * Reads a released result again, and compares it with its entry.
 *
 * @param results the zone's directory of results
 * @throws SluiceError RESULT_ERASED, PROOF_INVALID (these are not the bytes that were released)
 */
export async function readReleased(
  results: string,
  release: Pick<Release, 'resultCommitment'>,
  files: Files = nodeFiles,
): Promise<ReleasedResult> {
  const paths = resultPaths(release.resultCommitment)
  const [bytes, opening] = await withFileErrors(async () => [
    await files.read(join(results, paths.bytes)),
    await files.read(join(results, paths.opening)),
  ])
  if (bytes === null || bytes === undefined || opening === null || opening === undefined) {
    throw new SluiceError('RESULT_ERASED', 'the result was released, and has been erased since', {
      remedy: 'Its entry and its receipt stay; for the result itself, run the request again.',
    })
  }
  const salt = Buffer.from(opening).toString()
  openCommitment('result', { commitment: release.resultCommitment, salt }, hash('sha256', bytes, 'buffer'))
  const { tableFromIPC } = await import('apache-arrow')
  const table = tableFromIPC(bytes)
  const suppressions = JSON.parse(table.schema.metadata.get(METADATA) ?? '[]') as Suppression[]
  return { table, suppressions, bytes: new Uint8Array(bytes) }
}

/**
 * Erases a released result and the opening of its commitment; the entry stays, and tells nothing any more. Fine where
 * it is erased already.
 */
export async function eraseReleased(
  results: string,
  release: Pick<Release, 'resultCommitment'>,
  files: Files = nodeFiles,
): Promise<void> {
  const paths = resultPaths(release.resultCommitment)
  await withFileErrors(async () => {
    await files.remove(join(results, paths.opening))
    await files.remove(join(results, paths.bytes))
    await files.syncDirectory(results)
  })
}

/**
 * Removes what a crash between result and entry left behind: files in the directory of results that no release names.
 * Only the holder of the ledger's lock may call this, with every release that the ledger has.
 */
export async function sweepResults(
  results: string,
  releases: Iterable<Pick<Release, 'resultCommitment'>>,
  files: Files = nodeFiles,
): Promise<void> {
  const known = new Set<string>()
  for (const { resultCommitment } of releases) {
    for (const path of Object.values(resultPaths(resultCommitment))) known.add(path)
  }
  await withFileErrors(async () => {
    for (const name of await files.list(results)) {
      if (!known.has(name)) await files.remove(join(results, name))
    }
  })
}

const METADATA = 'sluice.suppressions'

/** Named by the commitment: random to whoever does not have the salt, and found from the entry alone. */
export function resultPaths(commitment: string): { readonly bytes: string; readonly opening: string } {
  if (!/^[0-9a-f]{64}$/.test(commitment)) throw new SluiceError('INTERNAL', 'this is not a commitment')
  return { bytes: `${commitment}.arrow`, opening: `${commitment}.salt` }
}

export function formatOpening({ salt }: Commitment): Uint8Array {
  return Buffer.from(salt)
}

/** The same table with its suppressions in the schema's metadata, so that they travel with the bytes. */
export async function withSuppressions(table: Table, suppressions: readonly Suppression[]): Promise<Table> {
  const { RecordBatch, Schema, Table } = await import('apache-arrow')
  const metadata = new Map([...table.schema.metadata, [METADATA, JSON.stringify(suppressions)]])
  const schema = new Schema(table.schema.fields, metadata)
  return new Table(
    schema,
    table.batches.map(batch => new RecordBatch(schema, batch.data)),
  )
}
