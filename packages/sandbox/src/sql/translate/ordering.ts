import type { Expression, PlanNode, SortKey } from '@sluice/core/plan'
import { type Ast, isAst, refuse } from '../syntax/ast.js'
import { type Place, translateExpression } from './expressions.js'
import type { Translated } from './from.js'
import type { Modifiers, OrderTerm } from './modifiers.js'
import { reference, Scope } from './names.js'
import type { QueryPlace } from './query.js'

/**
 * Puts a Sort and a Limit on a query. Order is kept where it can be seen: at the outermost query, and below a
 * Limit. `ties` are expressions that, together, tell all rows apart; they come after the query's own keys,
 * ascending with nulls last, so that the order and what a Limit keeps do not depend on the engine.
 */
export function sortAndLimit(
  node: PlanNode,
  keys: readonly SortKey[],
  ties: readonly Expression[],
  { limit }: Modifiers,
  outermost: boolean,
): PlanNode {
  if (limit === null && (!outermost || keys.length === 0)) return node
  const seen = new Set(keys.map(({ expression }) => JSON.stringify(expression)))
  const rest = ties
    .filter(expression => !seen.has(JSON.stringify(expression)))
    .map(expression => ({ expression, descending: false, nullsFirst: false }))
  const all = [...keys, ...rest]
  const sorted: PlanNode = all.length === 0 ? node : { kind: 'sort', input: node, keys: all }
  return limit === null ? sorted : { kind: 'limit', input: sorted, count: limit.count, offset: limit.offset }
}

/** Does the query show its order, so that its keys have to be computed. */
export function needsOrder({ order, limit }: Modifiers, outermost: boolean): boolean {
  return limit !== null || (outermost && order.length > 0)
}

/** ORDER BY of a UNION: its keys are output columns. */
export function orderedByOutput(
  { node, columns }: Translated,
  modifiers: Modifiers,
  { context, located, outermost }: QueryPlace,
): Translated {
  const place: Place = {
    context,
    scope: new Scope([{ alias: '', columns }]),
    aggregate: null,
    clause: 'ORDER BY of a UNION',
    known: new Set(),
    located,
  }
  const outputs = columns.map(({ id, type }) => reference(id, type))
  const keys = modifiers.order.map(term => {
    const expression = ordinal(term.ast, outputs) ?? translateExpression(term.ast, place)
    if (expression.kind !== 'column') {
      refuse('sql.union', term.ast, 'a UNION is ordered by its columns', 'Name a column of the first SELECT.')
    }
    return sortKey(term, expression)
  })
  const arranged = sortAndLimit(node, keys, outputs, modifiers, outermost)
  return { node: located.at(arranged, modifiers.limit?.at), columns }
}

export function sortKey({ descending, nullsFirst }: OrderTerm, expression: Expression): SortKey {
  return { expression, descending, nullsFirst }
}

/** What a bare whole number means in GROUP BY and ORDER BY: the item at that place of the select list. */
export function ordinal<T>(ast: Ast, items: readonly T[]): T | null {
  if (ast.class !== 'CONSTANT' || !isAst(ast.value)) return null
  const { type, value } = ast.value
  if (!isAst(type) || !/INT/.test(String(type.id)) || typeof value !== 'string') return null
  return (
    items[Number(value) - 1] ??
    refuse('sql.ordinal', ast, 'the select list has no item of this number', `Write 1 to ${items.length}.`)
  )
}

/** ORDER BY ALL comes as a star. */
export function refuseOrderByAll(ast: Ast): void {
  if (ast.class === 'STAR') {
    refuse('sql.order-by-all', ast, 'ORDER BY ALL is not understood', 'Name the columns to order by.')
  }
}
