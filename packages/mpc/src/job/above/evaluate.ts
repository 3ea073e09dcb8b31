import { SluiceError } from '@sluice/core'
import { columnsIn, type Expression, type FunctionName, type ScalarType } from '@sluice/core/plan'
import { exactlyScaled } from '../decimal.js'
import { compareTexts } from '../input.js'
import { refused } from '../invalid.js'

/** A whole number as itself, a decimal scaled by its type, floating point as a number, and nothing. */
export type Value = bigint | number | string | boolean | null

/**
 * Does an expression over opened cells run here: exact arithmetic, comparison, choice, floating point.
 *
 * @throws SluiceError SQL_REFUSED `mpc.above`, naming what does not
 */
export function checkComputable(expression: Expression): void {
  if (!COMPUTED.has(expression.type.kind)) throw unknown(`a ${expression.type.kind}`)
  switch (expression.kind) {
    case 'literal':
      literal(expression.value, expression.type)
      return
    case 'column':
      return
    case 'parameter':
      throw unknown('a parameter')
    case 'cast': {
      const { argument, type } = expression
      checkComputable(argument)
      const widens = type.kind === 'float' || (isExact(type) && isExact(argument.type))
      if (!widens && type.kind !== argument.type.kind)
        throw unknown(`a cast from ${argument.type.kind} to ${type.kind}`)
      return
    }
    case 'case':
      for (const { when, then } of expression.branches) for (const part of [when, then]) checkComputable(part)
      checkComputable(expression.otherwise)
      return
    case 'in':
      for (const part of [expression.argument, ...expression.list]) checkComputable(part)
      return
    case 'call':
      if (!FUNCTIONS.has(expression.function)) throw unknown(`the function ${expression.function}`)
      for (const part of expression.arguments) checkComputable(part)
      if (expression.function === 'round') checkDigits(expression)
  }
}

/** Exact numbers are rounded to digits that are written, after the point, and no more than their type has. */
function checkDigits({ arguments: [value, digits], type }: Call): void {
  if (digits === undefined || !isExact(type) || !isExact(value!.type)) return
  if (columnsIn(digits).size > 0) throw notRounded()
  const wanted = evaluate(digits, () => null)
  if (wanted !== null) roundedTo(wanted as bigint, scaleOf(value!.type), type)
}

/** Digits beyond those that there are change nothing. */
function roundedTo(wanted: bigint, of: number, type: ScalarType): number {
  const digits = Math.min(Number(wanted), of)
  if (digits < 0 || digits > scaleOf(type)) throw notRounded()
  return digits
}

/** The value of an expression in a row of cells, as every engine computes it: three-valued, exact where its type is. */
export function evaluate(expression: Expression, column: (id: number) => Value): Value {
  const value = evaluated(expression, column)
  const { type } = expression
  return typeof value === 'number' && type.kind === 'float' && type.bits === 32 ? Math.fround(value) : value
}

function evaluated(expression: Expression, column: (id: number) => Value): Value {
  const inner = (operand: Expression) => evaluate(operand, column)
  switch (expression.kind) {
    case 'column':
      return column(expression.id)
    case 'literal':
      return literal(expression.value, expression.type)
    case 'cast':
      return converted(inner(expression.argument), expression.argument.type, expression.type)
    case 'case': {
      const taken = expression.branches.find(({ when }) => inner(when) === true)
      const chosen = taken?.then ?? expression.otherwise
      return converted(inner(chosen), chosen.type, expression.type)
    }
    case 'in': {
      const { argument, list } = expression
      const value = inner(argument)
      if (value === null) return null
      const same = list.map(item => compared(value, argument.type, inner(item), item.type))
      return same.includes(0) ? true : same.includes(null) ? null : false
    }
    case 'call':
      return called(expression, inner)
    default:
      throw unknown(`a ${expression.kind}`)
  }
}

/** Negative, zero or positive as a comes before b, numbers by value and texts by code point; null where one is null. */
export function compared(a: Value, of: ScalarType, b: Value, other: ScalarType): number | null {
  if (a === null || b === null) return null
  if (typeof a === 'string') return compareTexts(a, b as string)
  if (typeof a === 'boolean') return Number(a) - Number(b)
  if (typeof a === 'number' || typeof b === 'number') {
    const [left, right] = [toFloat(a, of), toFloat(b as bigint | number, other)]
    // a NaN is one value, above all numbers
    if (Number.isNaN(left) || Number.isNaN(right))
      return Number(Number.isNaN(left)) - Number(Number.isNaN(right))
    return left === right ? 0 : left < right ? -1 : 1
  }
  const scale = Math.max(scaleOf(of), scaleOf(other))
  const [left, right] = [raised(a, scaleOf(of), scale), raised(b as bigint, scaleOf(other), scale)]
  return left === right ? 0 : left < right ? -1 : 1
}

type Call = Extract<Expression, { kind: 'call' }>

function called({ function: name, arguments: given, type }: Call, inner: (part: Expression) => Value): Value {
  if (name === 'and' || name === 'or') {
    const values = given.map(inner)
    const decides = name === 'or'
    return values.includes(decides) ? decides : values.includes(null) ? null : !decides
  }
  if (name === 'coalesce') {
    for (const part of given) {
      const value = inner(part)
      if (value !== null) return converted(value, part.type, type)
    }
    return null
  }
  const [first, second] = given as [Expression, Expression]
  const a = inner(first)
  if (name === 'isNull' || name === 'isNotNull') return (a === null) === (name === 'isNull')
  if (name === 'not') return a === null ? null : !a
  const b = second === undefined ? null : inner(second)
  if (name === 'nullIf')
    return compared(a, first.type, b, second.type) === 0 ? null : converted(a, first.type, type)
  const relation = RELATIONS[name]
  if (relation !== undefined) {
    const order = compared(a, first.type, b, second.type)
    return order === null ? null : relation(order)
  }
  if (a === null || (second !== undefined && b === null)) return null
  return isExact(type) && isExact(first.type)
    ? exact(
        name,
        [a as bigint, scaleOf(first.type)],
        [(b ?? 0n) as bigint, second ? scaleOf(second.type) : 0],
        type,
      )
    : floating(
        name,
        toFloat(a as bigint | number, first.type),
        second ? toFloat(b as bigint | number, second.type) : 0,
      )
}

