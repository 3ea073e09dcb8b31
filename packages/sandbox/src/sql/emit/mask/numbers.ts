import { SluiceError } from '@sluice/core'
import { bandNames, exactly } from '@sluice/core/desensitize'
import type { ScalarType, ScanMask } from '@sluice/core/plan'
import { quoteText } from '../names.js'
import { sqlType } from '../types.js'
import { call } from './texts.js'

type RuleOf<K> = Extract<ScanMask['rule'], { kind: K }>
type NumericType = Extract<ScalarType, { kind: 'integer' | 'decimal' | 'float' }>

/** See `band` of core/desensitize. */
export function bandText(rule: RuleOf<'band'>, column: string, from: ScalarType): string {
  const type = numeric(from)
  if (rule.edges !== undefined) return namedBandText(rule.edges.map(String), column, type)
  const width = scaled('band', String(rule.width), type)
  const origin = scaled('band', String(rule.from ?? 0), type)
  const x = number(column, type)
  if (type.kind === 'float') {
    return finite(x, `${call('floor', `(${x} - ${origin}) / ${width}`)} * ${width} + ${origin}`, type)
  }
  // the remainder has the sign of the dividend
  const rest = `((${x} - ${origin}) % ${width} + ${width}) % ${width}`
  return ofScaled(`${x} - ${rest}`, type)
}

function namedBandText(edges: readonly string[], column: string, type: NumericType): string {
  const names = bandNames(edges).map(quoteText)
  const branches = edges.map(
    (edge, index) => `WHEN ${column} < ${literal('band', edge, type)} THEN ${names[index]}`,
  )
  const missing =
    type.kind === 'float' ? `NOT ${call('isfinite', column)} OR ${column} IS NULL` : `${column} IS NULL`
  return `CASE WHEN ${missing} THEN NULL ${branches.join(' ')} ELSE ${names.at(-1)} END`
}

/** See `round` of core/desensitize. */
export function roundText(rule: RuleOf<'round'>, column: string, from: ScalarType): string {
  const type = numeric(from)
  const unit = scaled('round', String(rule.to), type)
  const x = number(column, type)
  const size = call('abs', x)
  if (type.kind === 'float') {
    const rounded = `${call('floor', `${size} / ${unit} + ${double('0.5')}`)} * ${unit}`
    return finite(x, `CASE WHEN ${x} < 0 THEN -(${rounded}) ELSE ${rounded} END`, type)
  }
  const rest = `${size} % ${unit}`
  const rounded = `(${size} - ${rest} + CASE WHEN 2 * (${rest}) >= ${unit} THEN ${unit} ELSE 0 END)`
  return ofScaled(`CASE WHEN ${x} < 0 THEN -${rounded} ELSE ${rounded} END`, type)
}

/** See `limit` of core/desensitize. */
export function limitText({ bottom, top }: RuleOf<'limit'>, column: string, from: ScalarType): string {
  const type = numeric(from)
  const bound = (value: number | string) => literal('limit', String(value), type)
  const branches = [
    ...(type.kind === 'float' ? [`WHEN NOT ${call('isfinite', column)} THEN NULL`] : []),
    ...(bottom === undefined ? [] : [`WHEN ${column} < ${bound(bottom)} THEN ${bound(bottom)}`]),
    ...(top === undefined ? [] : [`WHEN ${column} > ${bound(top)} THEN ${bound(top)}`]),
  ]
  return `CASE ${branches.join(' ')} ELSE ${column} END`
}

function numeric(type: ScalarType): NumericType {
  if (type.kind === 'integer' || type.kind === 'decimal' || type.kind === 'float') return type
  throw new SluiceError('INTERNAL', 'a rule for numbers stands at a column of another type')
}

/** The column's number to reckon with: a double, or an integer of 128 bits, of which a decimal's point is taken out. */
function number(column: string, type: NumericType): string {
  if (type.kind === 'float') return `CAST(${column} AS DOUBLE)`
  if (type.kind === 'integer') return `CAST(${column} AS HUGEINT)`
  const digits = `CAST(${column} AS VARCHAR)`
  return `CAST(${type.scale === 0 ? digits : call('replace', digits, "'.'", "''")} AS HUGEINT)`
}

/** A number of the rule, to reckon with. */
function scaled(kind: string, text: string, type: NumericType): string {
  return type.kind === 'float' ? double(text) : `CAST('${exactly(kind, text, type)}' AS HUGEINT)`
}

/** A number of the rule, as the column has them. */
function literal(kind: string, text: string, type: NumericType): string {
  exactly(kind, text, type)
  return type.kind === 'float'
    ? `CAST(${double(text)} AS ${sqlType(type)})`
    : `CAST('${text}' AS ${sqlType(type)})`
}

function double(text: string): string {
  return `CAST('${Number(text)}' AS DOUBLE)`
}

/** Null where the column's type does not hold it. */
function ofScaled(value: string, type: NumericType): string {
  if (type.kind !== 'decimal') return `TRY_CAST(${value} AS ${sqlType(type)})`
  const unscaled = `TRY_CAST(${value} AS DECIMAL(19,0))`
  if (type.scale === 0) return `TRY_CAST(${unscaled} AS ${sqlType(type)})`
  const unit = `CAST('${`0.${'1'.padStart(type.scale, '0')}`}' AS DECIMAL(${type.scale + 1},${type.scale}))`
  return `TRY_CAST(${unscaled} * ${unit} AS ${sqlType(type)})`
}

function finite(x: string, value: string, type: NumericType): string {
  const cast = `TRY_CAST(${value} AS ${sqlType(type)})`
  return `CASE WHEN ${call('isfinite', x)} AND ${call('isfinite', value)} THEN ${cast} ELSE NULL END`
}
