import { barrierOf, cellOf, type Undefined, type UndefinedPart } from './cells.js'
import { type Definitions, definitionOf } from './definitions.js'
import { expose, renamed } from './expose.js'
import type { ColumnId, Expression } from './expression.js'
import { aggregatesBehind, baseColumnsOf } from './lineage.js'
import type { Aggregate, Plan, PlanNode } from './node.js'
import { withOthers } from './order-overlaps.js'
import { leastEntities } from './order-statistics.js'
import { withDifferences } from './overlaps.js'
import type { CellSpecification, DatasetFacts, Obligation, ReleaseShape } from './review-types.js'
import { shapeOf } from './shape.js'
import { columnsIn, nodesOf, outputColumns } from './visit.js'

export interface ReleaseContext {
  readonly definitions: Definitions
  readonly obligations: readonly Obligation[]
  /** does the scan read public reference data */
  readonly isPublic: (source: number) => boolean
  /** is the set of values of this column public */
  readonly hasPublicValues: (dataset: string, column: string) => boolean
  /** of a dataset, as registered */
  readonly uniqueKeys: (dataset: string) => DatasetFacts['uniqueKeys']
}

export type AggregateRelease = Extract<ReleaseShape, { mode: 'aggregate' }>

/**
 * How a plan over protected data is released: what stands above the one aggregate works on checked cells, what
 * stands below it has to keep every row tied to its entities.
 *
 * @returns the release, or all that is not defined about its evidence
 */
export function aggregateRelease(plan: Plan, context: ReleaseContext): AggregateRelease | UndefinedPart[] {
  const undefinedParts: UndefinedPart[] = []
  const aggregate = aggregateBelow(plan.root, undefinedParts)
  if (aggregate === null) return undefinedParts
  undefinedParts.push(...checkInput(aggregate.input, context, { next: 0 }))

  const cells: CellSpecification[] = []
  const barrier = barrierOf(aggregate.input, context.definitions)
  const countsImplied = areCountsImplied(aggregate.input, context.obligations)
  const cellContext = { ...context, barrier, countsImplied }
  for (const column of aggregate.aggregates) {
    const cell = cellOf(column, cellContext)
    if ('rule' in cell) undefinedParts.push({ ...cell, parts: [column, aggregate] })
    else cells.push(cell)
  }
  if (undefinedParts.length > 0) return undefinedParts
  const compared = withDifferences(aggregate.aggregates, cells, cellContext)
  if ('rule' in compared) return [{ ...compared, parts: [...aggregate.aggregates, aggregate] }]
  const ordered = withOthers(aggregate.aggregates, compared, context.definitions, barrier)
  if ('rule' in ordered) return [{ ...ordered, parts: [...ordered.parts, aggregate] }]
  const outOfOrder = ordered.flatMap((cell, place): UndefinedPart[] => {
    const problem = orderProblem(cell, aggregate, context)
    return problem === null ? [] : [{ ...problem, parts: [aggregate.aggregates[place]!, aggregate] }]
  })
  if (outOfOrder.length > 0) return outOfOrder
  return {
    mode: 'aggregate',
    ...inScope(aggregate, ordered, plan, context.definitions),
    publicKeys: hasPublicKeys(aggregate, context),
    outputs: plan.output.map(({ name, id }) => ({
      name,
      id,
      aggregates: aggregatesBehind(
        { kind: 'column', id, type: definitionOf(context.definitions, id).type },
        context.definitions,
      ),
    })),
  }
}

/** Ranks count entities where every row is another one's, and only then. */
function orderProblem(
  { order }: CellSpecification,
  { input }: Aggregate,
  { obligations, uniqueKeys }: ReleaseContext,
): Undefined | null {
  if (order === undefined) return null
  const shape = shapeOf(input, uniqueKeys)
  const isAnother = ({ source, dataset, entity }: Obligation) =>
    !shape.repeated.has(source) &&
    !shape.optional.has(source) &&
    (entity.kind === 'row' ||
      (entity.notEntities.length === 0 &&
        uniqueKeys(dataset).some(key => key.length === 1 && key[0] === entity.column)))
  if (!obligations.every(isAnother)) return ORDER_ENTITY
  const isPossible = obligations.every(({ minimumEntities }) =>
    Number.isFinite(leastEntities(order, minimumEntities)),
  )
  return isPossible ? null : ORDER_RANK
}

/**
 * May a group be seen to exist. Where its keys are columns whose values are public, it may, and so may which of their
 * combinations occur in the whole table. Among rows that a condition or a join has chosen, that a value occurs is what
 * somebody wants to know of the few who were chosen.
 */
function hasPublicKeys({ keys, input }: Aggregate, context: ReleaseContext): boolean {
  if (keys.length === 0) return true
  if ([...nodesOf(input)].some(node => node.kind === 'filter' || node.kind === 'join')) return false
  return keys.every(key => {
    // an expression over several columns can ask for one by a condition on another
    const bases = baseColumnsOf(key.expression, context.definitions)
    return bases.length <= 1 && bases.every(base => context.hasPublicValues(base.dataset, base.column))
  })
}

/** The aggregate under (Sort | Limit | Project | Filter)*, with at most one limit and nothing but projects over it. */
function aggregateBelow(root: PlanNode, undefinedParts: UndefinedPart[]): Aggregate | null {
  let limited = false
  let arranged = false
  for (let node = root; ; ) {
    switch (node.kind) {
      case 'project':
        node = node.input
        break
      case 'filter':
      case 'sort':
        arranged = true
        node = node.input
        break
      case 'limit':
        if (limited || arranged) undefinedParts.push({ ...ABOVE_LIMIT, parts: [node] })
        limited = true
        node = node.input
        break
      case 'aggregate':
        return node
      default:
        undefinedParts.push({ ...notAggregate(node.kind), parts: [node] })
        return null
    }
  }
}

