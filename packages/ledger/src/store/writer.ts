import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { Envelope, sign } from '../entries/envelope.js'
import { MADE_IN_ZONE, type Predicate } from '../entries/predicates.js'
import type { Signer } from '../keys/signer.js'
import { leafHash } from '../tree/hashes.js'
import { type Files, fileError, type OpenFile, withFileErrors } from './files.js'
import { type JournalEntry, journalFrames } from './journal.js'
import { JOURNAL } from './layout.js'
import { publish, startJournal } from './publish.js'
import type { State } from './recovery.js'
import type { Entry, Untimed } from './types.js'

/** How much is taken at once; tests set less. */
export interface Thresholds {
  /** bytes of frames in one batch */
  readonly batchBytes: number
  /** entries, and bytes of entries, that may wait in memory for their publication */
  readonly pendingEntries: number
  readonly pendingBytes: number
  /** a journal that is longer is started anew once all of it is published */
  readonly journalBytes: number
}

export const THRESHOLDS: Thresholds = {
  batchBytes: 4 * 2 ** 20,
  pendingEntries: 8192,
  pendingBytes: 16 * 2 ** 20,
  journalBytes: 2 ** 20,
}

/** An entry made elsewhere may be this much ahead: nobody's clock is exact. */
const CLOCK_TOLERANCE = 5 * 60_000

interface Waiting {
  readonly entry: JournalEntry
  readonly resolve: (index: number) => void
  readonly reject: (error: unknown) => void
}

interface Flush {
  /** entries that have to be under the checkpoint */
  readonly size: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Group commit. One loop takes whatever waits, writes it to the journal in one call, syncs once, and acknowledges all of
 * it; what arrives meanwhile is the next batch. Publication goes through the same loop, so that nothing else ever
 * touches the files.
 */
export class Writer {
  readonly #files: Files
  readonly #directory: string
  readonly #log: Signer
  readonly #now: () => number
  readonly #thresholds: Thresholds
  readonly #state: State
  #journal: OpenFile | undefined
  #queue: Waiting[] = []
  #flushes: Flush[] = []
  /** entries that were taken from the queue and are not yet in the tree */
  #inFlight = 0
  #running = false
  #recording: Promise<unknown> = Promise.resolve()
  /** of entries that took their time and are not appended yet, in order; the first that counts is at `#timed` */
  #times: number[] = []
  #timed = 0
  /** set when the journal could not be brought back to what was acknowledged */
  #broken: unknown

  constructor(
    files: Files,
    directory: string,
    log: Signer,
    now: () => number,
    thresholds: Thresholds,
    state: State,
  ) {
    this.#files = files
    this.#directory = directory
    this.#log = log
    this.#now = now
    this.#thresholds = thresholds
    this.#state = state
  }

  append(envelope: Envelope): Promise<number> {
    return new Promise((resolve, reject) => {
      const { predicate, bytes } = Envelope.check(envelope)
      if (this.#broken !== undefined) throw this.#broken
      this.#checkTime(predicate)
      this.#queue.push({ entry: { bytes, leaf: leafHash(bytes) }, resolve, reject })
      this.#run()
    })
  }

  record(predicate: Untimed, signer: Signer): Promise<Entry> {
    const now = Math.max(this.#now(), 0)
    const signing = sign({ ...predicate, time: new Date(now).toISOString() }, signer)
    this.#times.push(now)
    signing.catch(ignore)
    // many sign at once; they are appended in the order in which they took their times
    const appended = this.#recording.then(async () => {
      try {
        const envelope = await signing
        return { envelope, index: this.append(envelope) }
      } finally {
        this.#timed++
        if (this.#timed === this.#times.length) {
          this.#times = []
          this.#timed = 0
        }
      }
    })
    this.#recording = appended.then(ignore, ignore)
    return appended.then(async ({ envelope, index }) => ({ envelope, index: await index }))
  }

  async flush(): Promise<void> {
    await this.#recording
    const size = this.#state.edge.size + this.#queue.length + this.#inFlight
    if (size === this.#state.published) return
    await new Promise<void>((resolve, reject) => {
      this.#flushes.push({ size, resolve, reject })
      this.#run()
    })
  }

  /** Publishes what is left and lets go of the journal. */
  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await this.#journal?.close()
      this.#journal = undefined
    }
  }

