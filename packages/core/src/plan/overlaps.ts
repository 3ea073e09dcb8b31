import { conjunction, notTrue } from './build.js'
import { argumentOf, type CellContext, type Undefined } from './cells.js'
import type { Expression } from './expression.js'
import { baseColumnsOf } from './lineage.js'
import type { AggregateColumn } from './node.js'
import type { CellSpecification } from './review-types.js'
import type { ScalarType } from './types.js'
import { expressionsIn } from './visit.js'

/**
 * Adds what two cells of one group tell together. Where they are sums of the same measure (or both count) over other
 * rows of the group, their difference is the cell of the rows that only one of them has; and what several selections
 * leave of the whole is the cell of the rest. Each of these has to be nobody's, or as safe as a cell. The later cell
 * answers for it.
 *
 * Differences of two are looked at, and the rest of all; not every combination of three and more.
 */
export function withDifferences(
  columns: readonly AggregateColumn[],
  cells: readonly CellSpecification[],
  context: CellContext,
): CellSpecification[] | Undefined {
  const measures = columns.map(column => measuresOf(column, columns, context))
  const rows = cells.map(({ contributes }) => (contributes === null ? [] : conjunctsOf(contributes)))
  const complements = cells.map(({ complement }) =>
    complement === null ? null : setKey(conjunctsOf(complement)),
  )
  const counted = new Set<string>()
  const result = cells.map((cell, later) => {
    const found = new Map<string, Expression>()
    const add = (conjuncts: readonly Expression[] | null, earlier = later) => {
      if (conjuncts === null) return
      const rows = setKey(conjuncts)
      // these are judged as what the cell leaves of its group
      if (rows === complements[later] || rows === complements[earlier]) return
      found.set(rows, conjunction(conjuncts)!)
      counted.add(rows)
    }
    for (let earlier = 0; earlier < later; earlier++) {
      if (![...measures[later]!].some(measure => measures[earlier]!.has(measure))) continue
      if (areDisjoint(rows[earlier]!, rows[later]!)) continue
      add(without(rows[earlier]!, rows[later]!), earlier)
      add(without(rows[later]!, rows[earlier]!), earlier)
    }
    for (const measure of measures[later]!) add(restOf(measure, later, measures, rows))
    return { ...cell, differences: [...found.values()] }
  })
  return counted.size > MOST ? OVERLAPS : result
}

/** Each difference is counted like a cell of its own. */
const MOST = 32

/** What is counted or summed: names of base columns, and that rows are counted. */
function measuresOf(
  column: AggregateColumn,
  columns: readonly AggregateColumn[],
  context: CellContext,
): ReadonlySet<string> {
  const { function: name, argument, distinct, filter } = column
  if (argument === null || (name === 'count' && !distinct)) return COUNTED
  const value = argumentOf(column, argument, context)?.value ?? argument
  const bases = baseColumnsOf(value, context.definitions).filter(base => !context.isPublic(base.source))
  const names = bases.map(({ dataset, column }) => JSON.stringify([distinct, dataset, column]))
  if (names.length === 0) return COUNTED
  const counts =
    name === 'average'
      ? columns.some(other => other.function === 'sum' && sameInput(other, { argument, filter }))
      : [...expressionsIn(value)].some(
          inner => inner.kind === 'call' && (inner.function === 'add' || inner.function === 'subtract'),
        )
  return new Set(counts && !distinct ? [...names, ...COUNTED] : names)
}

const COUNTED: ReadonlySet<string> = new Set(['rows'])

function sameInput(a: AggregateColumn, b: Pick<AggregateColumn, 'argument' | 'filter'>): boolean {
  return JSON.stringify([a.argument, a.filter]) === JSON.stringify([b.argument, b.filter])
}

/** The rows for which all of `rows` are true and not all of `others`; null where there can be none. */
function without(rows: readonly Expression[], others: readonly Expression[]): Expression[] | null {
  const own = new Set(rows.map(key))
  const left = conjunction(others.filter(other => !own.has(key(other))))
  return left === null ? null : [...rows, notTrue(left)]
}

/** The rows of the whole that none of the selections has, where the whole and two selections are released. */
function restOf(
  measure: string,
  later: number,
  measures: readonly ReadonlySet<string>[],
  rows: readonly (readonly Expression[])[],
): Expression[] | null {
  const same = measures.flatMap((set, index) => (set.has(measure) ? [index] : []))
  if (same.at(-1) !== later) return null
  const common = same
    .map(index => rows[index]!)
    .reduce((shared, own) => shared.filter(a => own.some(b => key(a) === key(b))))
  const selections = same.flatMap(index => {
    const own = conjunction(rows[index]!.filter(a => !common.some(b => key(a) === key(b))))
    return own === null ? [] : [own]
  })
  const hasWhole = selections.length < same.length
  return hasWhole && selections.length > 1 ? [...common, ...selections.map(notTrue)] : null
}

/** Can no row have all of both: one demands another value of the same expression, or the opposite. */
export function areDisjoint(a: readonly Expression[], b: readonly Expression[]): boolean {
  return a.some(one =>
    b.some(other => {
      if (key(one) === key(notTrue(other)) || key(other) === key(notTrue(one))) return true
      const [values, others] = [valuesOf(one), valuesOf(other)]
      return (
        values !== null &&
        others !== null &&
        values.of === others.of &&
        !values.allowed.some(value => others.allowed.includes(value))
      )
    }),
  )
}

/** `x = 'a'`, `x IN ('a', 'b')`: which texts or whole numbers x may be. */
function valuesOf(expression: Expression): { of: string; allowed: readonly string[] } | null {
  const [of, ...list] =
    expression.kind === 'in'
      ? [expression.argument, ...expression.list]
      : expression.kind === 'call' && expression.function === 'equal'
        ? expression.arguments
        : []
  if (of === undefined || (of.type.kind !== 'text' && of.type.kind !== 'integer')) return null
  const allowed = list.map(item => memberOf(of.type.kind, item))
  return allowed.every(value => value !== null) ? { of: key(of), allowed } : null
}

/** One spelling for equal values: a plan that no SQL was read into may say `-0`, or `1.0` of a whole number. */
function memberOf(kind: ScalarType['kind'], item: Expression): string | null {
  if (item.kind !== 'literal' || item.type.kind !== kind || typeof item.value !== 'string') return null
  return kind === 'integer' ? String(BigInt(item.value)) : item.value
}

export function conjunctsOf(expression: Expression): readonly Expression[] {
  return expression.kind === 'call' && expression.function === 'and'
    ? expression.arguments.flatMap(conjunctsOf)
    : [expression]
}

function key(expression: Expression): string {
  return JSON.stringify(expression)
}

/** The same for conditions in any order, however often one is written. */
export function setKey(conjuncts: readonly Expression[]): string {
  return [...new Set(conjuncts.map(key))].sort().join()
}

const OVERLAPS: Undefined = {
  rule: 'evidence.overlaps',
  message: `the aggregates select among the rows in so many ways that more than ${MOST} differences would have to be checked`,
  remedy: 'GROUP BY what the conditions compare, or ask in several requests.',
}
