import { randomBytes } from 'node:crypto'
import { canonicalDigest, SluiceError } from '@sluice/core'
import { isKeyName, parseVerifierKey } from '@sluice/ledger/keys'
import { z } from 'zod'
import { scaled } from '../../job/decimal.js'
import { MAXIMUM_LOGARITHM } from '../logarithm.js'
import { NORMALIZATIONS } from '../normalize.js'
import { checkPrepared, preparedInJob } from './prepared.js'

const VERSION = 'sluice-psi/1'
const MAXIMUM_ITEMS = 1 << 24
/** Totals are signed words of 64 bits. */
export const MAXIMUM_TOTAL = 2n ** 63n

const name = z.string().refine(isKeyName, 'no name')
const column = z.string().min(1).max(200)

/** How intersections are computed; docs/psi.md says which when. */
export const PSI_PROTOCOLS = ['ecdh', 'kkrt', 'rr22', 'helper', 'oprf'] as const
export type PsiProtocolName = (typeof PSI_PROTOCOLS)[number]

const schema = z.strictObject({
  version: z.literal(VERSION),
  purpose: z.string().min(1).max(2000),
  /** 32 hexadecimal digits: no two jobs are one */
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  parties: z
    .array(
      z.strictObject({
        name,
        key: z.string().max(400),
        host: z.string().min(1).max(253),
        port: z.int().min(1).max(65_535),
      }),
    )
    .min(2)
    .max(10),
  protocol: z.enum(PSI_PROTOCOLS),
  /** the party that owns no set and only helps, who must not put what it sees together with what another sees */
  helper: name.optional(),
  /** the set that was prepared once, with `oprf`: the other party tests its own against it */
  prepared: preparedInJob.optional(),
  /** the columns that make a key, in their order, by names that need not be those of anybody's file */
  key: z
    .array(z.strictObject({ name: column, normalize: z.array(z.enum(NORMALIZATIONS)).max(4) }))
    .min(1)
    .max(8),
  size: z.strictObject({
    /** a set has at least so many different keys */
    floor: z.int().min(1).max(MAXIMUM_ITEMS),
    /** and, as padded, at most so many */
    ceiling: z.int().min(1).max(MAXIMUM_ITEMS),
    /** sets are padded to a multiple of this, so that others learn no more of their size */
    step: z.int().min(1).max(MAXIMUM_ITEMS),
  }),
  /** who learns what; a party that is not named learns nothing but padded sizes */
  receivers: z
    .array(z.strictObject({ name, learns: z.enum(['which', 'count', 'sum']) }))
    .min(1)
    .max(10),
  /** the column that is totalled over the intersection */
  sum: z
    .strictObject({
      owner: name,
      column,
      scale: z.int().min(0).max(18),
      /** no value is beyond ± this, a decimal number as text */
      bound: z.string().max(40),
    })
    .optional(),
  /** columns of matched rows, from one party that learns which to another */
  payload: z.array(z.strictObject({ from: name, to: name, columns: z.array(column).min(1).max(50) })).max(10),
  /** an intersection smaller than this is not to be used; enforced by a helper, else the receiver's promise */
  minimumIntersection: z.int().min(0).max(MAXIMUM_ITEMS),
  quota: z.strictObject({
    /** how often this job may run */
    runs: z.int().min(1).max(1_000_000),
    /** with how many items one counterpart may ever test another's set, in all jobs together */
    lifetimeItems: z
      .int()
      .min(1)
      .max(2 ** 40),
  }),
  seconds: z.int().min(1).max(86_400),
})

/**
 * What the parties of an intersection sign: who takes part, what a key is, who learns what, how large sets may be and
 * how often one may ask. It holds no data.
 */
export type PsiJob = z.infer<typeof schema>

/** @throws SluiceError JOB_INVALID, naming the place */
export function parsePsiJob(value: unknown): PsiJob {
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw invalid(path.join('.') || 'job', message)
  }
  const job = parsed.data
  checkParties(job)
  checkSizes(job)
  checkReceivers(job)
  checkSum(job)
  checkPayload(job)
  checkPrepared(job, invalid)
  return job
}

/** What a new job gets beside its draft. */
export function freshPsiJob(
  random: (bytes: number) => Uint8Array = randomBytes,
): Pick<PsiJob, 'version' | 'nonce'> {
  return { version: VERSION, nonce: Buffer.from(random(16)).toString('hex') }
}

/** What is signed: SHA-256 of the job's canonical bytes (RFC 8785), 64 hexadecimal digits. */
export function psiJobDigest(job: PsiJob): string {
  return canonicalDigest(job)
}

/** The party's index. @throws SluiceError NAME_UNKNOWN */
export function psiPartyIndex(job: PsiJob, wanted: string): number {
  const index = job.parties.findIndex(({ name: party }) => party === wanted)
  if (index >= 0) return index
  throw new SluiceError('NAME_UNKNOWN', `"${wanted}" is no party of this job`, {
    rule: 'psi.parties',
    remedy: `Name one of ${job.parties.map(party => `"${party.name}"`).join(', ')}.`,
  })
}

/** Indices of the parties that bring a set to a session: a helper has none, and a prepared one was made before. */
export function psiOwners(job: PsiJob): number[] {
  const bringsNone = [job.helper, job.prepared?.owner]
  return [...job.parties.keys()].filter(index => !bringsNone.includes(job.parties[index]!.name))
}

/** What a party learns; undefined where it learns nothing. */
export function psiLearns(job: PsiJob, index: number): PsiJob['receivers'][number]['learns'] | undefined {
  return job.receivers.find(receiver => receiver.name === job.parties[index]!.name)?.learns
}

/**
 * Whether a party sees how many items are shared whatever it is to learn: of a total between two, the one without
 * values does, and holds the other to the minimum.
 */
