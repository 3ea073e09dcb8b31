import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { canonicalDigest } from '@sluice/core'
import type { PartyLedger, Tallying } from '@sluice/ledger/party'
import type { Party } from '../../protocols/replicated/party.js'
import {
  amongThree,
  asWords,
  comeToNext,
  compareTags,
  fromFirst,
  giveTags,
  type HelperRoles,
  hearHelper,
  inOrder,
  openShared,
  placed,
  shareMatched,
  TAG_KEY_BYTES,
  tagsOf,
  tellReceiver,
  together,
} from '../../psi/helper.js'
import { ITEM_BYTES, type ItemHashes } from '../../psi/item-hash.js'
import { bucketBound, bucketCount, PARTITIONS } from '../../psi/job/buckets.js'
import { type PsiJob, psiJobDigest } from '../../psi/job/job.js'
import type { OpenedInput } from '../../psi/job/opening.js'
import { helperRoles } from '../../psi/job/protocol.js'
import { permuted, randomPermutation } from '../../psi/permutation.js'
import type { Ristretto } from '../../psi/ristretto.js'
import type { Session } from '../../session/session.js'
import { type Buckets, type CutSet, overfull } from './buckets.js'
import { compareFinished } from './compare-finished.js'
import { type CutSecret, type FinishedPart, KeptHelperRun, type Learned } from './kept-helper-run.js'
import { cellsOf, sharesOf } from './kept-shares.js'
import { cutOtherwise, finished, isCounted, keptKeys } from './records-of-run.js'
import type { BucketProgress, BucketResult, BucketwiseRun, Counted } from './resumable.js'

export interface HelperRunOptions {
  readonly job: PsiJob
  readonly self: number
  /** of an owner: its set, its size as padded, and its commitment to it */
  readonly source?: CutSet
  readonly input?: OpenedInput
  /** this party's own record; the key of what is kept lies in its directory */
  readonly ledger: PartyLedger
  /** folder in which what is finished is kept until the result is written; else a run that breaks off is lost */
  readonly scratch?: string
  readonly bucketItems?: number
  readonly signal?: AbortSignal
}

/**
 * An intersection with a helper, part by part, in one session. The owners cut their sets by a keyed hash whose key the helper
 * does not have, pad each part to a bound, and show the helper the items' encryptions under a key of this session alone, in
 * an order of each owner's own. So each part looks to the helper as a run of its own over items of which it knows nothing,
 * and all parts together tell it no more than one run over the whole sets: how many items each group of owners shares, and
 * how these fall into parts at random. A part that is computed again shows it what it has seen, under another key.
 *
 * Nothing is opened by part: the minimum is judged, and the answer given, over all parts together.
 */
export class HelperRun implements BucketwiseRun {
  readonly #options: HelperRunOptions
  readonly #roles: HelperRoles
  readonly #kept: KeptHelperRun | undefined
  readonly #counted: Tallying
  /** what this party has of each part that is finished */
  readonly #finished = new Map<number, FinishedPart>()
  #learned: Learned | undefined
  #secret: CutSecret | undefined
  #plan: Plan | undefined
  #cut: { readonly cut: Buckets; readonly close: () => Promise<void> } | undefined

