import { SluiceError, unreachable } from '@sluice/core'
import type { Call, ColumnId, Expression, FunctionName, InList, Literal, ScalarType } from '@sluice/core/plan'
import { emitLiteral } from './literal.js'
import { quoteIdentifier } from './names.js'
import { sqlType } from './types.js'

/** How a column is written where an expression stands, such as `"flights"."delay"`. */
export type ColumnText = (id: ColumnId) => string

/** SQL for a scalar expression, every function qualified, every parameter as `$name` with its type. */
export function emitExpression(expression: Expression, column: ColumnText): string {
  return emit(expression, column, LEVEL.lowest)
}

/** The same, to stand as an operand: in parentheses unless it is one word or call. */
export function emitOperand(expression: Expression, column: ColumnText): string {
  return emit(expression, column, LEVEL.primary)
}

/** The same, to stand between ANDs. */
export function emitConjunct(expression: Expression, column: ColumnText): string {
  return emit(expression, column, LEVEL.and)
}

/** Binding strengths; an operand that binds no stronger than it must is put in parentheses. */
const LEVEL = { lowest: 0, or: 1, and: 2, not: 3, comparison: 4, other: 5, add: 6, multiply: 7, primary: 9 }

type Form =
  /** `chain`: associates to the left, so that its first operand needs no parentheses */
  | { readonly form: 'infix'; readonly operator: string; readonly level: number; readonly chain: boolean }
  | { readonly form: 'function'; readonly name: string }
  | { readonly form: 'own'; readonly level: number; readonly write: (operands: readonly string[]) => string }

const infix = (operator: string, level: number, chain = false): Form => ({
  form: 'infix',
  operator,
  level,
  chain,
})
const system = (name: string): Form => ({ form: 'function', name: `system.main.${name}` })
const own = (level: number, write: (operands: readonly string[]) => string): Form => ({
  form: 'own',
  level,
  write,
})

const FORMS: Record<FunctionName, Form> = {
  equal: infix('=', LEVEL.comparison),
  notEqual: infix('<>', LEVEL.comparison),
  less: infix('<', LEVEL.comparison),
  lessOrEqual: infix('<=', LEVEL.comparison),
  greater: infix('>', LEVEL.comparison),
  greaterOrEqual: infix('>=', LEVEL.comparison),
  distinctFrom: infix('IS DISTINCT FROM', LEVEL.comparison),
  notDistinctFrom: infix('IS NOT DISTINCT FROM', LEVEL.comparison),
  and: infix('AND', LEVEL.and, true),
  or: infix('OR', LEVEL.or, true),
  not: own(LEVEL.not, ([a]) => `NOT ${a}`),
  isNull: own(LEVEL.comparison, ([a]) => `${a} IS NULL`),
  isNotNull: own(LEVEL.comparison, ([a]) => `${a} IS NOT NULL`),
  add: infix('+', LEVEL.add, true),
  subtract: infix('-', LEVEL.add, true),
  multiply: infix('*', LEVEL.multiply, true),
  divide: infix('/', LEVEL.multiply, true),
  integerDivide: infix('//', LEVEL.multiply, true),
  modulo: infix('%', LEVEL.multiply, true),
  negate: own(LEVEL.multiply, ([a]) => `-${a}`),
  absolute: system('abs'),
  round: system('round'),
  floor: system('floor'),
  ceiling: system('ceil'),
  sign: system('sign'),
  squareRoot: system('sqrt'),
  least: system('least'),
  greatest: system('greatest'),
  coalesce: { form: 'function', name: 'COALESCE' },
  nullIf: own(LEVEL.primary, ([a, b]) => `CASE WHEN ${a} = ${b} THEN NULL ELSE ${a} END`),
  like: own(LEVEL.comparison, operands => like('LIKE', operands)),
  notLike: own(LEVEL.comparison, operands => like('NOT LIKE', operands)),
  lower: system('lower'),
  upper: system('upper'),
  trim: system('trim'),
  trimStart: system('ltrim'),
  trimEnd: system('rtrim'),
  length: system('length'),
  substring: system('substring'),
  concat: infix('||', LEVEL.other, true),
  startsWith: system('starts_with'),
  endsWith: system('ends_with'),
  contains: system('contains'),
  position: system('position'),
  replace: system('replace'),
  datePart: system('date_part'),
  dateTruncate: system('date_trunc'),
  dateAdd: own(LEVEL.primary, () => ''),
  dateDifference: system('date_diff'),
}

/** The engine's own name of a function or an operator; none where it is written as syntax. */
export function functionNames(name: FunctionName): readonly string[] {
  const form = FORMS[name]
  if (form.form === 'function') return [form.name.replace('system.main.', '')]
  return form.form === 'infix' ? [form.operator] : []
}

const INTERVALS: Readonly<Record<string, string>> = {
  year: 'to_years',
  quarter: 'to_quarters',
  month: 'to_months',
  week: 'to_weeks',
  day: 'to_days',
  hour: 'to_hours',
  minute: 'to_minutes',
  second: 'to_seconds',
}
const PARTS: Readonly<Record<string, string>> = {
  dayOfWeek: 'dow',
  isoDayOfWeek: 'isodow',
  dayOfYear: 'doy',
}

