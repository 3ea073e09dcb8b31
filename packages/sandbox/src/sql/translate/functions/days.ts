import type { Expression, Literal } from '@sluice/core/plan'
import { type Ast, refuse } from '../../syntax/ast.js'
import { convert } from '../casts.js'
import { commonType, DATE, INT32, sameType, TEXT, TIMESTAMP } from '../types.js'
import { call } from '../typing.js'
import { notNull } from './rule.js'

/** A number of days as the engine takes it: what INTEGER holds. */
export function days(expression: Expression, at: Ast): Expression {
  notNull(expression, at)
  const fitted = convert(expression, INT32)
  if (fitted.kind !== 'cast') return fitted
  const common = commonType([fitted.argument, { kind: 'parameter', type: INT32, name: '' }])
  if (common !== null && sameType(common, INT32)) return fitted
  return refuse('sql.type', at, 'a number of days is an INTEGER', 'Cast it with CAST(x AS INTEGER).')
}

/** `date + n`, a date. */
export function shiftDays(date: Expression, days: Expression): Expression {
  return { kind: 'cast', type: DATE, argument: call('dateAdd', TIMESTAMP, unitLiteral('day'), days, date) }
}

/** A unit of time, as the plan's functions take it. */
export function unitLiteral(unit: string): Literal {
  return { kind: 'literal', type: TEXT, value: unit }
}
