import type { Expression, FunctionName, Literal, ScalarType } from '@sluice/core/plan'
import { sqlType } from '../../emit/types.js'
import { type Ast, refuse } from '../../syntax/ast.js'
import { convert } from '../casts.js'
import {
  type ArithmeticOperation,
  arithmeticType,
  asDecimal,
  DOUBLE,
  INT8,
  INT64,
  INT128,
  isNumeric,
} from '../types.js'
import { call, compare, unify } from '../typing.js'
import { days, shiftDays, unitLiteral } from './days.js'
import { type FunctionRule, MANY, negated, notNull, rule, type Translate } from './rule.js'

/** Arithmetic, and what picks one of its arguments. */
export const NUMBER_FUNCTIONS: readonly (readonly [string, FunctionRule])[] = [
  rule(['+'], 'a + b', 'Sum of numbers; a date and a number of days give a date.', 1, 2, plus),
  rule(
    ['-'],
    'a - b',
    'Difference of numbers; of two dates the days between; of a date and days a date.',
    1,
    2,
    minus,
  ),
  rule(
    ['*'],
    'a * b',
    'Product. Decimals are exact; a result too large is an error.',
    2,
    2,
    arithmetic('multiply'),
  ),
  rule(['/'], 'a / b', 'Floating point quotient; a divisor of zero gives infinity or NaN.', 2, 2, divide),
  rule(
    ['//'],
    'a // b',
    'Whole quotient of integers, towards zero; null for a divisor of zero.',
    2,
    2,
    arithmetic('integerDivide'),
  ),
  rule(
    ['%', 'mod'],
    'a % b',
    'Remainder, with the sign of a; null for an integer or decimal divisor of zero.',
    2,
    2,
    arithmetic('modulo'),
  ),
  rule(['abs'], 'abs(x)', 'Absolute value.', 1, 1, ofNumber('absolute')),
  rule(
    ['sign'],
    'sign(x)',
    '-1, 0 or 1.',
    1,
    1,
    ofNumber('sign', () => INT8),
  ),
  rule(['round'], 'round(x [, digits])', 'Rounded half away from zero; `digits` is a literal.', 1, 2, round),
  rule(
    ['floor'],
    'floor(x)',
    'Largest whole number that is not greater.',
    1,
    1,
    ofNumber('floor', wholeType),
  ),
  rule(
    ['ceil', 'ceiling'],
    'ceil(x)',
    'Smallest whole number that is not less.',
    1,
    1,
    ofNumber('ceiling', wholeType),
  ),
  rule(['sqrt'], 'sqrt(x)', 'Square root; an error below zero.', 1, 1, ([x], at) =>
    call('squareRoot', DOUBLE, toDouble(x!, at)),
  ),
  rule(['least'], 'least(a, b, …)', 'Smallest of the arguments that are not null.', 1, MANY, alike('least')),
  rule(
    ['greatest'],
    'greatest(a, b, …)',
    'Largest of the arguments that are not null.',
    1,
    MANY,
    alike('greatest'),
  ),
  rule(['nullif'], 'nullif(a, b)', 'Null where a = b, else a.', 2, 2, nullIf),
].flat()

function plus([a, b]: readonly Expression[], at: Ast): Expression {
  if (a !== undefined && b === undefined) return number(a, at)
  if (a!.type.kind === 'date' && b!.type.kind === 'integer') return shiftDays(a!, days(b!, at))
  if (b!.type.kind === 'date' && a!.type.kind === 'integer') return shiftDays(b!, days(a!, at))
  return arithmetic('add')([a!, b!], at)
}

