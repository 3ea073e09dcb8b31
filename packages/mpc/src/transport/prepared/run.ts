import { randomBytes } from 'node:crypto'
import { beginIntersection, breakIntersection, endIntersection } from '@sluice/ledger/party'
import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import type { PsiItems } from '../../psi/job/items.js'
import { type PsiJob, paddedSize, psiJobDigest, psiPartyIndex } from '../../psi/job/job.js'
import { checkPsiApproval, openInputs } from '../../psi/job/opening.js'
import { checkPreparedSide, type PreparedSide } from '../../psi/job/prepared.js'
import { answerPrepared, askPrepared, type PreparedKey } from '../../psi/prepared.js'
import { Questions } from '../../psi/questions.js'
import { loadRistretto } from '../../psi/ristretto.js'
import { loadX509 } from '../certificate.js'
import { belowMinimum } from '../psi/learned.js'
import { openSession, type PsiResult, type RunPsiOptions, stopped, stopping } from '../psi.js'
import type { PreparedFile } from './prepared-file.js'

export interface RunPreparedOptions extends Omit<RunPsiOptions, 'payload' | 'items'> {
  /** of the other party: its set, in memory */
  readonly items?: PsiItems
  /** of the owner of the prepared set: its key */
  readonly key?: PreparedKey
  /** reads that key again, once the other party is there: it may have been rotated meanwhile */
  readonly currentKey?: () => Promise<PreparedKey>
  /** of the other party: the file */
  readonly set?: PreparedFile
  readonly now?: () => Date
}

/** Loads what `runPrepared` needs, for whoever waits for something else before. */
export async function loadPrepared(): Promise<void> {
  await Promise.all([loadRistretto(), loadX509()])
}

/**
 * Takes part in a job with a prepared set, as the party whose key this is: the owner answers, the other party learns
 * which of its rows are in the set. Each item that is asked for, those that pad included, is counted against the quota
 * of the owner's ledger before the first is answered.
 *
 * @throws SluiceError as `runPsi` does; APPROVAL_EXPIRED where the set was to be rotated, JOB_MISMATCH where the key was,
 *   also while the other party was waited for, or the file is another, FILE_FORMAT where the file was changed
 */
export async function runPrepared(job: PsiJob, options: RunPreparedOptions): Promise<PsiResult> {
  const { signer, approval, items, ledger, signal, onProgress, set, key } = options
  const { currentKey, now = () => new Date() } = options
  const self = psiPartyIndex(job, signer.name)
  const side: PreparedSide | undefined = key !== undefined ? { key } : set && { head: set.head }
  const group = await loadRistretto()
  checkPreparedSide(job, signer.name, side, group, now())
  checkPsiApproval(job, signer, approval, items)
  const size = items === undefined ? 0 : paddedSize(job, items.hashes.length / ITEM_BYTES)
  const questions = items && new Questions(padded(items.hashes, size), group)
  const session = await meanwhile(openSession(job, self, options), () => questions?.ahead() === true)
  const others = await session.run(openInputs(job, self, approval))
  // it may have waited long
  await stopping(session, async () => {
    const current = key !== undefined && currentKey !== undefined ? { key: await currentKey() } : side
    checkPreparedSide(job, signer.name, current, group, now())
  })
  const peer = 1 - self
  const opened = others.get(peer)
  const { name, key: peerKey } = job.parties[peer]!
  const asked = questions?.count ?? opened!.size
  const names = { jobDigest: psiJobDigest(job), session: session.id }
  const begun = {
    ...names,
    parties: job.parties.map(({ name }) => name),
    items: items === undefined ? job.prepared!.count : asked,
    input: approval.input?.commitment ?? job.prepared!.file,
    prepared: { set: job.prepared!.set, epoch: job.prepared!.epoch },
    counterparts: [
      // the owner learns nothing of the other side's items
      {
        name,
        key: peerKey,
        items: opened?.size ?? 0,
        ...(opened !== undefined && { input: opened.commitment }),
      },
    ],
  }
  const cancelling = signal === undefined ? {} : { signal }
  await stopping(session, () => beginIntersection(ledger, begun, job.quota, cancelling))
  try {
    let found: Pick<PsiResult, 'matched' | 'count'> = {}
    if (key !== undefined) {
      await session.run(answerPrepared(peer, key.scalar, asked, group, onProgress))
    } else {
      const ask = { peer, questions: questions!, ...(onProgress !== undefined && { onProgress }) }
      const values = await session.run(askPrepared(ask))
      const there = await session.within(() => set!.contains(values))
      const matched = Uint8Array.from(items!.itemOf, item => (item >= 0 ? there[item]! : 0))
      const count = there.subarray(0, items!.hashes.length / ITEM_BYTES).reduce((sum, flag) => sum + flag, 0)
      found = { matched, count }
    }
    await session.end()
    const { count } = found
    if (count !== undefined && count < job.minimumIntersection) throw belowMinimum()
    const learned = count === undefined ? {} : { count }
    await endIntersection(ledger, { ...names, links: session.transcripts }, learned, cancelling)
    return { ...found, traffic: session.traffic }
  } catch (error) {
    const run = { ...names, links: session.transcripts }
    // what failed is what is told, also where it could not be recorded; it was counted before
    await breakIntersection(ledger, run, error).catch(() => undefined)
    throw await stopped(session, error)
  }
}

/** Does what can be done ahead, step by step until there is no more of it, while something else is waited for. */
async function meanwhile<T>(awaited: Promise<T>, step: () => boolean): Promise<T> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  awaited.then(over, over)
  while (!isOver && step()) await new Promise(setImmediate)
  return awaited
}

/** Random items follow the true ones: they are answered and counted as the others are. */
function padded(hashes: ItemHashes, size: number): ItemHashes {
  const whole = new Uint8Array(size * ITEM_BYTES)
  whole.set(hashes)
  whole.set(randomBytes(whole.length - hashes.length), hashes.length)
  return whole
}
