import type { Evidence } from '@sluice/core/disclosure'
import type { Expression, Obligation, ReleaseShape } from '@sluice/core/plan'
import { type ColumnText, emitExpression } from '../../sql/emit/expression.js'
import type { EntitySource } from './entities.js'
import { measureOf, type Statistics } from './statistics.js'

/** What is known of an expression over an aggregate's input before any row is read. */
export interface ExpressionFacts {
  /** it is null in no row */
  readonly isComplete: (expression: Expression) => boolean
  readonly magnitude: Statistics['magnitude']
}

/** Whose rows a piece of evidence is about, and what is summed over them. */
export interface PartText {
  readonly part: Evidence['part']
  /** the rows of the part; null: all rows of the group */
  readonly predicate: Predicate | null
  readonly contributions: readonly Contribution[]
}

export interface Predicate {
  /** SQL that is true for the rows */
  readonly sql: string
  /** SQL of the value whose being there is all that the predicate asks */
  readonly notNull: string | null
}

/** A row's share: one (a count), or the absolute value of a number. */
export type Contribution =
  | { readonly kind: 'one' }
  | {
      readonly kind: 'value'
      /** SQL of the absolute value, a number that a double holds; null is none */
      readonly sql: string
      /** the number is null wherever the part's predicate is not true, so that nothing has to be filtered */
      readonly implied: boolean
    }

/**
 * The parts that the disclosure check wants evidence about. A cell in which every row of the group takes part and
 * nothing is summed is the group itself.
 */
export function partsOf(
  release: Extract<ReleaseShape, { mode: 'aggregate' }>,
  column: ColumnText,
  facts: ExpressionFacts,
): PartText[] {
  return [
    { part: { kind: 'group' }, predicate: null, contributions: [] },
    ...release.cells.flatMap(cell => {
      const parts: PartText[] = []
      const add = (part: Evidence['part'], rows: Expression | null) =>
        parts.push({
          part,
          predicate: rows === null ? null : predicateOf(rows, column),
          contributions: cell.contributions.map(contribution =>
            contributionOf(contribution, rows, { column, facts }),
          ),
        })
      if (cell.contributes !== null || cell.contributions.length > 0) {
        add({ kind: 'cell', id: cell.id }, demanding(cell.contributes, facts))
      }
      if (cell.complement !== null) add({ kind: 'complement', id: cell.id }, cell.complement)
      for (const [index, rows] of cell.differences.entries()) {
        add({ kind: 'difference', id: cell.id, index }, rows)
      }
      return parts
    }),
  ]
}

/** A predicate without what every row meets; null where nothing is left of it. */
function demanding(rows: Expression | null, facts: ExpressionFacts): Expression | null {
  if (rows?.kind !== 'call') return rows
  if (rows.function === 'isNotNull') return facts.isComplete(rows.arguments[0]!) ? null : rows
  if (rows.function !== 'and') return rows
  const left = rows.arguments.map(part => demanding(part, facts)).filter(part => part !== null)
  return left.length <= 1 ? (left[0] ?? null) : { ...rows, arguments: left }
}

function predicateOf(expression: Expression, column: ColumnText): Predicate {
  return {
    sql: emitExpression(expression, column),
    notNull:
      expression.kind === 'call' && expression.function === 'isNotNull'
        ? emitExpression(expression.arguments[0]!, column)
        : null,
  }
}

function contributionOf(
  expression: Expression,
  rows: Expression | null,
  { column, facts }: { readonly column: ColumnText; readonly facts: ExpressionFacts },
): Contribution {
  if (expression.kind === 'literal' && expression.value === '1') return { kind: 'one' }
  const measure = measureOf(expression)
  const value = emitExpression(measure, column)
  const implied = rows === null || predicateOf(rows, column).notNull === value
  const sql = {
    itself: value,
    integer: `abs(${value})`,
    double: `abs(CAST(${value} AS DOUBLE))`,
  }[facts.magnitude(measure)]
  return { kind: 'value', sql, implied }
}

/** How many largest contributions the obligation's rules look at; 0: none. */
export function largestNeeded({ dominance, pPercent }: Obligation): number {
  return Math.max(dominance?.n ?? 0, pPercent === null ? 0 : 2)
}

/** Columns of a SELECT, each text once. */
export class SelectList {
  readonly #aliases = new Map<string, string>()
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  add(sql: string): string {
    const known = this.#aliases.get(sql)
    if (known !== undefined) return known
    const alias = `${this.#prefix}${this.#aliases.size}`
    this.#aliases.set(sql, alias)
    return alias
  }

