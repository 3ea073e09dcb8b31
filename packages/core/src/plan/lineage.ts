import { unreachable } from '../errors.js'
import { type BaseColumn, type Definitions, definitionOf, definitionsOf } from './definitions.js'
import type { ColumnId, Expression } from './expression.js'
import { isOrderStatistic, PREDICATES } from './functions.js'
import type { AggregateColumn, Plan, PlanNode } from './node.js'
import { below, onTrail, type PlanPart, partsOf, type Trail } from './positions.js'
import type { ColumnUse, Use } from './review-types.js'
import { columnsIn, nodesOf, operands, outputColumns } from './visit.js'

/** How one scan's column is used, before the scans of one dataset are put together. */
export interface SourceUse {
  readonly source: number
  readonly dataset: string
  readonly column: string
  readonly use: Use
  /** the parts of the plan that say where the use is made, the one that tells most first */
  readonly parts: readonly PlanPart[]
}

/**
 * Every use that a plan makes of its base columns, through projects and subqueries:
 *
 * - `join`: an equality between bare columns of both sides. Any other join condition is a filter as well, since a
 *   comparison with a constant can stand there too.
 * - `group`: group keys, whether released or not.
 * - `filter`: filter predicates (HAVING on keys too), FILTER clauses, conditions and comparisons inside values. A
 *   condition inside a group key, a join or an output needs both uses; inside an aggregate, `filter` alone.
 * - `aggregate`: arguments of counts, sums and averages.
 * - `order`: arguments of quantiles and of the k-th smallest or largest; `extreme`: of a minimum or a maximum.
 * - `output`: columns and sort keys that are released without an aggregate.
 */
export function usesOf(plan: Plan, definitions: Definitions = definitionsOf(plan.root)): SourceUse[] {
  const found = new Map<string, SourceUse>()
  const seen = new Set<string>()

  function touch(expression: Expression, use: Use, outer: Trail | null): void {
    const trail = onTrail(expression, outer)
    switch (expression.kind) {
      case 'literal':
      case 'parameter':
        return
      case 'column':
        touchColumn(expression.id, use, trail)
        return
      case 'cast':
        touch(expression.argument, use, trail)
        return
      case 'case':
        for (const branch of expression.branches) {
          touchCondition(branch.when, use, trail)
          touch(branch.then, use, trail)
        }
        touch(expression.otherwise, use, trail)
        return
      case 'in':
        for (const operand of operands(expression)) touchCondition(operand, use, trail)
        return
      case 'call':
        for (const argument of expression.arguments) {
          if (PREDICATES.has(expression.function)) touchCondition(argument, use, trail)
          else touch(argument, use, trail)
        }
        if (expression.function === 'nullIf') {
          for (const argument of expression.arguments) touchCondition(argument, use, trail)
        }
        return
      default:
        unreachable(expression)
    }
  }

  function touchCondition(expression: Expression, use: Use, outer: Trail): void {
    touch(expression, 'filter', outer)
    if (use !== 'aggregate' && use !== 'filter') touch(expression, use, outer)
  }

  function touchColumn(id: ColumnId, use: Use, trail: Trail): void {
    const mark = `${id} ${use}`
    if (seen.has(mark)) return
    seen.add(mark)
    const definition = definitionOf(definitions, id)
    switch (definition.kind) {
      case 'base': {
        const { source, dataset, column } = definition
        const key = `${source} ${use} ${column}`
        if (!found.has(key)) found.set(key, { source, dataset, column, use, parts: partsOf(trail) })
        return
      }
      case 'expression':
        touch(definition.expression, use, below(trail))
        return
      case 'key':
        // a key that is released is a group's name: `group` is asked for at the aggregate
        if (use !== 'output') touch(definition.expression, use, below(trail))
        return
      case 'aggregate':
        // its argument is asked for at the aggregate, and only the aggregated value goes on from there
        return
      case 'union':
        for (const branch of definition.branches) touchColumn(branch, use, trail)
        return
      default:
        unreachable(definition)
    }
  }

  function touchNode(node: PlanNode): void {
    const trail = onTrail(node, null)
    switch (node.kind) {
      case 'scan':
      case 'project':
      case 'limit':
        return
      case 'filter':
        touch(node.predicate, 'filter', trail)
        return
      case 'join':
        for (const conjunct of conjunctsOf(node.condition)) {
          const plain = isPlainEquality(conjunct, node.left, node.right, definitions)
          for (const [id, at] of referencesIn(conjunct, trail)) {
            touchColumn(id, 'join', at)
            if (!plain) touchColumn(id, 'filter', at)
          }
        }
        return
      case 'aggregate':
        for (const key of node.keys) touch(key.expression, 'group', trail)
        for (const column of node.aggregates) {
          const { argument, filter } = column
          const inColumn = onTrail(column, trail)
          if (argument !== null) touch(argument, argumentUse(column), inColumn)
          if (filter !== null) touch(filter, 'filter', inColumn)
        }
        return
      case 'sort':
        for (const key of node.keys) touch(key.expression, 'output', trail)
        return
      case 'distinct':
        for (const { id } of outputColumns(node)) touchColumn(id, 'group', trail)
        return
      case 'union':
        return
      default:
        unreachable(node)
    }
  }

  for (const node of nodesOf(plan.root)) touchNode(node)
  for (const column of plan.output) touchColumn(column.id, 'output', onTrail(column, null))
  return [...found.values()]
}