function minus([a, b]: readonly Expression[], at: Ast): Expression {
  if (b === undefined) {
    const operand = number(a!, at)
    if (operand.type.kind === 'integer' && !operand.type.signed) {
      refuse('sql.type', at, 'a number without sign cannot be negated', 'Cast it to BIGINT.')
    }
    return call('negate', operand.type, operand)
  }
  if (a!.type.kind === 'date' && b.type.kind === 'date') {
    return call('dateDifference', INT64, unitLiteral('day'), b, a!)
  }
  if (a!.type.kind === 'date' && b.type.kind === 'integer') {
    const back = days(b, at)
    return shiftDays(a!, back.kind === 'literal' ? negated(back) : call('negate', back.type, back))
  }
  return arithmetic('subtract')([a!, b], at)
}

function arithmetic(operation: ArithmeticOperation): Translate {
  return ([a, b], at) => {
    for (const operand of [a!, b!]) notNull(operand, at)
    const type = arithmeticType(operation, a!, b!)
    if (type === null) {
      refuse(
        'sql.type',
        at,
        `this is not defined for ${sqlType(a!.type)} and ${sqlType(b!.type)}`,
        'Cast the operands to numbers of one kind with CAST.',
      )
    }
    if (type.kind !== 'decimal') return call(operation, type, convert(a!, type), convert(b!, type))
    const own = [a!, b!].map(each =>
      each.type.kind === 'integer' ? convert(each, asDecimal(each.type)) : each,
    )
    return call(operation, type, ...(operation === 'modulo' ? own.map(each => convert(each, type)) : own))
  }
}

function divide([a, b]: readonly Expression[], at: Ast): Expression {
  const both = [number(a!, at), number(b!, at)]
  const single = arithmeticType('add', a!, b!)
  const type = single?.kind === 'float' ? single : DOUBLE
  return call('divide', type, ...both.map(each => convert(each, type)))
}

function ofNumber(name: FunctionName, result: (type: ScalarType) => ScalarType = type => type): Translate {
  return ([x], at) => call(name, result(x!.type), number(x!, at))
}

function wholeType(type: ScalarType): ScalarType {
  if (type.kind === 'decimal') return { ...type, scale: 0 }
  return type.kind === 'integer' ? DOUBLE : type
}

function round([given, digits]: readonly Expression[], at: Ast): Expression {
  const x = signed(number(given!, at), at)
  const { type } = x
  if (digits === undefined) return call('round', type.kind === 'decimal' ? { ...type, scale: 0 } : type, x)
  if (digits.kind !== 'literal' || digits.type.kind !== 'integer' || digits.value === null) {
    refuse('sql.literal', at, 'the number of digits must be written as a whole number', 'Write round(x, 2).')
  }
  if (type.kind !== 'decimal') return call('round', type, x, digits)
  const scale = Math.min(Math.max(Number(digits.value), 0), type.scale)
  return call('round', { ...type, scale }, x, digits)
}

/** Rounding has no forms without sign. */
function signed(x: Expression, at: Ast): Expression {
  if (x.type.kind !== 'integer' || x.type.signed) return x
  if (x.type.bits === 128) refuse('sql.type', at, 'a UHUGEINT cannot be rounded', 'Cast it to HUGEINT.')
  return convert(x, x.type.bits === 64 ? INT128 : INT64)
}

function toDouble(x: Expression, at: Ast): Expression {
  return convert(number(x, at), DOUBLE)
}

function alike(name: FunctionName): Translate {
  return (operands, at) => {
    const unified = unify(operands, at)
    return call(name, unified[0]!.type, ...unified)
  }
}

function nullIf([a, b]: readonly Expression[], at: Ast): Expression {
  const condition = compare('equal', a!, b!, at)
  if (condition.arguments[0] === a) return call('nullIf', a!.type, a!, condition.arguments[1]!)
  const otherwise = a!
  const nothing: Literal = { kind: 'literal', type: otherwise.type, value: null }
  return { kind: 'case', type: otherwise.type, branches: [{ when: condition, then: nothing }], otherwise }
}

function number(expression: Expression, at: Ast): Expression {
  if (isNumeric(expression.type)) return expression
  return refuse(
    'sql.type',
    at,
    `a number is needed, and this is a ${sqlType(expression.type)}`,
    'Cast it to a number.',
  )
}
