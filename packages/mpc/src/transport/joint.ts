import { createHmac } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import type { Signer } from '@sluice/ledger/keys'
import type { Table } from 'apache-arrow'
import { type PreparedColumn, prepare } from '../job/columns.js'
import { unscaled } from '../job/decimal.js'
import { columnOf, type JointJob, jobDigest, partyIndex } from '../job/job.js'
import { jointProtocol } from '../job/protocol.js'
import type { OpenedCells } from '../protocols/replicated/totals.js'
import { approveJob } from '../session/approval.js'
import { Session, type Traffic } from '../session/session.js'
import { type MeetEvent, meet } from './tls.js'

export interface RunJointOptions {
  readonly signer: Signer
  /** this party's `approveJob` over the job's digest, made when it was read; signed now where it is not given */
  readonly approval?: string
  /** this party's columns; a party that owns none gives none */
  readonly input?: Table
  /** the column of the input that says which entity a row is, text; not part of the job, and not shared */
  readonly entity?: string
  readonly listen?: { readonly host: string; readonly port: number }
  /** seconds until the others have to be there */
  readonly wait?: number
  readonly signal?: AbortSignal
  readonly onEvent?: (event: MeetEvent) => void
}

export interface JointCell {
  /** by the job's `groupBy`, in its order */
  readonly group: readonly string[]
  /** of a cell below the minimum, nothing else is known */
  readonly suppressed: boolean
  readonly rows?: number
  /** by the job's `totals`; null where fewer than the minimum have a value */
  readonly totals?: readonly ({ readonly count: number; readonly sum: string } | null)[]
}

export interface JointResult {
  /** what the job opens, at a receiver */
  readonly cells?: readonly JointCell[]
  readonly traffic: Traffic
}

/**
 * Takes part in a joint job as the party whose key this is: signs it, meets the others over mutual TLS, computes, and
 * returns what is opened to this party. Without an approval that was given before, calling it is approving the job.
 *
 * @throws SluiceError JOB_MISMATCH, PEER_AWAY, PEER_LOST, PEER_STOPPED, PEER_UNTRUSTED, PROTOCOL_VIOLATION,
 *   SCHEMA_INVALID, PARAMETER_INVALID, NAME_UNKNOWN, TIME_EXCEEDED, INTERRUPTED
 */
export async function runJoint(job: JointJob, options: RunJointOptions): Promise<JointResult> {
  const { signer, signal, onEvent, listen, wait } = options
  const self = partyIndex(job, signer.name)
  const columns = ownColumns(job, options)
  const participants = job.parties.map(({ name, key, host, port }) => ({
    name,
    key,
    address: { host, port },
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
  const session = await Session.open({
    job: { digest, participants },
    self,
    approval: options.approval ?? (await approveJob(digest, signer)),
    streams,
    seconds: job.seconds,
    ...(signal !== undefined && { signal }),
  })
  const alignment = columns.size === 0 ? undefined : alignmentOf(options, session.id)
  const inputs = { columns, ...(alignment !== undefined && { alignment }) }
  const opened = await session.run(jointProtocol(job, self, inputs, session.id))
  await session.end()
  return { ...(opened !== undefined && { cells: cellsOf(job, opened) }), traffic: session.traffic }
}

function ownColumns(job: JointJob, { signer, input, entity }: RunJointOptions): Map<string, PreparedColumn> {
  const own = job.columns.filter(({ owner }) => owner === signer.name)
  if (own.length === 0) return new Map()
  const named = (name: string) => {
    const vector = input?.getChild(name)
    if (vector) return vector
    throw new SluiceError('NAME_UNKNOWN', `the input has no column "${name}"`, {
      rule: 'job.columns',
      remedy: 'the job says which columns this party gives',
    })
  }
  if (entity === undefined) {
    throw new SluiceError('USAGE', 'no column is named that says which entity a row is', {
      remedy: 'name the entity column; it is compared with the other owners’ by a digest, and not shared',
    })
  }
  const entities = named(entity)
  const seen = new Set<unknown>(entities)
  if (
    entities.nullCount > 0 ||
    seen.size < entities.length ||
    [...seen].some(text => typeof text !== 'string')
  ) {
    throw new SluiceError(
      'SCHEMA_INVALID',
      `the column "${entity}" does not name each row’s entity, once, as text`,
      {
        rule: 'job.rows',
        remedy: 'one row for each entity',
      },
    )
  }
  return new Map(own.map(column => [column.name, prepare(named(column.name), column, job.rows)]))
}

/** HMAC-SHA-256 under the session's identifier over the entities in their order, each with its length before it. */
function alignmentOf({ input, entity }: RunJointOptions, session: string): Uint8Array<ArrayBuffer> {
  const mac = createHmac('sha256', Buffer.from(session, 'hex'))
  const texts = [...input!.getChild(entity!)!].map(text => {
    const bytes = Buffer.from(text as string)
    return `${bytes.length}:${text}`
  })
  return new Uint8Array(mac.update(texts.join('')).digest())
}

function cellsOf(job: JointJob, { passed, counts, sums }: OpenedCells): JointCell[] {
  const lists = job.groupBy.map(name => {
    const { type } = columnOf(job, name)
    return type.kind === 'category' ? type.categories : []
  })
  const groups = lists.reduce<string[][]>(
    (before, list) => before.flatMap(group => list.map(category => [...group, category])),
    [[]],
  )
  return groups.map((group, cell) => {
    if (passed[0]![cell] !== 1n) return { group, suppressed: true }
    const totals = job.totals.map((name, index) => {
      const { type } = columnOf(job, name)
      if (passed[index + 1]![cell] !== 1n || type.kind !== 'number') return null
      return { count: Number(counts[index + 1]![cell]!), sum: unscaled(sums[index + 1]![cell]!, type.scale) }
    })
    return { group, suppressed: false, rows: Number(counts[0]![cell]!), totals }
  })
}
