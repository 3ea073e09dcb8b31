import { open } from 'node:fs/promises'
import {
  BIGINT,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  type DuckDBConnection,
  type DuckDBType,
  FLOAT,
  INTEGER,
  SMALLINT,
  TIME,
  TIMESTAMP,
  TINYINT,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import {
  type Data,
  DataType,
  DateUnit,
  type Decimal,
  type Dictionary,
  Precision,
  RecordBatchReader,
  type Time,
  type Timestamp,
  TimeUnit,
  Vector,
} from 'apache-arrow'
import { appendChunks } from './append.js'

export interface ArrowSchema {
  readonly columns: readonly string[]
  /** index of the first column of a type that the plan language has no counterpart for */
  readonly unsupported: number | null
}

/** Reads an Arrow IPC file or stream, batch by batch, into a temporary table; none where a column is unsupported. */
export async function loadArrow(
  connection: DuckDBConnection,
  { file, table }: { readonly file: string; readonly table: string },
): Promise<ArrowSchema> {
  const handle = await open(file)
  try {
    const reader = await RecordBatchReader.from(handle)
    await reader.open()
    const { fields } = reader.schema
    const columns = fields.map(field => field.name)
    const forms = fields.map(field => formOf(field.type))
    const unsupported = forms.indexOf(null)
    if (unsupported >= 0) return { columns, unsupported }
    if (new Set(columns.map(name => name.toLowerCase())).size < columns.length) {
      return { columns, unsupported: null }
    }
    const known = forms.filter(form => form !== null)
    const list = known.map(({ type }, index) => `"${columns[index]!.replaceAll('"', '""')}" ${type}`)
    await connection.run(`CREATE TEMP TABLE ${table} (${list.join(', ')})`)
    const types = known.map(({ type }) => type)
    for await (const batch of reader) {
      const parts = batch.data.children
      await appendChunks(connection, table, types, batch.numRows, (vector, start, count, column) => {
        const data = parts[column]!.slice(start, count)
        known[column]!.write?.(vector, data)
        writeValidity(vector, data)
      })
    }
    return { columns, unsupported: null }
  } finally {
    await handle.close()
  }
}

/** The engine's type of an Arrow type, and how a slice of a column is written into a vector of it (null: it has nulls only). */
interface Form {
  readonly type: DuckDBType
  readonly write: ((vector: duckdb.Vector, data: Data) => void) | null
}

function formOf(type: DataType): Form | null {
  if (DataType.isNull(type)) return { type: VARCHAR, write: null }
  if (DataType.isBool(type)) return { type: BOOLEAN, write: writeBooleans }
  if (DataType.isInt(type)) {
    return { type: INTEGERS[`${type.isSigned ? 'i' : 'u'}${type.bitWidth}`]!, write: writeValues }
  }
  if (DataType.isFloat(type)) {
    if (type.precision === Precision.HALF) return null
    return { type: type.precision === Precision.SINGLE ? FLOAT : DOUBLE, write: writeValues }
  }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return { type: VARCHAR, write: writeTexts }
  if (DataType.isDictionary(type) && DataType.isUtf8((type as Dictionary).dictionary)) {
    return { type: VARCHAR, write: writeDictionary }
  }
  if (DataType.isDate(type)) {
    const perDay = type.unit === DateUnit.DAY ? 1 : 86_400_000
    return { type: DATE, write: perDay === 1 ? writeValues : (v, d) => writeDays(v, d, perDay) }
  }
  if (DataType.isTime(type)) return { type: TIME, write: scaled((type as Time).unit) }
  // instants with a time zone are numbers in UTC already
  if (DataType.isTimestamp(type)) return { type: TIMESTAMP, write: scaled((type as Timestamp).unit) }
  if (DataType.isDecimal(type)) return decimalForm(type)
  return null
}

const INTEGERS: Readonly<Record<string, DuckDBType>> = {
  i8: TINYINT,
  i16: SMALLINT,
  i32: INTEGER,
  i64: BIGINT,
  u8: UTINYINT,
  u16: USMALLINT,
  u32: UINTEGER,
  u64: UBIGINT,
}

type Typed = ArrayBufferView<ArrayBuffer> & { readonly BYTES_PER_ELEMENT: number; readonly length: number }

function copy(vector: duckdb.Vector, values: ArrayBufferView<ArrayBuffer>): void {
  duckdb.copy_data_to_vector(vector, 0, values.buffer, values.byteOffset, values.byteLength)
}

function writeValues(vector: duckdb.Vector, data: Data): void {
  const values = data.values as Typed & { subarray(start: number, end: number): Typed }
  copy(vector, values.subarray(0, data.length))
}

function writeBooleans(vector: duckdb.Vector, data: Data): void {
  const bytes = new Uint8Array(data.length)
  for (let row = 0; row < data.length; row++) {
    const bit = data.offset + row
    bytes[row] = ((data.values as Uint8Array)[bit >> 3]! >> (bit & 7)) & 1
  }
  copy(vector, bytes)
}

function writeTexts(vector: duckdb.Vector, data: Data): void {
  const offsets = data.valueOffsets as Int32Array | BigInt64Array
  const values = data.values as Uint8Array
  for (let row = 0; row < data.length; row++) {
    const bytes = values.subarray(Number(offsets[row]), Number(offsets[row + 1]))
    duckdb.vector_assign_string_element_len(vector, row, bytes)
  }
}

function writeDictionary(vector: duckdb.Vector, data: Data): void {
  const texts = new Vector([data])
  for (let row = 0; row < data.length; row++) {
    const text = texts.get(row) as string | null
    if (text !== null) duckdb.vector_assign_string_element(vector, row, text)
  }
}

function writeDays(vector: duckdb.Vector, data: Data, perDay: number): void {
  const source = data.values as Int32Array | BigInt64Array
  // Arrow's 64-bit milliseconds may come as pairs of 32-bit words
  const milliseconds =
    source instanceof BigInt64Array ? source : new BigInt64Array(source.buffer, source.byteOffset)
  const days = Int32Array.from({ length: data.length }, (_, row) =>
    Math.floor(Number(milliseconds[row]) / perDay),
  )
  copy(vector, days)
}

const PER_MICROSECOND: Readonly<Record<number, readonly [bigint, bigint]>> = {
  [TimeUnit.SECOND]: [1_000_000n, 1n],
  [TimeUnit.MILLISECOND]: [1000n, 1n],
  [TimeUnit.MICROSECOND]: [1n, 1n],
  [TimeUnit.NANOSECOND]: [1n, 1000n],
}

function scaled(unit: TimeUnit): Form['write'] {
  const [times, per] = PER_MICROSECOND[unit]!
  return (vector, data) => {
    const source = data.values as Int32Array | BigInt64Array
    if (times === per && source instanceof BigInt64Array)
      return copy(vector, source.subarray(0, data.length) as Typed)
    const micros = new BigInt64Array(data.length)
    for (let row = 0; row < data.length; row++) {
      const value = BigInt(source[row] ?? 0) * times
      // towards minus infinity, so that an instant stays in its microsecond
      micros[row] = (value - (((value % per) + per) % per)) / per
    }
    copy(vector, micros)
  }
}

function decimalForm(type: Decimal): Form | null {
  const { precision, scale, bitWidth } = type
  if (bitWidth !== 128 || precision < 1 || precision > 38 || scale < 0 || scale > precision) return null
  const width = precision <= 4 ? 2 : precision <= 9 ? 4 : precision <= 18 ? 8 : 16
  return {
    type: DECIMAL(precision, scale),
    write: (vector, data) => {
      const words = data.values as Uint32Array
      const source = new Uint8Array(words.buffer, words.byteOffset, data.length * 16)
      const target = new Uint8Array(data.length * width)
      // two's complement, least significant byte first: the low bytes are the value where it fits
      for (let row = 0; row < data.length; row++) {
        target.set(source.subarray(row * 16, row * 16 + width), row * width)
      }
      copy(vector, target)
    },
  }
}

function writeValidity(vector: duckdb.Vector, data: Data): void {
  const everything = DataType.isNull(data.type)
  if (data.nullCount === 0 && !everything) return
  const mask = new Uint8Array(Math.ceil(data.length / 64) * 8)
  if (!everything) {
    for (let row = 0; row < data.length; row++) {
      if (data.getValid(row)) mask[row >> 3] = mask[row >> 3]! | (1 << (row & 7))
    }
  }
  duckdb.vector_ensure_validity_writable(vector)
  duckdb.copy_data_to_vector_validity(vector, 0, mask.buffer, 0, mask.length)
}