/** Below the aggregate every row has to stay tied to its entities; a part that reads public data only may be anything. */
function checkInput(node: PlanNode, context: ReleaseContext, scans: { next: number }): UndefinedPart[] {
  const first = scans.next
  const count = [...nodesOf(node)].filter(inner => inner.kind === 'scan').length
  const sources = Array.from({ length: count }, (_, index) => first + index)
  if (sources.every(source => context.isPublic(source))) {
    scans.next += count
    return []
  }
  switch (node.kind) {
    case 'scan':
      scans.next++
      return []
    case 'filter':
    case 'project':
    case 'sort':
      return checkInput(node.input, context, scans)
    case 'join':
      return [...checkInput(node.left, context, scans), ...checkInput(node.right, context, scans)]
    default:
      scans.next += count
      return [{ ...belowAggregate(node.kind), parts: [node] }]
  }
}

/**
 * A row is an entity and nothing is joined: every contribution to a count is 1, so that the n largest of at least
 * `minimumEntities` are known.
 */
function areCountsImplied(input: PlanNode, obligations: readonly Obligation[]): boolean {
  if ([...nodesOf(input)].some(node => node.kind === 'join')) return false
  return obligations.every(
    ({ entity, minimumEntities, dominance, pPercent }) =>
      entity.kind === 'row' &&
      (dominance === null || dominance.n * 100 <= dominance.percent * minimumEntities) &&
      (pPercent === null || (minimumEntities - 2) * 100 >= pPercent),
  )
}

/** Brings what the cells' expressions name into the scope of the aggregate's input. */
function inScope(
  aggregate: Aggregate,
  cells: readonly CellSpecification[],
  plan: Plan,
  definitions: Definitions,
): { aggregate: Aggregate; cells: CellSpecification[] } {
  const wanted = new Set<ColumnId>()
  const expressionsOf = ({ contributes, complement, differences, contributions }: CellSpecification) =>
    [contributes, complement, ...differences, ...contributions].filter(expression => expression !== null)
  for (const cell of cells) {
    for (const expression of expressionsOf(cell)) for (const id of columnsIn(expression)) wanted.add(id)
  }
  let last = 0
  for (const node of nodesOf(plan.root)) for (const { id } of outputColumns(node)) last = Math.max(last, id)
  const types = new Map([...wanted].map(id => [id, definitionOf(definitions, id).type]))
  const { node: input, ids } = expose(aggregate.input, types, () => ++last)
  const rename = (expression: Expression | null) => (expression === null ? null : renamed(expression, ids))
  return {
    aggregate: { ...aggregate, input },
    cells: cells.map(cell => ({
      ...cell,
      contributes: rename(cell.contributes),
      complement: rename(cell.complement),
      differences: cell.differences.map(expression => renamed(expression, ids)),
      contributions: cell.contributions.map(expression => renamed(expression, ids)),
    })),
  }
}

const ORDER_ENTITY: Undefined = {
  rule: 'evidence.order-entity',
  message: 'a quantile or a rank is over rows of which several may be one entity’s, or nobody’s',
  remedy:
    'Ask for it where every row is another entity’s: entity: row or a unique key, and joins along unique keys.',
}

const ORDER_RANK: Undefined = {
  rule: 'evidence.order-rank',
  message: 'a rank, or the distance to another rank of the same column, is below the minimum of entities',
  remedy: 'Ask for a rank, and for ranks so far apart, as the minimum of entities is: max(x, 10)[10].',
}

const ABOVE_LIMIT: Undefined = {
  rule: 'evidence.limit',
  message: 'something filters, sorts or limits the rows that a LIMIT left',
  remedy: 'Write one LIMIT, after every condition and ORDER BY.',
}

function notAggregate(kind: PlanNode['kind']): Undefined {
  const [what, remedy] = {
    join: ['aggregates are joined', 'Join the tables first, then aggregate once.'],
    union: ['a UNION is released', 'Ask one query each.'],
    distinct: ['DISTINCT stands over an aggregate', 'Write GROUP BY alone: its groups are distinct.'],
    scan: ['rows are released', 'Ask for an aggregate: GROUP BY with count, sum or avg.'],
    other: [
      'the released part is not an aggregate',
      'Ask for an aggregate: GROUP BY with count, sum or avg.',
    ],
  }[kind === 'join' || kind === 'union' || kind === 'distinct' || kind === 'scan' ? kind : 'other'] as [
    string,
    string,
  ]
  return {
    rule: `evidence.${kind}-of-aggregates`,
    message: `${what}, so the evidence is not defined`,
    remedy,
  }
}

function belowAggregate(kind: PlanNode['kind']): Undefined {
  const rules: Partial<Record<PlanNode['kind'], Undefined>> = {
    aggregate: {
      rule: 'evidence.nested-aggregate',
      message: 'an aggregate of aggregates ties its cells to nobody',
      remedy: 'Aggregate once, over the rows.',
    },
    distinct: {
      rule: 'evidence.distinct',
      message: 'DISTINCT below an aggregate unties its rows from their entities',
      remedy: 'Use count(DISTINCT …), or GROUP BY in the outer query alone.',
    },
    union: {
      rule: 'evidence.union',
      message: 'a UNION below an aggregate mixes the entities of several tables',
      remedy: 'Ask one query each.',
    },
    limit: {
      rule: 'evidence.limit-below',
      message: 'a LIMIT below an aggregate picks single rows',
      remedy: 'Write LIMIT in the outer query alone.',
    },
  }
  return (
    rules[kind] ?? {
      rule: `evidence.${kind}`,
      message: `a ${kind} below an aggregate is not defined`,
      remedy: 'Write the query without it.',
    }
  )
}
