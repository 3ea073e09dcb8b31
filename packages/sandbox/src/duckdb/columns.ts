import { SluiceError, unreachable } from '@sluice/core'
import type { ScalarType } from '@sluice/core/plan'
import type { RawColumn, RawColumns } from './session.js'

/** The plan's type of a DuckDB type as it stands in `DESCRIBE`; null where the plan language has none. */
export function scalarType(name: string): ScalarType | null {
  const decimal = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(name)
  if (decimal) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
  return TYPES[name] ?? null
}

const integer = (bits: 8 | 16 | 32 | 64 | 128, signed: boolean): ScalarType => ({
  kind: 'integer',
  bits,
  signed,
})

const TYPES: Readonly<Record<string, ScalarType>> = {
  BOOLEAN: { kind: 'boolean' },
  TINYINT: integer(8, true),
  SMALLINT: integer(16, true),
  INTEGER: integer(32, true),
  BIGINT: integer(64, true),
  HUGEINT: integer(128, true),
  UTINYINT: integer(8, false),
  USMALLINT: integer(16, false),
  UINTEGER: integer(32, false),
  UBIGINT: integer(64, false),
  UHUGEINT: integer(128, false),
  FLOAT: { kind: 'float', bits: 32 },
  DOUBLE: { kind: 'float', bits: 64 },
  VARCHAR: { kind: 'text' },
  DATE: { kind: 'date' },
  TIME: { kind: 'time' },
  TIMESTAMP: { kind: 'timestamp' },
}

/** The texts of a VARCHAR column. For small results (schemas, headers), not for data. */
export function textsOf(result: RawColumns, index: number): (string | null)[] {
  const column = columnOf(result, index, 'VARCHAR')
  const { offsets, bytes } = textBuffers(column, result.rows)
  const decoder = new TextDecoder()
  return Array.from({ length: result.rows }, (_, row) =>
    isValid(column, row) ? decoder.decode(bytes.subarray(offsets[row], offsets[row + 1])) : null,
  )
}

/** A BIGINT column as numbers, nulls as 0. */
export function integersOf(result: RawColumns, index: number): number[] {
  const [buffer] = columnOf(result, index, 'BIGINT').buffers
  if (buffer?.length !== result.rows * 8) throw malformed()
  return Array.from(new BigInt64Array(buffer.buffer, buffer.byteOffset, result.rows), Number)
}

/** A DOUBLE column without nulls, as it lies in memory. */
export function doublesOf(result: RawColumns, index: number): Float64Array {
  return fixed(result, index, 'DOUBLE', 8, (buffer, offset, rows) => new Float64Array(buffer, offset, rows))
}

/** A UTINYINT or BOOLEAN column without nulls. */
export function bytesOf(result: RawColumns, index: number): Uint8Array {
  const type = result.columns[index]?.type === 'BOOLEAN' ? 'BOOLEAN' : 'UTINYINT'
  return fixed(result, index, type, 1, (buffer, offset, rows) => new Uint8Array(buffer, offset, rows))
}

/** A UINTEGER column without nulls. */
export function unsignedOf(result: RawColumns, index: number): Uint32Array {
  return fixed(result, index, 'UINTEGER', 4, (buffer, offset, rows) => new Uint32Array(buffer, offset, rows))
}

/** Offsets that rise within the bytes: what Arrow demands and a child has to be held to. */
export function textBuffers(column: RawColumn, rows: number): { offsets: Int32Array; bytes: Uint8Array } {
  const [offsetBytes, bytes] = column.buffers
  if (offsetBytes === undefined || bytes === undefined || offsetBytes.length !== (rows + 1) * 4)
    throw malformed()
  const offsets = new Int32Array(offsetBytes.buffer, offsetBytes.byteOffset, rows + 1)
  let last = 0
  for (const offset of offsets) {
    if (offset < last) throw malformed()
    last = offset
  }
  if (offsets[0] !== 0 || last !== bytes.length) throw malformed()
  return { offsets, bytes }
}

export function isValid(column: RawColumn, row: number): boolean {
  return column.validity === null || ((column.validity[row >> 3]! >> (row & 7)) & 1) === 1
}

function fixed<T>(
  result: RawColumns,
  index: number,
  type: string,
  width: number,
  view: (buffer: ArrayBuffer, offset: number, rows: number) => T,
): T {
  const column = columnOf(result, index, type)
  const buffer = column.buffers[0]
  if (column.validity !== null || buffer?.length !== result.rows * width) throw malformed()
  return view(buffer.buffer, buffer.byteOffset, result.rows)
}

function columnOf(result: RawColumns, index: number, type: string): RawColumn {
  const column = result.columns[index]
  if (column?.type !== type) throw malformed()
  return column
}

/** Bytes of one value in Arrow's layout; null for text. */
export function valueWidth(type: ScalarType): number | null {
  switch (type.kind) {
    case 'boolean':
      return 1
    case 'integer':
      return type.bits / 8
    case 'decimal':
      return 16
    case 'float':
      return type.bits / 8
    case 'text':
      return null
    case 'date':
      return 4
    case 'time':
    case 'timestamp':
      return 8
    default:
      return unreachable(type)
  }
}

export function malformed(): SluiceError {
  return new SluiceError('ENGINE_FAILED', 'the engine sent a result of another form than was asked for', {
    rule: 'result-form',
  })
}
