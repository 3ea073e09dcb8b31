import { SluiceError, unreachable } from '@sluice/core'
import { type Data, DataType, Vector } from 'apache-arrow'
import { scaleWithin, type Words } from '../ring/kernels.js'
import { placesIn } from './categories.js'
import { codeBits, digitsOf, encodeCode } from './code.js'
import { scaled, shortScaled } from './decimal.js'
import { integersInto } from './integers.js'
import type { CodeType, JointColumn } from './job.js'
import { textsIn } from './texts.js'

/** A column of numbers as ring elements: 0 where there is no value, and which rows have one. */
export interface NumberColumn {
  readonly kind: 'number'
  /** two's complement, scaled */
  readonly values: Words
  /** 1 where there is a value */
  readonly present: Words
}

/** A column of categories: for each row the place in the list; −1 for null, −2 for a text that the list lacks. */
export interface CategoryColumn {
  readonly kind: 'category'
  readonly codes: Int32Array
}

/** A column of codes: so many words for each row, one row after the other, 0 where there is none. */
export interface CodeColumn {
  readonly kind: 'code'
  readonly width: number
  readonly values: Words
  /** 1 where there is a code */
  readonly present: Words
}

export type PreparedColumn = NumberColumn | CategoryColumn | CodeColumn

/**
 * An Arrow column as its owner's input: integers, decimals or their texts for numbers, text (also dictionary-encoded)
 * for categories and codes.
 *
 * @throws SluiceError SCHEMA_INVALID where type or nulls are not the job's, PARAMETER_INVALID where a value is beyond
 *   the bound that the job states, or is no code of its alphabet and length; neither shows a value
 */
export function prepare(vector: Vector, column: JointColumn): PreparedColumn {
  if (vector.nullCount > 0 && !column.nullable) throw wrong(column, 'has nulls, which the job does not allow')
  const { type } = column
  switch (type.kind) {
    case 'category':
      return { kind: 'category', codes: placesOf(vector, type.categories, column) }
    case 'code':
      return codesOf(vector, type, column)
    case 'number':
      return numbersOf(vector, column, type.scale, scaled(type.bound, type.scale)!)
    default:
      return unreachable(type)
  }
}

function placesOf(vector: Vector, categories: readonly string[], column: JointColumn): Int32Array {
  const places = placesIn(vector, categories)
  if (places === undefined) throw wrong(column, 'is no text')
  return places
}

/** An empty text is no value. */
function codesOf(vector: Vector, type: CodeType, column: JointColumn): CodeColumn {
  const digits = digitsOf(type)
  const width = codeBits(type).length
  const values = new BigUint64Array(vector.length * width)
  const present = new BigUint64Array(vector.length)
  for (let row = 0; row < vector.length; row++) {
    const text: unknown = vector.get(row)
    if (text === null || (text === '' && column.nullable)) continue
    if (typeof text !== 'string') throw wrong(column, 'is no text')
    if (!encodeCode(text, type, digits, values, row * width)) throw noCode(column)
    present[row] = 1n
  }
  return { kind: 'code', width, values, present }
}

function numbersOf(vector: Vector, column: JointColumn, scale: number, bound: bigint): NumberColumn {
  const values = new BigUint64Array(vector.length)
  const present = new BigUint64Array(vector.length)
  let start = 0
  for (const data of vector.data) {
    const end = start + data.length
    readNumbers(data, column, { scale, bound }, values.subarray(start, end), present.subarray(start, end))
    start = end
  }
  return { kind: 'number', values, present }
}

/** Reads scaled integers out of Arrow's buffers, or numbers as a text file writes them. */
function readNumbers(
  data: Data,
  column: JointColumn,
  { scale, bound }: { readonly scale: number; readonly bound: bigint },
  values: Words,
  present: Words,
): void {
  present.fill(1n)
  if (data.nullCount > 0)
    for (let row = 0; row < data.length; row++) if (!data.getValid(row)) present[row] = 0n
  if (DataType.isUtf8(data.type)) {
    readTexts(data, column, { scale, bound }, values, present)
    return
  }
  const factor = 10n ** BigInt(scale - scaleOf(data, column, scale))
  const fits = integersInto(data, present, values) && scaleWithin(values, factor, bound / factor)
  if (!fits) throw beyond(column)
}

function readTexts(
  data: Data,
  column: JointColumn,
  { scale, bound }: { readonly scale: number; readonly bound: bigint },
  values: Words,
  present: Words,
): void {
  const texts = new Vector([data])
  const { bytes, offsets } = textsIn(data)!
  const lanes = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length)
  const most = Number(bound)
  for (let row = 0; row < data.length; row++) {
    if (present[row] === 0n) continue
    const short = shortScaled(bytes, offsets[row]!, offsets[row + 1]!, scale)
    // a bound beyond what a double holds exactly is beyond every short number too
    if (Math.abs(short) <= most) {
      const high = Math.floor(short / TURN)
      lanes[2 * row] = short - high * TURN
      lanes[2 * row + 1] = high
      continue
    }
    const value = numberOf(texts.get(row) as string, column, scale)
    if (value === null) present[row] = 0n
    else if (value > bound || value < -bound) throw beyond(column)
    else values[row] = BigInt.asUintN(64, value)
  }
}

const TURN = 2 ** 32

/** Digits after the point that the column's integers have already. */
function scaleOf({ type }: Data, column: JointColumn, scale: number): number {
  if (DataType.isInt(type)) return 0
  if (!DataType.isDecimal(type)) throw wrong(column, 'is neither an integer nor a decimal')
  if (type.scale > scale) throw wrong(column, 'has more digits after the point than the job')
  if (type.bitWidth !== 128) throw wrong(column, 'is a decimal of other than 128 bits')
  return type.scale
}

/** An empty text is no value. */
function numberOf(text: string, column: JointColumn, scale: number): bigint | null {
  if (text === '' && column.nullable) return null
  const value = scaled(text, scale)
  if (value === undefined)
    throw wrong(column, `has a text that is no number of ${scale} digits after the point`)
  return value
}

function wrong({ name }: JointColumn, reason: string): SluiceError {
  return new SluiceError('SCHEMA_INVALID', `the column "${name}" ${reason}`, {
    rule: 'job.columns',
    remedy: 'Give the column that the job names, or make a job for the column that there is.',
  })
}

function beyond({ name }: JointColumn): SluiceError {
  return new SluiceError(
    'PARAMETER_INVALID',
    `a value of "${name}" is beyond the bound that the job states`,
    {
      rule: 'job.bound',
      remedy: 'Make a job with a larger bound.',
    },
  )
}

function noCode({ name }: JointColumn): SluiceError {
  return new SluiceError(
    'PARAMETER_INVALID',
    `a value of "${name}" is none of the codes that the job states`,
    {
      rule: 'job.code',
      remedy: 'Make a job whose alphabet and length hold all codes of the column.',
    },
  )
}
