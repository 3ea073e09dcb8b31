import { canonicalDigest } from '../canonical.js'
import type { Evidence } from '../disclosure/evidence.js'
import { SluiceError } from '../errors.js'
import { conjunction, predicate } from '../plan/build.js'
import type { Expression } from '../plan/expression.js'
import { isOrderStatistic } from '../plan/functions.js'
import {
  type Aggregate,
  type AggregateColumn,
  PLAN_LANGUAGE,
  type Plan,
  type PlanNode,
} from '../plan/node.js'
import type { ReviewedPlan } from '../plan/review-types.js'
import type { ScalarType } from '../plan/types.js'
import { nodesOf, outputColumns } from '../plan/visit.js'
import { outputsOf } from './above.js'
import { isExact, refused } from './intervals.js'

/**
 * What every contributor computes over its own rows (`local`, a plan of its own: one row a group, the plan's keys,
 * then one column a component), and how the opened totals of the components give the plan's aggregates and the
 * evidence for the disclosure check.
 */
export interface Layout {
  readonly local: Plan
  readonly aggregate: Aggregate
  /** for each aggregate column of the plan, by its id */
  readonly aggregates: ReadonlyMap<number, AggregateFrom>
  readonly evidence: readonly EvidenceFrom[]
  /** place of the number of a group's rows: a group without any is not there */
  readonly groupCount: number
}

/** Places of components. */
export type AggregateFrom =
  | { readonly kind: 'sum'; readonly sum: number; readonly count: number; readonly scale: number }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'average'; readonly sum: number; readonly count: number; readonly scale: number }

export interface EvidenceFrom {
  readonly source: number
  readonly part: Evidence['part']
  readonly count: number
}

/**
 * How a reviewed plan runs on ciphertexts.
 *
 * It runs sums, counts and averages of exact numbers over one table of which every contributor holds rows, by groups,
 * with conditions. Squares and products are computed by the contributors before they encrypt, so that variances and
 * covariances are sums too; so are weights, linear scores and masks.
 *
 * @throws SluiceError EVIDENCE_UNDEFINED with the rule, where it cannot: `he.dominance` (sums know no largest
 * contribution), `he.entity` (entities that are not rows could be counted twice), `he.join`, `he.distinct`, `he.above`, …
 */
export function layoutOf(reviewed: ReviewedPlan): Layout {
  const { plan, release } = reviewed
  if (plan.parameters.length > 0) {
    throw refused(
      'parameter',
      'it has parameters',
      'Make a request for each value: contributors compute before it runs.',
    )
  }
  const aggregate = release.mode === 'aggregate' ? release.aggregate : publicAggregate(plan.root)
  assertInput(aggregate.input)
  assertObligations(reviewed)
  const components = new Components(plan, aggregate)
  const aggregates = new Map(aggregate.aggregates.map(column => [column.id, components.of(column)]))
  const evidence = evidenceOf(reviewed, components)
  const groupCount = components.count(null, null)
  outputsOf(plan, aggregate)
  return { local: components.plan(), aggregate, aggregates, evidence, groupCount }
}

class Components {
  readonly #aggregate: Aggregate
  readonly #columns: AggregateColumn[] = []
  readonly #places = new Map<string, number>()
  #next: number

  constructor(plan: Plan, aggregate: Aggregate) {
    this.#aggregate = aggregate
    const roots = [...nodesOf(plan.root), ...nodesOf(aggregate)]
    this.#next = Math.max(0, ...roots.flatMap(node => outputColumns(node).map(({ id }) => id))) + 1
  }

  of(column: AggregateColumn): AggregateFrom {
    const { argument, filter } = column
    if (column.distinct) throw refused('distinct', 'it counts distinct values', 'Use counts of rows.')
    if (isOrderStatistic(column.function))
      throw refused('order', 'it compares values', 'Use GROUP BY with count, sum or avg.')
    if (column.function === 'count' || argument === null) {
      return { kind: 'count', count: this.count(argument, filter) }
    }
    if (!isExact(argument.type)) {
      throw refused('float', 'floating point numbers', 'Use integers, or decimals with a declared scale.')
    }
    const scale = argument.type.kind === 'decimal' ? argument.type.scale : 0
    const places = { sum: this.#sum(argument, filter), count: this.count(argument, filter), scale }
    return { kind: column.function === 'sum' ? 'sum' : 'average', ...places }
  }

  /** Rows where the condition holds and the argument is not null: as one condition, which the evidence may ask too. */
  count(argument: Expression | null, condition: Expression | null): number {
    const type: ScalarType = { kind: 'integer', bits: 64, signed: true }
    const present = argument === null ? [] : [predicate('isNotNull', argument)]
    const filter = conjunction([...(condition === null ? [] : [condition]), ...present])
    return this.#place({ function: 'count', argument: null, filter, type, distinct: false })
  }

  #sum(argument: Expression, filter: Expression | null): number {
    const type: ScalarType =
      argument.type.kind === 'decimal'
        ? { kind: 'decimal', precision: 38, scale: argument.type.scale }
        : { kind: 'integer', bits: 128, signed: true }
    return this.#place({ function: 'sum', argument, filter, type, distinct: false })
  }

