import { generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { canonicalBytes } from '@sluice/core'
import { checkDisclosure } from '@sluice/core/disclosure'
import { openCheckedResult } from '@sluice/core/disclosure/open'
import {
  type AggregationDraft,
  add,
  aggregationBytes,
  aggregationDigest,
  audit,
  type Cells,
  contribute,
  createAggregation,
  HE_ENGINE,
  HeExecutor,
  type HeInputs,
  MemorySink,
  memorySource,
  type NewAggregation,
  type Signer,
} from '@sluice/core/he'
import {
  type ApprovedPlan,
  approvePlan,
  type DatasetFacts,
  type Plan,
  type ReviewedPlan,
} from '@sluice/core/plan'
import type { Table } from 'apache-arrow'
import { approvalInput, reviewed } from '../plan/approved.ts'
import { column, dataset, Plans, planOf } from '../plan/plans.ts'

/** One thread of the caller's: the tests of threads ask for theirs. */
export const INLINE = { threads: 0 }

export type Lanes = ConstructorParameters<typeof HeExecutor>[0]

interface Person extends Signer {
  readonly party: { readonly name: string; readonly key: string }
}

const keys = new Map<string, KeyObject>()

/** Somebody with an Ed25519 key. */
export function person(name: string): Person {
  const pair = generateKeyPairSync('ed25519')
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  keys.set(publicKey, pair.publicKey)
  return {
    name,
    publicKey,
    party: { name, key: publicKey },
    sign: async bytes => sign(null, bytes, pair.privateKey),
  }
}

export const verifySignature = (key: string, bytes: Uint8Array, signature: Uint8Array): boolean => {
  const known = keys.get(key)
  return known !== undefined && signature.length === 64 && verify(null, bytes, known, signature)
}

export const KEY_HOLDER = person('treasury')
export const ADDER = person('operator')
export const AUDITOR = person('auditor')
export const DISTRICTS = Array.from({ length: 12 }, (_, index) => person(`district-${index + 1}`))

export const SUBSIDIES = dataset(
  'subsidies',
  ['programme_name', 'amount', 'age'],
  `version: 1
owner: bureau
grade: 1
entity: row
disclosure: {minimumEntities: 3, step: {rows: 1}}
purposes: [credit-risk]
consumers: [insurer]
columns:
  programme_name: {role: attribute, uses: [group, filter], values: public}
  amount: {role: measure, uses: [aggregate, filter]}
  age: {role: quasi, uses: [aggregate, extreme, group, filter]}
`,
)

/** SELECT programme, sum(amount) AS total, count(*) AS grants FROM subsidies GROUP BY programme */
export function totals(): Plan {
  const plans = new Plans()
  const scan = plans.scan('subsidies', 'programme_name', 'amount')
  return planOf(
    plans.aggregate(
      scan,
      { programme: column(scan, 'programme_name') },
      {
        total: ['sum', column(scan, 'amount'), { type: { kind: 'integer', bits: 128, signed: true } }],
        grants: ['count', null],
      },
    ),
  )
}

export const PROGRAMMES = ['housing', 'farming', 'school']

export function draft(plan: ReviewedPlan, more: Partial<AggregationDraft> = {}): AggregationDraft {
  return {
    reviewed: plan,
    groups: { kind: 'list', keys: PROGRAMMES.map(name => [name]) },
    columns: { amount: { minimum: '0', maximum: '1000000' }, age: { minimum: '0', maximum: '120' } },
    rowsPerGroup: 1000,
    contributors: DISTRICTS.map(({ party }) => party),
    minimumContributors: 3,
    keyHolder: KEY_HOLDER.party,
    adder: ADDER.party,
    auditor: AUDITOR.party,
    ...more,
  }
}

export interface Round extends NewAggregation {
  readonly plan: ReviewedPlan
}

export async function begin(
  plan: Plan = totals(),
  more: Partial<AggregationDraft> = {},
  datasets: readonly DatasetFacts[] = [SUBSIDIES],
): Promise<Round> {
  const checked = reviewed(plan, datasets)
  return { ...(await createAggregation(draft(checked, more))), plan: checked }
}

export async function contribution(
  round: Round,
  signer: Signer,
  cells: Cells,
  options = {},
): Promise<Uint8Array> {
  const sink = new MemorySink()
  const { aggregation, publicKey } = round
  await contribute(aggregation, { publicKey, signer, cells }, sink, { ...INLINE, ...options })
  return sink.bytes()
}

export async function sumOf(
  round: Round,
  contributions: readonly Uint8Array[],
  options = {},
): Promise<Uint8Array> {
  const sink = new MemorySink()
  const input = { contributions: sources(contributions), signer: ADDER, verify: verifySignature }
  await add(round.aggregation, input, sink, { ...INLINE, ...options })
  return sink.bytes()
}

export function auditOf(
  round: Round,
  sum: Uint8Array,
  contributions: readonly Uint8Array[],
  options = {},
): Promise<Uint8Array> {
  const input = {
    sum: memorySource('sum', sum),
    contributions: sources(contributions),
    signer: AUDITOR,
    verify: verifySignature,
  }
  return audit(round.aggregation, input, { ...INLINE, ...options })
}

export const sources = (files: readonly Uint8Array[]) =>
  files.map((bytes, index) => memorySource(`file ${index + 1}`, bytes))

export function approvedFor(round: Pick<Round, 'aggregation' | 'plan'>): ApprovedPlan {
  const input = approvalInput(round.plan)
  const digest = aggregationDigest(round.aggregation)
  return approvePlan({
    ...input,
    engine: HE_ENGINE,
    request: { ...input.request, digest, engine: HE_ENGINE },
    approvals: input.approvals.map(approval => ({ ...approval, requestDigest: digest })),
  })
}

export function inputs(round: Round, sum: Uint8Array, audited: Uint8Array | null): HeInputs {
  return {
    aggregation: round.aggregation,
    request: aggregationBytes(round.aggregation),
    sum: memorySource('sum', sum),
    audit: audited,
    secretKey: round.secretKey,
    verify: verifySignature,
    claim: async () => undefined,
  }
}

export async function opened(round: Round, given: HeInputs, lanes: Lanes = INLINE): Promise<Table> {
  const raw = await new HeExecutor(lanes).execute(approvedFor(round), given)
  return openCheckedResult(await checkDisclosure(raw)).table
}

/** From cells to the released table, through everybody's part. */
export async function run(round: Round, cells: readonly Cells[], signers: readonly Signer[] = DISTRICTS) {
  const contributions = await Promise.all(
    cells.map((own, index) => contribution(round, signers[index]!, own)),
  )
  const sum = await sumOf(round, contributions)
  const audited = round.aggregation.auditor === null ? null : await auditOf(round, sum, contributions)
  return { contributions, sum, audited, table: await opened(round, inputs(round, sum, audited)) }
}

export async function runsOf<T>(runs: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const run of runs) all.push(run)
  return all
}

export function rowsOf(table: Table): Record<string, unknown>[] {
  return table.toArray().map(row => row.toJSON() as Record<string, unknown>)
}

/** What somebody with a key of their own can make of a file: another statement, signed again. */
export async function resigned(bytes: Uint8Array, signer: Signer, change: object = {}): Promise<Uint8Array> {
  const length = Buffer.from(bytes).readUInt32LE(8)
  const said = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + length))) as object
  const statement = canonicalBytes({ ...said, ...change })
  const signature = await signer.sign(
    Buffer.concat([Buffer.from('sluice homomorphic aggregation v1\n'), statement]),
  )
  const head = Buffer.from(bytes.slice(0, 12))
  head.writeUInt32LE(statement.length, 8)
  return Buffer.concat([head, statement, signature, bytes.subarray(12 + length + 64)])
}
