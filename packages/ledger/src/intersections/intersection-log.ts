import { readFile } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'
import type { Signer } from '../keys/signer.js'
import { parseVerifierKey } from '../keys/verifier-key.js'
import { appendSigned, parseSigned, type Signed, type SignedLogForm } from '../store/signed-log.js'
import type { ExclusiveOptions } from '../store/types.js'

/** Another party, and with how many items it tests this party's. */
export interface IntersectionCounterpart {
  readonly name: string
  /** verifier key text: quotas count by key, whatever the name */
  readonly key: string
  /** items that it may learn something about; 0 where it learns nothing */
  readonly items: number
  /** its commitment to its input, 64 hexadecimal digits */
  readonly input?: string
}

/** An intersection that is about to be computed: from here on it counts, whether it ends well or not. */
export interface BegunIntersection {
  readonly kind: 'begun'
  /** digest of the job, 64 hexadecimal digits */
  readonly job: string
  readonly session: string
  /** this party's own items, as padded, and its commitment to them */
  readonly items: number
  readonly input?: string
  readonly counterparts: readonly IntersectionCounterpart[]
  /** the prepared set that is asked, and which of its keys answers */
  readonly prepared?: { readonly set: string; readonly epoch: number }
  /**
   * the session of an earlier run of this job over the same input, with which this one goes on: that one has counted
   * all items, and here are those that may be tested again
   */
  readonly resumes?: string
}

export interface EndedIntersection {
  readonly kind: 'ended'
  readonly job: string
  readonly session: string
  /** `done`, or the code of the error with which it ended */
  readonly outcome: string
  /** what this party learned of the intersection's size; never which items */
  readonly count?: number
}

/** A set that this party prepared, for others to test with its help. */
export interface PreparedIntersection {
  readonly kind: 'prepared'
  /** name of the set and digest of its file, 64 hexadecimal digits each */
  readonly set: string
  readonly file: string
  /** which key of the set it was prepared under, and when that is to be rotated */
  readonly epoch: number
  readonly expires: string
  /** as padded */
  readonly items: number
}

/** The key of a prepared set was replaced. */
export interface RotatedIntersection {
  readonly kind: 'rotated'
  readonly set: string
  /** of the new key */
  readonly epoch: number
  readonly expires: string
  /** how many files were prepared under keys before, since the rotation before: they are void */
  readonly voided: number
}

export type IntersectionRecord = Entry & Signed

export interface IntersectionLimits {
  /** how often this job may run */
  readonly runs: number
  /** with how many items one counterpart may ever have tested this party's, in all jobs together */
  readonly lifetimeItems: number
}

type Entry = BegunIntersection | EndedIntersection | PreparedIntersection | RotatedIntersection
type Begun = Omit<BegunIntersection, 'kind'>
type Options = ExclusiveOptions & { readonly now: () => Date }

const FORM: SignedLogForm = { domain: 'sluice/intersection/1', corrupt, unwritable }

/**
 * Counts an intersection against its quotas and records it, durably, before it is computed: in a file of mode 600 of
 * this party's own, signed and chained. Whoever alone holds the file can cut it, and with it the count: keep the
 * digest of its last line elsewhere.
 *
 * @throws SluiceError APPROVAL_EXHAUSTED where a quota would be overrun, JOB_MISMATCH where the key of the prepared set was
 *   replaced, LEDGER_CORRUPT where the file does not hold, LOCKED, DISK_FULL, FILE_MISSING, INTERRUPTED: then nothing may be computed
 */
export async function beginIntersection(
  path: string,
  begun: Begun,
  limits: IntersectionLimits,
  signer: Signer,
  options: Options,
): Promise<string> {
  const decide = (before: readonly Entry[]): Entry => {
    refuseBeyond(before, begun, limits)
    return { kind: 'begun', ...begun }
  }
  return (await appendSigned<Entry>(path, FORM, decide, signer, options)).digest
}

/** Records how it ended. @returns the digest of the new line, to be kept elsewhere */
export async function endIntersection(
  path: string,
  ended: Omit<EndedIntersection, 'kind'>,
  signer: Signer,
  options: Options,
): Promise<string> {
  return (await appendSigned<Entry>(path, FORM, () => ({ kind: 'ended', ...ended }), signer, options)).digest
}

/** Records that a set was prepared. @returns the digest of the new line, to be kept elsewhere */
export async function recordPrepared(
  path: string,
  prepared: Omit<PreparedIntersection, 'kind'>,
  signer: Signer,
  options: Options,
): Promise<string> {
  const decide = (): Entry => ({ kind: 'prepared', ...prepared })
  return (await appendSigned<Entry>(path, FORM, decide, signer, options)).digest
}

