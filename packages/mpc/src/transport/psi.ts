import type { Duplex } from 'node:stream'
import { isSluiceError, SluiceError } from '@sluice/core'
import { beginIntersection, endIntersection } from '@sluice/ledger/intersections'
import type { Signer } from '@sluice/ledger/keys'
import type { Table } from 'apache-arrow'
import { unscaled } from '../job/decimal.js'
import { ITEM_BYTES } from '../psi/item-hash.js'
import type { PsiItems } from '../psi/job/items.js'
import { type PsiJob, paddedSize, psiJobDigest, psiLearns, psiPartyIndex } from '../psi/job/job.js'
import { checkPsiApproval, type OpenedInput, openInputs, type PsiApproval } from '../psi/job/opening.js'
import { receivePayload, sendPayload, sharedItems } from '../psi/job/payload.js'
import { type PsiOutcome, psiProtocol } from '../psi/job/protocol.js'
import { loadRistretto } from '../psi/ristretto.js'
import { Session, type Traffic } from '../session/session.js'
import { type MeetEvent, meet } from './tls.js'

export interface RunPsiOptions {
  readonly signer: Signer
  /** `approvePsi` of this party, over this job and this input */
  readonly approval: PsiApproval
  /** this party's set; a helper has none */
  readonly items?: PsiItems
  /** path of this party's record of intersections, which counts its quotas */
  readonly record: string
  /** of a party that hands columns over: those columns of these rows of its file, ascending, all as text */
  readonly payload?: (rows: Uint32Array) => Promise<Table>
  readonly listen?: { readonly host: string; readonly port: number }
  /** seconds until the others have to be there */
  readonly wait?: number
  readonly signal?: AbortSignal
  readonly onEvent?: (event: MeetEvent) => void
  /** of the protocol, from 0 to 1 */
  readonly onProgress?: (fraction: number) => void
  /** connections that are there already, by index, instead of meeting over TLS: for demonstrations and tests */
  readonly streams?: ReadonlyMap<number, Duplex>
  readonly now?: () => Date
}

export interface PsiResult {
  /** the intersection is smaller than the job's minimum, which the helper enforced */
  readonly withheld?: boolean
  /** by row of this party's file, 1 where its key is shared; where this party learns which */
  readonly matched?: Uint8Array
  /** how many different keys are shared */
  readonly count?: number
  /** a decimal number as text */
  readonly sum?: string
  /** columns that another party handed over; `rows[i]` belongs to the own item `items[i]` */
  readonly payload?: { readonly itemOf: Uint32Array; readonly columns: Table }
  readonly traffic: Traffic
  /** digest of this party's last record, to be kept elsewhere */
  readonly recorded: string
}

/**
 * Takes part in an intersection as the party whose key this is: meets the others over mutual TLS, checks the sizes and
 * signatures of their inputs, counts the run against its quotas, durably, and computes.
 *
 * @throws SluiceError NOT_APPROVED, FINGERPRINT_MISMATCH, APPROVAL_EXHAUSTED, DISCLOSURE_REFUSED (the intersection is
 *   below the minimum, and this party keeps its promise not to use it), JOB_MISMATCH, PEER_AWAY, PEER_LOST,
 *   PEER_STOPPED, PEER_UNTRUSTED, PROTOCOL_VIOLATION, TIME_EXCEEDED, INTERRUPTED
 */
export async function runPsi(job: PsiJob, options: RunPsiOptions): Promise<PsiResult> {
  const { signer, approval, items, record, signal, now = () => new Date() } = options
  const self = psiPartyIndex(job, signer.name)
  if (job.prepared !== undefined) throw runsPrepared()
  checkPsiApproval(job, signer, approval, items)
  const size = items === undefined ? 0 : paddedSize(job, items.hashes.length / ITEM_BYTES)
  const group = await loadRistretto()
  const session = await openSession(job, self, options)
  const others = await session.run(openInputs(job, self, approval))
  const log = { now, ...(signal !== undefined && { signal }) }
  const names = { job: psiJobDigest(job), session: session.id }
  const begun = {
    ...names,
    items: size,
    ...(approval.input !== undefined && { input: approval.input.commitment }),
    counterparts: counterpartsOf(job, others),
  }
  await stopping(session, () => beginIntersection(record, begun, job.quota, signer, log))
  let outcome: PsiOutcome = {}
  try {
    outcome = await session.run(
      psiProtocol({
        job,
        self,
        size,
        others,
        session: session.id,
        group,
        ...(items !== undefined && { items }),
        ...(options.onProgress !== undefined && { onProgress: options.onProgress }),
      }),
    )
    const below = isBelow(job, self, outcome)
    // whoever would hand columns over, or get them, stops; else the others need not know
    if (below && job.payload.length > 0) throw belowMinimum()
    const payload =
      items === undefined ? undefined : await exchangePayload(session, job, self, outcome, options)
    await session.end()
    if (below) throw belowMinimum()
    const recorded = await endIntersection(
      record,
      { ...names, outcome: 'done', ...countOf(outcome) },
      signer,
      log,
    )
    return { ...shown(job, outcome, items), ...payload, traffic: session.traffic, recorded }
  } catch (error) {
    const code = isSluiceError(error) ? error.code : 'INTERNAL'
    // what failed is what is told, also where it could not be recorded; it was counted before
    await endIntersection(record, { ...names, outcome: code }, signer, { now }).catch(() => undefined)
    throw await stopped(session, error)
  }
}