const RELATIONS: Readonly<Partial<Record<FunctionName, (order: number) => boolean>>> = {
  equal: order => order === 0,
  notEqual: order => order !== 0,
  less: order => order < 0,
  lessOrEqual: order => order <= 0,
  greater: order => order > 0,
  greaterOrEqual: order => order >= 0,
}

type Scaled = readonly [value: bigint, scale: number]

function exact(name: FunctionName, [a, of]: Scaled, [b, other]: Scaled, type: ScalarType): bigint {
  const scale = Math.max(of, other)
  switch (name) {
    case 'add':
      return fitted(raised(a, of, scale) + raised(b, other, scale), scale, type)
    case 'subtract':
      return fitted(raised(a, of, scale) - raised(b, other, scale), scale, type)
    case 'multiply':
      return fitted(a * b, of + other, type)
    case 'negate':
      return fitted(-a, of, type)
    case 'absolute':
      return fitted(a < 0n ? -a : a, of, type)
    case 'round': {
      const digits = roundedTo(b, of, type)
      return fitted(lowered(a, of - digits), digits, type)
    }
    default:
      throw unknown(`the function ${name}`)
  }
}

function floating(name: FunctionName, a: number, b: number): number {
  switch (name) {
    case 'add':
      return a + b
    case 'subtract':
      return a - b
    case 'multiply':
      return a * b
    case 'divide':
      return a / b
    case 'negate':
      return -a
    case 'absolute':
      return Math.abs(a)
    case 'squareRoot':
      if (a < 0) throw tooLarge('the square root of a negative number')
      return Math.sqrt(a)
    case 'round': {
      const power = 10 ** b
      const whole = Math.floor(Math.abs(a) * power + 0.5)
      return Number.isFinite(whole) ? (Math.sign(a) * whole) / power : a
    }
    default:
      throw unknown(`the function ${name}`)
  }
}

const COMPUTED: ReadonlySet<ScalarType['kind']> = new Set(['boolean', 'integer', 'decimal', 'float', 'text'])
const FUNCTIONS: ReadonlySet<FunctionName> = new Set([
  ...(Object.keys(RELATIONS) as FunctionName[]),
  'and',
  'or',
  'not',
  'isNull',
  'isNotNull',
  'coalesce',
  'nullIf',
  'add',
  'subtract',
  'multiply',
  'divide',
  'negate',
  'absolute',
  'squareRoot',
  'round',
])

function literal(value: string | boolean | null, type: ScalarType): Value {
  if (value === null || typeof value === 'boolean' || type.kind === 'text') return value
  if (type.kind === 'float') return Number(value)
  const exactly = exactlyScaled(value, scaleOf(type))
  if (exactly === undefined) throw unknown('a number written otherwise than with its digits')
  return exactly
}

export function isExact({ kind }: ScalarType): boolean {
  return kind === 'integer' || kind === 'decimal'
}

function converted(value: Value, from: ScalarType, to: ScalarType): Value {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (to.kind === 'float') return toFloat(value, from)
  if (typeof value === 'number') throw unknown('a cast from floating point')
  const [own, wanted] = [scaleOf(from), scaleOf(to)]
  return fitted(own > wanted ? lowered(value, own - wanted) : value, Math.min(own, wanted), to)
}

/** @throws SluiceError RESULT_TOO_LARGE where the type does not hold it */
function fitted(value: bigint, scale: number, type: ScalarType): bigint {
  const result = raised(value, scale, scaleOf(type))
  const magnitude = result < 0n ? -result : result
  const limit =
    type.kind === 'decimal'
      ? 10n ** BigInt(type.precision)
      : type.kind === 'integer'
        ? 2n ** BigInt(type.signed ? type.bits - 1 : type.bits)
        : 0n
  if (magnitude >= limit || (result < 0n && type.kind === 'integer' && !type.signed))
    throw tooLarge('a number that is computed from cells is too large for its type')
  return result
}

function raised(value: bigint, from: number, to: number): bigint {
  return value * 10n ** BigInt(to - from)
}

/** Fewer digits, rounded half away from zero. */
function lowered(value: bigint, digits: number): bigint {
  const unit = 10n ** BigInt(digits)
  const rounded = (2n * (value < 0n ? -value : value) + unit) / (2n * unit)
  return value < 0n ? -rounded : rounded
}

function scaleOf(type: ScalarType): number {
  return type.kind === 'decimal' ? type.scale : 0
}

function toFloat(value: bigint | number, type: ScalarType): number {
  return typeof value === 'number' ? value : Number(value) / 10 ** scaleOf(type)
}

function unknown(what: string): SluiceError {
  return refused('above', `${what} is not computed from cells`)
}

function notRounded(): SluiceError {
  return refused(
    'above',
    'an exact number is rounded to digits after the point, which are written as a number',
  )
}

function tooLarge(reason: string): SluiceError {
  return new SluiceError('RESULT_TOO_LARGE', reason, {
    rule: 'mpc.above',
    remedy:
      'Make a job whose calculation has a result for every cell: in floating point, CAST(sum(x) AS DOUBLE), and with CASE around what some cells have no result for.',
  })
}
