import { unreachable } from '../errors.js'
import type { ColumnId, Expression } from './expression.js'
import type { PlanNode, Project, Scan } from './node.js'
import type { DatasetFacts } from './review-types.js'
import { sameType } from './validate.js'
import { outputColumns } from './visit.js'

/** What a node's rows are made of, by the ordinals of its scans. */
export interface Shape {
  readonly sources: readonly number[]
  /** sources of which one row may stand in several rows of the output (fan-out) */
  readonly repeated: ReadonlySet<number>
  /** sources that a left join may leave without a row */
  readonly optional: ReadonlySet<number>
  /** lists of columns of which no two rows of the output have the same values, none of them null */
  readonly keys: readonly (readonly ColumnId[])[]
}

/**
 * Whether rows stay single through filters, projections and joins: a join does not repeat a row where the columns
 * that it equates on the other side contain a key which registration verified.
 *
 * @param uniqueKeys of a dataset, as registered
 */
export function shapeOf(node: PlanNode, uniqueKeys: (dataset: string) => DatasetFacts['uniqueKeys']): Shape {
  let next = 0
  const visit = (inner: PlanNode): Shape => {
    switch (inner.kind) {
      case 'scan':
        return {
          sources: [next++],
          repeated: new Set(),
          optional: new Set(),
          keys: scanKeys(inner, uniqueKeys(inner.dataset)),
        }
      case 'filter':
      case 'sort':
      case 'limit':
        return visit(inner.input)
      case 'project': {
        const input = visit(inner.input)
        return { ...input, keys: projectedKeys(inner, input.keys) }
      }
      case 'join':
        return joined(visit(inner.left), visit(inner.right), inner.type, equated(inner.condition), inner)
      case 'aggregate':
      case 'distinct':
        return unknown([visit(inner.input)])
      case 'union':
        return unknown(inner.inputs.map(visit))
      default:
        return unreachable(inner)
    }
  }
  return visit(node)
}

function scanKeys(scan: Scan, uniqueKeys: DatasetFacts['uniqueKeys']): ColumnId[][] {
  return uniqueKeys.flatMap(key => {
    const ids = key.map(
      name => scan.columns.find(column => column.name === name && column.mask === undefined)?.id,
    )
    return ids.every(id => id !== undefined) ? [ids] : []
  })
}

function projectedKeys(project: Project, keys: Shape['keys']): ColumnId[][] {
  const handedOn = new Map<ColumnId, ColumnId>()
  for (const { id, expression } of project.columns) {
    if (expression.kind === 'column') handedOn.set(expression.id, id)
  }
  return keys.flatMap(key => {
    const ids = key.map(id => handedOn.get(id))
    return ids.every(id => id !== undefined) ? [ids] : []
  })
}

function joined(
  left: Shape,
  right: Shape,
  type: 'inner' | 'left',
  equalities: readonly (readonly [ColumnId, ColumnId])[],
  sides: { readonly left: PlanNode; readonly right: PlanNode },
): Shape {
  const across = (side: PlanNode): Set<ColumnId> => {
    const own = new Set(outputColumns(side).map(({ id }) => id))
    return new Set(
      equalities.filter(([a, b]) => own.has(a) !== own.has(b)).map(([a, b]) => (own.has(a) ? a : b)),
    )
  }
  const isSingle = (shape: Shape, columns: ReadonlySet<ColumnId>) =>
    shape.keys.some(key => key.every(id => columns.has(id)))
  const rightSingle = isSingle(right, across(sides.right))
  const leftSingle = isSingle(left, across(sides.left))
  return {
    sources: [...left.sources, ...right.sources],
    repeated: new Set([
      ...left.repeated,
      ...right.repeated,
      ...(rightSingle ? [] : left.sources),
      ...(leftSingle ? [] : right.sources),
    ]),
    optional: new Set([...left.optional, ...right.optional, ...(type === 'left' ? right.sources : [])]),
    keys: [...(rightSingle ? left.keys : []), ...(leftSingle && type === 'inner' ? right.keys : [])],
  }
}

/**
 * Pairs of bare columns of one type that a condition equates. A comparison of different types is none: two keys may
 * be one value in the common type.
 */
function equated(condition: Expression): (readonly [ColumnId, ColumnId])[] {
  if (condition.kind !== 'call') return []
  if (condition.function === 'and') return condition.arguments.flatMap(equated)
  const [a, b] = condition.arguments
  const isEquality = condition.function === 'equal' || condition.function === 'notDistinctFrom'
  return isEquality && a?.kind === 'column' && b?.kind === 'column' && sameType(a.type, b.type)
    ? [[a.id, b.id]]
    : []
}

function unknown(inputs: readonly Shape[]): Shape {
  const sources = inputs.flatMap(input => input.sources)
  return { sources, repeated: new Set(sources), optional: new Set(sources), keys: [] }
}
