import { unreachable } from '@sluice/core'
import type { ColumnId, Expression, PlanNode } from '@sluice/core/plan'
import { columnsIn, outputColumns } from '@sluice/core/plan'
import type { Located } from './located.js'

/**
 * The same plan without the columns that nothing uses: what a query names in a subquery and never looks at is not
 * read, and needs no policy to allow it.
 */
export function prune(node: PlanNode, wanted: ReadonlySet<ColumnId>, located: Located): PlanNode {
  return located.as(
    pruned(node, wanted, (inner, ids) => prune(inner, ids, located)),
    node,
  )
}

function pruned(
  node: PlanNode,
  wanted: ReadonlySet<ColumnId>,
  prune: (node: PlanNode, wanted: ReadonlySet<ColumnId>) => PlanNode,
): PlanNode {
  switch (node.kind) {
    case 'scan':
      return { ...node, columns: node.columns.filter(({ id }) => wanted.has(id)) }
    case 'filter':
      return { ...node, input: prune(node.input, plus(wanted, [node.predicate])) }
    case 'project': {
      const columns = node.columns.filter(({ id }) => wanted.has(id))
      const input = prune(
        node.input,
        plus(
          new Set(),
          columns.map(({ expression }) => expression),
        ),
      )
      return columns.length === 0 ? input : { ...node, columns, input }
    }
    case 'join': {
      const all = plus(wanted, [node.condition])
      return { ...node, left: prune(node.left, all), right: prune(node.right, all) }
    }
    case 'aggregate': {
      const used = node.aggregates.filter(({ id }) => wanted.has(id))
      // Without keys there is one row because there is an aggregate.
      const aggregates = node.keys.length + used.length === 0 ? node.aggregates.slice(0, 1) : used
      const expressions = [
        ...node.keys.map(({ expression }) => expression),
        ...aggregates.flatMap(({ argument, filter }) => [argument, filter]).filter(each => each !== null),
      ]
      return { ...node, aggregates, input: prune(node.input, plus(new Set(), expressions)) }
    }
    case 'distinct':
      return { ...node, input: prune(node.input, idsOf(node.input)) }
    case 'union':
      return { ...node, inputs: node.inputs.map(input => prune(input, idsOf(input))) }
    case 'sort': {
      const keys = node.keys.map(({ expression }) => expression)
      return { ...node, input: prune(node.input, plus(wanted, keys)) }
    }
    case 'limit':
      return { ...node, input: prune(node.input, wanted) }
    default:
      return unreachable(node)
  }
}

function idsOf(node: PlanNode): ReadonlySet<ColumnId> {
  return new Set(outputColumns(node).map(({ id }) => id))
}

function plus(ids: ReadonlySet<ColumnId>, expressions: readonly Expression[]): ReadonlySet<ColumnId> {
  const all = new Set(ids)
  for (const expression of expressions) for (const id of columnsIn(expression)) all.add(id)
  return all
}
