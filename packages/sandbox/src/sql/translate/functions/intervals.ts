import type { Expression } from '@sluice/core/plan'
import { sqlType } from '../../emit/types.js'
import { type Ast, child, children, isAst, refuse, text } from '../../syntax/ast.js'
import { convert } from '../casts.js'
import { DOUBLE, INT32, INT64, TIMESTAMP } from '../types.js'
import { call } from '../typing.js'
import { unitLiteral } from './days.js'
import { negated } from './rule.js'

const UNITS: Readonly<Record<string, string>> = {
  to_years: 'year',
  to_quarters: 'quarter',
  to_months: 'month',
  to_weeks: 'week',
  to_days: 'day',
  to_hours: 'hour',
  to_minutes: 'minute',
  to_seconds: 'second',
}

/** Is this `INTERVAL …`, or one of the functions that it is written with. */
export function isInterval(ast: Ast): boolean {
  if (ast.class === 'CAST') return isAst(ast.cast_type) && ast.cast_type.id === 'INTERVAL'
  return ast.class === 'FUNCTION' && Object.hasOwn(UNITS, String(ast.function_name))
}

/** `date + INTERVAL n unit`, `INTERVAL n unit + date`, `date - INTERVAL n unit`. */
export function intervalArithmetic(
  ast: Ast,
  operator: '+' | '-',
  [left, right]: readonly Ast[],
  translate: (part: Ast) => Expression,
): Expression {
  const [date, interval] =
    left !== undefined && right !== undefined && operator === '+' && isInterval(left)
      ? [right, left]
      : [left, right]
  if (date === undefined || interval === undefined || isInterval(date) || !isInterval(interval)) {
    return refuse(
      'sql.interval',
      ast,
      'an interval stands only beside a date',
      "Write date + INTERVAL '3' DAY.",
    )
  }
  const moved = translate(date)
  if (moved.type.kind !== 'date' && moved.type.kind !== 'timestamp') {
    refuse(
      'sql.type',
      ast,
      `an interval is added to a date or a timestamp, and this is a ${sqlType(moved.type)}`,
      "Write DATE '2001-02-03' + INTERVAL '3' DAY.",
    )
  }
  const { unit, amount } = read(interval, translate)
  return call('dateAdd', TIMESTAMP, unitLiteral(unit), operator === '-' ? negate(amount) : amount, moved)
}

function read(ast: Ast, translate: (part: Ast) => Expression): { unit: string; amount: Expression } {
  if (ast.class === 'CAST') return written(ast)
  const unit = UNITS[text(ast, 'function_name')]!
  const [inner] = children(ast, 'children')
  const amount = translate(withoutRounding(inner ?? ast))
  if (amount.kind === 'literal' && amount.type.kind === 'text' && /^-?\d+$/.test(String(amount.value))) {
    return { unit, amount: counted(unit, { ...amount, type: INT64 }, ast) }
  }
  if (amount.type.kind !== 'integer') {
    refuse('sql.interval', ast, 'an interval is a whole number of units', "Write INTERVAL '3' DAY.")
  }
  return { unit, amount: counted(unit, amount, ast) }
}

/** The type that the engine's function of the unit takes. */
function counted(unit: string, amount: Expression, ast: Ast): Expression {
  const type = unit === 'second' ? DOUBLE : unit === 'hour' || unit === 'minute' ? INT64 : INT32
  const fitted = convert(amount, type)
  if (amount.kind === 'literal' && fitted.kind !== 'literal') {
    refuse('sql.interval', ast, 'this interval is too long', 'Write a shorter one.')
  }
  return fitted
}

/** `INTERVAL '3 days'` */
function written(ast: Ast): { unit: string; amount: Expression } {
  const constant = child(ast, 'child')
  const content = isAst(constant.value) ? String(constant.value.value) : ''
  const match = /^\s*(-?\d{1,9})\s+(year|quarter|month|week|day|hour|minute|second)s?\s*$/i.exec(content)
  if (match === null) {
    return refuse('sql.interval', ast, 'this interval is not understood', "Write one unit: INTERVAL '3' DAY.")
  }
  const unit = match[2]!.toLowerCase()
  const literal: Expression = { kind: 'literal', type: INT64, value: String(Number(match[1])) }
  return { unit, amount: counted(unit, literal, ast) }
}

/** The parser rounds what stands before the unit: CAST(trunc(CAST(n AS DOUBLE)) AS …). */
function withoutRounding(ast: Ast): Ast {
  if (ast.class === 'CAST') {
    const inner = child(ast, 'child')
    if (inner.class === 'FUNCTION' && inner.function_name === 'trunc') {
      const [rounded] = children(inner, 'children')
      if (rounded?.class === 'CAST') return child(rounded, 'child')
    }
    if (isAst(ast.cast_type) && ast.cast_type.id === 'DOUBLE') return inner
  }
  return ast
}

function negate(amount: Expression): Expression {
  return amount.kind === 'literal' ? negated(amount) : call('negate', amount.type, amount)
}
