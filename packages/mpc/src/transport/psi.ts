import type { Duplex } from 'node:stream'
import { isSluiceError, SluiceError } from '@sluice/core'
import type { Signer } from '@sluice/ledger/keys'
import {
  beginIntersection,
  breakIntersection,
  endIntersection,
  type PartyLedger,
  requireWithinQuota,
} from '@sluice/ledger/party'
import type { Table } from 'apache-arrow'
import { goesInBuckets } from '../psi/job/buckets.js'
import type { PsiItems } from '../psi/job/items.js'
import {
  type PsiJob,
  paddedSize,
  psiJobDigest,
  psiLearns,
  psiPartyIndex,
  psiSeesCount,
} from '../psi/job/job.js'
import {
  checkPsiApproval,
  itemCount,
  type OpenedInput,
  openInputs,
  type PsiApproval,
} from '../psi/job/opening.js'
import { receivePayload, sendPayload, sharedItems } from '../psi/job/payload.js'
import { type PsiOutcome, psiProtocol } from '../psi/job/protocol.js'
import { openTotal } from '../psi/job/total.js'
import { loadRistretto } from '../psi/ristretto.js'
import { Session, type Traffic } from '../session/session.js'
import { BucketRun } from './psi/bucket-run.js'
import { BucketsInMemory } from './psi/buckets.js'
import { HelperRun } from './psi/helper-run.js'
import { belowMinimum, figuresOf, isBelow, type Learned, outcomeOf, shown, told } from './psi/learned.js'
import { FINISHED } from './psi/records-of-run.js'
import type { BucketProgress, BucketwiseRun } from './psi/resumable.js'
import { PsiStoredItems } from './psi/stored-items.js'
import { type MeetEvent, meet } from './tls.js'

export interface RunPsiOptions {
  readonly signer: Signer
  /** `approvePsi` of this party, over this job and this input */
  readonly approval: PsiApproval
  /** this party's set, in memory or, where the job goes in buckets, on disk; a helper has none */
  readonly items?: PsiItems | PsiStoredItems
  /** this party's own record, by which its quotas are counted */
  readonly ledger: PartyLedger
  /** of a party that hands columns over: those columns of these rows of its file, ascending, all as text */
  readonly payload?: (rows: Uint32Array) => Promise<Table>
  readonly listen?: { readonly host: string; readonly port: number }
  /** seconds until the others have to be there */
  readonly wait?: number
  readonly signal?: AbortSignal
  readonly onEvent?: (event: MeetEvent) => void
  /** of the protocol, from 0 to 1; and how far it is, where it goes in buckets */
  readonly onProgress?: (fraction: number, at?: BucketProgress) => void
  /**
   * folder in which finished buckets are kept, sealed, until `forget`: the same call goes on with them after a run that
   * broke off. Their key lies in the ledger's directory
   */
  readonly scratch?: string
  /** sets larger than this go in buckets; the same on both sides. For tests */
  readonly bucketItems?: number
  /** connections that are there already, by index, instead of meeting over TLS: for demonstrations and tests */
  readonly streams?: ReadonlyMap<number, Duplex>
}

