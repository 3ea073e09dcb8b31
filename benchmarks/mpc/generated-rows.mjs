import { Field, Int64, makeData, RecordBatch, Schema, Struct, Table, Utf8 } from 'apache-arrow'

const BATCH = 1 << 16
const DIGITS = 10
const VALUES = 1000n

const number = name => ({
  name,
  nullable: false,
  type: { kind: 'number', scale: 0, bound: '100000' },
})

/** What two owners have of every company. */
export const FORMS = [
  { name: 'taxpayers', entity: 'id', columns: [number('tax')] },
  { name: 'loans', entity: 'firm', columns: [number('debt')] },
]

/** Companies by ascending number, each with a value of 0 to 999 that follows from it, a batch at a time. */
export function* generatedRows({ entity, columns: [{ name }] }, rows) {
  const factor = name === 'tax' ? 7n : 3n
  const schema = new Schema([new Field(entity, new Utf8()), new Field(name, new Int64())])
  for (let start = 0; start < rows; start += BATCH) {
    const length = Math.min(BATCH, rows - start)
    const data = new Uint8Array(length * DIGITS)
    const values = new BigInt64Array(length)
    for (let i = 0; i < length; i++) {
      let left = start + i
      for (let at = (i + 1) * DIGITS - 1; at >= i * DIGITS; at--) {
        data[at] = 48 + (left % 10)
        left = Math.floor(left / 10)
      }
      values[i] = (BigInt(start + i) * factor) % VALUES
    }
    const valueOffsets = Int32Array.from({ length: length + 1 }, (_, i) => i * DIGITS)
    const children = [
      makeData({ type: new Utf8(), length, nullCount: 0, valueOffsets, data }),
      makeData({ type: new Int64(), length, nullCount: 0, data: values }),
    ]
    const type = new Struct(schema.fields)
    yield new Table([new RecordBatch(schema, makeData({ type, length, nullCount: 0, children }))])
  }
}

/** The total of both values over so many rows, as text: they come round every thousand rows. */
export function totalOf(rows) {
  const round = Array.from({ length: Number(VALUES) }, (_, i) => ((i * 7) % 1000) + ((i * 3) % 1000))
  const all = round.reduce((sum, value) => sum + value, 0)
  const rest = round.slice(0, rows % 1000).reduce((sum, value) => sum + value, 0)
  return String(BigInt(Math.floor(rows / 1000)) * BigInt(all) + BigInt(rest))
}
