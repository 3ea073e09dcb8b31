import {
  type AggregateColumn,
  type ColumnReference,
  type Expression,
  isOrderStatistic,
  type ScalarType,
} from '@sluice/core/plan'
import { sqlType } from '../emit/types.js'
import { type Ast, children, fields, flag, isAst, refuse, text } from '../syntax/ast.js'
import { AGGREGATES } from './aggregate-table.js'
import { type Place, translateExpression, translatePredicate } from './expressions.js'
import { reference } from './names.js'
import { checkOrdered, placeOf, type Place as Which } from './order-statistics.js'
import { DOUBLE, INT64, INT128, isNumeric } from './types.js'

const NO_ORDER = { type: 'ORDER_MODIFIER', orders: [] }

/** Collects the aggregate columns of one SELECT; equal calls are one column. */
export class AggregateCollector {
  readonly columns: AggregateColumn[] = []
  readonly #byText = new Map<string, AggregateColumn>()

  /**
   * The column of a call. Its argument and FILTER are translated where no aggregate may stand.
   *
   * @param isRanked whether the call is that of `max(x, k)[k]`
   */
  add(ast: Ast, place: Place, isRanked = false): ColumnReference {
    fields(
      ast,
      [
        'class',
        'type',
        'alias',
        'function_name',
        'schema',
        'catalog',
        'children',
        'is_operator',
        'filter',
        'distinct',
        'order_bys',
      ],
      { export_state: false },
    )
    const name = text(ast, 'function_name').toLowerCase()
    if (JSON.stringify(ast.order_bys) !== JSON.stringify(NO_ORDER)) {
      refuse('sql.aggregate-order', ast, 'ORDER BY inside an aggregate is not understood', 'Leave it out.')
    }
    const inside: Place = { ...place, aggregate: null, clause: 'an aggregate' }
    const parts = children(ast, 'children')
    if (parts.length > 2 || (parts.length === 0 && name !== 'count_star' && name !== 'count')) {
      refuse('sql.arguments', ast, `${name} has one argument`, `Write ${AGGREGATES.get(name)!.signature}.`)
    }
    const which = placeOf(ast, parts[1], isRanked)
    const argument = parts[0] === undefined ? null : translateExpression(parts[0], inside)
    const distinct = flag(ast, 'distinct')
    if (distinct && argument === null) {
      refuse('sql.arguments', ast, 'count(DISTINCT *) is not understood', 'Write count(DISTINCT x).')
    }
    if (distinct && isOrderStatistic(which.function)) {
      const instead = `Write ${AGGREGATES.get(name)!.signature}.`
      refuse('sql.arguments', ast, `${name} is of all values, not of the distinct ones`, instead)
    }
    const filter = isAst(ast.filter) ? translatePredicate(ast.filter, inside) : null
    const column = { ...which, argument, distinct, filter, type: resultType(which, argument, ast) }
    const key = JSON.stringify(column)
    const known = this.#byText.get(key)
    if (known !== undefined) return reference(known.id, known.type)
    const id = place.context.fresh()
    const added = place.located.at({ id, name: this.#name(name, text(ast, 'alias')), ...column }, ast)
    this.#byText.set(key, added)
    this.columns.push(added)
    return reference(added.id, added.type)
  }

  #name(name: string, alias: string): string {
    return alias !== '' ? alias : name === 'count_star' ? 'count' : name
  }
}

function resultType(which: Which, argument: Expression | null, at: Ast): ScalarType {
  const { function: rule } = which
  if (rule === 'count') return INT64
  const type = argument!.type
  if (isOrderStatistic(rule)) {
    checkOrdered(which, argument!, at)
    return type
  }
  if (!isNumeric(type)) {
    refuse(
      'sql.type',
      at,
      `a number is needed, and this is a ${sqlType(type)}`,
      type.kind === 'boolean' ? 'Use count(*) FILTER (WHERE …).' : 'Cast it to a number.',
    )
  }
  if (rule === 'average') return DOUBLE
  switch (type.kind) {
    case 'integer':
      if (type.bits === 128 && !type.signed) {
        refuse('sql.type', at, 'a UHUGEINT cannot be summed exactly', 'Cast it to HUGEINT.')
      }
      return INT128
    case 'decimal':
      return { kind: 'decimal', precision: 38, scale: type.scale }
    case 'float':
      return DOUBLE
  }
}