  #checkTime(predicate: Predicate): void {
    const now = this.#now()
    const time = Date.parse(predicate.time)
    const madeHere = MADE_IN_ZONE.has(predicate.kind)
    if (now < this.#state.latest || (madeHere && time < this.#state.latest)) {
      throw new SluiceError('CLOCK_BEHIND', 'the clock is behind the ledger’s newest entry or checkpoint', {
        rule: 'ledger.time',
        remedy:
          'Set this machine’s clock right; if the ledger’s last time is wrong, wait until it has passed.',
        facts: { now: new Date(now).toISOString(), ledger: new Date(this.#state.latest).toISOString() },
      })
    }
    if (time > now + (madeHere ? 0 : CLOCK_TOLERANCE)) {
      throw new SluiceError('CLOCK_BEHIND', `the entry is dated ${predicate.time}, which is in the future`, {
        rule: 'ledger.time',
        remedy: 'Set the clock right, of this machine or of the one that signed, and sign again.',
        facts: { now: new Date(now).toISOString() },
      })
    }
    if (madeHere) this.#state.latest = time
  }

  #run(): void {
    if (this.#running) return
    this.#running = true
    void this.#loop()
  }

  /** Never rejects: every error goes to those who wait. */
  async #loop(): Promise<void> {
    while (this.#queue.length > 0 || this.#flushes.length > 0) {
      if (this.#queue.length > 0) await this.#commit()
      const { edge, published } = this.#state
      const wanted = this.#flushes.some(flush => flush.size <= edge.size)
      const full =
        edge.size - published >= this.#thresholds.pendingEntries ||
        edge.unpublishedBytes >= this.#thresholds.pendingBytes
      if (wanted || full || this.#broken !== undefined) await this.#publish()
    }
    // in the same turn as the look at the queues: whoever comes next starts a new loop
    this.#running = false
  }

  async #commit(): Promise<void> {
    const batch = this.#takeBatch()
    const first = this.#state.edge.size
    const entries = batch.map(({ entry }) => entry)
    try {
      if (this.#broken !== undefined) throw this.#broken
      this.#journal ??= await this.#files.open(join(this.#directory, JOURNAL))
      const frames = journalFrames(first, entries)
      await this.#journal.write(frames, this.#state.journalEnd)
      await this.#journal.sync()
      this.#state.journalEnd += frames.length
    } catch (cause) {
      await this.#undo(fileError(cause), batch)
      return
    }
    batch.forEach(({ entry, resolve }, i) => {
      this.#state.edge.append(entry)
      resolve(first + i)
    })
    this.#inFlight = 0
  }

  #takeBatch(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const { entry } of this.#queue) {
      bytes += entry.bytes.length
      if (count > 0 && bytes > this.#thresholds.batchBytes) break
      count++
    }
    const batch = this.#queue.slice(0, count)
    this.#queue = this.#queue.slice(count)
    this.#inFlight = batch.length
    return batch
  }

  /**
   * After a failed write or sync nobody knows what is on the disk. What was not acknowledged is cut off; where that
   * fails too, nothing more is written until the ledger is opened anew, which reads it again.
   */
  async #undo(error: unknown, batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#journal?.truncate(this.#state.journalEnd)
      await this.#journal?.sync()
    } catch (cause) {
      this.#broken = fileError(cause)
    }
    const refused = [...batch, ...this.#queue, ...this.#flushes]
    this.#queue = []
    this.#inFlight = 0
    for (const { reject } of refused) reject(this.#broken ?? error)
    this.#flushes = []
  }

  async #publish(): Promise<void> {
    const { edge } = this.#state
    try {
      if (this.#broken !== undefined) throw this.#broken
      await withFileErrors(async () => {
        if (edge.size > this.#state.published) {
          // no later than an entry that has taken its time and is still to come
          const now = Math.min(this.#now(), this.#times[this.#timed] ?? Number.POSITIVE_INFINITY)
          const time = Math.max(now, this.#state.latest)
          this.#state.note = await publish(this.#files, this.#directory, edge, this.#log, time)
          this.#state.published = edge.size
          this.#state.latest = Math.max(this.#state.latest, Math.floor(time / 1000) * 1000)
        }
        if (this.#state.journalEnd > this.#thresholds.journalBytes) {
          await this.#journal?.close()
          this.#journal = undefined
          this.#state.journalEnd = await startJournal(this.#files, this.#directory, edge.size)
        }
      })
    } catch (error) {
      // what is acknowledged is in the journal, and is published by whoever comes next
      this.#broken ??= error
      const refused = [...this.#flushes, ...this.#queue]
      this.#flushes = []
      this.#queue = []
      for (const { reject } of refused) reject(error)
      return
    }
    const done = this.#flushes.filter(flush => flush.size <= edge.size)
    this.#flushes = this.#flushes.filter(flush => flush.size > edge.size)
    for (const { resolve } of done) resolve()
  }
}

/** Whoever asked for the entry is told; this only keeps the order. */
const ignore = () => undefined
