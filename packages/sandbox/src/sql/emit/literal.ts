import { SluiceError, unreachable } from '@sluice/core'
import type { Literal, ScalarType } from '@sluice/core/plan'
import { quoteText } from './names.js'
import { sqlType } from './types.js'

const INTEGER_LIMITS = [
  { limit: 2n ** 31n - 1n, bits: 32 },
  { limit: 2n ** 63n - 1n, bits: 64 },
  { limit: 2n ** 127n - 1n, bits: 128 },
] as const

/**
 * A literal that the engine gives exactly the plan's type. `adapts` says that it stands beside an operand of the
 * same integer type, to which the engine fits a bare number by itself.
 */
export function emitLiteral({ type, value }: Literal, adapts = false): string {
  if (value === null) return `CAST(NULL AS ${sqlType(type)})`
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  switch (type.kind) {
    case 'integer': {
      const digits = numeric(value, /^-?\d+$/)
      return adapts || naturalBits(digits) === signedBits(type)
        ? digits
        : `CAST(${digits} AS ${sqlType(type)})`
    }
    case 'decimal': {
      const digits = numeric(value, /^-?\d+(\.\d+)?$/)
      return adapts || naturalDecimal(digits, type) ? digits : `CAST(${digits} AS ${sqlType(type)})`
    }
    case 'float': {
      const digits = numeric(value, /^-?\d+(\.\d+)?(e[+-]?\d+)?$/)
      const double = digits.includes('e') ? digits : `${digits}e0`
      return type.bits === 64 ? double : `CAST(${double} AS ${sqlType(type)})`
    }
    case 'text':
      return quoteText(value)
    case 'date':
    case 'time':
      return `${sqlType(type)} ${quoteText(value)}`
    case 'timestamp':
      return `TIMESTAMP ${quoteText(value.replace('T', ' '))}`
    case 'boolean':
      throw new SluiceError('INTERNAL', 'a boolean literal that is none')
    default:
      return unreachable(type)
  }
}

/** The width that the engine gives a bare integer; null where it has none. */
function naturalBits(digits: string): number | null {
  const value = BigInt(digits)
  const magnitude = value < 0n ? -value : value
  return INTEGER_LIMITS.find(({ limit }) => magnitude <= limit)?.bits ?? null
}

function signedBits(type: ScalarType & { kind: 'integer' }): number {
  return type.signed ? type.bits : 0
}

function naturalDecimal(digits: string, type: ScalarType & { kind: 'decimal' }): boolean {
  const [whole = '', fraction = ''] = digits.replace('-', '').split('.')
  return (
    fraction.length > 0 && fraction.length === type.scale && whole.length + fraction.length === type.precision
  )
}

function numeric(value: string, form: RegExp): string {
  if (!form.test(value)) throw new SluiceError('INTERNAL', 'a number literal that is none')
  return value
}
