import { createHash } from 'node:crypto'
import { canonicalBytes, SluiceError, unreachable } from '@sluice/core'
import { arrowTypeOf } from '@sluice/core/columns'
import { type Evidence, type RawResult, sealRawResult } from '@sluice/core/disclosure'
import {
  ApprovedPlan,
  type ExecuteOptions,
  type Executor,
  type Expression,
  expressionsIn,
  outputColumns,
  type ReviewedPlan,
  type ScalarType,
} from '@sluice/core/plan'
import { makeData, Table, Vector, vectorFromArray } from 'apache-arrow'
import { scaled } from '../job/decimal.js'
import { compareTexts } from '../job/input.js'
import { type JointJob, jobDigest } from '../job/job.js'
import { MPC_ENGINE, type Query, queryOf } from '../job/query.js'
import type { JointTable } from '../job/result.js'
import { sharingOf } from '../job/roles.js'
import { type RunJointOptions, runJoint } from './joint.js'

/** What an operator has for one run: the job, and what it takes to be one of its parties. */
export interface MpcInputs extends Omit<RunJointOptions, 'signal'> {
  /** of one operation, whose plan is the approved one, opened to this party */
  readonly job: JointJob
  /** the canonical bytes of the approved request: JSON whose field `aggregation` is the job's digest */
  readonly request: Uint8Array
}

/**
 * A zone's approved plan as a joint job: the operator takes part in it, the minimum of entities is held on shares, and
 * what was opened goes on to the disclosure check as every engine's result does. Evidence is what passing the minimum
 * shows, and no more: plans whose policies demand more are refused.
 */
export class MpcExecutor implements Executor<MpcInputs> {
  readonly engine = MPC_ENGINE

  /**
   * @throws SluiceError APPROVAL_MISMATCH where job, request and plan are not the approved ones; EVIDENCE_UNDEFINED,
   *   SQL_REFUSED where the plan does not run here; what `runJoint` throws
   */
  async execute(approved: ApprovedPlan, inputs: MpcInputs, options: ExecuteOptions = {}): Promise<RawResult> {
    const started = performance.now()
    const { reviewed, requestDigest } = ApprovedPlan.check(approved)
    const { job, request, onEvent, ...party } = inputs
    assertApproved(job, request, requestDigest, reviewed)
    const [operation] = job.operations
    const query = queryOf(job, operation!)
    assertEvidence(reviewed, job, query)
    if (!operation!.receivers.includes(party.signer.name)) {
      throw mismatch('the job opens its result to others than this party')
    }
    const { tables } = await runJoint(job, {
      ...party,
      ...(options.signal !== undefined && { signal: options.signal }),
      onEvent: event => {
        if (event.kind === 'computing') {
          const fraction = event.of === 0 ? 1 : event.rows / event.of
          options.onProgress?.({ stage: event.operation, fraction })
        }
        onEvent?.(event)
      },
    })
    const [table] = tables
    return sealRawResult({
      approved,
      table: arrowOf(table!, reviewed),
      keep: null,
      keepDependsOn: [],
      rank: null,
      rankDependsOn: [],
      keyRank: keyRankOf(table!, query),
      limit: null,
      evidence: evidenceOf(table!, reviewed, query, job.minimumEntities),
      isolation: 'process',
      milliseconds: performance.now() - started,
    })
  }
}

function assertApproved(
  job: JointJob,
  request: Uint8Array,
  requestDigest: string,
  { plan }: ReviewedPlan,
): void {
  if (createHash('sha256').update(request).digest('hex') !== requestDigest)
    throw mismatch('the request is not the approved one')
  if (namedBy(request) !== jobDigest(job)) throw mismatch('the approved request is for another job')
  const [operation, ...others] = job.operations
  const beyond = others.length > 0 || operation!.statistic !== undefined
  if (beyond || Buffer.compare(canonicalBytes(operation!.plan), canonicalBytes(plan)) !== 0)
    throw mismatch('the job computes something else than the approved plan')
}

function namedBy(request: Uint8Array): unknown {
  try {
    const { aggregation } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(request))
    return aggregation
  } catch {
    return undefined
  }
}

/** A row is an entity, and that enough of them stand behind a cell is all that is known of it. */
function assertEvidence(
  { obligations, release, scans, datasets }: ReviewedPlan,
  job: JointJob,
  query: Query,
): void {
  if (release.mode !== 'aggregate' && release.mode !== 'public')
    throw undefinedFor('release', 'single rows are never opened')
  for (const { source, dataset, entity, minimumEntities, dominance, pPercent } of obligations) {
    const input = query.inputs.find(({ name }) => name === scans[source]!.dataset)
    if (entity.kind === 'column' && (entity.column !== input?.entity || input.reference === true))
      throw undefinedFor('entity', `"${dataset}" protects other entities than the job’s rows`)
    if (dominance !== null || pPercent !== null)
      throw undefinedFor('dominance', `the policy of "${dataset}" asks for the largest contributions`)
    if (minimumEntities > job.minimumEntities)
      throw undefinedFor('minimum', `the policy of "${dataset}" asks for more entities than the job`)
  }
  if (release.mode !== 'aggregate') return
  const counted = release.cells.some(
    ({ contributes, complement, differences }) =>
      complement !== null || differences.length > 0 || multiplies(contributes),
  )
  if (!counted) return
  if (sharingOf(job).kind !== 'replicated')
    throw undefinedFor('sharing', 'rows that an aggregate leaves out are counted by replicated sharing alone')
  if (datasets.some(({ policy }) => policy.entity.kind === 'none'))
    throw undefinedFor('public', 'the job takes every table for protected, and one is public reference data')
}