/** Records that a prepared set's key was replaced. @returns how many files are void by it, and the new line's digest */
export async function recordRotated(
  path: string,
  rotated: Omit<RotatedIntersection, 'kind' | 'voided'>,
  signer: Signer,
  options: Options,
): Promise<{ readonly voided: number; readonly digest: string }> {
  let voided = 0
  const decide = (before: readonly Entry[]): Entry => {
    const ofSet = before.filter(entry => 'set' in entry && entry.set === rotated.set)
    const since = ofSet.slice(ofSet.findLastIndex(({ kind }) => kind === 'rotated') + 1)
    voided = new Set(since.map(entry => (entry as PreparedIntersection).file)).size
    return { kind: 'rotated', ...rotated, voided }
  }
  const { digest } = await appendSigned<Entry>(path, FORM, decide, signer, options)
  return { voided, digest }
}

/** @throws SluiceError FILE_MISSING, LEDGER_CORRUPT */
export async function readIntersections(
  path: string,
): Promise<{ readonly records: readonly IntersectionRecord[]; readonly digest: string }> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new SluiceError('FILE_MISSING', `the record of intersections cannot be read (${cause.code})`, {
      remedy: 'Check the path; a party’s record is made when it first takes part.',
      cause,
    })
  })
  return parseSigned<Entry>(bytes, FORM)
}

function refuseBeyond(before: readonly Entry[], begun: Begun, limits: IntersectionLimits): void {
  const { prepared } = begun
  const isReplaced = (entry: Entry) =>
    entry.kind === 'rotated' && entry.set === prepared?.set && entry.epoch > prepared.epoch
  if (before.some(isReplaced)) throw replaced()
  const earlier = before.filter(entry => entry.kind === 'begun')
  const ofJob = earlier.filter(({ job, resumes }) => job === begun.job && resumes === undefined)
  if (begun.resumes !== undefined) {
    const first = ofJob.find(({ session }) => session === begun.resumes)
    if (first === undefined || first.input !== begun.input) throw nothingToResume()
  } else if (ofJob.length >= limits.runs) {
    const runs = ofJob.length
    throw new SluiceError('APPROVAL_EXHAUSTED', `this job has run ${runs} times, and may no more`, {
      rule: 'psi.runs',
      remedy: 'Agree on a new job; one that broke off has counted too.',
      facts: { runs },
    })
  }
  for (const { name, key, items } of begun.counterparts) {
    const used = earlier
      .flatMap(({ counterparts }) => counterparts)
      .filter(counterpart => sameKey(counterpart.key, key))
      .reduce((sum, counterpart) => sum + counterpart.items, 0)
    if (used + items <= limits.lifetimeItems) continue
    throw new SluiceError(
      'APPROVAL_EXHAUSTED',
      `"${name}" has tested ${used} items, and with ${items} more would be beyond its quota`,
      {
        rule: 'psi.quota',
        remedy: 'Agree on a job with a larger quota, if so many questions are meant to be answered.',
        facts: { party: name, used, items, quota: limits.lifetimeItems },
      },
    )
  }
}

/** Whoever waits for the other party has read the key before. */
function replaced(): SluiceError {
  return new SluiceError(
    'JOB_MISMATCH',
    'the key is another than the one that the job’s set was prepared under',
    {
      rule: 'psi.rotation',
      remedy: 'After a rotation, prepare the set again and agree on a job with the new file.',
    },
  )
}

function nothingToResume(): SluiceError {
  return new SluiceError('JOB_MISMATCH', 'the run that this one would go on with was never recorded', {
    rule: 'psi.kept',
    remedy: 'Use the record of that run, or remove what was kept of it and begin anew.',
  })
}

/** A verifier key's text has its holder's name in it; the key itself counts. */
function sameKey(one: string, other: string): boolean {
  const [a, b] = [one, other].map(text => Buffer.from(parseVerifierKey(text).publicKey).toString('hex'))
  return a === b
}

function unwritable(cause: unknown): SluiceError {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SluiceError('DISK_FULL', 'the disk is full; nothing was computed', {
      remedy: 'Free some space and run the same command again.',
      cause,
    })
  }
  return new SluiceError(
    'FILE_MISSING',
    `the record of intersections cannot be written (${code}); nothing was computed`,
    { remedy: 'Check that its directory exists and that you may write there.', cause },
  )
}

function corrupt(line: number): SluiceError {
  return new SluiceError('LEDGER_CORRUPT', `record ${line} of the intersections does not hold`, {
    rule: 'psi.chain',
    remedy: 'Keep the file as it is and find out who changed it; without it no quota can be counted.',
    facts: { line },
  })
}
