import { SluiceError } from '../errors.js'
import type { ScalarType } from '../plan/types.js'
import {
  type Column,
  type FixedColumn,
  type FixedType,
  type FixedValues,
  fixedValues,
  isValid,
  Validity,
} from './column.js'
import { type Applied, wrongType } from './rule.js'

/** Numbers that the rules for numbers know: integers up to 64 bits, decimals up to 18 digits, floats. */
export type NumericType = Extract<ScalarType, { kind: 'integer' | 'decimal' | 'float' }>

const DECIMAL_DIGITS = 18

/** @throws SluiceError RULE_INVALID */
export function requireNumber(kind: string, type: ScalarType): NumericType {
  const { kind: found } = type
  const known =
    found === 'float' ||
    (found === 'integer' && type.bits !== 128) ||
    (found === 'decimal' && type.precision <= DECIMAL_DIGITS)
  if (!known) throw wrongType(kind, type, 'integers up to 64 bits, decimals up to 18 digits, or floats')
  return type as NumericType
}

/**
 * A number of a rule's description as the column's values are: an integer times 10^scale, or a double.
 *
 * @throws SluiceError RULE_INVALID where the column's type cannot hold it
 */
export function exactly(kind: string, text: string, type: FixedType): bigint | number {
  if (type.kind === 'float') {
    const value = Number(text)
    return type.bits === 32 ? Math.fround(value) : value
  }
  const scale = type.kind === 'decimal' ? type.scale : 0
  const value = scaledInteger(text, scale)
  if (value === null || !holds(value, type)) {
    throw new SluiceError('RULE_INVALID', 'a number of the rule is none that the column can hold', {
      rule: `rule.${kind}.number`,
      remedy: `a number of type ${type.kind}${scale > 0 ? ` with at most ${scale} decimal places` : ''}`,
    })
  }
  return value
}

/** `text` × 10^scale where that is an integer. */
function scaledInteger(text: string, scale: number): bigint | null {
  const [, sign, whole, fraction = ''] = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === undefined) return null
  const digits = fraction.replace(/0+$/, '')
  if (digits.length > scale) return null
  const value = BigInt(whole + digits.padEnd(scale, '0'))
  return sign === '-' ? -value : value
}

/** Can a column of the type hold the (scaled) integer? */
export function holds(value: bigint, type: FixedType): boolean {
  const [least, greatest] = rangeOf(type)
  return value >= least && value <= greatest
}

function rangeOf(type: FixedType): readonly [bigint, bigint] {
  if (type.kind === 'decimal') {
    const most = 10n ** BigInt(type.precision) - 1n
    return [-most, most]
  }
  if (type.kind !== 'integer') throw new SluiceError('INTERNAL', 'only integers and decimals have a range')
  const bits = BigInt(type.bits)
  return type.signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n]
}

/** Of a number, as a scaled integer that a double holds exactly, or as a double: its successor; NaN hides it. */
export type NumberTransform = (value: number) => number
/** The same for scaled integers beyond 2^53; null hides it. */
export type IntegerTransform = (value: bigint) => bigint | null

/**
 * Every number of a column through a transformation; the type stays. Integers and decimals go through as doubles where
 * these are exact, and as 64-bit integers where not.
 *
 * @param small of doubles, and of scaled integers up to `limit` in magnitude; both transformations have to agree there
 */
export function mapNumbers(
  chunk: Column,
  small: NumberTransform,
  large: IntegerTransform,
  limit: number,
): Applied {
  const column = chunk as FixedColumn
  const { type, length } = column
  const values = fixedValues(type, length)
  const validity = new Validity(length)
  const tally = { nulls: 0, hidden: 0, fixedPoints: 0 }
  const each = transformer(column, values, small, large, limit)
  for (let i = 0; i < length; i++) {
    if (!isValid(column, i)) {
      tally.nulls++
      validity.clear(i)
      continue
    }
    const outcome = each(i)
    if (outcome === HIDDEN) {
      tally.hidden++
      validity.clear(i)
    } else if (outcome === SAME) tally.fixedPoints++
  }
  const { nulls, hidden, fixedPoints } = tally
  return {
    column: { type, length, validity: validity.finish(), values },
    hidden,
    fixedPoints,
    changed: length - nulls - hidden - fixedPoints,
  }
}

const HIDDEN = 0
const SAME = 1
const CHANGED = 2

function transformer(
  { type, values }: FixedColumn,
  out: FixedValues,
  small: NumberTransform,
  large: IntegerTransform,
  limit: number,
): (index: number) => number {
  if (type.kind === 'decimal') {
    const words = new BigInt64Array(values.buffer, values.byteOffset, values.length / 2)
    const outWords = new BigInt64Array(out.buffer, out.byteOffset, out.length / 2)
    // up to 18 digits: the low half holds the number, the high half its sign
    return i => {
      const value = words[2 * i]!
      const next = integer(value)
      if (next === null || !holds(next, type)) return HIDDEN
      outWords[2 * i] = next
      outWords[2 * i + 1] = next < 0n ? -1n : 0n
      return next === value ? SAME : CHANGED
    }
  }
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    const target = out as BigInt64Array | BigUint64Array
    return i => {
      const value = values[i]!
      const next = integer(value)
      if (next === null || !holds(next, type)) return HIDDEN
      target[i] = next
      return next === value ? SAME : CHANGED
    }
  }
  const plain = values as Exclude<FixedValues, BigInt64Array | BigUint64Array>
  const target = out as typeof plain
  const isFloat = type.kind === 'float'
  return i => {
    const value = plain[i]!
    const next = small(value)
    if (isFloat && !Number.isFinite(value)) return HIDDEN
    target[i] = next
    // what the array cannot hold comes back as something else
    if (!isFloat && target[i] !== next) {
      target[i] = 0
      return HIDDEN
    }
    if (!Number.isFinite(target[i]!)) {
      target[i] = 0
      return HIDDEN
    }
    return target[i] === value ? SAME : CHANGED
  }

  function integer(value: bigint): bigint | null {
    const double = Number(value)
    if (double > limit || double < -limit) return large(value)
    const next = small(double)
    return Number.isFinite(next) ? BigInt(next) : null
  }
}
