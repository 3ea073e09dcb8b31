import {
  Bool,
  DataType,
  DateDay,
  Decimal,
  type Dictionary,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  Precision,
  Schema,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimeUnit,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow'
import { SluiceError, unreachable } from '../errors.js'
import type { ColumnSchema, ScalarType } from '../plan/types.js'
import { visibleText } from '../text.js'

/**
 * The Arrow type that holds a scalar type: decimals in 128 bits, times and timestamps in microseconds, dates in
 * days. Arrow has no 128-bit integer; one travels as `decimal(38, 0)` and comes back as that.
 */
export function arrowTypeOf(type: ScalarType): DataType {
  switch (type.kind) {
    case 'boolean':
      return new Bool()
    case 'integer':
      return arrowInteger(type.bits, type.signed)
    case 'decimal':
      return new Decimal(type.scale, type.precision, 128)
    case 'float':
      return type.bits === 32 ? new Float32() : new Float64()
    case 'text':
      return new Utf8()
    case 'date':
      return new DateDay()
    case 'time':
      return new TimeMicrosecond()
    case 'timestamp':
      return new TimestampMicrosecond()
    default:
      return unreachable(type)
  }
}

/** The scalar type of an Arrow type, or null where the plan language has none for it. */
export function scalarTypeOf(type: DataType): ScalarType | null {
  if (DataType.isDictionary(type)) return scalarTypeOf((type as Dictionary).dictionary)
  if (DataType.isBool(type)) return { kind: 'boolean' }
  if (DataType.isInt(type)) return { kind: 'integer', bits: type.bitWidth, signed: type.isSigned }
  if (DataType.isDecimal(type)) {
    const { precision, scale } = type
    return precision <= 38 && scale >= 0 && scale <= precision ? { kind: 'decimal', precision, scale } : null
  }
  if (DataType.isFloat(type)) {
    if (type.precision === Precision.HALF) return null
    return { kind: 'float', bits: type.precision === Precision.SINGLE ? 32 : 64 }
  }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return { kind: 'text' }
  if (DataType.isDate(type)) return { kind: 'date' }
  // nanoseconds would lose digits
  if (DataType.isTime(type)) return type.unit === TimeUnit.NANOSECOND ? null : { kind: 'time' }
  if (DataType.isTimestamp(type)) {
    const zoned = type.timezone !== null && type.timezone !== undefined
    return zoned || type.unit === TimeUnit.NANOSECOND ? null : { kind: 'timestamp' }
  }
  return null
}

/** The Arrow schema that holds the columns, every one of them nullable. */
export function arrowSchemaOf(columns: readonly ColumnSchema[]): Schema {
  return new Schema(columns.map(({ name, type }) => new Field(name, arrowTypeOf(type), true)))
}

/**
 * The columns of an Arrow schema.
 *
 * @throws SluiceError SCHEMA_INVALID where a type has no counterpart or a name is doubled
 */
export function columnSchemasOf(schema: Schema): ColumnSchema[] {
  const names = new Set<string>()
  return schema.fields.map(field => {
    const type = scalarTypeOf(field.type)
    const name = visibleText(field.name)
    if (type === null) {
      throw new SluiceError('SCHEMA_INVALID', `the column "${name}" is of a type that cannot be registered`, {
        rule: 'schema.type',
        remedy: 'Use boolean, integer, decimal, float, text, date, time, or timestamp without time zone.',
        facts: { type: String(field.type) },
      })
    }
    if (names.has(field.name)) {
      throw new SluiceError('SCHEMA_INVALID', `two columns are named "${name}"`, {
        rule: 'schema.name',
        remedy: 'Give every column a name of its own.',
      })
    }
    names.add(field.name)
    return { name: field.name, type }
  })
}

function arrowInteger(bits: 8 | 16 | 32 | 64 | 128, signed: boolean): DataType {
  switch (bits) {
    case 8:
      return signed ? new Int8() : new Uint8()
    case 16:
      return signed ? new Int16() : new Uint16()
    case 32:
      return signed ? new Int32() : new Uint32()
    case 64:
      return signed ? new Int64() : new Uint64()
    case 128:
      return new Decimal(0, 38, 128)
    default:
      return unreachable(bits)
  }
}
