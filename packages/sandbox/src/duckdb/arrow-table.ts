import { arrowTypeOf } from '@sluice/core/columns'
import { type ScalarType, sameType } from '@sluice/core/plan'
import {
  Bool,
  type Data,
  Field,
  type Float64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Utf8,
} from 'apache-arrow'
import { malformed, scalarType, textBuffers, valueWidth } from './columns.js'
import type { RawColumn } from './session.js'

/** A released column: the name that the consumer sees, and the plan's type. */
export interface TableColumn {
  readonly name: string
  readonly type: ScalarType
}

/**
 * Wraps the buffers that a child sent as an Arrow table, after holding them to the types and lengths that the plan
 * says. Integers of 128 bits become decimals of scale 0, which Arrow has.
 */
export function arrowTable(
  wanted: readonly TableColumn[],
  columns: readonly RawColumn[],
  rows: number,
): Table {
  if (wanted.length !== columns.length) throw malformed()
  const children = wanted.map(({ type }, index) => {
    const column = columns[index]!
    const actual = scalarType(column.type)
    if (actual === null || !sameType(actual, type)) throw malformed()
    return columnData(type, column, rows)
  })
  const fields = wanted.map(({ name, type }) => new Field(name, arrowTypeOf(type), true))
  const schema = new Schema(fields)
  const data = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children })
  return new Table(schema, new RecordBatch(schema, data))
}

function columnData(type: ScalarType, column: RawColumn, length: number): Data {
  const nulls = column.validity === null ? { nullCount: 0 } : { nullBitmap: column.validity }
  const arrow = arrowTypeOf(type)
  if (type.kind === 'text') {
    const { offsets, bytes } = textBuffers(column, length)
    return makeData({ type: new Utf8(), length, ...nulls, valueOffsets: offsets, data: bytes })
  }
  const [bytes] = column.buffers
  if (bytes === undefined) throw malformed()
  if (type.kind === 'boolean') {
    if (bytes.length !== length) throw malformed()
    return makeData({ type: new Bool(), length, ...nulls, data: packed(bytes) })
  }
  const width = valueWidth(type)!
  const data = type.kind === 'decimal' ? widened(bytes, length) : bytes
  if (data.length !== length * width) throw malformed()
  const typed = new (
    arrow.ArrayType as new (
      buffer: ArrayBuffer,
      offset: number,
      length: number,
    ) => Uint8Array
  )(
    data.buffer,
    data.byteOffset,
    data.byteLength / (arrow.ArrayType as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT,
  )
  return makeData({ type: arrow as Float64, length, ...nulls, data: typed as unknown as Float64Array })
}

function packed(bytes: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(bytes.length / 8))
  for (let row = 0; row < bytes.length; row++) {
    if (bytes[row] !== 0) bits[row >> 3] = bits[row >> 3]! | (1 << (row & 7))
  }
  return bits
}

/** DuckDB stores a decimal in 2, 4, 8 or 16 bytes by its precision, Arrow in 16: the sign is extended. */
function widened(bytes: Uint8Array<ArrayBuffer>, rows: number): Uint8Array<ArrayBuffer> {
  const width = rows === 0 ? 16 : bytes.length / rows
  if (width === 16) return bytes
  if (width !== 2 && width !== 4 && width !== 8) throw malformed()
  const wide = new Uint8Array(rows * 16)
  for (let row = 0; row < rows; row++) {
    wide.set(bytes.subarray(row * width, (row + 1) * width), row * 16)
    if (bytes[(row + 1) * width - 1]! >= 0x80) wide.fill(0xff, row * 16 + width, (row + 1) * 16)
  }
  return wide
}
