import type { Expression, Literal, ScalarType } from '@sluice/core/plan'
import { fitLiteral } from './literals.js'

type Integer = ScalarType & { kind: 'integer' }
type Decimal = ScalarType & { kind: 'decimal' }

export const BOOLEAN: ScalarType = { kind: 'boolean' }
export const TEXT: ScalarType = { kind: 'text' }
export const DATE: ScalarType = { kind: 'date' }
export const TIMESTAMP: ScalarType = { kind: 'timestamp' }
export const INT8: ScalarType = { kind: 'integer', bits: 8, signed: true }
export const INT32: ScalarType = { kind: 'integer', bits: 32, signed: true }
export const INT64: ScalarType = { kind: 'integer', bits: 64, signed: true }
export const INT128: ScalarType = { kind: 'integer', bits: 128, signed: true }
export const DOUBLE: ScalarType = { kind: 'float', bits: 64 }

/** The engine computes decimals of up to this precision in 64 bits, and keeps a result there if it can. */
const NARROW_DECIMAL = 18
const WIDEST_DECIMAL = 38

export function sameType(left: ScalarType, right: ScalarType): boolean {
  switch (left.kind) {
    case 'integer':
      return right.kind === 'integer' && left.bits === right.bits && left.signed === right.signed
    case 'decimal':
      return right.kind === 'decimal' && left.precision === right.precision && left.scale === right.scale
    case 'float':
      return right.kind === 'float' && left.bits === right.bits
    default:
      return left.kind === right.kind
  }
}

export function isNumeric(type: ScalarType): type is ScalarType & { kind: 'integer' | 'decimal' | 'float' } {
  return type.kind === 'integer' || type.kind === 'decimal' || type.kind === 'float'
}

/**
 * The type to which all operands of a comparison, CASE, COALESCE, IN or UNION are brought, or null where there is
 * none. Literals adapt: a number to the integer type beside it that holds it, a text to a date or a number.
 */
export function commonType(expressions: readonly Expression[]): ScalarType | null {
  const firm = expressions.filter(expression => expression.kind !== 'literal')
  const literals = expressions.filter(
    (expression): expression is Literal => expression.kind === 'literal' && expression.value !== null,
  )
  const texts = literals.filter(({ type }) => type.kind === 'text')
  const others = literals.filter(({ type }) => type.kind !== 'text')
  let common: ScalarType | null = null
  for (const { type } of firm) {
    common = common === null ? type : widest(common, type)
    if (common === null) return null
  }
  for (const literal of others) {
    if (
      common?.kind === 'integer' &&
      literal.type.kind === 'integer' &&
      fitLiteral(literal, common) !== null
    ) {
      continue
    }
    common = common === null ? literal.type : widest(common, literal.type)
    if (common === null) return null
  }
  if (common === null) return texts[0]?.type ?? expressions[0]?.type ?? null
  return texts.every(literal => fitLiteral(literal, common) !== null) ? common : null
}

/** Without literals: the type that holds both, or null. */
export function widest(left: ScalarType, right: ScalarType): ScalarType | null {
  if (sameType(left, right)) return left
  if (isNumeric(left) && isNumeric(right)) {
    if (left.kind === 'float' || right.kind === 'float') return widestFloat(left, right)
    if (left.kind === 'integer' && right.kind === 'integer') return widestInteger(left, right)
    const huge = [left, right].some(type => type.kind === 'integer' && type.bits === 128)
    const { scale } = left.kind === 'decimal' ? left : asDecimal(right)
    return huge
      ? { kind: 'decimal', precision: WIDEST_DECIMAL, scale }
      : widestDecimal(asDecimal(left), asDecimal(right))
  }
  const kinds = [left.kind, right.kind]
  return kinds.includes('date') && kinds.includes('timestamp') ? TIMESTAMP : null
}

