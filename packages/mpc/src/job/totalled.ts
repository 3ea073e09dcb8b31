import {
  type Aggregate,
  type AggregateColumn,
  type AggregateFunction,
  type ColumnId,
  type Plan,
  type Selection,
  selectionsOf,
} from '@sluice/core/plan'
import {
  type Condition,
  conditionOf,
  isNullable,
  type Numeric,
  numericOf,
  type Resolve,
  sourcesOf,
} from './expression.js'
import { refused } from './invalid.js'
import type { Guard, Measure, Output } from './query.js'
import { written } from './written.js'

/** The aggregates of a plan as measures, each once, and what else decides of each whether it is opened. */
export class Totalled {
  readonly measures: Measure[] = []
  /** by measure */
  readonly guards: Guard[] = []
  readonly #aggregate: Aggregate
  readonly #resolve: Resolve
  readonly #compares: boolean
  readonly #selections: ReturnType<typeof selectionsOf>

  /** @param compares whether guards can be tested; a field has no comparison */
  constructor(plan: Plan, aggregate: Aggregate, resolve: Resolve, compares: boolean) {
    this.#aggregate = aggregate
    this.#resolve = resolve
    this.#compares = compares
    this.#selections = selectionsOf(plan, aggregate)
  }

  /** @throws SluiceError SQL_REFUSED where it is neither a key nor an aggregate that runs on shares */
  output({ name, id }: Plan['output'][number]): Output {
    const key = this.#aggregate.keys.findIndex(candidate => candidate.id === id)
    if (key >= 0) return { name, is: 'key', at: key }
    const column = this.#aggregate.aggregates.find(candidate => candidate.id === id)
    if (column !== undefined) return { name, is: column.function, at: this.#placeOf(column) }
    const above = this.#resolve(id)
    if (above !== undefined && 'kind' in above && above.kind === 'column')
      return this.output({ name, id: above.id })
    throw refused('shape', `"${name}" is computed from cells: compute it from what is opened`)
  }

  #placeOf(column: AggregateColumn): number {
    if (column.distinct) throw refused('distinct', 'distinct values are not counted on shares')
    const selection = this.#selectionOf(column)
    const measure = this.#measureOf(column, selection)
    const guard = this.#guardOf(selection)
    const wanted = JSON.stringify([measure, guard], written)
    const known = this.measures.findIndex(
      (other, place) => JSON.stringify([other, this.guards[place]], written) === wanted,
    )
    if (known >= 0) return known
    this.guards.push(guard)
    return this.measures.push(measure) - 1
  }

  /** What no evidence is defined for runs where it picks no rows, without any; a zone's review refuses it. */
  #selectionOf(column: AggregateColumn): Omit<Selection, 'id'> {
    const found = this.#selections
    if (!('rule' in found)) return found.find(({ id }) => id === (column.id as ColumnId))!
    if (column.filter !== null) throw refused('filter', found.message)
    return { value: column.argument, where: null, isPlain: true, nonzero: null, leftOver: [] }
  }

  #measureOf(
    { function: called }: AggregateColumn,
    { value, where, isPlain }: Omit<Selection, 'id'>,
  ): Measure {
    if (called === 'average' && !isPlain)
      throw refused('conditional', 'an average takes a condition as FILTER (WHERE …), not in its argument')
    const picked = where === null ? {} : { where: this.#conditionOf(where) }
    if (value === null) return { kind: 'rows', ...picked }
    const number = numericOf(value, this.#resolve)
    const constant = sourcesOf(number).length === 0
    if (constant && where === null)
      throw refused('expression', 'a total of a constant is a count: count the rows')
    return { ...measureOf(called, number, constant), ...picked }
  }

  #guardOf({ nonzero, leftOver }: Omit<Selection, 'id'>): Guard {
    if (!this.#compares) return { enough: [], noneOrEnough: [] }
    return {
      enough: nonzero === null ? [] : [this.#conditionOf(nonzero)],
      noneOrEnough: leftOver.map(rows => this.#conditionOf(rows)),
    }
  }

  #conditionOf(rows: Parameters<typeof conditionOf>[0]): Condition {
    return conditionOf(rows, this.#resolve)
  }
}

export function isGuarding({ enough, noneOrEnough }: Guard): boolean {
  return enough.length + noneOrEnough.length > 0
}

function measureOf(called: AggregateFunction, value: Numeric, constant: boolean): Measure {
  if (called !== 'count') return { kind: 'values', value }
  return constant || !isNullable(value) ? { kind: 'rows' } : { kind: 'present', value }
}
