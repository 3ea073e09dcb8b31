import { SluiceError } from '@sluice/core'
import type { Messages } from '@sluice/core/desensitize/cipher'
import { type Data, DataType, type Table, type Vector } from 'apache-arrow'
import { type Normalization, normalized } from './normalize.js'

/** A column of a key: its values, and how they are brought to one form. */
export interface KeyColumn {
  readonly name: string
  readonly vector: Vector
  readonly normalize: readonly Normalization[]
}

/** The keys of the rows that have one. */
export interface Keys {
  readonly messages: Messages
  /** for each key, the row that has it; ascending */
  readonly rows: Uint32Array
}

/**
 * Rows' keys as byte strings: of every column in turn, the length of its text in four bytes and the text in UTF-8. So
 * no two different keys have one byte string, and ("ab", "c") is not ("a", "bc"). An integer is its decimal digits
 * and a date its ISO 8601 text, so that a number matches the text of its digits; a column of binary values is its bytes,
 * and can be brought to no other form.
 *
 * A row has no key, and matches nothing, where one of the columns is null or empty once it is brought to one form.
 *
 * @throws SluiceError SCHEMA_INVALID where a column is of another type
 */
export function keysOf(columns: readonly KeyColumn[]): Keys {
  const parts = columns.map(({ name, vector, normalize }) => {
    if (normalize.length > 0 && DataType.isBinary(vector.type)) throw noKey(name, vector.type)
    return normalized(textsOf(name, vector), normalize)
  })
  const count = columns[0]?.vector.length ?? 0
  const rows = new Uint32Array(count)
  const offsets = new Int32Array(count + 1)
  const bytes = new Uint8Array(
    parts.reduce((total, part) => total + part.bytes.length, 4 * count * columns.length),
  )
  const views = parts.map(({ bytes }) => viewOf(bytes))
  const out = viewOf(bytes)
  let [kept, at] = [0, 0]
  for (let row = 0; row < count; row++) {
    const before = at
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!
      const start = part.offsets[row]!
      const length = part.offsets[row + 1]! - start
      if (length === 0) {
        at = -1
        break
      }
      at = append(out, at, views[i]!, start, length)
    }
    if (at < 0) {
      at = before
      continue
    }
    rows[kept++] = row
    offsets[kept] = at
  }
  return {
    messages: { bytes: bytes.subarray(0, at), offsets: offsets.subarray(0, kept + 1) },
    rows: rows.subarray(0, kept),
  }
}

/** A part of a key after its length in four bytes, the lowest first. @returns where the next one goes */
function append(out: DataView, at: number, bytes: DataView, start: number, length: number): number {
  out.setUint32(at, length, true)
  const words = length & ~3
  for (let i = 0; i < words; i += 4) out.setUint32(at + 4 + i, bytes.getUint32(start + i))
  for (let i = words; i < length; i++) out.setUint8(at + 4 + i, bytes.getUint8(start + i))
  return at + 4 + length
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * The columns of a key in a table.
 *
 * @param names the table's names of them, in their order
 * @throws SluiceError NAME_UNKNOWN
 */
export function keyColumns(
  table: Table,
  columns: readonly { readonly normalize: readonly Normalization[] }[],
  names: readonly string[],
): KeyColumn[] {
  return columns.map(({ normalize }, i) => ({
    name: names[i]!,
    vector: columnOf(table, names[i]!),
    normalize,
  }))
}

/** @throws SluiceError NAME_UNKNOWN */
export function columnOf(table: Table, name: string): Vector {
  const vector = table.getChild(name)
  if (vector !== null) return vector
  throw new SluiceError('NAME_UNKNOWN', `the input has no column "${name}"`, {
    rule: 'psi.key',
    remedy: 'Name a column that is there.',
  })
}

/** A column's values as UTF-8; a null as nothing. */
function textsOf(name: string, vector: Vector): Messages {
  const chunks = vector.data.map(data => chunkOf(name, data, vector))
  if (chunks.length === 1) return chunks[0]!
  const bytes = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.bytes.length, 0))
  const offsets = new Int32Array(vector.length + 1)
  let [row, at] = [0, 0]
  for (const chunk of chunks) {
    bytes.set(chunk.bytes, at)
    for (let i = 1; i < chunk.offsets.length; i++) offsets[++row] = at + chunk.offsets[i]!
    at += chunk.bytes.length
  }
  return { bytes, offsets }
}

function chunkOf(name: string, data: Data, vector: Vector): Messages {
  if (DataType.isUtf8(data.type) || DataType.isBinary(data.type)) return utf8Of(data)
  const spell = spelling(name, vector.type)
  const encoder = new TextEncoder()
  const start = vector.data.slice(0, vector.data.indexOf(data)).reduce((sum, { length }) => sum + length, 0)
  const offsets = new Int32Array(data.length + 1)
  const texts = Array.from({ length: data.length }, (_, i) => {
    const value: unknown = vector.get(start + i)
    return value === null ? '' : spell(value)
  })
  const pieces = texts.map(text => encoder.encode(text))
  pieces.forEach((piece, i) => {
    offsets[i + 1] = offsets[i]! + piece.length
  })
  return { bytes: Buffer.concat(pieces), offsets }
}

function utf8Of(data: Data): Messages {
  const { valueOffsets, values, length, nullCount } = data
  const first = valueOffsets[0] ?? 0
  const bytes = (values as Uint8Array).subarray(first, valueOffsets[length] ?? 0)
  if (nullCount === 0) {
    const offsets = (valueOffsets as Int32Array).subarray(0, length + 1)
    return { bytes, offsets: first === 0 ? offsets : offsets.map(end => end - first) }
  }
  // what stands under a null is nothing, whatever bytes are there
  const offsets = new Int32Array(length + 1)
  const kept = new Uint8Array(bytes.length)
  for (let row = 0; row < length; row++) {
    offsets[row + 1] = offsets[row]!
    if (!data.getValid(row)) continue
    const value = bytes.subarray(valueOffsets[row]! - first, valueOffsets[row + 1]! - first)
    kept.set(value, offsets[row]!)
    offsets[row + 1]! += value.length
  }
  return { bytes: kept.subarray(0, offsets[length]!), offsets }
}

function spelling(name: string, type: DataType): (value: unknown) => string {
  const values = DataType.isDictionary(type) ? type.dictionary : type
  if (DataType.isUtf8(values) || DataType.isLargeUtf8(values) || DataType.isInt(values)) return String
  if (DataType.isDate(values)) return value => new Date(Number(value)).toISOString().slice(0, 10)
  throw noKey(name, type)
}

function noKey(name: string, type: DataType): SluiceError {
  return new SluiceError('SCHEMA_INVALID', `the column "${name}" cannot be a key`, {
    rule: 'psi.key',
    remedy:
      'Use a column of text, integers or dates, or one of binary values that the job does not normalize.',
    facts: { type: String(type) },
  })
}
