import type { Predicate, PsiStart } from '../entries/predicates.js'
import { parseVerifierKey } from '../keys/verifier-key.js'

/** A run of an intersection, as the ledger has it. */
export interface RecordedIntersection {
  readonly jobDigest: string
  readonly input?: string
  /** the session of the run that this one goes on with */
  readonly resumes?: string
  /** it ended well */
  readonly ended: boolean
}

/** A prepared set of this party. */
interface RecordedSet {
  /** of the newest key that a rotation made */
  readonly epoch: number
  /** prepared since */
  readonly files: readonly string[]
}

/**
 * How often which job ran, and who tested how many items: a fold over a party's ledger, by which quotas are counted.
 * Plain values, so that it can be kept.
 */
export interface Tally {
  /** by session */
  readonly runs: Readonly<Record<string, RecordedIntersection>>
  /** runs that count, by the job's digest: those that go on with another do not */
  readonly counted: Readonly<Record<string, number>>
  /** items tested, by the counterpart's public key in hexadecimal: a verifier key's text has its holder's name in it */
  readonly tested: Readonly<Record<string, number>>
  readonly sets: Readonly<Record<string, RecordedSet>>
}

export const EMPTY: Tally = { runs: {}, counted: {}, tested: {}, sets: {} }

/** Adds up entries, in their order, on top of what was added up before. */
export class Tallying {
  readonly #runs: Map<string, RecordedIntersection>
  readonly #counted: Map<string, number>
  readonly #tested: Map<string, number>
  readonly #sets: Map<string, RecordedSet>

  constructor({ runs, counted, tested, sets }: Tally = EMPTY) {
    this.#runs = new Map(Object.entries(runs))
    this.#counted = new Map(Object.entries(counted))
    this.#tested = new Map(Object.entries(tested))
    this.#sets = new Map(Object.entries(sets))
  }

  get tally(): Tally {
    return {
      runs: Object.fromEntries(this.#runs),
      counted: Object.fromEntries(this.#counted),
      tested: Object.fromEntries(this.#tested),
      sets: Object.fromEntries(this.#sets),
    }
  }

  add(predicate: Predicate): void {
    switch (predicate.kind) {
      case 'psi-start':
        this.#start(predicate)
        break
      case 'psi-end': {
        const run = this.#runs.get(predicate.session)
        if (run !== undefined) this.#runs.set(predicate.session, { ...run, ended: true })
        break
      }
      case 'psi-set': {
        const { epoch, files } = this.set(predicate.set)
        const all = [...new Set([...files, predicate.file])]
        this.#sets.set(predicate.set, { epoch, files: all })
        break
      }
      case 'psi-rotation': {
        const epoch = Math.max(this.set(predicate.set).epoch, predicate.epoch)
        this.#sets.set(predicate.set, { epoch, files: [] })
        break
      }
      default:
      // of joint runs nothing is counted
    }
  }

  run(session: string): RecordedIntersection | undefined {
    return this.#runs.get(session)
  }

  /** Has this run ended well, or one that went on with it? */
  isFinished(session: string): boolean {
    const isOf = (run: RecordedIntersection) => run.ended && run.resumes === session
    return this.run(session)?.ended === true || [...this.#runs.values()].some(isOf)
  }

  /** How often a job has run. */
  runsOf(jobDigest: string): number {
    return this.#counted.get(jobDigest) ?? 0
  }

  /** How many items the holder of a verifier key has tested. */
  testedBy(key: string): number {
    return this.#tested.get(rawKey(key)) ?? 0
  }

  set(set: string): RecordedSet {
    return this.#sets.get(set) ?? { epoch: 0, files: [] }
  }

  #start({ session, jobDigest, input, resumes, counterparts }: PsiStart): void {
    this.#runs.set(session, {
      jobDigest,
      ...(input !== undefined && { input }),
      ...(resumes !== undefined && { resumes }),
      ended: false,
    })
    if (resumes === undefined) this.#counted.set(jobDigest, this.runsOf(jobDigest) + 1)
    for (const { key, items } of counterparts)
      if (items > 0) this.#tested.set(rawKey(key), this.testedBy(key) + items)
  }
}

function rawKey(key: string): string {
  return Buffer.from(parseVerifierKey(key).publicKey).toString('hex')
}