export interface PsiResult extends Learned {
  /** columns that another party handed over; `rows[i]` belongs to the own item `items[i]` */
  readonly payload?: { readonly itemOf: Uint32Array; readonly columns: Table }
  readonly traffic: Traffic
  /** removes what was kept of a run in buckets; to be called when the result is safe */
  readonly forget?: () => Promise<void>
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
  const { signer, approval, items, ledger, scratch, bucketItems, signal } = options
  const self = psiPartyIndex(job, signer.name)
  if (job.prepared !== undefined) throw runsPrepared()
  checkPsiApproval(job, signer, approval, items)
  const size = items === undefined ? 0 : paddedSize(job, itemCount(items))
  if (!goesInBuckets(job, bucketItems)) return meetAndRun(job, self, size, options)
  const common = {
    ...{ job, self, ledger },
    ...(scratch !== undefined && { scratch }),
    ...(bucketItems !== undefined && { bucketItems }),
    ...(signal !== undefined && { signal }),
  }
  const own = items && {
    input: { size, commitment: approval.input!.commitment },
    source: items instanceof PsiStoredItems ? items : new BucketsInMemory(items),
  }
  const buckets: BucketwiseRun =
    job.helper === undefined
      ? await BucketRun.open({ ...common, ...own! })
      : await HelperRun.open({ ...common, ...own })
  try {
    if (buckets.isComplete) return await finishAlone(job, self, options, buckets)
    const { isDone } = buckets
    const { wait = COURTESY } = options
    // the other side may be waiting to hear that nothing is left to do
    const met = isDone ? { ...options, wait: Math.min(wait, COURTESY) } : options
    return await meetAndRun(job, self, size, met, buckets).catch(error => {
      const code = isSluiceError(error) ? error.code : 'INTERNAL'
      const isOver = isSluiceError(error) && error.rule === FINISHED
      const isAlone = isDone ? !OWN_ENDS.has(code) : code === 'PEER_AWAY' || isOver
      if (isAlone && buckets.isFinished && job.payload.length === 0)
        return finishAlone(job, self, options, buckets)
      throw error
    })
  } finally {
    await buckets.close()
  }
}

/** Seconds for which a party that has its result waits for the other, to tell it so. */
const COURTESY = 15

/** Ends that are this party's own, whoever else was there. */
const OWN_ENDS: ReadonlySet<string> = new Set(['INTERRUPTED', 'DISCLOSURE_REFUSED'])

/** Every bucket was finished before: nothing is computed, and nobody is met. */
async function finishAlone(
  job: PsiJob,
  self: number,
  { ledger }: RunPsiOptions,
  buckets: BucketwiseRun,
): Promise<PsiResult> {
  const result = await buckets.result()
  const below = isBelow(job, self, result ?? {})
  const run = { jobDigest: psiJobDigest(job), session: buckets.session!, links: [] }
  if (below) {
    await breakIntersection(ledger, run, belowMinimum())
    await buckets.forget()
    throw belowMinimum()
  }
  const learned = told(job, result)
  if (!buckets.isRecordedDone) await endIntersection(ledger, run, figuresOf(learned))
  const traffic = { rounds: 0, bytesSent: 0, bytesReceived: 0 }
  return { ...learned, traffic, forget: () => buckets.forget() }
}

async function meetAndRun(
  job: PsiJob,
  self: number,
  size: number,
  options: RunPsiOptions,
  buckets?: BucketwiseRun,
): Promise<PsiResult> {
  const { approval, items, ledger, signal } = options
  if (items instanceof PsiStoredItems && buckets === undefined) throw notInBuckets()
  const group = await loadRistretto()
  const session = await openSession(job, self, options)
  const others = await session.run(openInputs(job, self, approval))
  const counted = await buckets?.agree(session, others)
  const cancelling = signal === undefined ? {} : { signal }
  const names = { jobDigest: psiJobDigest(job), session: session.id }
  const begun = {
    ...names,
    parties: job.parties.map(({ name }) => name),
    items: size,
    ...(approval.input !== undefined && { input: approval.input.commitment }),
    counterparts: counterpartsOf(job, others, counted?.tested),
    ...(counted?.resumes !== undefined && { resumes: counted.resumes }),
  }
  await stopping(session, async () => {
    let isBegun = false
    if (buckets !== undefined && counted?.resumes === undefined) {
      // one that is refused leaves what is kept of another
      await requireWithinQuota(ledger, begun, job.quota, cancelling)
      // before it is counted: what is kept of a run that was never counted is not used
      isBegun = await buckets.start(session.id)
    }
    await beginIntersection(ledger, begun, job.quota, cancelling).catch(async error => {
      if (isBegun) await buckets?.forget()
      throw error
    })
  })
  let outcome: PsiOutcome = {}
  try {
    const result = await buckets?.run(session, group, options.onProgress)
    const own = buckets === undefined ? (items as PsiItems | undefined) : result?.shared
    outcome =
      buckets !== undefined
        ? outcomeOf(result)
        : await session.run(
            psiProtocol({
              job,
              self,
              size,
              others,
              session: session.id,
              group,
              ...(own !== undefined && { items: own }),
              ...(options.onProgress !== undefined && { onProgress: options.onProgress }),
            }),
          )
    const below = isBelow(job, self, outcome)
    // whoever would hand columns over, or get them, stops; else the others need not know
    if (below && job.payload.length > 0) throw belowMinimum()
    const payload =
      own === undefined ? undefined : await exchangePayload(session, job, self, outcome, own, options.payload)
    await session.end()
    await buckets?.completed()
    if (below) throw belowMinimum()
    const opened = await openTotal(job, outcome, {
      group,
      ...cancelling,
      ...(options.onProgress !== undefined && { onProgress: options.onProgress }),
    })
    const learned = buckets === undefined ? shown(job, opened, own) : told(job, result)
    const run = { ...names, links: session.transcripts }
    await endIntersection(ledger, run, figuresOf(learned), cancelling)
    const forget = buckets === undefined ? {} : { forget: () => buckets.forget() }
    return { ...learned, ...payload, traffic: session.traffic, ...forget }
  } catch (error) {
    const run = { ...names, links: session.transcripts }
    // what failed is what is told, also where it could not be recorded; it was counted before
    await breakIntersection(ledger, run, error).catch(() => undefined)
    if (isSluiceError(error) && error.code === 'DISCLOSURE_REFUSED') await buckets?.forget()
    throw await stopped(session, error)
  }
}

