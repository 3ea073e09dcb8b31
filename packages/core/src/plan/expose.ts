import { reference } from './build.js'
import type { ColumnId, Expression } from './expression.js'
import type { PlanNode } from './node.js'
import type { ScalarType } from './types.js'
import { mapExpression, outputColumns } from './visit.js'

/** A node that hands on further columns from below, and under which id each of them comes out. */
export interface Exposed {
  readonly node: PlanNode
  readonly ids: ReadonlyMap<ColumnId, ColumnId>
}

/**
 * Hands the wanted columns, which lie somewhere below, up through projects, so that they are in scope above. What
 * the node computed before it computes still; a left join makes the new columns null like the others.
 */
export function expose(
  node: PlanNode,
  wanted: ReadonlyMap<ColumnId, ScalarType>,
  fresh: () => ColumnId,
): Exposed {
  const present = new Map(
    outputColumns(node)
      .filter(column => wanted.has(column.id))
      .map(column => [column.id, column.id]),
  )
  const missing = new Map([...wanted].filter(([id]) => !present.has(id)))
  if (missing.size === 0) return { node, ids: present }
  switch (node.kind) {
    case 'filter':
    case 'sort': {
      const below = expose(node.input, wanted, fresh)
      return { node: { ...node, input: below.node }, ids: below.ids }
    }
    case 'project': {
      const below = expose(node.input, missing, fresh)
      const handedOn = new Map<ColumnId, ColumnId>()
      for (const { id, expression } of node.columns) {
        if (expression.kind === 'column') handedOn.set(expression.id, id)
      }
      const added = [...below.ids]
        .filter(([, inner]) => !handedOn.has(inner))
        .map(([id, inner]) => {
          const type = missing.get(id)!
          return { id: fresh(), from: id, type, expression: reference(inner, type) }
        })
      return {
        node: {
          ...node,
          input: below.node,
          columns: [
            ...node.columns,
            ...added.map(({ id, type, expression }) => ({ id, name: `column${id}`, type, expression })),
          ],
        },
        ids: new Map([
          ...present,
          ...[...below.ids].flatMap(([id, inner]) => {
            const handed = handedOn.get(inner)
            return handed === undefined ? [] : [[id, handed] as const]
          }),
          ...added.map(column => [column.from, column.id] as const),
        ]),
      }
    }
    case 'join': {
      const left = expose(node.left, wanted, fresh)
      const right = expose(node.right, wanted, fresh)
      return {
        node: { ...node, left: left.node, right: right.node },
        ids: new Map([...left.ids, ...right.ids]),
      }
    }
    default:
      return { node, ids: present }
  }
}

/** The expression with columns renamed; those that are not in the map stay. */
export function renamed(expression: Expression, ids: ReadonlyMap<ColumnId, ColumnId>): Expression {
  return mapExpression(expression, inner =>
    inner.kind === 'column' ? { ...inner, id: ids.get(inner.id) ?? inner.id } : inner,
  )
}
