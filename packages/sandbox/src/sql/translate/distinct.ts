import { nodesOf, outputColumns, type PlanColumn, type PlanNode } from '@sluice/core/plan'
import { convert } from './casts.js'
import type { Context } from './context.js'
import type { Translated } from './from.js'
import type { Located } from './located.js'
import { reference } from './names.js'

/** A node that has exactly these columns, with these types. */
export function exactly(
  node: PlanNode,
  columns: readonly PlanColumn[],
  types: readonly PlanColumn['type'][],
  context: Context,
): PlanNode {
  const expressions = columns.map(({ id, type }, index) => convert(reference(id, type), types[index]!))
  const own = outputColumns(node)
  const asItIs =
    own.length === columns.length &&
    expressions.every((expression, index) => expression.kind === 'column' && expression.id === own[index]!.id)
  if (asItIs) return node
  return {
    kind: 'project',
    input: node,
    columns: expressions.map((expression, index) => ({
      id: context.fresh(),
      name: columns[index]!.name,
      type: expression.type,
      expression,
    })),
  }
}

/**
 * Without doubles. Of rows, that is grouping by all columns, and has an aggregate's evidence; above an aggregate it
 * runs on cells.
 */
export function distinctRows(
  node: PlanNode,
  columns: readonly PlanColumn[],
  { context, located }: { readonly context: Context; readonly located: Located },
): Translated {
  if (hasAggregateNode(node)) {
    const input = exactly(
      node,
      columns,
      columns.map(({ type }) => type),
      context,
    )
    const names = outputColumns(input).map((column, index) => ({ ...column, name: columns[index]!.name }))
    return { node: located.as({ kind: 'distinct', input }, node), columns: names }
  }
  const keys = columns.map(({ id, name, type }) => ({
    id: context.fresh(),
    name,
    type,
    expression: reference(id, type),
  }))
  const unique: PlanNode = { kind: 'aggregate', input: node, keys, aggregates: [] }
  return { node: located.as(unique, node), columns: keys }
}

export function hasAggregateNode(node: PlanNode): boolean {
  return [...nodesOf(node)].some(({ kind }) => kind === 'aggregate')
}