function argumentUse({ function: called, rank }: AggregateColumn): Use {
  if (!isOrderStatistic(called)) return 'aggregate'
  return called === 'quantile' || rank !== undefined ? 'order' : 'extreme'
}

/** The uses by dataset and column, in the order of the names. */
export function columnUses(uses: readonly SourceUse[], order: readonly Use[]): ColumnUse[] {
  const byColumn = new Map<string, { dataset: string; column: string; uses: Set<Use> }>()
  for (const { dataset, column, use } of uses) {
    const key = JSON.stringify([dataset, column])
    const entry = byColumn.get(key) ?? { dataset, column, uses: new Set() }
    byColumn.set(key, entry)
    entry.uses.add(use)
  }
  return [...byColumn.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, entry]) => ({ ...entry, uses: order.filter(use => entry.uses.has(use)) }))
}

/** The base columns that an expression's value or its conditions are made of. */
export function baseColumnsOf(expression: Expression, definitions: Definitions): BaseColumn[] {
  const reached = new Map<ColumnId, BaseColumn>()
  const seen = new Set<ColumnId>()
  const follow = (id: ColumnId): void => {
    if (seen.has(id)) return
    seen.add(id)
    const definition = definitionOf(definitions, id)
    switch (definition.kind) {
      case 'base':
        reached.set(id, definition)
        return
      case 'expression':
      case 'key':
        for (const inner of columnsIn(definition.expression)) follow(inner)
        return
      case 'aggregate': {
        const { argument, filter } = definition.aggregate
        for (const part of [argument, filter])
          if (part !== null) for (const inner of columnsIn(part)) follow(inner)
        return
      }
      case 'union':
        for (const inner of definition.branches) follow(inner)
        return
      default:
        unreachable(definition)
    }
  }
  for (const id of columnsIn(expression)) follow(id)
  return [...reached.values()]
}

/** The aggregate columns that an expression above the aggregate is computed from. */
export function aggregatesBehind(expression: Expression, definitions: Definitions): ColumnId[] {
  const reached = new Set<ColumnId>()
  const follow = (id: ColumnId): void => {
    const definition = definitionOf(definitions, id)
    if (definition.kind === 'aggregate') reached.add(id)
    if (definition.kind === 'expression') for (const inner of columnsIn(definition.expression)) follow(inner)
  }
  for (const id of columnsIn(expression)) follow(id)
  return [...reached].sort((a, b) => a - b)
}

function conjunctsOf(condition: Expression): readonly Expression[] {
  return condition.kind === 'call' && condition.function === 'and'
    ? condition.arguments.flatMap(conjunctsOf)
    : [condition]
}

/** The columns that an expression refers to, each with the way to where it is named first. */
function referencesIn(
  expression: Expression,
  outer: Trail,
  found = new Map<ColumnId, Trail>(),
): Map<ColumnId, Trail> {
  const trail = onTrail(expression, outer)
  if (expression.kind === 'column' && !found.has(expression.id)) found.set(expression.id, trail)
  for (const operand of operands(expression)) referencesIn(operand, trail, found)
  return found
}

/** `left.column = right.column`, each a dataset's column as it is, or cast or folded to one case. */
function isPlainEquality(
  conjunct: Expression,
  left: PlanNode,
  right: PlanNode,
  definitions: Definitions,
): boolean {
  if (
    conjunct.kind !== 'call' ||
    !(conjunct.function === 'equal' || conjunct.function === 'notDistinctFrom')
  ) {
    return false
  }
  if (!conjunct.arguments.every(argument => isPlain(argument, definitions))) return false
  const [a, b] = conjunct.arguments.map(argument => [...columnsIn(argument)][0])
  const leftIds = new Set(outputColumns(left).map(column => column.id))
  const rightIds = new Set(outputColumns(right).map(column => column.id))
  if (a === undefined || b === undefined) return false
  return (leftIds.has(a) && rightIds.has(b)) || (rightIds.has(a) && leftIds.has(b))
}

function isPlain(expression: Expression, definitions: Definitions): boolean {
  if (expression.kind === 'cast') return isPlain(expression.argument, definitions)
  if (expression.kind === 'call') {
    return (
      ['lower', 'upper', 'trim'].includes(expression.function) &&
      isPlain(expression.arguments[0]!, definitions)
    )
  }
  if (expression.kind !== 'column') return false
  const definition = definitionOf(definitions, expression.id)
  if (definition.kind === 'base') return true
  return (
    (definition.kind === 'expression' || definition.kind === 'key') &&
    isPlain(definition.expression, definitions)
  )
}
