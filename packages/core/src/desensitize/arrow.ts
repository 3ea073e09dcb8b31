import { type Data, DataType, DateUnit, makeData, type Vector } from 'apache-arrow'
import { arrowTypeOf, scalarTypeOf } from '../columns/types.js'
import { SluiceError } from '../errors.js'
import type { ScalarType } from '../plan/types.js'
import {
  type Column,
  type FixedType,
  type FixedValues,
  fixedValues,
  isText,
  nullsIn,
  sliceBits,
  stride,
  TextBuilder,
  Validity,
} from './column.js'

/**
 * An Arrow vector as one column. A vector of one chunk in its usual layout is taken over without a copy; several
 * chunks, dictionaries, 64-bit offsets and other units of time are rewritten.
 *
 * @throws SluiceError SCHEMA_INVALID where the type has no counterpart
 */
export function columnOfVector(vector: Vector): Column {
  const type = scalarTypeOf(vector.type)
  if (type === null) {
    throw new SluiceError('SCHEMA_INVALID', 'a column is of a type that no rule can read', {
      rule: 'schema.type',
      remedy: 'boolean, integer, decimal, float, text, date, time, or timestamp without time zone',
      facts: { type: String(vector.type) },
    })
  }
  const [data] = vector.data
  if (vector.data.length === 1 && data !== undefined && isUsual(data, type)) return columnOfData(data, type)
  return rewritten(vector, type)
}

/** A column as the one chunk of an Arrow vector; `makeVector` makes the vector. No buffer is copied. */
export function dataOfColumn(column: Column): Data {
  const shared = {
    type: arrowTypeOf(column.type),
    length: column.length,
    nullCount: nullsIn(column),
    nullBitmap: column.validity,
  }
  return isText(column)
    ? makeData({ ...shared, valueOffsets: column.offsets, data: column.bytes } as never)
    : makeData({ ...shared, data: column.values } as never)
}

function isUsual(data: Data, type: ScalarType): boolean {
  const { type: own } = data
  if (DataType.isDictionary(own) || DataType.isLargeUtf8(own)) return false
  if (DataType.isDate(own)) return own.unit === DateUnit.DAY
  return String(own) === String(arrowTypeOf(type))
}

function columnOfData(data: Data, type: ScalarType): Column {
  const { length } = data
  const validity =
    data.nullCount === 0 || data.nullBitmap === null || data.nullBitmap.length === 0
      ? null
      : sliceBits(data.nullBitmap, data.offset, length)
  if (type.kind === 'text') {
    return { type, length, validity, offsets: data.valueOffsets as Int32Array, bytes: data.values }
  }
  const values = (
    type.kind === 'boolean' ? sliceBits(data.values as Uint8Array, data.offset, length) : data.values
  ) as FixedValues
  return { type, length, validity, values }
}

function rewritten(vector: Vector, type: ScalarType): Column {
  return type.kind === 'text' ? rewrittenText(vector) : rewrittenFixed(vector, type)
}

function rewrittenText(vector: Vector): Column {
  const encoder = new TextEncoder()
  const builder = new TextBuilder(vector.length, 16 * vector.length)
  for (const value of vector) {
    if (value === null) builder.appendNull()
    else builder.append(encoder.encode(value as string))
  }
  return builder.finish()
}

function rewrittenFixed(vector: Vector, type: FixedType): Column {
  const validity = new Validity(vector.length)
  const values = fixedValues(type, vector.length)
  const step = stride(type)
  let row = 0
  for (const data of vector.data) {
    const usual = isUsual(data, type)
    const part = usual ? columnOfData(data, type) : null
    for (let i = 0; i < data.length; i++, row++) {
      if (!data.getValid(i)) validity.clear(row)
      else if (part === null) values[row] = normalized(vector.get(row), type) as never
      else if (type.kind === 'boolean') {
        const { values: bits } = part as { values: FixedValues }
        ;(values as Uint8Array)[row >> 3]! |= ((Number(bits[i >> 3]) >> (i & 7)) & 1) << (row & 7)
      } else {
        const { values: own } = part as { values: FixedValues }
        for (let k = 0; k < step; k++) values[row * step + k] = own[i * step + k] as never
      }
    }
  }
  return { type, length: vector.length, validity: validity.finish(), values }
}

/** Dates in milliseconds to days; times and timestamps, which Arrow hands out in milliseconds, to microseconds. */
function normalized(value: unknown, type: FixedType): number | bigint {
  if (type.kind === 'date') return Math.floor(Number(value) / 86_400_000)
  if (type.kind === 'time' || type.kind === 'timestamp') return BigInt(Math.round(Number(value) * 1000))
  return value as number | bigint
}
