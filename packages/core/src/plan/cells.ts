import { type Argument, type Barrier, countedArgument, inlined, summedArgument } from './argument.js'
import { conjunction, isNumeric, magnitude, notTrue, ONE, predicate, reference, zero } from './build.js'
import { type Definitions, definitionOf } from './definitions.js'
import type { Expression } from './expression.js'
import { isOrderStatistic } from './functions.js'
import { baseColumnsOf } from './lineage.js'
import type { AggregateColumn, PlanNode } from './node.js'
import { placeOf } from './order-statistics.js'
import type { PlanPart } from './positions.js'
import type { CellSpecification } from './review-types.js'
import { summationProblem } from './summable.js'
import { columnsIn, expressionsIn, nodesOf, outputColumns } from './visit.js'

export interface CellContext {
  readonly definitions: Definitions
  readonly barrier: Barrier
  /** does the scan read public reference data */
  readonly isPublic: (source: number) => boolean
  /** dominance of counts follows from the minimum, so that they need no contributions */
  readonly countsImplied: boolean
}

/** Why an aggregate's evidence is not defined. */
export interface Undefined {
  readonly rule: string
  readonly message: string
  readonly remedy: string
}

/** The same, and the parts of the plan that it is about. */
export interface UndefinedPart extends Undefined {
  readonly parts: readonly PlanPart[]
}

/** What the evidence of an aggregate column is taken over, or why it is not defined. */
export function cellOf(column: AggregateColumn, context: CellContext): CellSpecification | Undefined {
  const { definitions } = context
  if (isOrderStatistic(column.function)) return orderCell(column, context)
  const summed = column.function !== 'count'
  if (column.distinct && summed) return DISTINCT_SUM
  const { argument, filter } = column
  if (argument === null) {
    return {
      id: column.id,
      contributes: filter,
      complement: filter === null ? null : notTrue(filter),
      differences: [],
      contributions: context.countsImplied ? [] : [ONE],
    }
  }
  if (summed) {
    const problem = summationProblem(inlined(argument, definitions, new Set()), definitions, base =>
      context.isPublic(base.source),
    )
    if (problem !== null) return problem
  }
  const parsed = argumentOf(column, argument, context)
  if (parsed === null) return summed ? CONDITIONAL_SUM : CONDITIONAL_COUNT
  if (column.distinct && !isPlainlyDistinct(parsed)) return DISTINCT_COUNT

  const selection = conjunction([...(filter === null ? [] : [filter]), ...parsed.guards])
  const present = presenceOf(parsed, definitions, summed)
  // a factor of zero takes a row out as a condition would
  if (summed && isProduct(parsed.value))
    present.push(predicate('notEqual', parsed.value, zero(parsed.value.type)))
  return {
    id: column.id,
    contributes: conjunction([...(selection === null ? [] : [selection]), ...present]),
    complement: selection === null ? null : conjunction([notTrue(selection), ...present]),
    differences: [],
    contributions: contributionsOf(column, parsed, context),
  }
}

/**
 * An order statistic is of a column as it stands: an expression could put several people's values, or who has one, into
 * what is released. Dominance is of sums; in its place stand the entities on either side (`order`), or for an extreme the
 * use that the policy gives for it.
 */
function orderCell(
  { id, function: called, argument, filter, rank, fraction }: AggregateColumn,
  { definitions, barrier, isPublic }: CellContext,
): CellSpecification | Undefined {
  const value = inlined(argument!, definitions, barrier)
  const base = value.kind === 'column' ? definitionOf(definitions, value.id) : undefined
  if (base?.kind !== 'base') return ORDER_ARGUMENT
  // where it is joined with people, it says which of its rows somebody has: a value of what they are joined by
  if (isPublic(base.source)) return ORDER_PUBLIC
  const present = predicate('isNotNull', value)
  const place = placeOf({ function: called, rank, fraction })
  return {
    id,
    contributes: filter === null ? present : conjunction([filter, present]),
    complement: filter === null ? null : conjunction([notTrue(filter), present]),
    differences: [],
    contributions: [],
    ...(place && { order: { place, others: [] } }),
  }
}

/** What an aggregate's argument comes to; null where its evidence is not defined. */
export function argumentOf(
  { function: name }: AggregateColumn,
  argument: Expression,
  { definitions, barrier }: CellContext,
): Argument | null {
  const parse = name === 'count' ? countedArgument : summedArgument
  return parse(argument, definitions, barrier)
}

/**
 * Columns whose own expression is out of reach: a left join can make what its right side computes null as a whole,
 * and nothing can be handed up through a part that groups or limits public data.
 */
export function barrierOf(input: PlanNode, definitions: Definitions): Barrier {
  const barrier = new Set<number>()
  for (const node of nodesOf(input)) {
    const closed =
      node.kind === 'join' ? (node.type === 'left' ? node.right : null) : isOpen(node) ? null : node
    for (const { id } of closed === null ? [] : outputColumns(closed)) {
      if (definitionOf(definitions, id).kind === 'expression') barrier.add(id)
    }
  }
  return barrier
}

