import { canonicalDigest } from '@sluice/core'
import type { PartyLedger, Tallying } from '@sluice/ledger/party'
import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import { betweenTwo, countOf, paddedToSession } from '../../psi/job/between-two.js'
import { bucketBound, bucketCount, PARTITIONS } from '../../psi/job/buckets.js'
import type { PsiItems } from '../../psi/job/items.js'
import { type PsiJob, psiJobDigest, psiLearns, psiOwners } from '../../psi/job/job.js'
import type { OpenedInput } from '../../psi/job/opening.js'
import type { Ristretto } from '../../psi/ristretto.js'
import type { Protocol } from '../../session/protocol.js'
import type { Session } from '../../session/session.js'
import { type Buckets, overfull } from './buckets.js'
import { KeptRun } from './kept.js'
import { cutOtherwise, finished, isCounted, keptKeys } from './records-of-run.js'
import type { BucketProgress, BucketResult, BucketwiseRun, Counted } from './resumable.js'

export interface BucketRunOptions {
  readonly job: PsiJob
  readonly self: number
  readonly source: Buckets
  /** of this party's set, as padded, and its commitment to it */
  readonly input: OpenedInput
  /** this party's own record; the key of what is kept lies in its directory */
  readonly ledger: PartyLedger
  /** folder in which finished buckets are kept until the result is written; else a run that breaks off is lost */
  readonly scratch?: string
  readonly bucketItems?: number
}

/**
 * An intersection bucket by bucket, in one session with one set-up. Finished buckets are kept, sealed, until the result
 * is written, so that a run that broke off goes on, with fresh randomness, where both sides have finished.
 */
export class BucketRun implements BucketwiseRun {
  readonly #options: BucketRunOptions
  readonly #kept: KeptRun | undefined
  readonly #counted: Tallying
  /** by bucket that is finished, what was learned of each of its items */
  #matched = new Map<number, Uint8Array>()
  #plan: Plan | undefined

