import { inlined } from './argument.js'
import { conjunction } from './build.js'
import { argumentOf, barrierOf, cellOf, isProduct, type Undefined } from './cells.js'
import { definitionsOf } from './definitions.js'
import type { ColumnId, Expression } from './expression.js'
import type { Aggregate, Plan } from './node.js'
import { withOthers } from './order-overlaps.js'
import type { OrderBound } from './order-statistics.js'
import { withDifferences } from './overlaps.js'
import { expressionsIn } from './visit.js'

/** What one aggregate column comes to, for an engine that does not compute its argument as it is written. */
export interface Selection {
  readonly id: ColumnId
  /** what is counted, summed or averaged in the rows that the aggregate picks; null where rows are counted */
  readonly value: Expression | null
  /** which rows it picks, by FILTER or by a condition in its argument; null where it takes all */
  readonly where: Expression | null
  /** the rows that it does not pick have no value either: an average over the rows it picks is the aggregate's */
  readonly isPlain: boolean
  /** of the rows with a value, those in which no factor is zero; null where the value is no product of columns */
  readonly nonzero: Expression | null
  /** rows that have to be nobody's or enough, as in `CellSpecification`: the complement, and differences to others */
  readonly leftOver: readonly Expression[]
  /** as in `CellSpecification` */
  readonly order?: OrderBound
}

/**
 * The aggregate's columns as the disclosure check looks at them, where every dataset is taken for protected. Their
 * expressions name columns of any node below the aggregate.
 *
 * @returns by column, or for it why its evidence is not defined: such a column is compared with no other; in place of
 *   all, why there are too many differences between those that are defined, or which ranks overlap
 */
export function selectionsOf({ root }: Plan, aggregate: Aggregate): (Selection | Undefined)[] | Undefined {
  const definitions = definitionsOf(root)
  const context = {
    definitions,
    barrier: barrierOf(aggregate.input, definitions),
    isPublic: () => false,
    countsImplied: false,
  }
  const found = aggregate.aggregates.map(column => ({ column, cell: cellOf(column, context) }))
  const defined = found.flatMap(({ column, cell }) => ('rule' in cell ? [] : [{ column, cell }]))
  const compared = withDifferences(
    defined.map(({ column }) => column),
    defined.map(({ cell }) => cell),
    context,
  )
  if ('rule' in compared) return compared
  const ordered = withOthers(
    defined.map(({ column }) => column),
    compared,
    definitions,
    context.barrier,
  )
  if ('rule' in ordered) return ordered
  const whole = (argument: Expression) => inlined(argument, definitions, context.barrier)
  return found.map(({ column, cell }): Selection | Undefined => {
    if ('rule' in cell) return cell
    const { id, contributes, complement, differences, order } = ordered.find(({ id }) => id === cell.id)!
    const parsed = column.argument === null ? null : argumentOf(column, column.argument, context)
    const picked = [...(column.filter === null ? [] : [column.filter]), ...(parsed?.guards ?? [])]
    const isSummed = column.function !== 'count' && parsed !== null
    return {
      id,
      value: parsed?.value ?? null,
      where: conjunction(picked),
      isPlain: parsed === null || (parsed.guards.length === 0 && !coalesces(whole(column.argument!))),
      nonzero: isSummed && isProduct(parsed.value) ? contributes : null,
      leftOver: [...(complement === null ? [] : [complement]), ...differences],
      ...(order && { order }),
    }
  })
}

function coalesces(expression: Expression): boolean {
  return [...expressionsIn(expression)].some(inner => inner.kind === 'call' && inner.function === 'coalesce')
}