  /** `text AS alias` of each, in the order they were added */
  get items(): string[] {
    return [...this.#aliases].map(([sql, alias]) => `${sql} AS ${alias}`)
  }

  get names(): string[] {
    return [...this.#aliases.values()]
  }
}

/** Where the numbers of one source and part stand among the evidence columns of a result, by alias. */
export interface Reading {
  readonly source: number
  readonly part: Evidence['part']
  readonly entities: string
  readonly contributions: readonly { readonly total: string; readonly largest: readonly string[] }[]
}

/**
 * How a grouping counts and sums. At one level it aggregates rows; at two it aggregates rows by group and a division
 * of the entities (a bucket, or the entity itself), then these by group.
 */
export interface Aggregator {
  count(rows: Predicate | null): string
  sum(value: string, rows: Predicate | null): string
  max(value: string, rows: Predicate | null): string
}

export function direct(): Aggregator {
  return {
    // a filter costs the engine a copy of the rows; counting a value costs nothing
    count: rows => (rows?.notNull ? `count(${rows.notNull})` : `count(*)${filter(rows)}`),
    sum: (value, rows) => `sum(${value})${filter(rows)}`,
    max: (value, rows) => `max(${value})${filter(rows)}`,
  }
}

/** @param inner takes the aggregates of the lower level; the texts returned are over its aliases */
export function recombined(inner: SelectList): Aggregator {
  const rows = direct()
  return {
    count: predicate => `sum(${inner.add(rows.count(predicate))})`,
    sum: (value, predicate) => `sum(${inner.add(rows.sum(value, predicate))})`,
    max: (value, predicate) => `max(${inner.add(rows.max(value, predicate))})`,
  }
}

export function filter(rows: Pick<Predicate, 'sql'> | null): string {
  return rows === null ? '' : ` FILTER (WHERE ${rows.sql})`
}

function both(rows: Predicate | null, present: string | null): Predicate | null {
  if (present === null) return rows
  return { sql: rows === null ? present : `(${rows.sql}) AND (${present})`, notNull: null }
}

/** Never null, always DOUBLE: what evidence columns are. */
function double(sql: string): string {
  return `CAST(coalesce(${sql}, 0) AS DOUBLE)`
}

/**
 * Evidence where every row is an entity: counts and totals are exact, and so is the largest contribution; the sum of
 * the i largest is bounded by i times that. `exactly` lists the largest instead, at a higher cost.
 */
export function rowReading(
  source: EntitySource & { kind: 'row' },
  { part, predicate, contributions }: PartText,
  using: { readonly outer: SelectList; readonly aggregator: Aggregator; readonly exactly: boolean },
): Reading {
  const { outer, aggregator, exactly } = using
  const rows = both(predicate, source.present)
  const entities = outer.add(double(aggregator.count(rows)))
  const needed = largestNeeded(source.obligation)
  return {
    source: source.source,
    part,
    entities,
    contributions: (needed === 0 ? [] : contributions).map(contribution => {
      if (contribution.kind === 'one') {
        return { total: entities, largest: countsOf(aggregator.count(rows), needed, outer) }
      }
      const { sql } = contribution
      const taken = contribution.implied && source.present === null ? null : rows
      const total = outer.add(double(aggregator.sum(sql, taken)))
      if (exactly) return { total, largest: topSums(`max(${sql}, ${needed})${filter(taken)}`, needed, outer) }
      const greatest = double(aggregator.max(sql, taken))
      return {
        total,
        largest: Array.from({ length: needed }, (_, index) => outer.add(`${greatest} * ${index + 1}`)),
      }
    }),
  }
}

/** The i+1 largest of n ones are i+1 of them, or all. */
function countsOf(count: string, needed: number, outer: SelectList): string[] {
  return Array.from({ length: needed }, (_, index) => outer.add(double(`least(${count}, ${index + 1})`)))
}

/** The divisions of a lower level that a grouping recombines. */
export interface Division {
  readonly inner: SelectList
  readonly outer: SelectList
  /** name of the division in the lower level; null is nobody */
  readonly name: string
  /** name of a bit among 64 that the entity falls onto, where divisions are fewer */
  readonly bit: string | null
  /** the division is null in no row */
  readonly everybody: boolean
  /** the largest are added up; else the largest of all stands for each of them */
  readonly ranked: boolean
}

/**
 * Evidence where entities have many rows, from the sums of a division of them: as many divisions (or bits) are not
 * empty as there are entities at least, and the m largest sums of divisions are at least what any m entities
 * contribute. Where each division is one entity both are exact.
 */
export function divisionReading(
  source: EntitySource,
  { part, predicate, contributions }: PartText,
  { inner, outer, name, bit, everybody, ranked }: Division,
): Reading {
  const rows = direct()
  const somebody = everybody ? null : { sql: `${name} IS NOT NULL` }
  const needed = largestNeeded(source.obligation)
  const count = () => inner.add(rows.count(predicate))
  const entities =
    bit === null
      ? predicate === null
        ? `count(*)${filter(somebody)}`
        : `count(*)${filter({ sql: `${somebody === null ? '' : `${somebody.sql} AND `}${count()} > 0` })}`
      : `bit_count(bit_or(${inner.add(`bit_or(${bit})${filter(predicate)}`)}))`
  return {
    source: source.source,
    part,
    entities: outer.add(double(entities)),
    contributions: (needed === 0 ? [] : contributions).map(contribution => {
      const share =
        contribution.kind === 'one'
          ? count()
          : inner.add(rows.sum(contribution.sql, contribution.implied ? null : predicate))
      const total = double(`sum(${share})${filter(somebody)}`)
      const largest = ranked
        ? topSums(`max(${share}, ${needed})${filter(somebody)}`, needed, outer)
        : timesGreatest(double(`max(${share})${filter(somebody)}`), total, needed, outer)
      return { total: outer.add(total), largest }
    }),
  }
}

/** Sums of the first one, two, … of a list that holds the largest values, largest first. */
function topSums(list: string, needed: number, outer: SelectList): string[] {
  return Array.from({ length: needed }, (_, index) =>
    outer.add(double(index === 0 ? `(${list})[1]` : `list_sum((${list})[1:${index + 1}])`)),
  )
}

/** The largest so many times, but never more than there is. */
function timesGreatest(greatest: string, total: string, needed: number, outer: SelectList): string[] {
  return Array.from({ length: needed }, (_, index) =>
    outer.add(index === 0 ? greatest : `least(${total}, ${greatest} * ${index + 1})`),
  )
}

/** How many rows of the group belong to somebody: there are no more entities than that. */
export function attributedRows({ inner, outer, name, everybody }: Division): string {
  const count = inner.add(direct().count(null))
  return outer.add(double(`sum(${count})${filter(everybody ? null : { sql: `${name} IS NOT NULL` })}`))
}