function runsPrepared(): SluiceError {
  return new SluiceError('JOB_INVALID', 'this job has a prepared set: runPrepared runs it', {
    rule: 'psi.prepared',
  })
}

export async function openSession(job: PsiJob, self: number, options: RunPsiOptions): Promise<Session> {
  const { signer, approval, signal, onEvent, listen, wait } = options
  const participants = job.parties.map(({ name, key, host, port }) => ({
    name,
    key,
    address: { host, port },
  }))
  const streams =
    options.streams ??
    (await meet({
      participants,
      self,
      signer,
      ...(listen !== undefined && { listen }),
      ...(wait !== undefined && { wait }),
      ...(signal !== undefined && { signal }),
      ...(onEvent !== undefined && { onEvent }),
    }))
  return Session.open({
    job: { digest: psiJobDigest(job), participants },
    self,
    approval: approval.signature,
    streams,
    seconds: job.seconds,
    ...(signal !== undefined && { signal }),
  })
}

/** Who learns something of this party's set, and by how many items. */
function counterpartsOf(job: PsiJob, others: ReadonlyMap<number, OpenedInput>) {
  return [...others].map(([index, { size, commitment }]) => {
    const { name, key } = job.parties[index]!
    return { name, key, items: psiLearns(job, index) === undefined ? 0 : size, input: commitment }
  })
}

/** In plain intersection of two sets nobody but the receiver can hold it to the minimum. */
function isBelow(job: PsiJob, self: number, { count, withheld }: PsiOutcome): boolean {
  const below = withheld === true || (count !== undefined && count < job.minimumIntersection)
  return below && psiLearns(job, self) !== undefined
}

export function belowMinimum(): SluiceError {
  return new SluiceError(
    'DISCLOSURE_REFUSED',
    'the intersection is smaller than the minimum of the job, and is not given out',
    {
      rule: 'psi.minimumIntersection',
      remedy: 'Nothing was written. A smaller minimum needs a new job that every party signs.',
    },
  )
}

async function exchangePayload(
  session: Session,
  job: PsiJob,
  self: number,
  { matched }: PsiOutcome,
  { items, payload }: RunPsiOptions,
): Promise<Pick<PsiResult, 'payload'>> {
  if (matched === undefined || job.payload.length === 0) return {}
  const { name } = job.parties[self]!
  const shared = sharedItems(items!, matched, session.id)
  const sends = job.payload.find(({ from }) => from === name)
  const receives = job.payload.find(({ to }) => to === name)
  if (sends !== undefined) {
    const place = new Int32Array(matched.length).fill(-1)
    shared.forEach((item, i) => {
      place[item] = i
    })
    const rows = Uint32Array.from(rowsOf(items!, matched))
    if (payload === undefined) throw new SluiceError('INTERNAL', 'nobody gives the columns to hand over')
    const columns = await stopping(session, () => payload(rows))
    const places = rows.map(row => place[items!.itemOf[row]!]!)
    await session.run(
      sendPayload(psiPartyIndex(job, sends.to), { places, columns: columns.select([...sends.columns]) }),
    )
  }
  if (receives === undefined) return {}
  const from = psiPartyIndex(job, receives.from)
  const received = await session.run(receivePayload(from, shared.length, receives.columns))
  return {
    payload: { itemOf: received.places.map(place => shared[place]!), columns: received.columns },
  }
}

function* rowsOf({ itemOf }: PsiItems, matched: Uint8Array): Generator<number> {
  for (const [row, item] of itemOf.entries()) if (item >= 0 && matched[item] === 1) yield row
}

function countOf({ count }: PsiOutcome): { count?: number } {
  return count === undefined ? {} : { count }
}

function shown(job: PsiJob, { withheld, matched, count, sum }: PsiOutcome, items: PsiItems | undefined) {
  return {
    ...(withheld !== undefined && { withheld }),
    ...(count !== undefined && { count }),
    ...(sum !== undefined && { sum: unscaled(sum, job.sum!.scale) }),
    ...(matched !== undefined &&
      items !== undefined && {
        matched: Uint8Array.from(items.itemOf, item => (item >= 0 ? matched[item]! : 0)),
      }),
  }
}

/** Where this side fails outside the session, the others are told before it is thrown. */
export async function stopping<T>(session: Session, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw await stopped(session, error)
  }
}

export async function stopped(session: Session, error: unknown): Promise<unknown> {
  await session.run(failing(error)).catch(() => undefined)
  return error
}

// biome-ignore lint/correctness/useYield: it fails before it could
function* failing(error: unknown): Generator<never, never, never> {
  throw error
}
