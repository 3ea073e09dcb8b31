import { unreachable } from '../errors.js'
import type { ColumnId, Expression } from './expression.js'
import type { PlanColumn, PlanNode, Scan } from './node.js'

/** A node's inputs, left before right. */
export function children(node: PlanNode): readonly PlanNode[] {
  switch (node.kind) {
    case 'scan':
      return []
    case 'filter':
    case 'project':
    case 'aggregate':
    case 'distinct':
    case 'sort':
    case 'limit':
      return [node.input]
    case 'join':
      return [node.left, node.right]
    case 'union':
      return node.inputs
    default:
      return unreachable(node)
  }
}

/** The same node over other inputs, as many as it had. */
export function withChildren(node: PlanNode, inputs: readonly PlanNode[]): PlanNode {
  switch (node.kind) {
    case 'scan':
      return node
    case 'filter':
    case 'project':
    case 'aggregate':
    case 'distinct':
    case 'sort':
    case 'limit':
      return { ...node, input: inputs[0]! }
    case 'join':
      return { ...node, left: inputs[0]!, right: inputs[1]! }
    case 'union':
      return { ...node, inputs }
    default:
      return unreachable(node)
  }
}

/** Rebuilds a plan bottom-up; `change` sees a node whose inputs are changed already. */
export function mapPlan(node: PlanNode, change: (node: PlanNode) => PlanNode): PlanNode {
  return change(
    withChildren(
      node,
      children(node).map(child => mapPlan(child, change)),
    ),
  )
}

/** Folds a plan bottom-up. */
export function foldPlan<T>(node: PlanNode, combine: (node: PlanNode, inputs: readonly T[]) => T): T {
  return combine(
    node,
    children(node).map(child => foldPlan(child, combine)),
  )
}

/** Every node, depth first, left before right, a node before its inputs. */
export function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node
  for (const child of children(node)) yield* nodesOf(child)
}

/** The scans, depth first and left before right: a scan's place here is its `source`. */
export function scansOf(node: PlanNode): Scan[] {
  return [...nodesOf(node)].filter(inner => inner.kind === 'scan')
}

/** The columns that a node hands to what stands above it, in order. */
export function outputColumns(node: PlanNode): readonly PlanColumn[] {
  switch (node.kind) {
    case 'scan':
    case 'project':
    case 'union':
      return node.columns
    case 'filter':
    case 'distinct':
    case 'sort':
    case 'limit':
      return outputColumns(node.input)
    case 'join':
      return [...outputColumns(node.left), ...outputColumns(node.right)]
    case 'aggregate':
      return [...node.keys, ...node.aggregates]
    default:
      return unreachable(node)
  }
}

/** The expressions that stand in a node itself. */
export function expressionsOf(node: PlanNode): readonly Expression[] {
  switch (node.kind) {
    case 'scan':
    case 'distinct':
    case 'union':
    case 'limit':
      return []
    case 'filter':
      return [node.predicate]
    case 'project':
      return node.columns.map(column => column.expression)
    case 'join':
      return [node.condition]
    case 'aggregate':
      return [
        ...node.keys.map(key => key.expression),
        ...node.aggregates.flatMap(column =>
          [column.argument, column.filter].filter(expression => expression !== null),
        ),
      ]
    case 'sort':
      return node.keys.map(key => key.expression)
    default:
      return unreachable(node)
  }
}

/** The same node with its own expressions changed; its inputs stay. */
export function mapExpressionsOf(node: PlanNode, change: (expression: Expression) => Expression): PlanNode {
  const changed = <T extends { readonly expression: Expression }>(item: T): T => ({
    ...item,
    expression: change(item.expression),
  })
  switch (node.kind) {
    case 'scan':
    case 'distinct':
    case 'union':
    case 'limit':
      return node
    case 'filter':
      return { ...node, predicate: change(node.predicate) }
    case 'project':
      return { ...node, columns: node.columns.map(changed) }
    case 'join':
      return { ...node, condition: change(node.condition) }
    case 'aggregate':
      return {
        ...node,
        keys: node.keys.map(changed),
        aggregates: node.aggregates.map(column => ({
          ...column,
          argument: column.argument === null ? null : change(column.argument),
          filter: column.filter === null ? null : change(column.filter),
        })),
      }
    case 'sort':
      return { ...node, keys: node.keys.map(changed) }
    default:
      return unreachable(node)
  }
}

/** The expressions directly inside an expression, in the order of evaluation. */
export function operands(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'literal':
    case 'parameter':
    case 'column':
      return []
    case 'call':
      return expression.arguments
    case 'case':
      return [...expression.branches.flatMap(branch => [branch.when, branch.then]), expression.otherwise]
    case 'cast':
      return [expression.argument]
    case 'in':
      return [expression.argument, ...expression.list]
    default:
      return unreachable(expression)
  }
}

/** Rebuilds an expression bottom-up. */
export function mapExpression(
  expression: Expression,
  change: (expression: Expression) => Expression,
): Expression {
  const inner = (operand: Expression) => mapExpression(operand, change)
  switch (expression.kind) {
    case 'literal':
    case 'parameter':
    case 'column':
      return change(expression)
    case 'call':
      return change({ ...expression, arguments: expression.arguments.map(inner) })
    case 'case':
      return change({
        ...expression,
        branches: expression.branches.map(branch => ({ when: inner(branch.when), then: inner(branch.then) })),
        otherwise: inner(expression.otherwise),
      })
    case 'cast':
      return change({ ...expression, argument: inner(expression.argument) })
    case 'in':
      return change({ ...expression, argument: inner(expression.argument), list: expression.list.map(inner) })
    default:
      return unreachable(expression)
  }
}

/** Every expression inside, itself first. */
export function* expressionsIn(expression: Expression): Generator<Expression> {
  yield expression
  for (const operand of operands(expression)) yield* expressionsIn(operand)
}

/** The columns that an expression refers to. */
export function columnsIn(expression: Expression): Set<ColumnId> {
  const ids = new Set<ColumnId>()
  for (const inner of expressionsIn(expression)) if (inner.kind === 'column') ids.add(inner.id)
  return ids
}
