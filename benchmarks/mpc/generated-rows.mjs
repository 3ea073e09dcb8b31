import { Field, Int64, makeData, RecordBatch, Schema, Struct, Table, Utf8 } from 'apache-arrow'

const DIGITS = 10
/** Of a row's number, the digits that come round with each batch. */
const LOW = 5
const BATCH = 10 ** LOW
const VALUES = 1000

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

/**
 * Companies by ascending number, each with a value of 0 to 999 that follows from it, a batch at a time. Batches differ in
 * the first digits alone, so that making them costs little beside reading them.
 */
export function* generatedRows({ entity, columns: [{ name }] }, rows) {
  const factor = name === 'tax' ? 7 : 3
  const schema = new Schema([new Field(entity, new Utf8()), new Field(name, new Int64())])
  const numbers = new Uint8Array(BATCH * DIGITS)
  for (let row = 0, at = 0; row < BATCH; row++, at += DIGITS) write(numbers, at + DIGITS, row, LOW)
  const values = BigInt64Array.from({ length: BATCH }, (_, row) => BigInt((row * factor) % VALUES))
  const offsets = Int32Array.from({ length: BATCH + 1 }, (_, row) => row * DIGITS)
  for (let start = 0; start < rows; start += BATCH) {
    const length = Math.min(BATCH, rows - start)
    const data = numbers.slice(0, length * DIGITS)
    write(data, DIGITS - LOW, start / BATCH, DIGITS - LOW)
    for (let at = DIGITS; at < data.length; at += DIGITS)
      for (let digit = 0; digit < DIGITS - LOW; digit++) data[at + digit] = data[digit]
    const children = [
      makeData({
        type: new Utf8(),
        length,
        nullCount: 0,
        valueOffsets: offsets.subarray(0, length + 1),
        data,
      }),
      makeData({ type: new Int64(), length, nullCount: 0, data: values.slice(0, length) }),
    ]
    const type = new Struct(schema.fields)
    yield new Table([new RecordBatch(schema, makeData({ type, length, nullCount: 0, children }))])
  }
}

/** So many digits of a number, to end before `end`. */
function write(bytes, end, number, digits) {
  for (let at = end - 1, left = number; at >= end - digits; at--, left = Math.floor(left / 10))
    bytes[at] = 48 + (left % 10)
}

/** The total of both values over so many rows, as text: they come round every thousand rows. */
export function totalOf(rows) {
  const round = Array.from({ length: VALUES }, (_, i) => ((i * 7) % VALUES) + ((i * 3) % VALUES))
  const all = round.reduce((sum, value) => sum + value, 0)
  const rest = round.slice(0, rows % VALUES).reduce((sum, value) => sum + value, 0)
  return String(BigInt(Math.floor(rows / VALUES)) * BigInt(all) + BigInt(rest))
}
