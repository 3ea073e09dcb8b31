import { hash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { isSluiceError, SluiceError } from '@sluice/core'
import type { CheckedResult, Suppression } from '@sluice/core/disclosure'
import { type CheckedContents, openCheckedResult } from '@sluice/core/disclosure/open'
import type { Table } from 'apache-arrow'
import { commit } from '../entries/commitment.js'
import type { Release } from '../entries/predicates.js'
import type { Signer } from '../keys/signer.js'
import type { Receipt } from '../receipts/receipt.js'
import { type Files, withFileErrors } from '../store/files.js'
import { nodeFiles } from '../store/node-files.js'
import { replaceAll } from '../store/publish.js'
import type { LedgerWriter } from '../store/types.js'
import { formatOpening, resultPaths, withSuppressions } from './result-file.js'

export interface ReleaseOptions {
  /** holds the ledger's lock; a caller that keeps a state of its own can pass its own `record` and `receipt` */
  readonly writer: Pick<LedgerWriter, 'record' | 'receipt'>
  readonly operator: Signer
  /** the run that was taken from the allowance, and whose result this is */
  readonly run: string
  /** the zone's directory of results, readable by the zone alone */
  readonly results: string
  readonly files?: Files
  /** for tests that replay */
  readonly random?: (bytes: number) => Uint8Array
}

/** What leaves. */
export interface Released {
  readonly index: number
  readonly release: Release
  readonly receipt: Receipt
  readonly table: Table
  /** cells that are null because they did not pass, with their rule */
  readonly suppressions: readonly Suppression[]
  /** Arrow IPC stream, with the suppressions in its metadata; what the entry commits to */
  readonly bytes: Uint8Array
}

/**
 * The door: the only place that opens a `CheckedResult`, and it hands nothing out before the ledger has it.
 *
 * 1. The result and the opening of its commitment are written, durably, into the zone, under a name that is random to
 *    everybody (the commitment). A crash here leaves files that no entry names, for `sweepResults`; nothing left the zone.
 * 2. The release's entry is appended: durable when that returns. A crash from here on loses nothing: the entry is there,
 *    and `readReleased` hands the result out again.
 * 3. The checkpoint over it is published, and the receipt made.
 * 4. The result is handed out.
 *
 * The files are written here and not by the caller, so that no code but this ever holds a result that is not in the
 * ledger.
 *
 * @throws SluiceError BRAND_INVALID, CLOCK_BEHIND, DISK_FULL
 */
export async function release(checked: CheckedResult, options: ReleaseOptions): Promise<Released> {
  const contents: CheckedContents = openCheckedResult(checked)
  const { writer, operator, run, results, files = nodeFiles, random } = options
  const { requestDigest, reviewed } = contents.approved
  const { tableToIPC } = await import('apache-arrow')
  const table = await withSuppressions(contents.table, contents.suppressions)
  const bytes = tableToIPC(table, 'stream')
  const opened = commit('result', hash('sha256', bytes, 'buffer'), random)
  const paths = resultPaths(opened.commitment)
  const entry = {
    kind: 'release',
    run,
    requestDigest,
    resultCommitment: opened.commitment,
    suppressed: { ...contents.suppressed },
    isolation: contents.isolation,
    // times are a channel too: no finer than the policies' step
    milliseconds: roundUp(contents.milliseconds, reviewed.step.milliseconds),
  } as const
  await withFileErrors(async () => {
    await files.makeDirectory(results)
    await files.syncDirectory(dirname(results))
    await replaceAll(files, results, [
      { path: paths.bytes, bytes, mode: 0o600 },
      { path: paths.opening, bytes: formatOpening(opened), mode: 0o600 },
    ])
  })
  const { index, envelope } = await record()
  const receipt = await writer.receipt(index)
  return {
    index,
    release: envelope.predicate as Release,
    receipt,
    table,
    suppressions: contents.suppressions,
    bytes,
  }

  async function record() {
    try {
      return await writer.record(entry, operator)
    } catch (error) {
      // not in the ledger, so it is not to stay; unless nobody knows, then `sweepResults` decides once the ledger is read
      const unknown = isSluiceError(error) && error.code === 'ZONE_DAMAGED'
      if (!unknown) for (const path of Object.values(paths)) await files.remove(join(results, path))
      throw error
    }
  }
}

function roundUp(value: number, step: number): number {
  if (!Number.isSafeInteger(step) || step < 1)
    throw new SluiceError('INTERNAL', 'a step is a positive integer')
  return Math.ceil(value / step) * step
}
