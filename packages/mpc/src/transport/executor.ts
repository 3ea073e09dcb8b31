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
  type Plan,
  type ReviewedPlan,
  type ScalarType,
} from '@sluice/core/plan'
import { makeData, Table, Vector, vectorFromArray } from 'apache-arrow'
import { releasedTypes } from '../job/above/above.js'
import { arranged, computedOf } from '../job/above/cells.js'
import type { Value } from '../job/above/evaluate.js'
import { type JointJob, jobDigest } from '../job/job.js'
import { leastOf } from '../job/ordered.js'
import { isListed, MPC_ENGINE, type Query, queryOf } from '../job/query.js'
import type { CellTable } from '../job/result.js'
import { sharingOf } from '../job/roles.js'
import { type RunJointOptions, runOpening } from './joint.js'

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
    const { opened } = await runOpening(job, {
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
    const cells = opened[0]!.cells!
    const { columns, ...wanted } = computedOf(reviewed.plan, query, cells)
    // of what is public nothing is held back, so that nobody arranges it later
    const rows = reviewed.release.mode === 'public' ? arranged(wanted, cells) : [...cells.groups.keys()]
    return sealRawResult({
      approved,
      table: arrowOf(
        columns.map(values => rows.map(row => values[row]!)),
        reviewed.plan,
      ),
      ...wanted,
      evidence: evidenceOf(cells, reviewed, query, job.minimumEntities),
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
  { groups, measures }: CellTable,
  { obligations, release }: ReviewedPlan,
  { cells = [], measures: asked, relation }: Query,
  minimum: number,
): Evidence[] {
  if (release.mode !== 'aggregate') return []
  const enough = (isOpened: (row: number) => boolean, least = minimum) => ({
    entities: Float64Array.from(groups, (_, row) => (isOpened(row) ? least : 0)),
    exact: new Uint8Array(groups.length),
    contributions: [],
  })
  // under the protocol these rows were nobody's, or enough, where the cell was opened; else nothing is known of them
  const settled = (isOpened: (row: number) => boolean) => ({
    entities: new Float64Array(groups.length),
    exact: Uint8Array.from(groups, (_, row) => (isOpened(row) ? 1 : 0)),
    contributions: [],
  })
  const usedAs = (id: number) => cells.find(cell => cell.id === id && cell.is !== 'key')
  const leastIn = (id: number) => {
    const used = usedAs(id)
    return used === undefined ? minimum : leastOf(asked[used.at]!, minimum)
  }
  const isOpenedIn = (id: number) => {
    const used = usedAs(id)
    const measure = used && measures[used.at]
    return (row: number) => (measure?.[row] ?? null) !== null
  }
  // of lists all groups are there, and a group is known by its cells alone
  const isShown = relation !== undefined && !isListed(relation.keys)
  return obligations.flatMap(({ source }) => [
    {
      source,
      part: { kind: 'group' as const },
      ...enough(row => isShown || measures.some(measure => measure[row] !== null)),
    },
    ...release.cells.flatMap(({ id, complement, differences }) => {
      const isOpened = isOpenedIn(id)
      return [
        { source, part: { kind: 'cell' as const, id }, ...enough(isOpened, leastIn(id)) },
        ...(complement === null
          ? []
          : [{ source, part: { kind: 'complement' as const, id }, ...settled(isOpened) }]),
        ...differences.map((_, index) => ({
          source,
          part: { kind: 'difference' as const, id, index },
          ...settled(isOpened),
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

/** The released columns under the plan's types. */
function arrowOf(columns: readonly (readonly Value[])[], plan: Plan): Table {
  const types = releasedTypes(plan)
  return new Table(
    Object.fromEntries(
      plan.output.map(({ name }, place) => [name, vectorOf(columns[place]!, types[place]!)]),
    ),
  )
}

function vectorOf(values: readonly Value[], type: ScalarType): Vector {
  const arrow = arrowTypeOf(type)
  switch (type.kind) {
    case 'text':
    case 'float':
    case 'boolean':
      return vectorFromArray(values, arrow)
    case 'integer':
    case 'decimal':
      return exact(values as readonly (bigint | null)[], type)
    case 'date':
    case 'time':
    case 'timestamp':
      throw new SluiceError('INTERNAL', 'a total is of no type that totals have')
    default:
      return unreachable(type)
  }
}

function exact(
  values: readonly (bigint | null)[],
  type: Extract<ScalarType, { kind: 'integer' | 'decimal' }>,
): Vector {
  const arrow = arrowTypeOf(type)
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
