import { SluiceError, unreachable } from '@sluice/core'
import { type Data, DataType, Vector } from 'apache-arrow'
import type { Words } from '../ring/kernels.js'
import { codeBits, digitsOf, encodeCode } from './code.js'
import { scaled } from './decimal.js'
import type { CodeType, JointColumn } from './job.js'

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

const NULL = -1
const OTHER = -2

function placesOf(vector: Vector, categories: readonly string[], column: JointColumn): Int32Array {
  const places = new Map(categories.map((category, place) => [category, place]))
  const codes = new Int32Array(vector.length)
  for (let row = 0; row < vector.length; row++) {
    const value: unknown = vector.get(row)
    if (value !== null && typeof value !== 'string') throw wrong(column, 'is no text')
    codes[row] = value === null ? NULL : (places.get(value) ?? OTHER)
  }
  return codes
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
    const read = readerOf(data, column, scale)
    for (let row = 0; row < data.length; row++) {
      const value = data.getValid(row) ? read(row) : null
      if (value === null) continue
      if (value > bound || value < -bound) throw beyond(column)
      values[start + row] = BigInt.asUintN(64, value)
      present[start + row] = 1n
    }
    start += data.length
  }
  return { kind: 'number', values, present }
}

/** Reads scaled integers out of Arrow's buffers, or numbers as a text file writes them. */
function readerOf(data: Data, column: JointColumn, scale: number): (row: number) => bigint | null {
  const { type } = data
  if (DataType.isUtf8(type)) {
    const texts = new Vector([data])
    return row => numberOf(texts.get(row) as string, column, scale)
  }
  if (DataType.isDecimal(type)) {
    if (type.scale > scale) throw wrong(column, 'has more digits after the point than the job')
    if (type.bitWidth !== 128) throw wrong(column, 'is a decimal of other than 128 bits')
    const words = data.values as Uint32Array
    const factor = 10n ** BigInt(scale - type.scale)
    return row => wide(words, row * 4) * factor
  }
  if (DataType.isInt(type)) {
    const integers = data.values as Int32Array | BigInt64Array
    const factor = 10n ** BigInt(scale)
    return row => BigInt(integers[row]!) * factor
  }
  throw wrong(column, 'is neither an integer nor a decimal')
}

/** An empty text is no value. */
function numberOf(text: string, column: JointColumn, scale: number): bigint | null {
  if (text === '' && column.nullable) return null
  const value = scaled(text, scale)
  if (value === undefined)
    throw wrong(column, `has a text that is no number of ${scale} digits after the point`)
  return value
}

/** A 128-bit integer of four words, the lowest first. */
function wide(words: Uint32Array, at: number): bigint {
  const high = (BigInt(words[at + 3]!) << 32n) | BigInt(words[at + 2]!)
  const low = (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!)
  return (BigInt.asIntN(64, high) << 64n) | low
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
