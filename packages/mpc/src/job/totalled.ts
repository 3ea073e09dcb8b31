import { unreachable } from '@sluice/core'
import {
  type Aggregate,
  type AggregateColumn,
  type AggregateFunction,
  type ColumnId,
  isOrderStatistic,
  type OrderBound,
  outputColumns,
  type Plan,
  type PlanNode,
  type Selection,
  selectionsOf,
} from '@sluice/core/plan'
import { aggregatesUsed, nodesAbove } from './above/above.js'
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
import type { CellColumn, Guard, Measure, OneOf, Output } from './query.js'
import { written } from './written.js'

/** The aggregates of a plan as measures, each once, and what else decides of each whether it is opened. */
export class Totalled {
  readonly measures: Measure[] = []
  /** by measure */
  readonly guards: Guard[] = []
  /** all keys, and the aggregates that anything is made of */
  readonly cells: readonly CellColumn[]
  readonly outputs: readonly Output[]
  /** is more made of the cells than the plan's columns as they stand */
  isComputed = false
  readonly #aggregate: Aggregate
  readonly #resolve: Resolve
  readonly #compares: boolean
  readonly #selections: ReturnType<typeof selectionsOf>

  /** @param compares whether guards can be tested; a field has no comparison */
  constructor(plan: Plan, aggregate: Aggregate, resolve: Resolve, compares: boolean) {
    this.#aggregate = aggregate
    this.#resolve = resolve
    this.#compares = compares
    const selections = selectionsOf(plan, aggregate)
    if ('rule' in selections && compares) {
      const rule = selections.rule === 'evidence.overlaps' ? 'overlaps' : 'order'
      throw refused(rule, selections.message, selections.remedy)
    }
    this.#selections = selections
    const used = aggregatesUsed(plan)
    const wanted = aggregate.aggregates.filter(({ id }) => used.has(id))
    this.cells = [
      ...aggregate.keys.map(({ id, type }, at): CellColumn => ({ id, type, is: 'key', at })),
      ...wanted.map(
        (column): CellColumn => ({
          id: column.id,
          type: column.type,
          is: isOrderStatistic(column.function) ? 'value' : column.function,
          at: this.#placeOf(column),
        }),
      ),
    ]
    this.outputs = this.#outputsOf(plan)
  }

  /** What is opened, by the plan's columns where these are keys and aggregates as they stand. */
  #outputsOf({ output, root }: Plan): Output[] {
    const direct = output.map(({ name, id }) => ({
      name,
      cell: this.cells.find(cell => cell.id === asItStands(root, id)),
    }))
    const only = nodesAbove(root).above.every(({ kind }) => kind === 'project')
    if (only && direct.every(({ cell }) => cell !== undefined))
      return direct.map(({ name, cell }) => ({ name, is: cell!.is, at: cell!.at }))
    this.isComputed = true
    return this.cells.flatMap(({ id, is, at }): Output[] => {
      const { name } = outputColumns(this.#aggregate).find(column => column.id === id)!
      return is !== 'average'
        ? [{ name, is, at }]
        : (['sum', 'count'] as const).map(part => ({ name: `${name} (${part})`, is: part, at }))
    })
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

  /**
   * What no evidence is defined for runs where it picks no rows, without any, and compared with no other; a zone's
   * review refuses it.
   */
  #selectionOf(column: AggregateColumn): Omit<Selection, 'id'> {
    const all = this.#selections
    const found = 'rule' in all ? all : all[this.#aggregate.aggregates.indexOf(column)]!
    if (!('rule' in found)) return found
    if (isOrderStatistic(column.function)) throw refused('order', found.message, found.remedy)
    if (column.filter !== null) throw refused('filter', found.message)
    return { value: column.argument, where: null, isPlain: true, nonzero: null, leftOver: [] }
  }

  #measureOf(column: AggregateColumn, { value, where, isPlain, order }: Omit<Selection, 'id'>): Measure {
    const { function: called } = column
    const one = oneOf(column, order)
    if (one !== undefined && !this.#compares)
      throw refused('order', 'a minimum, a maximum or a quantile takes replicated sharing')
    if (called === 'average' && !isPlain)
      throw refused('conditional', 'an average takes a condition as FILTER (WHERE …), not in its argument')
    const picked = where === null ? {} : { where: this.#conditionOf(where) }
    if (value === null) return { kind: 'rows', ...picked }
    const number = numericOf(value, this.#resolve)
    const constant = sourcesOf(number).length === 0
    if (constant && where === null)
      throw refused('expression', 'a total of a constant is a count: count the rows')
    return { ...measureOf(called, number, constant), ...picked, ...(one && { one }) } as Measure
  }

  #guardOf({ nonzero, leftOver }: Omit<Selection, 'id'>): Guard {
    if (!this.#compares) return { enough: [], noneOrEnough: [] }
    return {
      enough: nonzero === null ? [] : [this.#conditionOf(nonzero)],
      // rows that there cannot be are nobody's
      noneOrEnough: leftOver.map(rows => this.#conditionOf(rows)).filter(rows => !isAlways(rows, false)),
    }
  }

  #conditionOf(rows: Parameters<typeof conditionOf>[0]): Condition {
    return conditionOf(rows, this.#resolve)
  }
}

/** Through projects that hand a column on under another id. */
function asItStands(node: PlanNode, id: ColumnId): ColumnId {
  if (node.kind === 'aggregate' || !('input' in node)) return id
  const made = node.kind === 'project' ? node.columns.find(column => column.id === id)?.expression : undefined
  return asItStands(node.input, made?.kind === 'column' ? made.id : id)
}

export function isGuarding({ enough, noneOrEnough }: Guard): boolean {
  return enough.length + noneOrEnough.length > 0
}

/** Is it true of every row, or false of every row, since columns in it are never null. */
function isAlways(condition: Condition, outcome: boolean): boolean {
  switch (condition.kind) {
    case 'present':
      return condition.wanted === outcome && !condition.source.column.nullable
    case 'and':
    case 'or': {
      const decides = (condition.kind === 'or') === outcome
      const same = (part: Condition) => isAlways(part, outcome)
      return decides ? condition.parts.some(same) : condition.parts.every(same)
    }
    case 'otherwise':
      return isAlways(condition.part, !outcome)
    case 'compare':
    case 'category':
    case 'code':
      return false
    default:
      return unreachable(condition)
  }
}

/** Which of the values an order statistic opens; undefined for what totals. */
function oneOf(
  { function: called, rank, fraction }: AggregateColumn,
  order: OrderBound | undefined,
): OneOf | undefined {
  if (!isOrderStatistic(called)) return undefined
  const end = called === 'minimum' ? 'smallest' : 'largest'
  const place =
    fraction !== undefined
      ? { numerator: Number(fraction.slice(2).padEnd(6, '0')), denominator: 1_000_000 }
      : rank === undefined
        ? end
        : end === 'smallest'
          ? { smallest: rank }
          : { largest: rank }
  return { place, ...(order && { order }) }
}

function measureOf(called: AggregateFunction, value: Numeric, constant: boolean): Measure {
  if (called !== 'count') return { kind: 'values', value }
  return constant || !isNullable(value) ? { kind: 'rows' } : { kind: 'present', value }
}
