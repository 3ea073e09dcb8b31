import { unreachable } from '../errors.js'
import type { ScalarType } from './types.js'

/** Is a value written as `Literal.value` demands for the type, and within the type's range? */
export function isLiteralText(type: ScalarType, value: string | boolean | null): boolean {
  if (value === null) return true
  if (typeof value === 'boolean') return type.kind === 'boolean'
  switch (type.kind) {
    case 'boolean':
      return false
    case 'integer':
      return isInteger(value, type.bits, type.signed)
    case 'decimal':
      return isDecimal(value, type.precision, type.scale)
    case 'float':
      return FLOAT.test(value) && Number.isFinite(Number(value))
    case 'text':
      return value.isWellFormed() && !value.includes('\0')
    case 'date':
      return isDate(value)
    case 'time':
      return TIME.test(value)
    case 'timestamp': {
      const [date, time, ...rest] = value.split('T')
      return rest.length === 0 && isDate(date ?? '') && TIME.test(time ?? '')
    }
    default:
      return unreachable(type)
  }
}

/** Orders two literals of one type; both are valid. */
export function compareLiterals(type: ScalarType, a: string, b: string): number {
  switch (type.kind) {
    case 'integer':
      return order(BigInt(a), BigInt(b))
    case 'decimal':
      return order(scaled(a, type.scale), scaled(b, type.scale))
    case 'float':
      return order(Number(a), Number(b))
    case 'time':
    case 'timestamp':
      return order(padded(a), padded(b))
    case 'boolean':
    case 'text':
    case 'date':
      return compareCodePoints(a, b)
    default:
      return unreachable(type)
  }
}

const INTEGER = /^-?(?:0|[1-9]\d{0,38})$/
const DECIMAL = /^-?\d{1,38}(?:\.\d{1,38})?$/
const FLOAT = /^-?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,3})?$/
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?$/

function isInteger(value: string, bits: number, signed: boolean): boolean {
  if (!INTEGER.test(value)) return false
  const number = BigInt(value)
  const span = 1n << BigInt(signed ? bits - 1 : bits)
  return number < span && number >= (signed ? -span : 0n)
}

function isDecimal(value: string, precision: number, scale: number): boolean {
  if (!DECIMAL.test(value)) return false
  const [whole = '', fraction = ''] = value.replace('-', '').split('.')
  return fraction.length <= scale && whole.replace(/^0+/, '').length <= precision - scale
}

/** Proleptic Gregorian, years 0001 to 9999. */
function isDate(value: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value)
  if (match === null || match[1] === '0000') return false
  const date = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
}

function scaled(value: string, scale: number): bigint {
  const [whole = '0', fraction = ''] = value.split('.')
  return BigInt(whole + fraction.padEnd(scale, '0'))
}

/** Times and timestamps compare as text once the fraction is written out. */
function padded(value: string): string {
  const [whole = '', fraction = ''] = value.split('.')
  return `${whole}.${fraction.padEnd(6, '0')}`
}

function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function order<T extends bigint | number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