function emit(expression: Expression, column: ColumnText, least: number): string {
  switch (expression.kind) {
    case 'literal':
      return emitLiteral(expression)
    case 'parameter':
      return `CAST($${parameterName(expression.name)} AS ${sqlType(expression.type)})`
    case 'column':
      return column(expression.id)
    case 'call':
      return emitCall(expression, column, least)
    case 'case': {
      const branches = expression.branches.map(
        ({ when, then }) =>
          `WHEN ${emit(when, column, LEVEL.lowest)} THEN ${emit(then, column, LEVEL.lowest)}`,
      )
      return `CASE ${branches.join(' ')} ELSE ${emit(expression.otherwise, column, LEVEL.lowest)} END`
    }
    case 'cast':
      return `CAST(${emit(expression.argument, column, LEVEL.lowest)} AS ${sqlType(expression.type)})`
    case 'in':
      return emitIn(expression, column, least)
    default:
      return unreachable(expression)
  }
}

function emitCall(call: Call, column: ColumnText, least: number): string {
  if (call.function === 'dateAdd') return dateAdd(call, column, least)
  const form = FORMS[call.function]
  switch (form.form) {
    case 'function':
      return `${form.name}(${argumentsOf(call, column).join(', ')})`
    case 'infix': {
      const operands = call.arguments.map((_, index) =>
        operand(call, index, column, form.chain && index === 0 ? form.level : form.level + 1),
      )
      return parenthesized(operands.join(` ${form.operator} `), form.level, least)
    }
    case 'own': {
      const operands = call.arguments.map((_, index) => operand(call, index, column, LEVEL.primary))
      return parenthesized(form.write(operands), form.level, least)
    }
    default:
      return unreachable(form)
  }
}

function operand(call: Call, index: number, column: ColumnText, least: number): string {
  const argument = call.arguments[index]!
  if (argument.kind !== 'literal' || argument.value === null) return emit(argument, column, least)
  const text = emitLiteral(argument, adapts(call, argument))
  return text.startsWith('-') && least > LEVEL.comparison ? `(${text})` : text
}

/** The engine fits a bare number to the type of the operand beside it. */
function adapts(call: Call, literal: Literal): boolean {
  const form = FORMS[call.function]
  if (form.form !== 'infix') return false
  const beside = call.arguments.filter(argument => argument.kind !== 'literal')
  if (literal.type.kind === 'decimal' && form.level !== LEVEL.comparison) return false
  return beside.length > 0 && beside.every(({ type }) => fits(literal.type, type))
}

/** Integers take the other's type, decimals are compared by value. */
function fits(literal: ScalarType, beside: ScalarType): boolean {
  if (literal.kind === 'integer') {
    return beside.kind === 'integer' && beside.bits === literal.bits && beside.signed === literal.signed
  }
  return literal.kind === 'decimal' && beside.kind === 'decimal'
}

function argumentsOf(call: Call, column: ColumnText): string[] {
  return call.arguments.map((argument, index) => {
    const isUnit = index === 0 && UNIT_FIRST.has(call.function) && argument.kind === 'literal'
    if (!isUnit) return emit(argument, column, LEVEL.lowest)
    const unit = String(argument.value)
    return `'${PARTS[unit] ?? knownUnit(unit)}'`
  })
}

const UNIT_FIRST: ReadonlySet<FunctionName> = new Set(['datePart', 'dateTruncate', 'dateDifference'])

function dateAdd(call: Call, column: ColumnText, least: number): string {
  const [unit, amount, date] = call.arguments
  if (unit?.kind !== 'literal' || amount === undefined || date === undefined) {
    throw new SluiceError('INTERNAL', 'dateAdd without its arguments')
  }
  const interval = INTERVALS[knownUnit(String(unit.value))]
  const text = `${emit(date, column, LEVEL.add)} + system.main.${interval}(${emit(amount, column, LEVEL.lowest)})`
  return parenthesized(text, LEVEL.add, least)
}

function knownUnit(unit: string): string {
  if (!Object.hasOwn(INTERVALS, unit)) throw new SluiceError('INTERNAL', 'a unit of time that is none')
  return unit
}

function emitIn(expression: InList, column: ColumnText, least: number): string {
  const beside = expression.argument.kind === 'literal' ? undefined : expression.argument.type
  const list = expression.list.map(item =>
    item.kind === 'literal'
      ? emitLiteral(item, beside !== undefined && fits(item.type, beside))
      : emit(item, column, LEVEL.lowest),
  )
  const argument = emit(expression.argument, column, LEVEL.primary)
  return parenthesized(`${argument} IN (${list.join(', ')})`, LEVEL.comparison, least)
}

function like(operator: string, [argument, pattern, mark]: readonly string[]): string {
  return `${argument} ${operator} ${pattern}${mark === undefined ? '' : ` ESCAPE ${mark}`}`
}

function parenthesized(text: string, level: number, least: number): string {
  return level < least ? `(${text})` : text
}

function parameterName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new SluiceError('INTERNAL', `a parameter cannot be written: ${quoteIdentifier(name)}`)
  }
  return name
}