function runsPrepared(): SluiceError {
  return new SluiceError('JOB_INVALID', 'this job has a prepared set: runPrepared runs it', {
    rule: 'psi.prepared',
  })
}

function notInBuckets(): SluiceError {
  return new SluiceError('PARAMETER_INVALID', 'this job works on sets in memory', {
    rule: 'psi.buckets',
    remedy: 'Read the set with readPsiItems; sets on disk are for jobs that go in buckets.',
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

/** Who learns something of this party's set, and by how many items: of its padded set, or as buckets count them. */
function counterpartsOf(job: PsiJob, others: ReadonlyMap<number, OpenedInput>, tested?: number) {
  return [...others].map(([index, { size, commitment }]) => {
    const { name, key } = job.parties[index]!
    const tests = psiLearns(job, index) !== undefined || psiSeesCount(job, index)
    return { name, key, items: tests ? (tested ?? size) : 0, input: commitment }
  })
}

async function exchangePayload(
  session: Session,
  job: PsiJob,
  self: number,
  { matched }: PsiOutcome,
  items: PsiItems,
  payload: RunPsiOptions['payload'],
): Promise<Pick<PsiResult, 'payload'>> {
  if (matched === undefined || job.payload.length === 0) return {}
  const { name } = job.parties[self]!
  const shared = sharedItems(items, matched, session.id)
  const sends = job.payload.find(({ from }) => from === name)
  const receives = job.payload.find(({ to }) => to === name)
  if (sends !== undefined) {
    const place = new Int32Array(matched.length).fill(-1)
    shared.forEach((item, i) => {
      place[item] = i
    })
    const rows = Uint32Array.from(rowsOf(items, matched))
    if (payload === undefined) throw new SluiceError('INTERNAL', 'nobody gives the columns to hand over')
    const columns = await stopping(session, () => payload(rows))
    const places = rows.map(row => place[items.itemOf[row]!]!)
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

/** Where this side fails outside the session, the others are told before it is thrown. */
export async function stopping<T>(session: Session, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw await stopped(session, error)
  }
}

export async function stopped(session: Session, error: unknown): Promise<unknown> {
  // it fails with this error, or with the one before it that the others were told
  await session.run(failing(error)).catch(() => undefined)
  return error
}

// biome-ignore lint/correctness/useYield: it fails before it could
function* failing(error: unknown): Generator<never, never, never> {
  throw error
}
