import {
  type Data,
  DataType,
  makeBuilder,
  makeData,
  RecordBatch,
  Struct,
  Table,
  type Utf8,
  type Vector,
} from 'apache-arrow'

/**
 * The given rows of a table, in the given order, with some cells made null.
 *
 * @param nulls by column, 1 where the cell of that output row is null
 */
export function gather(
  table: Table,
  rows: Uint32Array,
  nulls: ReadonlyMap<number, Uint8Array> = new Map(),
): Table {
  const columns = table.schema.fields.map((_, index) => {
    const vector = table.getChildAt(index)!
    return gatherColumn(vector, rows, nulls.get(index) ?? null)
  })
  const struct = makeData({
    type: new Struct(table.schema.fields),
    length: rows.length,
    nullCount: 0,
    children: columns,
  })
  return new Table(table.schema, [new RecordBatch(table.schema, struct)])
}

function gatherColumn(vector: Vector, rows: Uint32Array, nulls: Uint8Array | null): Data {
  const { type } = vector
  if (DataType.isUtf8(type)) return gatherText(vector as Vector<Utf8>, rows, nulls)
  if (isFixedWidth(type)) return gatherFixedWidth(vector, rows, nulls)
  return gatherAny(vector, rows, nulls)
}

function isFixedWidth(type: DataType): boolean {
  return (
    DataType.isInt(type) ||
    DataType.isFloat(type) ||
    DataType.isDecimal(type) ||
    DataType.isDate(type) ||
    DataType.isTime(type) ||
    DataType.isTimestamp(type)
  )
}

type Values = Uint8Array | BigInt64Array

function gatherFixedWidth(vector: Vector, rows: Uint32Array, nulls: Uint8Array | null): Data {
  const { type } = vector
  const validity = new Validity(rows.length)
  const ArrayType = type.ArrayType as new (length: number) => Values
  const width = stride(type)
  const out = new ArrayType(rows.length * width)
  const locate = locator(vector)
  for (let i = 0; i < rows.length; i++) {
    const { data, index } = locate(rows[i]!)
    if (nulls?.[i] === 1 || !data.getValid(index)) validity.clear(i)
    else {
      const values = data.values as Values
      for (let k = 0; k < width; k++) out[i * width + k] = values[index * width + k]!
    }
  }
  return makeData({ type, length: rows.length, ...validity.props(), data: out } as never)
}

/** Elements of the values' array that make one value. */
function stride(type: DataType): number {
  return DataType.isDecimal(type) ? type.bitWidth / 32 : 1
}

function gatherText(vector: Vector<Utf8>, rows: Uint32Array, nulls: Uint8Array | null): Data {
  const validity = new Validity(rows.length)
  const offsets = new Int32Array(rows.length + 1)
  const locate = locator(vector)
  let size = 0
  for (let i = 0; i < rows.length; i++) {
    const { data, index } = locate(rows[i]!)
    if (nulls?.[i] === 1 || !data.getValid(index)) validity.clear(i)
    else size += data.valueOffsets[index + 1]! - data.valueOffsets[index]!
    offsets[i + 1] = size
  }
  const bytes = new Uint8Array(size)
  for (let i = 0; i < rows.length; i++) {
    if (offsets[i] === offsets[i + 1]) continue
    const { data, index } = locate(rows[i]!)
    bytes.set(data.values.subarray(data.valueOffsets[index], data.valueOffsets[index + 1]), offsets[i])
  }
  return makeData({
    type: vector.type,
    length: rows.length,
    ...validity.props(),
    valueOffsets: offsets,
    data: bytes,
  })
}

/** Whatever type it is, a value at a time. */
function gatherAny(vector: Vector, rows: Uint32Array, nulls: Uint8Array | null): Data {
  const builder = makeBuilder({ type: vector.type, nullValues: [null] })
  for (let i = 0; i < rows.length; i++) builder.append(nulls?.[i] === 1 ? null : vector.get(rows[i]!))
  return builder.finish().flush()
}

/** Finds the chunk that holds a row; rows are mostly asked for in order. */
function locator<T extends DataType>(vector: Vector<T>): (row: number) => { data: Data<T>; index: number } {
  const starts: number[] = []
  let total = 0
  for (const data of vector.data) {
    starts.push(total)
    total += data.length
  }
  let chunk = 0
  return row => {
    while (chunk > 0 && row < starts[chunk]!) chunk--
    while (chunk + 1 < starts.length && row >= starts[chunk + 1]!) chunk++
    return { data: vector.data[chunk]!, index: row - starts[chunk]! }
  }
}

/** An Arrow validity bitmap: all valid until cleared. */
class Validity {
  readonly #bits: Uint8Array
  #nulls = 0

  constructor(length: number) {
    this.#bits = new Uint8Array(Math.ceil(length / 64) * 8).fill(255)
  }

  clear(index: number): void {
    this.#bits[index >> 3]! &= ~(1 << (index & 7))
    this.#nulls++
  }

  props(): { nullCount: number; nullBitmap: Uint8Array | null } {
    return { nullCount: this.#nulls, nullBitmap: this.#nulls === 0 ? null : this.#bits }
  }
}
