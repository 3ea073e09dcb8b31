import { SluiceError } from '@sluice/core'
import { type Opened, openedOf } from '../job/above/cells.js'
import type { Chunk } from '../job/clear.js'
import {
  type FieldRunning,
  fieldChunkRows,
  fieldRunning,
  formOf,
  openFieldTotals,
  startField,
  totalFieldRows,
} from '../job/field.js'
import type { JointJob } from '../job/job.js'
import { compareRows } from '../job/protocol.js'
import { queryOf } from '../job/query.js'
import { cellTable } from '../job/result.js'
import { computingOf, sharingOf } from '../job/roles.js'
import type { FieldCells } from '../protocols/field/minimum.js'
import { addCells } from '../protocols/field/totals.js'
import type { Session } from '../session/session.js'

/** Reads this party's rows chunk by chunk, and has a step taken for each. */
export type EachChunk = (
  run: Pick<FieldRunning, 'query' | 'operation'>,
  size: number,
  step: (rows: number, chunk: Chunk | undefined) => Promise<void>,
) => Promise<void>

/**
 * A job by Shamir's sharing or with a dealer, as one participant runs it: first the rows of all operations, then what
 * is opened, so that whoever may leave after its inputs may leave then.
 */
export async function computedInField(
  job: JointJob,
  self: number,
  session: Session,
  alignment: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  eachChunk: EachChunk,
): Promise<Opened[]> {
  const queries = job.operations.map(operation => queryOf(job, operation))
  const side = await session.run(startField(job, self, session.id, queries.map(formOf)))
  const shared: { run: FieldRunning; cells: FieldCells | undefined }[] = []
  for (const [index, operation] of job.operations.entries()) {
    const run = fieldRunning(job, operation, queries[index]!, self, side)
    await session.run(compareRows(run, alignment))
    let cells: FieldCells | undefined
    await eachChunk(run, fieldChunkRows(run), async (rows, chunk) => {
      const more = await session.run(totalFieldRows(run, rows, chunk))
      if (more !== undefined) cells = addCells(cells, more)
    })
    if ('settled' in side && cells !== undefined)
      cells = await session.run(side.settled(cells, formOf(run.query)))
    shared.push({ run, cells })
  }
  const tables: Opened[] = []
  for (const { run, cells } of shared) {
    const opened = await session.run(openFieldTotals(run, cells))
    if (opened !== undefined) tables.push(openedOf(run.operation, run.query, cellTable(run.query, opened)))
  }
  return tables
}

/**
 * Whoever is not needed may have left a session by Shamir's sharing: as many as the threshold may not.
 *
 * @throws SluiceError PEER_LOST
 */
export function checkLeft(job: JointJob, left: readonly number[]): void {
  const sharing = sharingOf(job)
  if (sharing.kind !== 'shamir') return
  const there = computingOf(job).filter(index => !left.includes(index)).length
  if (there >= sharing.threshold) return
  throw new SluiceError('PEER_LOST', `${there} parties are left, and ${sharing.threshold} are needed`, {
    remedy: 'See what the terminals of the others say; then every party starts the job again.',
    facts: { left: there, needed: sharing.threshold },
  })
}