  private constructor(options: HelperRunOptions, kept: KeptHelperRun | undefined, counted: Tallying) {
    this.#options = options
    this.#roles = helperRoles(options.job, options.self)
    this.#kept = kept
    this.#counted = counted
    if (kept === undefined || !this.#isCounted) return
    for (const [part, one] of kept.finished) this.#finished.set(part, one)
    this.#learned = kept.learned
    this.#secret = kept.cut
  }

  /** @throws SluiceError as `KeptHelperRun.open` and `PartyLedger.counted` do */
  static async open(options: HelperRunOptions): Promise<HelperRun> {
    const { job, self, input, ledger, scratch } = options
    const counted = await ledger.counted()
    if (scratch === undefined) return new HelperRun(options, undefined, counted)
    const { name } = job.parties[self]!
    const about = `sluice-psi/1 kept ${psiJobDigest(job)} ${name} ${input?.commitment ?? 'helper'}`
    const keys = keptKeys(ledger.directory)
    return new HelperRun(options, await KeptHelperRun.open({ about, directory: scratch, keys }), counted)
  }

  get isFinished(): boolean {
    return this.#learned !== undefined
  }

  /** One party receives. */
  get isDone(): boolean {
    return this.isFinished
  }

  get isComplete(): boolean {
    return this.isFinished && this.#kept?.complete === true
  }

  get session(): string | undefined {
    return this.#kept?.session
  }

  get isRecordedDone(): boolean {
    const first = this.#kept?.session
    return first !== undefined && this.#counted.isFinished(first)
  }

  /**
   * One round; 545 bytes to each other party.
   *
   * Where the answer may have been opened already, a run is gone on with only if every part of it is finished, so that it
   * gives the same answer; else all is cut anew, and this is another run.
   *
   * @throws SluiceError JOB_MISMATCH where another party cuts otherwise; with the rule FINISHED, where the result is here and
   *   a run anew would put an end to it
   */
  async agree(session: Session, others: ReadonlyMap<number, OpenedInput>): Promise<Counted> {
    const shape = this.#shapeOf(others)
    const kept = this.#kept
    const isUsable = kept !== undefined && this.#isCounted && kept.inputs === shape.inputs
    if (!isUsable) await this.#requireUnfinished(session)
    // what is kept of a run that has ended well is of use to the receiver alone, who has the result
    const isUsed = isUsable && (!this.isRecordedDone || this.isFinished)
    if (!isUsed) this.#finished.clear()
    const said = {
      ...{ inputs: shape.inputs, finished: this.#finished },
      ...{ isFinished: this.isFinished, isOpened: isUsable && kept.opened },
    }
    const { isOver, isOpened, done } = await session.run(compareFinished(this.#roles, said))
    // an answer may have been opened: one over other items, together with it, would tell of those in which they differ
    const isAnother = isOpened && !isOver && done.size < shape.parts
    const isFresh = isAnother || done.size === 0
    const todo = isOver ? [] : [...Array(shape.parts).keys()].filter(part => isFresh || !done.has(part))
    this.#plan = { ...shape, todo, isOver, isFresh }
    const tested = shape.bounds.get(this.#roles.receiver)!
    if (isUsable && !isAnother && (isUsed || isOver)) {
      const again = isFresh ? kept.begun.size : todo.filter(part => kept.begun.has(part)).length
      return { tested: isOver ? 0 : again * tested, resumes: kept.session! }
    }
    return { tested: isOver ? 0 : shape.parts * tested }
  }

  async start(session: string): Promise<boolean> {
    // a meeting that computes nothing counts nothing: there is nothing in it to go on with
    if (this.#plan!.isOver) return false
    await this.#kept?.start(session, this.#plan!.inputs)
    return true
  }

  async run(
    session: Session,
    _group: Ristretto,
    onProgress: (fraction: number, at: BucketProgress) => void = () => undefined,
  ): Promise<BucketResult | undefined> {
    const { parts, bounds, todo, isOver } = this.#plan!
    if (isOver) return session.within(() => this.result())
    const { self, helper, sumOwner, learns } = this.#roles
    const start = performance.now()
    const report = (done: number): void => {
      const seconds = Math.max(0.001, (performance.now() - start) / 1000)
      const bucket = parts - todo.length + done
      const itemsPerSecond = Math.round((done * (bounds.get(self) ?? bounds.get(this.#subject)!)) / seconds)
      onProgress(bucket / parts, { bucket, buckets: parts, itemsPerSecond })
    }
    const tagKey = await this.#prepare(session)
    const party = learns === 'sum' ? await session.run(amongThree(this.#roles, session.id)) : undefined
    for (const [done, part] of todo.entries()) {
      let column: BigUint64Array<ArrayBuffer> | number = bounds.get(sumOwner ?? this.#subject)!
      let flags: Uint8Array | undefined
      if (self === helper) {
        await session.within(async () => this.#kept?.begin(part))
        await session.run(comeToNext(this.#roles))
        flags = await session.run(compareTags(this.#roles, bounds))
        if (party !== undefined) column = asWords(flags)
      } else {
        const { tags, values } = await session.within(() => this.#readPart(session, part, tagKey!))
        await session.run(giveTags(this.#roles, tags))
        // no owner begins, and counts, what is further ahead of the helper than the part after this one
        await session.run(comeToNext(this.#roles))
        if (values !== undefined) column = values
      }
      const shares = party && sharesOf(await session.run(shareMatched(this.#roles, party, column)))
      const finished = {
        session: session.id,
        ...(shares !== undefined ? { shares } : flags !== undefined && { flags }),
      }
      await session.within(async () => {
        this.#finished.set(part, finished)
        await this.#kept?.finish(part, finished)
      })
      report(done + 1)
    }
    await this.#conclude(session, party)
    return session.within(() => this.result())
  }

  async result(): Promise<BucketResult | undefined> {
    const learned = this.#learned
    if (learned === undefined) return undefined
    const { flags, ...told } = learned
    if (flags === undefined) return told
    const parts = this.#finished.size
    const bound = flags.length / parts
    const set = await this.#cutSet(parts)
    const matched = new Uint8Array(set.rows)
    for (let part = 0; part < parts; part++) {
      const order = this.#orderOf(this.#finished.get(part)!.session, part, bound)
      const ofPlace = placed(flags.subarray(part * bound, (part + 1) * bound), order)
      for await (const { rows, places } of set.places(part, parts)) {
        for (let i = 0; i < rows.length; i++) matched[rows[i]!] = ofPlace[places[i]!]!
      }
    }
    return { ...told, matched }
  }

  async completed(): Promise<void> {
    if (this.isFinished) await this.#kept?.completed()
  }

  async close(): Promise<void> {
    const cut = this.#cut
    this.#cut = undefined
    await cut?.close()
    await this.#kept?.close()
  }

  async forget(): Promise<void> {
    await this.#kept?.remove()
  }

  /** Whose items are looked for in the other sets. */
  get #subject(): number {
    const { learns, sumOwner, receiver } = this.#roles
    return learns === 'sum' ? sumOwner! : receiver
  }

  get #isCounted(): boolean {
    return isCounted(this.#counted, this.#options.job, this.#kept?.session)
  }

  async #requireUnfinished(session: Session): Promise<void> {
    if (this.isFinished) await session.within(() => Promise.reject(finished()))
  }

  #shapeOf(others: ReadonlyMap<number, OpenedInput>): Shape {
    const { job, self, input, bucketItems } = this.#options
    const brought = new Map(others)
    if (input !== undefined) brought.set(self, input)
    const sides = this.#roles.owners.map(owner => brought.get(owner)!)
    const parts = bucketCount(
      job,
      sides.map(({ size }) => size),
      bucketItems,
    )
    const bounds = new Map(
      this.#roles.owners.map((owner, i) => [owner, bucketBound(sides[i]!.size, parts)] as const),
    )
    const about = { job: psiJobDigest(job), sides: sides.map(({ commitment }) => commitment), parts }
    return { parts, bounds, inputs: canonicalDigest({ ...about, bounds: [...bounds.values()] }) }
  }

  /**
   * The owners' keys: of the cut, which stays while anything is finished, and of this session's tags.
   *
   * @returns the key of the tags, at an owner
   */
  async #prepare(session: Session): Promise<Uint8Array | undefined> {
    const { self, helper, owners } = this.#roles
    const { isFresh, parts } = this.#plan!
    let tagKey: Uint8Array | undefined
    if (self !== helper) {
      const cut = isFresh ? randomBytes(TAG_KEY_BYTES) : this.#secret!.key
      const given =
        self === owners[0] ? new Uint8Array([...cut, ...randomBytes(TAG_KEY_BYTES)]) : 2 * TAG_KEY_BYTES
      const keys = await session.run(fromFirst(this.#roles, given))
      tagKey = keys.slice(TAG_KEY_BYTES)
      const key = keys.slice(0, TAG_KEY_BYTES)
      if (isFresh) this.#secret = { key, order: randomBytes(TAG_KEY_BYTES) }
      else if (!timingSafeEqual(key, this.#secret!.key)) throw await this.#failed(session)
    }
    if (isFresh) {
      this.#finished.clear()
      await session.within(async () => this.#kept?.recut(this.#secret))
    }
    if (self !== helper) await session.within(() => this.#cutSet(parts))
    return tagKey
  }

  async #failed(session: Session): Promise<unknown> {
    const { owners, nameOf } = this.#roles
    return session.within(() => Promise.reject(cutOtherwise(nameOf(owners[0]!)))).catch(error => error)
  }

  /** This owner's set, as the owners cut it; one part is the whole set. */
  async #cutSet(parts: number): Promise<Buckets> {
    const { job, source, signal } = this.#options
    if (parts === 1) return source!
    const limit = bucketBound(job.size.ceiling, PARTITIONS)
    this.#cut ??= await source!.recut(this.#secret!.key, limit, signal)
    return this.#cut.cut
  }

  async #readPart(session: Session, part: number, tagKey: Uint8Array) {
    const { self, sumOwner } = this.#roles
    const { parts, bounds } = this.#plan!
    const bound = bounds.get(self)!
    const set = await this.#cutSet(parts)
    const hashes = await set.bucket(part, parts)
    if (hashes.length > bound * ITEM_BYTES) throw overfull()
    await this.#kept?.begin(part)
    const order = this.#orderOf(session.id, part, bound)
    const tags = permuted(paddedTags(tagsOf(hashes, tagKey), bound), order, ITEM_BYTES)
    if (self !== sumOwner) return { tags }
    return { tags, values: inOrder(await set.values(part, parts), order) }
  }

  /** In which a part's tags are sent: a new one in each session, which follows from what this owner keeps. */
  #orderOf(session: string, part: number, count: number): Uint32Array<ArrayBuffer> {
    const mac = createHmac('sha256', this.#secret!.order).update(`sluice-psi/1 order ${session} ${part}`)
    const seed = new Uint8Array(mac.digest())
    return randomPermutation(count, bytes => seed.subarray(0, bytes))
  }

  async #conclude(session: Session, party: Party | undefined): Promise<void> {
    const { self, helper, receiver, learns } = this.#roles
    const { parts, bounds } = this.#plan!
    const all = [...Array(parts).keys()].map(part => this.#finished.get(part)!)
    // whoever is still at a part may yet lose it: nothing is opened before everybody has them all
    await session.run(together(this.#roles))
    await session.within(async () => this.#kept?.opening())
    let learned: Learned | undefined
    if (learns === 'sum') {
      if (party === undefined) return
      const cells = cellsOf(all.map(({ shares }) => shares!))
      learned = await session.run(openShared(this.#roles, party, cells))
    } else if (self === helper) {
      await session.run(
        tellReceiver(
          this.#roles,
          all.map(({ flags }) => flags!),
        ),
      )
    } else if (self === receiver) {
      const most = parts * Math.min(...bounds.values())
      learned = await session.run(hearHelper(this.#roles, parts * bounds.get(self)!, most))
    }
    if (self !== receiver) return
    this.#learned = learned!
    await session.within(async () => this.#kept?.conclude(learned!))
  }
}

/** What everybody has to agree about: from public sizes alone. */
interface Shape {
  readonly parts: number
  /** by owner, items of a part, as padded */
  readonly bounds: ReadonlyMap<number, number>
  /** digest of what everybody brings, and of these */
  readonly inputs: string
}

interface Plan extends Shape {
  /** parts that somebody has not finished, ascending */
  readonly todo: readonly number[]
  /** the receiver has the result */
  readonly isOver: boolean
  /** nothing is finished: sets are cut anew */
  readonly isFresh: boolean
}

/** Random tags follow the true ones, and match but with probability 2^-128. */
function paddedTags(tags: ItemHashes, count: number): ItemHashes {
  const whole = new Uint8Array(count * ITEM_BYTES)
  whole.set(tags)
  whole.set(randomBytes(whole.length - tags.length), tags.length)
  return whole
}
