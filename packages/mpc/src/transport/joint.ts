import { createHmac } from 'node:crypto'
import type { Signer } from '@sluice/ledger/keys'
import type { PartyLedger } from '@sluice/ledger/party'
import { type Opened, openedOf } from '../job/above/cells.js'
import type { Chunk } from '../job/clear.js'
import type { InputSource } from '../job/input.js'
import { type JointJob, jobDigest, partyIndex } from '../job/job.js'
import { checkPickedMemory, pickedIn } from '../job/ordered.js'
import {
  addCells,
  chunkRows,
  compareRows,
  openTotals,
  type Running,
  running,
  totalRows,
} from '../job/protocol.js'
import { queryOf } from '../job/query.js'
import { checkRelationMemory, openRelation, type Relational } from '../job/relational.js'
import { cellTable, groupCells, type JointTable } from '../job/result.js'
import { computingOf, sharingOf } from '../job/roles.js'
import { isRelational } from '../job/share.js'
import { shareWeights } from '../job/statistics/binning.js'
import { totalledBy } from '../job/statistics/schema.js'
import { checkMemory, openStatistic, statisticTable } from '../job/statistics/statistic.js'
import type { OpenedGroups } from '../protocols/replicated/group.js'
import { establish, type Index } from '../protocols/replicated/party.js'
import type { Cells } from '../protocols/replicated/totals.js'
import { approveJob } from '../session/approval.js'
import type { Protocol } from '../session/protocol.js'
import { Session, type Traffic } from '../session/session.js'
import { checkLeft, computedInField } from './joint-field.js'
import { inChunks, modelOf, type OwnInput, ownInputs, wholeOf } from './joint-inputs.js'
import { type Outcome, recordStart } from './joint-record.js'
import { type MeetEvent, meet } from './tls.js'

export interface RunJointOptions {
  readonly signer: Signer
  /** this party's `approveJob` over the job's digest, made when it was read; signed now where it is not given */
  readonly approval?: string
  /** this party's tables by the job's names of them; a whole table may be in any order */
  readonly inputs?: Readonly<Record<string, InputSource>>
  /** this party's own record; without one, nothing is recorded here */
  readonly ledger?: PartyLedger
  readonly listen?: { readonly host: string; readonly port: number }
  /** seconds until the others have to be there */
  readonly wait?: number
  readonly signal?: AbortSignal
  readonly onEvent?: (event: JointEvent) => void
}

/** What happens on the way. */
export type JointEvent =
  | MeetEvent
  | { readonly kind: 'reading'; readonly input: string; readonly rows: number; readonly of: number }
  | ({
      readonly kind: 'computing'
      readonly operation: string
      readonly rows: number
      readonly of: number
    } & Traffic)

export interface JointResult {
  /** 64 hexadecimal digits, the same at all parties of this run and of no other */
  readonly session: string
  /** what was opened to this party */
  readonly tables: readonly JointTable[]
  /** who left once it was not needed any more, of a job by Shamir's sharing; what they gave is in the result */
  readonly left: readonly string[]
  readonly traffic: Traffic
}

/**
 * Takes part in a joint job as the party whose key this is: checks its inputs against the job, meets the others over
 * mutual TLS, computes, and returns what is opened to this party. Without an approval that was given before, calling it
 * is approving the job.
 *
 * Inputs are read twice, in bounded memory: to check them before anybody is met, and to share them.
 *
 * @throws SluiceError FINGERPRINT_MISMATCH where an input is not the one that the job names; NAME_UNKNOWN,
 *   SCHEMA_INVALID, PARAMETER_INVALID where its columns are others; ADDRESS_UNAVAILABLE, JOB_MISMATCH, PEER_AWAY,
 *   PEER_LOST, PEER_STOPPED, PEER_UNTRUSTED, PROTOCOL_VIOLATION, TIME_EXCEEDED, TRAFFIC_EXCEEDED, INTERRUPTED;
 *   RESULT_TOO_LARGE where a plan has no result for a cell that was opened: the run has ended then, and is recorded
 *
 * @example
 * const job = parseJob(JSON.parse(await readFile('arrears.json', 'utf8')))
 * const { tables } = await runJoint(job, { signer, inputs: { loans } })
 */