  #place(column: Omit<AggregateColumn, 'id' | 'name'>): number {
    const key = canonicalDigest(column)
    const known = this.#places.get(key)
    if (known !== undefined) return known
    const place = this.#columns.length
    this.#columns.push({ id: this.#next++, name: `component ${place + 1}`, ...column })
    this.#places.set(key, place)
    return place
  }

  plan(): Plan {
    const keys = this.#aggregate.keys.map((key, index) => ({ ...key, name: `key ${index + 1}` }))
    const root: Aggregate = {
      kind: 'aggregate',
      input: this.#aggregate.input,
      keys,
      aggregates: this.#columns,
    }
    const output = outputColumns(root).map(({ name, id }) => ({ name, id }))
    return { kind: 'plan', language: PLAN_LANGUAGE, root, output, parameters: [] }
  }
}

/** Counts of rows, where a row is an entity: exact, and additive over contributors. */
function evidenceOf({ release, obligations }: ReviewedPlan, components: Components): EvidenceFrom[] {
  if (release.mode !== 'aggregate') return []
  return obligations.flatMap(({ source }) => [
    { source, part: { kind: 'group' } as const, count: components.count(null, null) },
    ...release.cells.flatMap(({ id, contributes, complement, differences, contributions }) => [
      ...(contributes === null && contributions.length === 0
        ? []
        : [{ source, part: { kind: 'cell', id } as const, count: components.count(null, contributes) }]),
      ...(complement === null
        ? []
        : [{ source, part: { kind: 'complement', id } as const, count: components.count(null, complement) }]),
      ...differences.map((condition, index) => ({
        source,
        part: { kind: 'difference', id, index } as const,
        count: components.count(null, condition),
      })),
    ]),
  ])
}

function assertObligations({ release, obligations }: ReviewedPlan): void {
  if (release.mode === 'rows') {
    throw refused('rows', 'it releases rows', 'Use GROUP BY with count, sum or avg.')
  }
  if (release.mode !== 'aggregate') return
  for (const { entity, dominance, pPercent, dataset, contributors } of obligations) {
    if (entity.kind !== 'row') {
      throw refused(
        'entity',
        `the entity of "${dataset}" is a column, and two contributors may hold the same one`,
        'Use a dataset in which every row is an entity.',
      )
    }
    if ((dominance === null && pPercent === null) || contributors?.inPlaceOfDominance) continue
    if (release.cells.every(({ contributions }) => contributions.length === 0)) continue
    throw refused(
      'dominance',
      `the policy of "${dataset}" demands dominance or p %, and sums of ciphertexts know no largest contribution`,
      'Use an engine that sees the rows, or a policy in which its owner accepts `contributors` in place of dominance.',
    )
  }
}

/** Over public reference data nothing is owed; the shape is the same. */
function publicAggregate(root: PlanNode): Aggregate {
  let node = root
  while (node.kind === 'project') node = node.input
  if (node.kind === 'aggregate') return node
  throw refused('shape', `it releases what a ${node.kind} gives`, 'Use GROUP BY with count, sum or avg.')
}

function assertInput(input: PlanNode): void {
  for (const node of nodesOf(input)) {
    // contributors read their own files as they are: nothing here would apply the rule before the sum
    if (node.kind === 'scan' && node.columns.some(({ mask }) => mask !== undefined)) {
      throw refused(
        'mask',
        'its policy’s rule masks a column that it reads',
        'Use columns without a rule, or an engine that applies rules at the scan.',
      )
    }
    if (node.kind === 'scan' || node.kind === 'filter' || node.kind === 'project') continue
    const rule = node.kind === 'join' ? 'join' : 'shape'
    throw refused(
      rule,
      `a ${node.kind} below the aggregate`,
      'Use one table of which every contributor holds rows.',
    )
  }
}

/** The components of a local plan, whose root is an aggregate. @throws SluiceError SCHEMA_INVALID */
export function localAggregate(local: Plan): Aggregate {
  if (local.root.kind === 'aggregate' && local.parameters.length === 0) {
    assertInput(local.root.input)
    return local.root
  }
  throw new SluiceError('SCHEMA_INVALID', 'what contributors compute is one aggregate', { rule: 'he.local' })
}
