import type { Literal, ScalarType } from '@sluice/core/plan'
import { hiddenCharacter } from '../parser/text.js'
import { type Ast, child, fields, isAst, refuse, text, unknownSyntax } from '../syntax/ast.js'
import { translateType } from './type-names.js'

/** A constant of the syntax tree. NULL comes as an integer, as the engine types it where nothing says otherwise. */
export function translateConstant(ast: Ast): Literal {
  fields(ast, ['class', 'type', 'alias', 'value'])
  const value = child(ast, 'value')
  const id = text(child(value, 'type'), 'id')
  if (value.is_null === true) {
    if (id !== 'NULL') unknownSyntax(ast, 'value')
    return { kind: 'literal', type: { kind: 'integer', bits: 32, signed: true }, value: null }
  }
  fields(value, ['type', 'value'], { is_null: false })
  const type = translateType(child(value, 'type'), ast)
  switch (type.kind) {
    case 'boolean':
      return { kind: 'literal', type, value: value.value === true }
    case 'text': {
      const content = text(value, 'value')
      if (hiddenCharacter(content) !== -1) {
        refuse(
          'sql.text',
          ast,
          'this text contains a control, bidirectional or invisible character',
          'Write the text without escape sequences.',
        )
      }
      return { kind: 'literal', type, value: content }
    }
    case 'integer':
      return { kind: 'literal', type, value: String(wholeNumber(value)) }
    case 'decimal':
      return { kind: 'literal', type, value: pointed(wholeNumber(value), type.scale) }
    case 'float': {
      const number = Number(text(value, 'value'))
      if (!Number.isFinite(number)) {
        refuse(
          'sql.number',
          ast,
          'this number is beyond what a floating point number holds',
          'Write a smaller number.',
        )
      }
      return { kind: 'literal', type, value: String(number) }
    }
    case 'date':
    case 'time':
    case 'timestamp':
      return unknownSyntax(ast, 'value')
  }
}

/**
 * A literal as another type, exactly, or null where that is not possible: a number in another numeric type that
 * holds it, a text that is written as a date or a number, a null as anything.
 */
export function fitLiteral(literal: Literal, type: ScalarType): Literal | null {
  const { value } = literal
  const from = literal.type.kind
  const as = (fitted: string | null): Literal | null =>
    fitted === null ? null : { kind: 'literal', type, value: fitted }
  if (value === null) return { kind: 'literal', type, value: null }
  if (typeof value === 'boolean') return type.kind === 'boolean' ? { kind: 'literal', type, value } : null
  const isNumber =
    from === 'integer' || from === 'decimal' || (from === 'text' && /^-?\d+(\.\d+)?$/.test(value))
  switch (type.kind) {
    case 'integer':
      return isNumber ? as(integerWithin(value, type)) : null
    case 'decimal':
      return isNumber ? as(decimalWithin(value, type)) : null
    case 'float':
      return isNumber || from === 'float' ? as(floatWithin(value, type.bits)) : null
    case 'text':
      return from === 'text' ? { kind: 'literal', type, value } : null
    case 'date':
      return from === 'text' || from === 'date' ? as(isDate(value) ? value : null) : null
    case 'time':
      return from === 'text' || from === 'time' ? as(isTime(value) ? value : null) : null
    case 'timestamp':
      return from === 'text' || from === 'date' || from === 'timestamp' ? as(timestampOf(value)) : null
    case 'boolean':
      return null
  }
}

function wholeNumber(value: Ast): bigint {
  const parts = value.value
  if (typeof parts === 'string' && /^-?\d+$/.test(parts)) return BigInt(parts)
  if (!isAst(parts)) return unknownSyntax(value, 'value')
  // 128 bits come as two halves, the lower without sign.
  return (BigInt(text(parts, 'upper')) << 64n) + BigInt(text(parts, 'lower'))
}

function pointed(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function integerWithin(value: string, type: ScalarType & { kind: 'integer' }): string | null {
  const [whole, fraction = ''] = value.split('.')
  if (/[1-9]/.test(fraction)) return null
  const number = BigInt(whole!)
  const bits = BigInt(type.bits)
  const [least, most] = type.signed
    ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
    : [0n, (1n << bits) - 1n]
  return number >= least && number <= most ? String(number) : null
}

function decimalWithin(value: string, type: ScalarType & { kind: 'decimal' }): string | null {
  const [whole = '', fraction = ''] = value.split('.')
  if (/[1-9]/.test(fraction.slice(type.scale))) return null
  const unscaled = BigInt(whole.replace('-', '') + fraction.slice(0, type.scale).padEnd(type.scale, '0'))
  if (unscaled >= 10n ** BigInt(type.precision)) return null
  return pointed(whole.startsWith('-') ? -unscaled : unscaled, type.scale)
}

function floatWithin(value: string, bits: 32 | 64): string | null {
  const number = Number(value)
  if (!Number.isFinite(bits === 32 ? Math.fround(number) : number)) return null
  return String(number)
}

function isDate(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false
  const date = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
}

function isTime(value: string): boolean {
  return /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$/.test(value)
}

function timestampOf(value: string): string | null {
  const [date = '', time] = value.split(/[T ]/)
  if (!isDate(date)) return null
  if (time === undefined) return `${date}T00:00:00`
  const whole = /^\d{2}:\d{2}$/.test(time) ? `${time}:00` : time
  return isTime(whole) ? `${date}T${whole}` : null
}
