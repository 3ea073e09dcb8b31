import { DATE_PARTS, DATE_UNITS, type Expression } from '@sluice/core/plan'
import { sqlType } from '../../emit/types.js'
import { type Ast, refuse } from '../../syntax/ast.js'
import { INT64, TIMESTAMP } from '../types.js'
import { call, unify } from '../typing.js'
import { unitLiteral } from './days.js'
import { type FunctionRule, rule } from './rule.js'

/** Parts of a date by the engine's names, where ours differ. */
const PART_NAMES: Readonly<Record<string, string>> = {
  dow: 'dayOfWeek',
  dayofweek: 'dayOfWeek',
  weekday: 'dayOfWeek',
  isodow: 'isoDayOfWeek',
  doy: 'dayOfYear',
  dayofyear: 'dayOfYear',
}

export const DATE_FUNCTIONS: readonly (readonly [string, FunctionRule])[] = [
  rule(
    ['date_part', 'datepart'],
    'extract(unit FROM d)',
    'One part of a date, time or timestamp, as a whole number.',
    2,
    2,
    datePart,
  ),
  rule(
    ['date_trunc', 'datetrunc'],
    "date_trunc('unit', d)",
    'The timestamp at which the unit began.',
    2,
    2,
    dateTruncate,
  ),
  rule(
    ['date_diff', 'datediff'],
    "date_diff('unit', a, b)",
    'Number of unit boundaries crossed from a to b.',
    3,
    3,
    dateDifference,
  ),
  ...partFunctions(),
].flat()

/** `year(d)` and its like: function, what EXTRACT calls it, the plan's name, what it counts. */
function partFunctions(): [string, FunctionRule][][] {
  const parts: readonly (readonly [string, string, string, string])[] = [
    ['year', 'year', 'year', ''],
    ['quarter', 'quarter', 'quarter', ' (1 to 4)'],
    ['month', 'month', 'month', ' (1 to 12)'],
    ['week', 'week', 'week', ' (ISO 8601, 1 to 53)'],
    ['weekofyear', 'week', 'week', ''],
    ['day', 'day', 'day', ' (1 to 31)'],
    ['dayofmonth', 'day', 'day', ''],
    ['dayofyear', 'doy', 'dayOfYear', ' (1 to 366)'],
    ['dayofweek', 'dow', 'dayOfWeek', ' (Sunday 0 to Saturday 6)'],
    ['weekday', 'dow', 'dayOfWeek', ''],
    ['isodow', 'isodow', 'isoDayOfWeek', ' (Monday 1 to Sunday 7)'],
    ['hour', 'hour', 'hour', ''],
    ['minute', 'minute', 'minute', ''],
    ['second', 'second', 'second', ', without its fraction'],
  ]
  return parts.map(([name, unit, part, note]) =>
    rule([name], `${name}(d)`, `extract(${unit} FROM d)${note}.`, 1, 1, ([date], at) =>
      partOf(part, date!, at),
    ),
  )
}

function datePart([unit, date]: readonly Expression[], at: Ast): Expression {
  const name = unitOf(unit!, at)
  return partOf(PART_NAMES[name] ?? name, date!, at)
}

function partOf(part: string, date: Expression, at: Ast): Expression {
  if (!(DATE_PARTS as readonly string[]).includes(part)) {
    refuse('sql.unit', at, 'this part of a date is not understood', `Use one of ${DATE_PARTS.join(', ')}.`)
  }
  const clock = ['hour', 'minute', 'second'].includes(part)
  if (!(clock ? ['date', 'time', 'timestamp'] : ['date', 'timestamp']).includes(date.type.kind)) {
    refuse('sql.type', at, `a ${sqlType(date.type)} has no ${part}`, 'Cast it to DATE or TIMESTAMP.')
  }
  return call('datePart', INT64, unitLiteral(part), date)
}

function dateTruncate([unit, date]: readonly Expression[], at: Ast): Expression {
  return call('dateTruncate', TIMESTAMP, unitLiteral(knownUnit(unit!, at)), dated(date!, at))
}

function dateDifference([unit, from, to]: readonly Expression[], at: Ast): Expression {
  const name = knownUnit(unit!, at)
  const [start, end] = unify([dated(from!, at), dated(to!, at)], at)
  return call('dateDifference', INT64, unitLiteral(name), start!, end!)
}

function unitOf(unit: Expression, at: Ast): string {
  if (unit.kind !== 'literal' || typeof unit.value !== 'string' || unit.type.kind !== 'text') {
    refuse('sql.unit', at, 'the unit must be written out', "Write 'year', 'month', 'day' ….")
  }
  return unit.value.toLowerCase()
}

function knownUnit(unit: Expression, at: Ast): string {
  const name = unitOf(unit, at)
  if (!(DATE_UNITS as readonly string[]).includes(name)) {
    refuse('sql.unit', at, 'this unit is not understood', `Use one of ${DATE_UNITS.join(', ')}.`)
  }
  return name
}

function dated(expression: Expression, at: Ast): Expression {
  if (expression.type.kind === 'date' || expression.type.kind === 'timestamp') return expression
  return refuse(
    'sql.type',
    at,
    `a date or timestamp is needed, and this is a ${sqlType(expression.type)}`,
    "Cast it, or write DATE '2001-02-03'.",
  )
}