export async function runJoint(job: JointJob, options: RunJointOptions): Promise<JointResult> {
  const { opened: _, ...result } = await runOpening(job, options)
  return result
}

/** The same, with the cells as they were opened. */
export async function runOpening(
  job: JointJob,
  options: RunJointOptions,
): Promise<JointResult & { readonly opened: readonly Opened[] }> {
  const self = partyIndex(job, options.signer.name)
  const { results, ...run } = await recorded(job, self, options)
  return { ...run, tables: results.map(({ table }) => table()), opened: results }
}

/** A run to the end of its session and of its record, with what was opened and nothing made of it. */
async function recorded(
  job: JointJob,
  self: number,
  options: RunJointOptions,
): Promise<Omit<JointResult, 'tables'> & { readonly results: readonly Opened[] }> {
  const own = await ownInputs(job, options)
  const record = options.ledger && (await recordStart(options.ledger, job))
  let session: Session | undefined
  const outcome = (): Outcome => ({ session: session?.id ?? null, links: session?.transcripts ?? [] })
  try {
    session = await opened(job, self, options)
    const results = await session.within(() => computed(job, self, session!, own, options.onEvent))
    await session.end()
    checkLeft(job, session.left)
    const left = session.left.map(index => job.parties[index]!.name)
    await record?.end(
      outcome(),
      results.map(({ kept }) => kept),
      left,
    )
    return { session: session.id, left, traffic: session.traffic, results }
  } catch (error) {
    // what went wrong matters more than that it could not be recorded
    await record?.breakOff(error, outcome()).catch(() => undefined)
    throw error
  }
}

async function opened(
  job: JointJob,
  self: number,
  { signer, approval, signal, onEvent, listen, wait }: RunJointOptions,
): Promise<Session> {
  const participants = job.parties.map(party => ({
    name: party.name,
    key: party.key,
    ...(party.role === 'computing' && { address: { host: party.host, port: party.port } }),
  }))
  const streams = await meet({
    participants,
    self,
    signer,
    ...(listen !== undefined && { listen }),
    ...(wait !== undefined && { wait }),
    ...(signal !== undefined && { signal }),
    ...(onEvent !== undefined && { onEvent }),
  })
  const digest = jobDigest(job)
  return Session.open({
    job: { digest, participants, core: computingOf(job).length },
    self,
    approval: approval ?? (await approveJob(digest, signer)),
    streams,
    seconds: job.limits.seconds,
    bytes: job.limits.bytes,
    mayLeave: sharingOf(job).kind === 'shamir',
    ...(signal !== undefined && { signal }),
  })
}

async function computed(
  job: JointJob,
  self: number,
  session: Session,
  own: ReadonlyMap<string, OwnInput>,
  onEvent: RunJointOptions['onEvent'],
): Promise<Opened[]> {
  const alignment = new Map(
    [...own].map(([name, { entities }]) => {
      const mac = createHmac('sha256', Buffer.from(session.id, 'hex')).update(entities)
      return [name, new Uint8Array(mac.digest())]
    }),
  )
  if (sharingOf(job).kind !== 'replicated')
    return computedInField(job, self, session, alignment, (run, size, step) =>
      eachChunk(run, size, session, own, onEvent, step),
    )
  const party = self < 3 ? await session.run(establish(self as Index, session.id)) : undefined
  const tables: Opened[] = []
  for (const operation of job.operations) {
    const run = running(job, operation, queryOf(job, operation), self, party)
    if (isRelational(run.query)) {
      const groups = await related({ ...run, query: run.query }, session, own, alignment, onEvent)
      if (groups !== undefined) tables.push(openedOf(operation, run.query, groupCells(run.query, groups)))
      continue
    }
    await session.run(compareRows(run, alignment))
    if (operation.statistic !== undefined && !totalledBy(operation.statistic)) {
      checkMemory(run)
      const chunk = await wholeOf(run.query, own)
      const values = await told(run, session, onEvent, openStatistic(run, chunk))
      if (values === undefined) continue
      const table = statisticTable(job, operation, run.query, values)
      tables.push({ table: () => table, kept: table })
      continue
    }
    const cells = await (pickedIn(run.query).length === 0 ? totalled : picked)(run, session, own, onEvent)
    const cellsOpened = await session.run(openTotals(run, cells))
    if (cellsOpened !== undefined)
      tables.push(openedOf(operation, run.query, cellTable(run.query, cellsOpened)))
  }
  return tables
}

