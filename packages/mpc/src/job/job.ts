import { randomBytes } from 'node:crypto'
import { canonicalDigest, SluiceError } from '@sluice/core'
import { isKeyName, parseVerifierKey } from '@sluice/ledger/keys'
import { z } from 'zod'
import { scaled } from './decimal.js'

const name = z.string().refine(isKeyName, 'no name')
const VERSION = 'sluice-joint/1'
const MAXIMUM_ROWS = 10_000_000
const MAXIMUM_CELLS = 10_000
const MAXIMUM_VALUE = 2n ** 62n
const MAXIMUM_TOTAL = 2n ** 63n

const numeric = z.strictObject({
  kind: z.literal('number'),
  /** digits after the decimal point: 2 for amounts in yuan and fen */
  scale: z.int().min(0).max(18),
  /** no value is beyond ± this, a decimal number as text; it shows that no total can wrap */
  bound: z.string().max(40),
})
const category = z.strictObject({
  kind: z.literal('category'),
  /** the public list; a row with any other text is in none */
  categories: z.array(z.string().min(1).max(200)).min(1).max(1000),
})

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
    .length(3),
  /** every owner has so many rows, one for each entity, in the same order */
  rows: z.int().min(0).max(MAXIMUM_ROWS),
  columns: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(200),
        owner: name,
        type: z.discriminatedUnion('kind', [numeric, category]),
        nullable: z.boolean(),
      }),
    )
    .min(1)
    .max(200),
  /** rows for which all of these hold */
  where: z
    .array(
      z.strictObject({
        column: z.string(),
        is: z.enum(['<', '<=', '=', '!=', '>=', '>']),
        than: z.union([
          z.strictObject({ value: z.string().max(200) }),
          z.strictObject({ column: z.string() }),
        ]),
      }),
    )
    .max(50),
  groupBy: z.array(z.string()).max(8),
  /** a count and a sum of each of these columns' values; at least the count of rows is given */
  totals: z.array(z.string()).max(50),
  minimumEntities: z.int().min(1).max(1_000_000),
  receivers: z.array(name).min(1).max(3),
  seconds: z.int().min(1).max(86_400),
})

/**
 * What the parties of a joint computation sign: who takes part, whose columns of which type, what is totalled by what,
 * from how many entities on, and who receives it. It holds no data, but categories and constants are public.
 */
export type JointJob = z.infer<typeof schema>
export type JointColumn = JointJob['columns'][number]
export type NumberType = z.infer<typeof numeric>
export type Condition = JointJob['where'][number]

/** @throws SluiceError JOB_INVALID, naming the place */
export function parseJob(value: unknown): JointJob {
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw invalid(path.join('.') || 'job', message)
  }
  const job = parsed.data
  checkParties(job)
  checkColumns(job)
  checkUses(job)
  return job
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

export function columnOf(job: JointJob, wanted: string): JointColumn {
  const column = job.columns.find(({ name }) => name === wanted)
  if (column === undefined) throw invalid('columns', `there is no column "${wanted}"`)
  return column
}

export function partyIndex(job: JointJob, wanted: string): 0 | 1 | 2 {
  const index = job.parties.findIndex(({ name }) => name === wanted)
  if (index < 0) throw invalid('parties', `there is no party "${wanted}"`)
  return index as 0 | 1 | 2
}

function checkParties({ parties, columns, receivers }: JointJob): void {
  const names = parties.map(party => party.name)
  for (const [index, { key, name: party }] of parties.entries()) {
    if (parseVerifierKey(key).name !== party)
      throw invalid(`parties.${index}.key`, 'it is the key of another name')
  }
  if (new Set(names).size < 3) throw invalid('parties', 'two parties have one name')
  if (new Set(parties.map(({ key }) => parseVerifierKey(key).publicKey.join())).size < 3) {
    throw invalid('parties', 'two parties have one key, and could read everything')
  }
  for (const owner of [...columns.map(column => column.owner), ...receivers]) {
    if (!names.includes(owner)) throw invalid('parties', `there is no party "${owner}"`)
  }
  if (new Set(receivers).size < receivers.length) throw invalid('receivers', 'one is named twice')
}

function checkColumns({ columns, rows }: JointJob): void {
  if (new Set(columns.map(({ name }) => name)).size < columns.length) {
    throw invalid('columns', 'two columns have one name')
  }
  for (const [index, { type }] of columns.entries()) {
    const at = `columns.${index}.type`
    if (type.kind === 'category') {
      if (new Set(type.categories).size < type.categories.length)
        throw invalid(at, 'one category is named twice')
      continue
    }
    const bound = scaled(type.bound, type.scale)
    if (bound === undefined || bound <= 0n) throw invalid(at, 'the bound is no positive number of this scale')
    if (bound >= MAXIMUM_VALUE) throw invalid(at, 'the bound, scaled, is 2^62 or more')
    if (bound * BigInt(rows) >= MAXIMUM_TOTAL)
      throw invalid(at, 'so many rows of this bound could wrap a total')
  }
}

function checkUses(job: JointJob): void {
  const numberNamed = (wanted: string, at: string): NumberType => {
    const { type } = columnOf(job, wanted)
    if (type.kind !== 'number') throw invalid(at, `"${wanted}" is no number`)
    return type
  }
  for (const wanted of job.totals) numberNamed(wanted, 'totals')
  let cells = 1
  for (const wanted of job.groupBy) {
    const { type } = columnOf(job, wanted)
    if (type.kind !== 'category') throw invalid('groupBy', `"${wanted}" is no category`)
    cells *= type.categories.length
  }
  if (cells > MAXIMUM_CELLS)
    throw invalid('groupBy', `there are ${cells} cells, and at most ${MAXIMUM_CELLS}`)
  for (const list of [job.groupBy, job.totals]) {
    if (new Set(list).size < list.length) throw invalid('groupBy', 'a column is named twice')
  }
  for (const [index, { column, is, than }] of job.where.entries()) {
    const at = `where.${index}`
    const { type } = columnOf(job, column)
    if (type.kind === 'category') {
      const known = 'value' in than && type.categories.includes(than.value)
      if (!known || !['=', '!='].includes(is)) throw invalid(at, 'a category is only = or != one of its list')
    } else if ('column' in than) {
      if (numberNamed(than.column, at).scale !== type.scale)
        throw invalid(at, 'the two columns differ in scale')
    } else {
      const value = scaled(than.value, type.scale)
      const within = value !== undefined && value < MAXIMUM_VALUE && value > -MAXIMUM_VALUE
      if (!within) throw invalid(at, 'the value is no number of this scale, or 2^62 or more')
    }
  }
}

function invalid(at: string, reason: string): SluiceError {
  return new SluiceError('JOB_INVALID', `the job is refused at ${at}: ${reason}`, {
    rule: 'job',
    remedy: 'docs/mpc.md has a job that is right',
    facts: { at },
  })
}