function isOpen({ kind }: PlanNode): boolean {
  return kind === 'scan' || kind === 'filter' || kind === 'project' || kind === 'sort'
}

function contributionsOf(
  column: AggregateColumn,
  { value }: Argument,
  { definitions, isPublic, countsImplied }: CellContext,
): Expression[] {
  const counted = countsImplied ? [] : [ONE]
  if (column.function === 'count') return column.distinct ? [] : counted
  // a constant summed over a selection is a count
  if (columnsIn(value).size === 0) return counted
  const only = withoutCasts(value)
  if (only.kind === 'column' && definitionOf(definitions, only.id).kind === 'base') return [magnitude(value)]
  const measures = baseColumnsOf(value, definitions).filter(
    base => isNumeric(base.type) && !isPublic(base.source),
  )
  return [magnitude(value), ...measures.map(base => magnitude(reference(base.id, base.type)))]
}

function withoutCasts(expression: Expression): Expression {
  return expression.kind === 'cast' ? withoutCasts(expression.argument) : expression
}

/**
 * When the argument has a value at all, before anything is selected. A null that a sum counts as zero is none: it
 * would make contributors of entities that add nothing.
 */
function presenceOf({ value }: Argument, definitions: Definitions, summed: boolean): Expression[] {
  const columns = [...columnsIn(value)]
  if (columns.length === 0)
    return value.kind === 'literal' && value.value !== null ? [] : [predicate('isNotNull', value)]
  const coalesced = [...expressionsIn(value)].some(
    inner => inner.kind === 'call' && inner.function === 'coalesce',
  )
  if (!coalesced || !summed) return [predicate('isNotNull', value)]
  const present = columns.map(id => predicate('isNotNull', reference(id, definitionOf(definitions, id).type)))
  return present.length === 1 ? present : [predicate('or', ...present)]
}

/** Does it multiply columns with columns? */
export function isProduct(value: Expression): boolean {
  return [...expressionsIn(value)].some(
    inner =>
      inner.kind === 'call' &&
      (inner.function === 'multiply' || inner.function === 'divide') &&
      inner.arguments.every(argument => columnsIn(argument).size > 0),
  )
}

/**
 * Counting the distinct outcomes of a comparison tells whether anybody at all meets it, and so does whatever maps
 * several values to one at a place of the asker's choice.
 */
function isPlainlyDistinct({ guards, value }: Argument): boolean {
  if (guards.length > 0) return false
  return [...expressionsIn(value)].every(inner => {
    if (inner.kind === 'case' || inner.kind === 'in') return false
    return inner.kind !== 'call' || PLAIN_OF_DISTINCT.has(inner.function)
  })
}

const PLAIN_OF_DISTINCT: ReadonlySet<string> = new Set([
  'lower',
  'upper',
  'trim',
  'concat',
  'datePart',
  'dateTruncate',
])

const ORDER_ARGUMENT: Undefined = {
  rule: 'evidence.order-argument',
  message: 'a minimum, a maximum or a quantile is of something else than a column as it stands',
  remedy: 'Write min(x), max(x) or quantile_disc(x, 0.5) of a column, and FILTER (WHERE …) for conditions.',
}

const ORDER_PUBLIC: Undefined = {
  rule: 'evidence.order-public',
  message:
    'a minimum, a maximum or a quantile of a public table’s column, over rows of people, tells what one of them is joined by',
  remedy: 'Ask for it of the public table alone, or of a column of the protected one.',
}

const CONDITIONAL_SUM: Undefined = {
  rule: 'evidence.conditional',
  message: 'the argument of a sum or an average chooses between values, so its evidence is not defined',
  remedy:
    'Write sum(x) FILTER (WHERE …), or one CASE WHEN … THEN x ELSE 0 END as the whole argument or a factor of it.',
}

const CONDITIONAL_COUNT: Undefined = {
  rule: 'evidence.conditional',
  message: 'the argument of a count chooses between values, so its evidence is not defined',
  remedy: 'Write count(*) FILTER (WHERE …), or count(CASE WHEN … THEN 1 END).',
}

const DISTINCT_SUM: Undefined = {
  rule: 'evidence.distinct-sum',
  message: 'a sum or an average of distinct values belongs to nobody, so its evidence is not defined',
  remedy: 'Use sum and avg without DISTINCT, or count(DISTINCT …).',
}

const DISTINCT_COUNT: Undefined = {
  rule: 'evidence.distinct-count',
  message: 'a distinct count of chosen or compared values tells whether anybody meets the condition',
  remedy: 'Use count(DISTINCT column), or of its lower case, of several joined by ||, of parts of a date.',
}