/** Where single values are opened, all rows at once. */
async function picked(
  run: Running,
  session: Session,
  own: ReadonlyMap<string, OwnInput>,
  onEvent: RunJointOptions['onEvent'],
): Promise<Cells | undefined> {
  checkPickedMemory(run)
  const chunk = await wholeOf(run.query, own)
  return told(run, session, onEvent, totalRows(run, run.query.rows, chunk))
}

/** Runs what has its rows whole, and tells of rounds and bytes each second. */
async function told<T>(
  { operation, query }: Running,
  session: Session,
  onEvent: RunJointOptions['onEvent'],
  protocol: Protocol<T>,
): Promise<T> {
  const tell = (rows: number) =>
    onEvent?.({ kind: 'computing', operation: operation.name, rows, of: query.rows, ...session.traffic })
  const timer = setInterval(tell, 1000, 0)
  try {
    const result = await session.run(protocol)
    tell(query.rows)
    return result
  } finally {
    clearInterval(timer)
  }
}

/** Table by table, whole. */
async function related(
  run: Relational,
  session: Session,
  own: ReadonlyMap<string, OwnInput>,
  alignment: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  onEvent: RunJointOptions['onEvent'],
): Promise<OpenedGroups | undefined> {
  const { query, operation } = run
  checkRelationMemory(run)
  const chunks: (Chunk | undefined)[] = []
  for (const table of query.relation.tables) {
    await session.run(compareRows({ ...run, query: { ...query, inputs: table.inputs } }, alignment))
    chunks.push(await wholeOf(table, own))
  }
  const onStep = (done: number) => {
    const rows = Math.floor(done * query.rows)
    onEvent?.({ kind: 'computing', operation: operation.name, rows, of: query.rows, ...session.traffic })
  }
  return session.run(openRelation(run, chunks, onStep))
}

async function totalled(
  run: Running,
  session: Session,
  own: ReadonlyMap<string, OwnInput>,
  onEvent: RunJointOptions['onEvent'],
): Promise<Cells | undefined> {
  const weights = await session.run(shareWeights(run, await modelOf(run.query, own)))
  let cells: Cells | undefined
  await eachChunk(run, chunkRows(run), session, own, onEvent, async (rows, chunk) => {
    const more = await session.run(totalRows(run, rows, chunk, weights))
    if (more !== undefined) cells = addCells(cells, more)
  })
  return cells
}

/** Chunk by chunk, and tells of each. */
async function eachChunk(
  { query, operation }: Pick<Running, 'query' | 'operation'>,
  size: number,
  session: Session,
  own: ReadonlyMap<string, OwnInput>,
  onEvent: RunJointOptions['onEvent'],
  step: (rows: number, chunk: Chunk | undefined) => Promise<void>,
): Promise<void> {
  let done = 0
  for await (const { rows, chunk } of inChunks(query, size, own)) {
    await step(rows, chunk)
    done += rows
    const of = query.rows
    onEvent?.({ kind: 'computing', operation: operation.name, rows: done, of, ...session.traffic })
  }
}
