import type { DuckDBResult } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import { SizeExceeded } from './failure.js'
import type { ColumnForm } from './protocol.js'
import { copyStrings, STRING_BYTES } from './strings.js'

export interface Collected {
  readonly rows: number
  readonly columns: readonly ColumnForm[]
  /** the buffers of all columns, in order */
  readonly buffers: readonly Uint8Array[]
}

/**
 * Reads a streaming result into whole columns: a chunk's fixed-width values are copied as bytes, no value becomes a
 * JavaScript object.
 *
 * @throws SizeExceeded past `maximumRows` or `maximumBytes`
 */
export function collect(result: DuckDBResult, maximumRows: number, maximumBytes: number): Promise<Collected> {
  return gathered(result, (rows, bytes) => {
    if (rows > maximumRows || bytes > maximumBytes) throw new SizeExceeded()
    return true
  })
}

/** The next rows of a streaming result: chunk after chunk until there are that many rows or bytes, or no more. */
export function collectSome(result: DuckDBResult, rows: number, bytes: number): Promise<Collected> {
  return gathered(result, (gatheredRows, gatheredBytes) => gatheredRows < rows && gatheredBytes < bytes)
}

/** @param goesOn asked after each chunk, with the rows and bytes so far */
async function gathered(
  result: DuckDBResult,
  goesOn: (rows: number, bytes: number) => boolean,
): Promise<Collected> {
  const names = result.columnNames()
  const types = result.columnTypes().map(String)
  const columns = types.map<Column>(type =>
    type === 'VARCHAR' ? new TextColumn() : new FixedColumn(widthOf(type)),
  )
  let rows = 0
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) break
    rows += chunk.rowCount
    columns.forEach((column, index) => {
      column.append(duckdb.data_chunk_get_vector(chunk.chunk, index), chunk.rowCount)
    })
    if (
      !goesOn(
        rows,
        columns.reduce((sum, column) => sum + column.bytes, 0),
      )
    )
      break
  }
  const finished = columns.map(column => column.finish())
  return {
    rows,
    columns: finished.map((column, index) => ({
      name: names[index] as string,
      type: types[index] as string,
      nulls: column.nulls,
      lengths: column.buffers.map(buffer => buffer.byteLength),
    })),
    buffers: finished.flatMap(column => column.buffers),
  }
}

interface Column {
  readonly bytes: number
  append(vector: duckdb.Vector, count: number): void
  finish(): Finished
}

interface Finished {
  readonly nulls: boolean
  readonly buffers: readonly Uint8Array[]
}

const FIRST_BYTES = 16_384

/** Bytes that grow by doubling. */
class Growing {
  bytes = new Uint8Array(FIRST_BYTES)
  length = 0

  /** room for `count` more; returns where they start */
  reserve(count: number): number {
    const start = this.length
    this.length += count
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, this.bytes.length * 2))
      larger.set(this.bytes.subarray(0, start))
      this.bytes = larger
    }
    return start
  }

  append(source: Uint8Array): void {
    // reserving may replace the buffer
    const start = this.reserve(source.length)
    this.bytes.set(source, start)
  }

  take(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }
}

/** Bit i of byte i/8, least significant first, is 1 where row i has a value: Arrow's bitmap and DuckDB's mask. */
class Validity {
  readonly #bits = new Growing()
  #rows = 0
  #anyNull = false

  /** @returns the chunk's mask, or null where all rows are valid */
  append(vector: duckdb.Vector, count: number): Uint8Array | null {
    const mask = duckdb.vector_get_validity(vector, Math.ceil(count / 64) * 8) as Uint8Array | null
    this.#bits.reserve(Math.ceil((this.#rows + count) / 8) - this.#bits.length)
    const bits = this.#bits.bytes
    // chunks of valid rows begin at whole bytes, but for what follows a short one
    let row = 0
    if (mask === null && this.#rows % 8 === 0) {
      bits.fill(0xff, this.#rows >> 3, (this.#rows + count) >> 3)
      row = count & ~7
    }
    for (; row < count; row++) {
      const valid = mask === null || ((mask[row >> 3] as number) >> (row & 7)) & 1
      const at = this.#rows + row
      if (valid) bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7))
      else this.#anyNull = true
    }
    this.#rows += count
    return mask
  }

  finish(): Uint8Array | null {
    return this.#anyNull ? this.#bits.take() : null
  }
}

class FixedColumn implements Column {
  readonly #validity = new Validity()
  readonly #values = new Growing()
  readonly #width: number

  constructor(width: number) {
    this.#width = width
  }

  get bytes(): number {
    return this.#values.length
  }

  append(vector: duckdb.Vector, count: number): void {
    this.#validity.append(vector, count)
    this.#values.append(duckdb.vector_get_data(vector, count * this.#width))
  }

  finish(): Finished {
    return withValidity(this.#validity, [this.#values.take()])
  }
}

class TextColumn implements Column {
  readonly #validity = new Validity()
  readonly #offsets = new Growing()
  readonly #values = new Growing()

  get bytes(): number {
    return this.#values.length + this.#offsets.length
  }

  append(vector: duckdb.Vector, count: number): void {
    const mask = this.#validity.append(vector, count)
    const data = duckdb.vector_get_data(vector, count * STRING_BYTES)
    const strings = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const first = this.#offsets.reserve(count * 4)
    const offsets = new DataView(this.#offsets.bytes.buffer)
    const lengths = new Int32Array(count)
    let end = this.#values.length
    for (let row = 0; row < count; row++) {
      offsets.setInt32(first + row * 4, end, true)
      if (mask !== null && (((mask[row >> 3] as number) >> (row & 7)) & 1) === 0) continue
      const length = strings.getUint32(row * STRING_BYTES, true)
      end += length
      if (end > 0x7fff_ffff) throw new SizeExceeded()
      lengths[row] = length
    }
    const start = this.#values.reserve(end - this.#values.length)
    copyStrings(data, lengths, this.#values.bytes, start)
  }

  finish(): Finished {
    const last = this.#offsets.reserve(4)
    new DataView(this.#offsets.bytes.buffer).setInt32(last, this.#values.length, true)
    return withValidity(this.#validity, [this.#offsets.take(), this.#values.take()])
  }
}

function withValidity(validity: Validity, buffers: readonly Uint8Array[]): Finished {
  const bitmap = validity.finish()
  return { nulls: bitmap !== null, buffers: bitmap === null ? buffers : [bitmap, ...buffers] }
}

const WIDTHS: Readonly<Record<string, number>> = {
  BOOLEAN: 1,
  TINYINT: 1,
  UTINYINT: 1,
  SMALLINT: 2,
  USMALLINT: 2,
  INTEGER: 4,
  UINTEGER: 4,
  BIGINT: 8,
  UBIGINT: 8,
  HUGEINT: 16,
  UHUGEINT: 16,
  FLOAT: 4,
  DOUBLE: 8,
  DATE: 4,
  TIME: 8,
  TIMESTAMP: 8,
}

/** Bytes of a value in a vector; a decimal's depends on its precision (DuckDB stores 4, 9, 18, 38 digits). */
function widthOf(type: string): number {
  const precision = /^DECIMAL\((\d+),/.exec(type)?.[1]
  const width = precision === undefined ? WIDTHS[type] : decimalWidth(Number(precision))
  if (width === undefined) throw new Error('a type that cannot be released')
  return width
}

function decimalWidth(precision: number): number {
  if (precision <= 4) return 2
  if (precision <= 9) return 4
  return precision <= 18 ? 8 : 16
}
