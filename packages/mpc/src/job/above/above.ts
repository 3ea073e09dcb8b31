import {
  aggregatesBehind,
  type ColumnId,
  type Definitions,
  definitionsOf,
  type Expression,
  expressionsOf,
  outputColumns,
  type Plan,
  type PlanNode,
  type ScalarType,
  splitAtAggregate,
} from '@sluice/core/plan'
import { refused } from '../invalid.js'
import { checkComputable, compared, evaluate, type Value } from './evaluate.js'

/**
 * What a plan makes of its cells, row by row: nothing is dropped here, but marked. What depends on a suppressed cell is
 * null, does not pass, and ranks last by the group keys: it says nothing of the cell.
 */
export interface Computed {
  /** by released column, by row */
  readonly columns: readonly (readonly Value[])[]
  /** 1 where the row passes what stands above the aggregate; null where nothing does */
  readonly keep: Uint8Array<ArrayBuffer> | null
  readonly keepDependsOn: readonly ColumnId[]
  /** position in the wanted order, ties by the group keys; null where there is none */
  readonly rank: Uint32Array<ArrayBuffer> | null
  readonly rankDependsOn: readonly ColumnId[]
  /** position by the group keys alone */
  readonly keyRank: Uint32Array<ArrayBuffer>
  readonly limit: { readonly count: number | null; readonly offset: number } | null
}

/**
 * The nodes above the aggregate, from the lowest upwards.
 *
 * @throws SluiceError SQL_REFUSED `mpc.shape` where there is no aggregate, or a LIMIT below what chooses rows
 */
export function nodesAbove(root: PlanNode): ReturnType<typeof splitAtAggregate> {
  return splitAtAggregate(root, ({ kind }) =>
    kind === 'limit'
      ? refused('shape', 'something filters, sorts or limits the rows that a LIMIT left')
      : refused('shape', `a ${kind} stands where an aggregate should: single rows are never opened`),
  )
}

/**
 * The aggregates that a plan releases, chooses by or sorts by, in their order.
 *
 * @throws SluiceError SQL_REFUSED `mpc.above` where something is not computed from cells here
 */
export function aggregatesUsed(plan: Plan): ReadonlySet<ColumnId> {
  const { above } = nodesAbove(plan.root)
  const definitions = definitionsOf(plan.root)
  for (const expression of above.flatMap(expressionsOf)) checkComputable(expression)
  const chosen = above
    .filter(({ kind }) => kind !== 'project')
    .flatMap(expressionsOf)
    .flatMap(expression => aggregatesBehind(expression, definitions))
  const released = plan.output.flatMap(({ id }) => behind(id, definitions))
  return new Set([...chosen, ...released])
}

/** @param cells by key and aggregate of the plan, by row; null where a cell is suppressed */
export function computedFrom(
  plan: Plan,
  cells: ReadonlyMap<ColumnId, readonly Value[]>,
  rows: number,
): Computed {
  const { aggregate, above } = nodesAbove(plan.root)
  const definitions = definitionsOf(plan.root)
  const columns = new Map<ColumnId, readonly Value[]>(cells)
  const valueAt = (id: ColumnId, row: number) => columns.get(id)?.[row] ?? null
  const each = <T>(of: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => of(row))
  const suppressedIn = (ids: readonly ColumnId[]) => each(row => ids.some(id => valueAt(id, row) === null))
  const valuesOf = (expression: Expression, suppressed: readonly boolean[]): Value[] =>
    each(row => (suppressed[row] ? null : evaluate(expression, id => valueAt(id, row))))
  const byKeys = aggregate.keys.map(({ id, type }) => ({
    values: columns.get(id)!,
    type,
    descending: false,
    nullsFirst: false,
  }))
  let keep: Computed['keep'] = null
  let order: Order[] | null = null
  let limit: Computed['limit'] = null
  const keepDependsOn = new Set<ColumnId>()
  let rankDependsOn: ColumnId[] = []
  for (const node of above) {
    switch (node.kind) {
      case 'project':
        for (const { id, expression } of node.columns)
          columns.set(id, valuesOf(expression, suppressedIn(aggregatesBehind(expression, definitions))))
        break
      case 'filter': {
        const before: Computed['keep'] = keep
        const dependsOn = aggregatesBehind(node.predicate, definitions)
        const passes = valuesOf(node.predicate, suppressedIn(dependsOn))
        keep = Uint8Array.from(passes, (passed, row) => (passed === true && before?.[row] !== 0 ? 1 : 0))
        for (const id of dependsOn) keepDependsOn.add(id)
        break
      }
      case 'sort': {
        rankDependsOn = node.keys.flatMap(({ expression }) => aggregatesBehind(expression, definitions))
        const last = suppressedIn(rankDependsOn)
        order = [
          { values: last, type: { kind: 'boolean' }, descending: false, nullsFirst: false },
          ...node.keys.map(({ expression, descending, nullsFirst }) => ({
            values: valuesOf(expression, last),
            type: expression.type,
            descending,
            nullsFirst,
          })),
        ]
        break
      }
      case 'limit':
        limit = { count: node.count, offset: node.offset }
    }
  }
  return {
    columns: plan.output.map(({ id }) => columns.get(id)!),
    keep,
    keepDependsOn: [...keepDependsOn],
    rank: order === null ? null : ranked([...order, ...byKeys], rows),
    rankDependsOn: [...new Set(rankDependsOn)],
    keyRank: ranked(byKeys, rows),
    limit,
  }
}

/** The released columns' types, in the plan's order. */
export function releasedTypes({ root, output }: Plan): ScalarType[] {
  const types = new Map(outputColumns(root).map(({ id, type }) => [id, type]))
  return output.map(({ id }) => types.get(id)!)
}

interface Order {
  readonly values: readonly Value[]
  readonly type: ScalarType
  readonly descending: boolean
  readonly nullsFirst: boolean
}

function ranked(order: readonly Order[], rows: number): Uint32Array<ArrayBuffer> {
  const sorted = Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => {
    for (const { values, type, descending, nullsFirst } of order) {
      const [left, right] = [values[a]!, values[b]!]
      if (left === null || right === null) {
        if (left === right) continue
        return (left === null) === nullsFirst ? -1 : 1
      }
      const found = compared(left, type, right, type)!
      if (found !== 0) return descending ? -found : found
    }
    return a - b
  })
  const ranks = new Uint32Array(rows)
  for (const [rank, row] of sorted.entries()) ranks[row] = rank
  return ranks
}

function behind(id: ColumnId, definitions: Definitions): readonly ColumnId[] {
  const definition = definitions.get(id)
  if (definition === undefined) return []
  return aggregatesBehind({ kind: 'column', id, type: definition.type }, definitions)
}
