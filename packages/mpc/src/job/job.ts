import { randomBytes } from 'node:crypto'
import { canonicalDigest, isSluiceError } from '@sluice/core'
import { decodePlan, type Plan } from '@sluice/core/plan'
import { isKeyName, parseVerifierKey } from '@sluice/ledger/keys'
import { z } from 'zod'
import { codeBits } from './code.js'
import { scaled } from './decimal.js'
import { checkField, checkTests } from './field.js'
import type { InputForm } from './input.js'
import { invalid, ofOperation } from './invalid.js'
import { checkPicked, checkPickedTogether } from './ordered.js'
import { queryOf } from './query.js'
import { checkRoles, sharing } from './roles.js'
import { statistic } from './statistics/schema.js'
import { checkStatistic } from './statistics/statistic.js'

const VERSION = 'sluice-joint/2'
const MAXIMUM_ROWS = 100_000_000
const MAXIMUM_VALUE = 2n ** 62n
const MAXIMUM_CODE_BITS = 256

const principal = z.string().refine(isKeyName, 'no name')
const identifier = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/)
const hexadecimal = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`))

const numeric = z.strictObject({
  kind: z.literal('number'),
  /** digits after the decimal point: 2 for amounts in yuan and fen */
  scale: z.int().min(0).max(18),
  /** no value is beyond ± this, a decimal number as text; it shows that no total can wrap */
  bound: z.string().max(40),
  /** its owner allows that one of its values is opened, as extremes, quantiles and thresholds are */
  orderStatistics: z.literal(true).exactOptional(),
})
const category = z.strictObject({
  kind: z.literal('category'),
  /** the public list; a row with any other text is in none */
  categories: z.array(z.string().min(1).max(200)).min(1).max(1000),
})
/** Texts that no public list names, such as the credit codes of companies: keys of groups and joins, still secret. */
const code = z.strictObject({
  kind: z.literal('code'),
  /** the characters that a code may have, each once; codes are ordered by it */
  alphabet: z.string().min(1).max(200),
  /** characters of the longest */
  length: z.int().min(1).max(64),
})

const column = z.strictObject({
  name: z.string().min(1).max(200),
  type: z.discriminatedUnion('kind', [numeric, category, code]),
  nullable: z.boolean(),
})

/** A table of one owner, as the parties see it: its columns and what tells this table from another, no values. */
const inputSchema = z.strictObject({
  name: identifier,
  owner: principal,
  /**
   * The column that says who a row is. One that is not among the columns is text, names every row's entity once, and
   * does not leave, not even shared. One that is among them is shared like the others, and an entity may have many rows.
   */
  entity: z.string().min(1).max(200),
  /** its owner says that its rows are nobody, such as a list of districts: where it is looked up, nobody is counted for it */
  reference: z.literal(true).exactOptional(),
  rows: z.int().min(0).max(MAXIMUM_ROWS),
  /** `fingerprint` of this table by its owner */
  fingerprint: hexadecimal(64),
  columns: z.array(column).min(1).max(200),
})

const operation = z.strictObject({
  name: identifier,
  /** what is computed, over the inputs by their names: a plan of `@sluice/core/plan` */
  plan: z.custom<Plan>(value => typeof value === 'object' && value !== null),
  /** where it is given, the plan is of rows, and this of their columns is opened */
  statistic: statistic.exactOptional(),
  /** parties, of either role, to whom it is opened */
  receivers: z.array(principal).min(1).max(16),
})

const schema = z.strictObject({
  version: z.literal(VERSION, 'a draft, of which a job is still to be made, or a job of another version'),
  purpose: z.string().min(1).max(2000),
  /** 32 hexadecimal digits: no two jobs are one */
  nonce: hexadecimal(32),
  /** where it is not given, replicated sharing among three */
  sharing: sharing.exactOptional(),
  /** those who compute, then a dealer where there is one, then any number of providers, who give inputs and may receive */
  parties: z
    .array(
      z.discriminatedUnion('role', [
        z.strictObject({
          name: principal,
          role: z.literal('computing'),
          key: z.string().max(400),
          host: z.string().min(1).max(253),
          port: z.int().min(1).max(65_535),
        }),
        z.strictObject({ name: principal, role: z.literal('dealer'), key: z.string().max(400) }),
        z.strictObject({ name: principal, role: z.literal('provider'), key: z.string().max(400) }),
      ]),
    )
    .min(3)
    .max(16),
  inputs: z.array(inputSchema).min(1).max(16),
  operations: z.array(operation).min(1).max(16),
  /** no cell of fewer entities is opened */
  minimumEntities: z.int().min(1).max(1_000_000),
  limits: z.strictObject({
    /** for the whole session */
    seconds: z.int().min(1).max(604_800),
    /** that one party may send and receive, together */
    bytes: z
      .int()
      .min(1)
      .max(2 ** 50),
    /** memory that one party may need for shared columns, in bytes */
    memory: z
      .int()
      .min(2 ** 20)
      .max(2 ** 40),
  }),
})

/**
 * What the parties of a joint computation sign: who takes part in which role, whose tables of which columns, what is
 * computed and opened to whom, from how many entities on, and within which limits. It holds no data, but categories
 * and constants are public.
 */
export type JointJob = z.infer<typeof schema>
export type JointInput = JointJob['inputs'][number]
export type JointColumn = JointInput['columns'][number]
export type JointOperation = JointJob['operations'][number]
export type { Statistic } from './statistics/schema.js'
export type CodeType = z.infer<typeof code>

/** @throws SluiceError JOB_INVALID, naming the place; what `queryOf` throws where an operation is none */
export function parseJob(value: unknown): JointJob {
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw invalid(path.join('.') || 'job', message)
  }
  const job = {
    ...parsed.data,
    operations: parsed.data.operations.map((given, index) => ({ ...given, plan: planAt(given.plan, index) })),
  }
  checkParties(job)
  checkInputs(job)
  checkOperations(job)
  return job
}

/**
 * What an owner says of a table before its rows are known, as it stands in a draft.
 *
 * @throws SluiceError JOB_INVALID, naming the place
 */
export function parseInputForm(value: unknown): InputForm {
  const parsed = inputSchema.omit({ rows: true, fingerprint: true }).safeParse(value)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw invalid(path.join('.') || 'input', message)
  }
  checkColumns(parsed.data, 'input')
  return parsed.data
}

/** What a new job gets beside its draft. */
export function freshJob(
  random: (bytes: number) => Uint8Array = randomBytes,
): Pick<JointJob, 'version' | 'nonce'> {
  return { version: VERSION, nonce: Buffer.from(random(16)).toString('hex') }
}

/** What is signed: SHA-256 of the job's canonical bytes (RFC 8785), 64 hexadecimal digits. */
export function jobDigest(job: JointJob): string {
  return canonicalDigest(job)
}

export function partyIndex(job: Pick<JointJob, 'parties'>, wanted: string, at = 'parties'): number {
  const index = job.parties.findIndex(({ name }) => name === wanted)
  if (index < 0) throw invalid(at, `there is no party "${wanted}"`)
  return index
}

/** Whether the column that says who a row is is shared, and may name an entity in many rows. */
export function sharesEntity({ entity, columns }: Pick<JointInput, 'entity' | 'columns'>): boolean {
  return columns.some(({ name }) => name === entity)
}

function planAt(plan: unknown, index: number): Plan {
  try {
    return decodePlan(plan)
  } catch (error) {
    if (!isSluiceError(error)) throw error
    throw invalid(`operations.${index}.plan`, error.message)
  }
}

function checkParties(job: JointJob): void {
  const { parties } = job
  checkRoles(job)
  for (const [index, { key, name: party }] of parties.entries()) {
    if (parseVerifierKey(key).name !== party)
      throw invalid(`parties.${index}.key`, 'it is the key of another name')
  }
  if (new Set(parties.map(({ name }) => name)).size < parties.length)
    throw invalid('parties', 'two parties have one name')
  if (new Set(parties.map(({ key }) => parseVerifierKey(key).publicKey.join())).size < parties.length) {
    throw invalid('parties', 'two parties have one key, and could read everything')
  }
}

function checkInputs(job: JointJob): void {
  if (new Set(job.inputs.map(({ name }) => name)).size < job.inputs.length) {
    throw invalid('inputs', 'two inputs have one name')
  }
  for (const [index, input] of job.inputs.entries()) {
    partyIndex(job, input.owner, `inputs.${index}.owner`)
    checkColumns(input, `inputs.${index}`)
  }
}

function checkColumns({ columns, entity }: Pick<JointInput, 'columns' | 'entity'>, at: string): void {
  const shared = columns.find(({ name }) => name === entity)
  const names = [...(shared ? [] : [entity]), ...columns.map(({ name }) => name)].map(name =>
    name.toLowerCase(),
  )
  if (new Set(names).size < names.length) throw invalid(`${at}.columns`, 'two columns have one name')
  if (shared !== undefined && (shared.nullable || shared.type.kind === 'category')) {
    throw invalid(`${at}.entity`, 'an entity that is shared is a code or a number, and never null')
  }
  for (const [index, { type }] of columns.entries()) {
    const place = `${at}.columns.${index}.type`
    if (type.kind === 'code') {
      if (new Set(type.alphabet).size < [...type.alphabet].length)
        throw invalid(place, 'a character of the alphabet is there twice')
      const bits = codeBits(type).reduce((sum, word) => sum + word, 0)
      if (bits > MAXIMUM_CODE_BITS)
        throw invalid(place, `such a code has ${bits} bits, and at most ${MAXIMUM_CODE_BITS}`)
      continue
    }
    if (type.kind === 'category') {
      if (new Set(type.categories).size < type.categories.length)
        throw invalid(place, 'one category is named twice')
      continue
    }
    const bound = scaled(type.bound, type.scale)
    if (bound === undefined || bound <= 0n)
      throw invalid(place, 'the bound is no positive number of this scale')
    if (bound >= MAXIMUM_VALUE) throw invalid(place, 'the bound, scaled, is 2^62 or more')
  }
}

function checkOperations(job: JointJob): void {
  if (new Set(job.operations.map(({ name }) => name)).size < job.operations.length) {
    throw invalid('operations', 'two operations have one name')
  }
  const queries = job.operations.map(given => {
    try {
      const query = queryOf(job, given)
      checkField(job, given, query)
      checkStatistic(job, given, query)
      checkPicked(job, query)
      return query
    } catch (error) {
      throw ofOperation(given.name, error)
    }
  })
  for (const [index, { receivers }] of job.operations.entries()) {
    const at = `operations.${index}.receivers`
    for (const receiver of receivers) partyIndex(job, receiver, at)
    if (new Set(receivers).size < receivers.length) throw invalid(at, 'one is named twice')
  }
  checkPickedTogether(job.operations.map(({ name }, index) => ({ name, query: queries[index]! })))
  checkTests(job, queries)
}