function evidenceOf(
  { rows }: JointTable,
  { obligations, release }: ReviewedPlan,
  query: Query,
  minimum: number,
): Evidence[] {
  if (release.mode !== 'aggregate') return []
  const enough = (opened: (row: readonly (string | null)[]) => boolean) => ({
    entities: Float64Array.from(rows, row => (opened(row) ? minimum : 0)),
    exact: new Uint8Array(rows.length),
    contributions: [],
  })
  const measured = query.outputs.flatMap(({ is }, place) => (is === 'key' ? [] : [place]))
  // under the protocol these rows were nobody's, or enough, wherever the cell was opened
  const settled = {
    entities: new Float64Array(rows.length),
    exact: new Uint8Array(rows.length).fill(1),
    contributions: [],
  }
  return obligations.flatMap(({ source }) => [
    { source, part: { kind: 'group' as const }, ...enough(row => measured.some(at => row[at] !== null)) },
    ...release.cells.flatMap(({ id, complement, differences }) => {
      const place = release.outputs.findIndex(({ aggregates }) => aggregates.includes(id))
      return [
        { source, part: { kind: 'cell' as const, id }, ...enough(row => (row[place] ?? null) !== null) },
        ...(complement === null ? [] : [{ source, part: { kind: 'complement' as const, id }, ...settled }]),
        ...differences.map((_, index) => ({
          source,
          part: { kind: 'difference' as const, id, index },
          ...settled,
        })),
      ]
    }),
  ])
}

/** Is there a value whose factors may be zero, which takes rows out. */
function multiplies(contributes: Expression | null): boolean {
  if (contributes === null) return false
  return [...expressionsIn(contributes)].some(part => part.kind === 'call' && part.function === 'notEqual')
}

/** Groups come in the order of their lists; the check wants them ascending by their keys, as every engine's are. */
function keyRankOf({ rows }: JointTable, { outputs, relation, keys }: Query): Uint32Array {
  const places = [...outputs.keys()]
    .filter(place => outputs[place]!.is === 'key')
    .sort((a, b) => outputs[a]!.at - outputs[b]!.at)
  const isNumber = (place: number) => {
    const { at } = outputs[place]!
    return keys.length === 0 && relation?.keys[at]?.kind === 'number'
  }
  const order = Uint32Array.from(rows.keys()).sort((a, b) => {
    for (const place of places) {
      const [left, right] = [rows[a]![place]!, rows[b]![place]!]
      const found = isNumber(place) ? compareDigits(left, right) : compareTexts(left, right)
      if (found !== 0) return found
    }
    return a - b
  })
  const ranks = new Uint32Array(rows.length)
  for (const [rank, row] of order.entries()) ranks[row] = rank
  return ranks
}

/** Numbers with as many digits after the point. */
function compareDigits(left: string, right: string): number {
  const [a, b] = [left, right].map(text => BigInt(text.replace('.', '')))
  return a! < b! ? -1 : a! > b! ? 1 : 0
}

/** The opened texts under the plan's types. */
function arrowOf({ columns, rows }: JointTable, { plan }: ReviewedPlan): Table {
  const types = new Map(outputColumns(plan.root).map(({ id, type }) => [id, type]))
  return new Table(
    Object.fromEntries(
      columns.map(({ name }, place) => {
        const type = types.get(plan.output[place]!.id)!
        return [
          name,
          vectorOf(
            rows.map(row => row[place]!),
            type,
          ),
        ]
      }),
    ),
  )
}

function vectorOf(texts: readonly (string | null)[], type: ScalarType): Vector {
  const arrow = arrowTypeOf(type)
  switch (type.kind) {
    case 'text':
      return vectorFromArray(texts, arrow)
    case 'float':
      return vectorFromArray(
        texts.map(text => (text === null ? null : Number(text))),
        arrow,
      )
    case 'integer':
    case 'decimal':
      return exact(texts, type)
    case 'boolean':
    case 'date':
    case 'time':
    case 'timestamp':
      throw new SluiceError('INTERNAL', 'a total is of no type that totals have')
    default:
      return unreachable(type)
  }
}

function exact(
  texts: readonly (string | null)[],
  type: Extract<ScalarType, { kind: 'integer' | 'decimal' }>,
): Vector {
  const arrow = arrowTypeOf(type)
  const values = texts.map(text =>
    text === null ? null : scaled(text, type.kind === 'decimal' ? type.scale : 0)!,
  )
  if (type.kind === 'integer' && type.bits < 128)
    return vectorFromArray(
      type.bits === 64 ? values : values.map(value => (value === null ? null : Number(value))),
      arrow,
    )
  const words = new BigInt64Array(2 * values.length)
  const bitmap = new Uint8Array(Math.ceil(values.length / 8))
  for (const [row, value] of values.entries()) {
    if (value === null) continue
    bitmap[row >> 3]! |= 1 << (row & 7)
    words[2 * row] = BigInt.asIntN(64, value)
    words[2 * row + 1] = value >> 64n
  }
  const nullCount = values.filter(value => value === null).length
  const data = makeData({
    type: arrow,
    length: values.length,
    data: new Uint32Array(words.buffer),
    ...(nullCount > 0 && { nullCount, nullBitmap: bitmap }),
  } as never)
  return new Vector([data])
}

function mismatch(message: string): SluiceError {
  return new SluiceError('APPROVAL_MISMATCH', message, {
    rule: 'mpc.approved',
    remedy: 'Run the job whose digest the approved request names.',
  })
}

function undefinedFor(rule: string, reason: string): SluiceError {
  return new SluiceError('EVIDENCE_UNDEFINED', `a joint job gives no evidence for this plan: ${reason}`, {
    rule: `evidence.${rule}`,
    remedy: 'Ask for what totals above the minimum of entities show, or run the plan on another engine.',
  })
}