/** The type of `+`, `-`, `*`, `//` and `%` on numbers, or null where they are not defined. */
export function arithmeticType(
  operation: ArithmeticOperation,
  left: Expression,
  right: Expression,
): ScalarType | null {
  const a = left.type
  const b = right.type
  if (!isNumeric(a) || !isNumeric(b)) return null
  if (a.kind === 'float' || b.kind === 'float')
    return operation === 'integerDivide' ? null : widestFloat(a, b)
  if (a.kind === 'integer' && b.kind === 'integer') {
    return commonIntegers(left, right) ?? arithmeticInteger(a, b)
  }
  const huge = [a, b].some(type => type.kind === 'integer' && type.bits === 128)
  if (operation === 'integerDivide' || (operation === 'modulo' && huge)) return null
  return arithmeticDecimal(operation, asDecimal(a), asDecimal(b))
}

export type ArithmeticOperation = 'add' | 'subtract' | 'multiply' | 'integerDivide' | 'modulo'

/** An integer as the engine turns it into a decimal. */
export function asDecimal(type: Integer | Decimal): Decimal {
  if (type.kind === 'decimal') return type
  const digits = type.signed
    ? { 8: 3, 16: 5, 32: 10, 64: 19, 128: 38 }
    : { 8: 3, 16: 5, 32: 10, 64: 20, 128: 38 }
  return { kind: 'decimal', precision: digits[type.bits], scale: 0 }
}

function commonIntegers(left: Expression, right: Expression): ScalarType | null {
  const [literal, other] = left.kind === 'literal' ? [left, right] : [right, left]
  if (literal.kind !== 'literal' || other.kind === 'literal') return null
  if (literal.value === null) return other.type
  return fitLiteral(literal, other.type) === null ? null : other.type
}

function widestFloat(left: ScalarType, right: ScalarType): ScalarType {
  return [left, right].some(type => type.kind === 'float' && type.bits === 64)
    ? DOUBLE
    : { kind: 'float', bits: 32 }
}

function widestInteger(left: Integer, right: Integer): Integer | null {
  if (left.signed === right.signed) return left.bits >= right.bits ? left : right
  const [signed, unsigned] = left.signed ? [left, right] : [right, left]
  if (signed.bits > unsigned.bits) return signed
  switch (unsigned.bits) {
    case 8:
      return { ...signed, bits: 16 }
    case 16:
      return { ...signed, bits: 32 }
    case 32:
      return { ...signed, bits: 64 }
    case 64:
      return { ...signed, bits: 128 }
    case 128:
      return null
  }
}

/** Operators have no mixed forms: the engine computes a signed with an unsigned number of its width in 64 bits. */
function arithmeticInteger(left: Integer, right: Integer): Integer | null {
  const common = widestInteger(left, right)
  if (common === null || left.signed === right.signed || sameType(common, left) || sameType(common, right)) {
    return common
  }
  return common.bits <= 64 ? { ...common, bits: 64 } : common
}

/** Where both do not fit, whole digits win over those after the point, as in the engine. */
function widestDecimal(left: Decimal, right: Decimal): Decimal {
  const whole = Math.max(left.precision - left.scale, right.precision - right.scale)
  const scale = Math.min(Math.max(left.scale, right.scale), WIDEST_DECIMAL - whole)
  return { kind: 'decimal', precision: whole + scale, scale }
}

function arithmeticDecimal(operation: ArithmeticOperation, left: Decimal, right: Decimal): Decimal | null {
  const narrow = left.precision <= NARROW_DECIMAL && right.precision <= NARROW_DECIMAL
  switch (operation) {
    case 'add':
    case 'subtract': {
      const scale = Math.max(left.scale, right.scale)
      const precision = Math.max(left.precision - left.scale, right.precision - right.scale) + scale + 1
      return capped(precision, scale, narrow)
    }
    case 'multiply': {
      const scale = left.scale + right.scale
      if (scale > WIDEST_DECIMAL) return null
      return capped(left.precision + right.precision, scale, narrow && scale < NARROW_DECIMAL)
    }
    case 'modulo':
      return widestDecimal(left, right)
    case 'integerDivide':
      return null
  }
}

function capped(precision: number, scale: number, narrow: boolean): Decimal {
  const limit = narrow ? NARROW_DECIMAL : WIDEST_DECIMAL
  return { kind: 'decimal', precision: Math.min(precision, limit), scale }
}