  private constructor(options: BucketRunOptions, kept: KeptRun | undefined, counted: Tallying) {
    this.#options = options
    this.#kept = kept
    this.#counted = counted
    if (kept !== undefined && this.#isCounted) this.#take(kept)
  }

  /** @throws SluiceError as `KeptRun.open` and `PartyLedger.counted` do */
  static async open(options: BucketRunOptions): Promise<BucketRun> {
    const { job, self, input, ledger, scratch } = options
    const counted = await ledger.counted()
    if (scratch === undefined) return new BucketRun(options, undefined, counted)
    const about = `sluice-psi/1 kept ${psiJobDigest(job)} ${job.parties[self]!.name} ${input.commitment}`
    const keys = keptKeys(ledger.directory)
    return new BucketRun(options, await KeptRun.open({ about, directory: scratch, keys }), counted)
  }

  /** All buckets are finished: the result is here, whoever else comes. */
  get isFinished(): boolean {
    const buckets = this.#kept?.buckets ?? 0
    return buckets > 0 && this.#matched.size === buckets
  }

  /** Finished, and nobody else learns anything: the other side can only be told so. */
  get isDone(): boolean {
    const { job, self } = this.#options
    return this.isFinished && job.receivers.length === 1 && psiLearns(job, self) !== undefined
  }

  /** Both sides have said that they need nothing more. */
  get isComplete(): boolean {
    return this.#options.job.payload.length === 0 && this.#kept?.complete === true && this.#isCounted
  }

  /** The session that counted the buckets that are kept. */
  get session(): string | undefined {
    return this.#kept?.session
  }

  /** The ledger says that the run which is kept, or one that went on with it, has ended well. */
  get isRecordedDone(): boolean {
    const first = this.#kept?.session
    return first !== undefined && this.#counted.isFinished(first)
  }

  /**
   * Compares with the other side which buckets are finished, and says what this run is to be counted as.
   *
   * One round; 40 bytes.
   *
   * @throws SluiceError JOB_MISMATCH where the other side cuts its set otherwise; with the rule FINISHED, where every bucket
   *   is finished here and a run anew would put an end to that result
   */
  async agree(session: Session, others: ReadonlyMap<number, OpenedInput>): Promise<Counted> {
    const [other] = [...others.values()] as [OpenedInput]
    const { job, self, input, bucketItems } = this.#options
    const count = bucketCount(job, [input.size, other.size], bucketItems)
    const own = bucketBound(input.size, count)
    const theirs = bucketBound(other.size, count)
    const kept = this.#kept
    const usable = kept !== undefined && this.#isCounted && kept.isOf(other, count)
    if (!usable) {
      await this.#requireUnfinished(session)
      this.#matched.clear()
    }
    const known = await session.run(this.#compare(other, { count, own, theirs }))
    const peer = psiOwners(job).find(index => index !== self)!
    // what a side that learns nothing had of a bucket is nothing that is missed
    const needed = [
      ...(psiLearns(job, self) === undefined ? [] : [this.#matched]),
      ...(psiLearns(job, peer) === undefined ? [] : [known]),
    ]
    const todo = [...Array(count).keys()].filter(bucket => needed.some(has => !has.has(bucket)))
    this.#plan = { count, own, theirs, todo, other, stays: usable }
    if (usable && !(this.isRecordedDone && todo.length > 0)) {
      const again = todo.filter(bucket => kept.begun.has(bucket)).length
      return { tested: again * theirs, resumes: kept.session! }
    }
    await this.#requireUnfinished(session)
    return { tested: count * theirs }
  }

  async start(session: string): Promise<boolean> {
    const { other, count, stays } = this.#plan!
    await this.#kept?.start(session, other, count, stays)
    return true
  }

  /** @param group of the base transfers */
  async run(
    session: Session,
    group: Ristretto,
    onProgress: (fraction: number, at: BucketProgress) => void = () => undefined,
  ): Promise<BucketResult | undefined> {
    const { job, self, source } = this.#options
    const { count, own, theirs, todo } = this.#plan!
    const start = performance.now()
    let done = 0
    const report = (fraction: number): void => {
      const seconds = Math.max(0.001, (performance.now() - start) / 1000)
      const finished = count - todo.length + done
      onProgress((finished + fraction) / count, {
        bucket: finished,
        buckets: count,
        itemsPerSecond: Math.round(((done + fraction) * own) / seconds),
      })
    }
    if (todo.length > 0) {
      const common = { job, self, session: session.id, group, runs: count }
      const intersect = await session.run(betweenTwo({ ...common, onProgress: report }))
      for (const bucket of todo) {
        const hashes = await session.within(async () => {
          const hashes = await source.bucket(bucket, count)
          if (hashes.length > own * ITEM_BYTES) throw overfull()
          await this.#kept?.begin(bucket)
          return hashes
        })
        const padded = paddedToSession(hashes, { size: own, session: session.id })
        const { matched } = await session.run(intersect(padded, theirs))
        await session.within(() => this.#finish(bucket, hashes, matched))
        done++
        report(0)
      }
    }
    return session.within(() => this.result())
  }

  /** What the finished buckets say of this party's rows; undefined where it learns nothing. */
  async result(): Promise<BucketResult | undefined> {
    const { job, self, source } = this.#options
    if (psiLearns(job, self) === undefined) return undefined
    const buckets = this.#plan?.count ?? this.#kept!.buckets
    const matched = new Uint8Array(source.rows)
    const items = job.payload.length > 0 ? new SharedItems(source.rows) : undefined
    let count = 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      const flags = this.#matched.get(bucket)!
      count += countOf(flags)
      const itemAt = items?.take(await source.bucket(bucket, buckets), flags)
      for await (const { rows, places } of source.places(bucket, buckets)) {
        for (let i = 0; i < rows.length; i++) {
          matched[rows[i]!] = flags[places[i]!]!
          if (itemAt !== undefined) items!.itemOf[rows[i]!] = itemAt[places[i]!]!
        }
      }
    }
    return { count, matched, ...(items !== undefined && { shared: items.whole() }) }
  }

  /** Both sides are finished. */
  async completed(): Promise<void> {
    await this.#kept?.completed()
  }

  /** Lets go of what is kept; it stays for the next run. */
  async close(): Promise<void> {
    await this.#kept?.close()
  }

  /** Removes what is kept: the result is written, or is never to be. */
  async forget(): Promise<void> {
    await this.#kept?.remove()
  }

  /** Rows that are handed over are not kept: such a result needs the other side, and is none yet. */
  async #requireUnfinished(session: Session): Promise<void> {
    if (!this.isFinished || this.#options.job.payload.length > 0) return
    await session.within(() => Promise.reject(finished()))
  }

  get #isCounted(): boolean {
    return isCounted(this.#counted, this.#options.job, this.#kept!.session)
  }

  #take(kept: KeptRun): void {
    for (const bucket of kept.finished) this.#matched.set(bucket, kept.matched(bucket))
  }

  async #finish(bucket: number, hashes: ItemHashes, matched: Uint8Array | undefined): Promise<void> {
    const flags = matched?.slice(0, hashes.length / ITEM_BYTES) ?? new Uint8Array(0)
    this.#matched.set(bucket, flags)
    await this.#kept?.finish(bucket, flags)
  }

  *#compare(other: OpenedInput, shape: Pick<Plan, 'count' | 'own' | 'theirs'>): Protocol<Set<number>> {
    const { job, self, input } = this.#options
    const peer = psiOwners(job).find(index => index !== self)!
    const [first, second] = self < peer ? [input, other] : [other, input]
    const bounds = self < peer ? [shape.own, shape.theirs] : [shape.theirs, shape.own]
    const sides = [first!.commitment, second!.commitment]
    const digest = canonicalDigest({ job: psiJobDigest(job), sides, buckets: shape.count, bounds })
    const said = new Uint8Array(DIGEST_BYTES + PARTITIONS / 8)
    said.set(Buffer.from(digest, 'hex'))
    for (const bucket of this.#matched.keys()) said[DIGEST_BYTES + (bucket >> 3)]! |= 1 << (bucket & 7)
    const [heard] = yield {
      send: [{ to: peer, bytes: said }],
      receive: [{ from: peer, bytes: said.length }],
    }
    if (Buffer.compare(heard!.subarray(0, DIGEST_BYTES), said.subarray(0, DIGEST_BYTES)) !== 0) {
      throw cutOtherwise(job.parties[peer]!.name)
    }
    const has = (bucket: number) => ((heard![DIGEST_BYTES + (bucket >> 3)]! >> (bucket & 7)) & 1) === 1
    return new Set([...Array(shape.count).keys()].filter(has))
  }
}

interface Plan {
  readonly count: number
  /** items of a bucket, as padded */
  readonly own: number
  readonly theirs: number
  /** buckets that one side or both have not finished, ascending */
  readonly todo: readonly number[]
  readonly other: OpenedInput
  /** whether what was finished before is of use */
  readonly stays: boolean
}

const DIGEST_BYTES = 32

/** The shared items of all buckets, as they are handed on: with which of them each row has. */
class SharedItems {
  readonly itemOf: Int32Array
  readonly #hashes: Uint8Array[] = []
  #count = 0

  constructor(rows: number) {
    this.itemOf = new Int32Array(rows).fill(-1)
  }

  /** @returns for each item of a bucket, its number among the shared ones, or −1 */
  take(hashes: ItemHashes, flags: Uint8Array): Int32Array {
    const numbers = new Int32Array(flags.length).fill(-1)
    const kept = new Uint8Array(countOf(flags) * ITEM_BYTES)
    let at = 0
    for (let place = 0; place < flags.length; place++) {
      if (flags[place] === 0) continue
      kept.set(hashes.subarray(place * ITEM_BYTES, (place + 1) * ITEM_BYTES), at)
      at += ITEM_BYTES
      numbers[place] = this.#count++
    }
    this.#hashes.push(kept)
    return numbers
  }

  whole(): PsiItems {
    return { hashes: new Uint8Array(Buffer.concat(this.#hashes)), itemOf: this.itemOf }
  }
}
