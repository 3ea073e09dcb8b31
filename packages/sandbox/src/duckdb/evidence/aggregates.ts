import { type AggregateColumn, type Definitions, definitionOf, type Expression } from '@sluice/core/plan'
import { aggregateCall } from '../../sql/emit/aggregate.js'
import { type ColumnText, emitExpression } from '../../sql/emit/expression.js'
import { sqlType } from '../../sql/emit/types.js'
import { type ExpressionFacts, filter, type SelectList } from './measures.js'

/** An aggregate column of the plan as the engine computes it over rows. */
export function plainAggregate(
  aggregate: AggregateColumn,
  column: ColumnText,
  facts: ExpressionFacts,
): string {
  const argument = argumentOf(aggregate, column, facts)
  return cast(aggregate, aggregateCall(aggregate, argument, filtered(aggregate, column)))
}

/**
 * The same from partial aggregates of a division of the group's rows: the sum of sums and of counts. Exact for
 * integers and decimals; a floating sum differs by rounding, as it does between two runs of the engine itself. Null
 * where parts do not make a whole: distinct values may lie in several parts, and a rank is one among all values.
 *
 * @param isDivided two rows with the same value of this expression lie in the same part
 */
export function recombinedAggregate(
  aggregate: AggregateColumn,
  column: ColumnText,
  using: {
    readonly inner: SelectList
    readonly isDivided: (argument: Expression) => boolean
    readonly facts: ExpressionFacts
  },
): string | null {
  const { argument, distinct } = aggregate
  const { inner, isDivided, facts } = using
  const rows = filtered(aggregate, column)
  const text = argumentOf(aggregate, column, facts)
  if (distinct && aggregate.function !== 'count') return null
  if (distinct && (argument === null || !isDivided(argument))) return null
  switch (aggregate.function) {
    case 'count': {
      const count = inner.add(`count(${distinct ? 'DISTINCT ' : ''}${text})${rows}`)
      return cast(aggregate, `coalesce(sum(${count}), 0)`)
    }
    case 'sum':
      return cast(aggregate, `sum(${inner.add(`sum(${text})${rows}`)})`)
    case 'average': {
      const kind = argument?.type.kind
      if (kind !== 'integer' && kind !== 'decimal' && kind !== 'float') return null
      const sum = inner.add(`sum(${text})${rows}`)
      const count = inner.add(`count(${argument !== null && facts.isComplete(argument) ? '*' : text})${rows}`)
      return cast(aggregate, `CAST(sum(${sum}) AS DOUBLE) / sum(${count})`)
    }
    case 'minimum':
    case 'maximum': {
      if (aggregate.rank !== undefined) return null
      const extreme = inner.add(aggregateCall(aggregate, text, rows))
      return cast(aggregate, aggregateCall({ ...aggregate, filter: null }, extreme, ''))
    }
    case 'quantile':
      return null
  }
}

/** The column of a scan that an expression is, through projects that hand it on. */
export function baseColumn(
  expression: Expression,
  definitions: Definitions,
): { readonly source: number; readonly column: string } | null {
  if (expression.kind !== 'column') return null
  const definition = definitionOf(definitions, expression.id)
  if (definition.kind === 'base') return definition.masked ? null : definition
  return definition.kind === 'expression' ? baseColumn(definition.expression, definitions) : null
}

/** Rows are counted, not values, where every row has one: other counts of rows are then the same. */
function argumentOf(
  { argument, distinct, function: name }: AggregateColumn,
  column: ColumnText,
  facts: ExpressionFacts,
): string {
  if (argument === null || (name === 'count' && !distinct && facts.isComplete(argument))) return '*'
  return emitExpression(argument, column)
}

function filtered(aggregate: AggregateColumn, column: ColumnText): string {
  return aggregate.filter === null ? '' : filter({ sql: emitExpression(aggregate.filter, column) })
}

function cast(aggregate: AggregateColumn, sql: string): string {
  return `CAST(${sql} AS ${sqlType(aggregate.type)})`
}