export function psiSeesCount({ sum, protocol, parties }: PsiJob, index: number): boolean {
  return sum !== undefined && protocol === 'ecdh' && parties[index]!.name !== sum.owner
}

/** Whether another than the receiver holds it to the minimum: a helper, or whoever else sees how many are shared. */
export function psiEnforcesMinimum(job: PsiJob): boolean {
  if (job.helper !== undefined) return true
  return [...job.parties.keys()].some(
    index => psiSeesCount(job, index) && psiLearns(job, index) === undefined,
  )
}

/** How many items a set of so many different keys is padded to. @throws SluiceError PARAMETER_INVALID */
export function paddedSize({ size: { floor, ceiling, step } }: PsiJob, count: number): number {
  const padded = Math.max(1, Math.ceil(count / step)) * step
  if (count >= floor && padded <= ceiling) return padded
  throw new SluiceError(
    'PARAMETER_INVALID',
    count < floor
      ? `the input has fewer different keys than the ${floor} that the job asks for`
      : `the input has more different keys than the job allows: ${ceiling} as padded`,
    {
      rule: 'psi.size',
      remedy: 'Check the file and its key column, or agree on a job with other sizes.',
    },
  )
}

function checkParties({ parties, helper, protocol }: PsiJob): void {
  const names = parties.map(party => party.name)
  for (const [index, { key, name: party }] of parties.entries()) {
    if (parseVerifierKey(key).name !== party)
      throw invalid(`parties.${index}.key`, 'it is the key of another name')
  }
  if (new Set(names).size < names.length) throw invalid('parties', 'two parties have one name')
  if (new Set(parties.map(({ key }) => parseVerifierKey(key).publicKey.join())).size < names.length)
    throw invalid('parties', 'two parties have one key')
  if (helper !== undefined && !names.includes(helper)) throw invalid('helper', 'it is no party')
  if (protocol === 'helper' ? helper === undefined : helper !== undefined)
    throw invalid('helper', 'the protocol "helper" has one, and no other has')
  const owners = names.length - (helper === undefined ? 0 : 1)
  if (owners < 2) throw invalid('parties', 'two of them, at least, own a set')
  if (protocol !== 'helper' && owners > 2)
    throw invalid('protocol', 'more than two sets are intersected with a helper')
}

function checkSizes({ size: { floor, ceiling, step } }: PsiJob): void {
  if (floor > ceiling) throw invalid('size', 'the floor is above the ceiling')
  if (ceiling % step !== 0) throw invalid('size', 'the ceiling is no multiple of the step')
}

function checkReceivers({ parties, receivers, helper, sum, protocol }: PsiJob): void {
  const names = receivers.map(receiver => receiver.name)
  if (new Set(names).size < names.length) throw invalid('receivers', 'one is named twice')
  for (const { name: receiver, learns } of receivers) {
    if (!parties.some(party => party.name === receiver))
      throw invalid('receivers', `"${receiver}" is no party`)
    if (receiver === helper) throw invalid('receivers', 'the helper receives nothing')
    if (learns === 'sum' && sum === undefined) throw invalid('sum', 'it says nowhere what is totalled')
  }
  if (protocol === 'helper' && receivers.length > 1)
    throw invalid('receivers', 'with a helper, one party receives')
  if (sum !== undefined && receivers.length > 1) throw invalid('receivers', 'of a total, one party receives')
  if ((protocol === 'kkrt' || protocol === 'rr22') && receivers.some(({ learns }) => learns !== 'which'))
    throw invalid('receivers', 'this protocol tells which, and "ecdh" or "helper" how many')
}

function checkSum({ sum, receivers, protocol, parties, helper, size }: PsiJob): void {
  const wanted = receivers.some(({ learns }) => learns === 'sum')
  if (sum === undefined) return
  if (!wanted) throw invalid('sum', 'nobody receives it')
  if (protocol !== 'helper' && protocol !== 'ecdh')
    throw invalid('sum', 'a total needs the protocol "helper" or "ecdh"')
  if (sum.owner === helper || !parties.some(party => party.name === sum.owner))
    throw invalid('sum.owner', 'it is no owner of a set')
  const bound = scaled(sum.bound, sum.scale)
  if (bound === undefined || bound <= 0n) throw invalid('sum.bound', 'it is no positive number of this scale')
  if (bound * BigInt(size.ceiling) >= MAXIMUM_TOTAL)
    throw invalid('sum.bound', 'so many values of this bound could wrap a total')
  if (protocol === 'ecdh' && bound * BigInt(size.ceiling) > MAXIMUM_LOGARITHM)
    throw invalid(
      'sum.bound',
      `times the ceiling it is beyond ${MAXIMUM_LOGARITHM}, to where a total between two is searched for: take a smaller bound, ceiling or scale, or a helper`,
    )
}

function checkPayload({ payload, receivers, protocol }: PsiJob): void {
  const knows = (party: string): boolean =>
    receivers.some(receiver => receiver.name === party && receiver.learns === 'which')
  for (const [index, { from, to }] of payload.entries()) {
    if (protocol === 'helper') throw invalid(`payload.${index}`, 'with a helper, no columns are handed over')
    if (from === to || !knows(from) || !knows(to))
      throw invalid(`payload.${index}`, 'both it and its receiver have to learn which keys are shared')
  }
  if (new Set(payload.map(({ from }) => from)).size < payload.length)
    throw invalid('payload', 'one party is named twice')
}

function invalid(at: string, reason: string): SluiceError {
  return new SluiceError('JOB_INVALID', `the job is refused at ${at}: ${reason}`, {
    rule: 'psi.job',
    remedy: 'See docs/psi.md for a job that is right.',
    facts: { at },
  })
}
