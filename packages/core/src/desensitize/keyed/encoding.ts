import type { Messages } from '../cipher/messages.js'
import { type Column, isText, isValid, nullsIn, TEXT, type TextColumn, Validity } from '../column.js'
import { wrongType } from '../rule.js'

/**
 * Values as byte strings, no two of them the same: one byte for the kind of type, then the text as UTF-8, the integer
 * in decimal (so that 32 and 64 bits match), or the date as ISO 8601. A null and an empty text have no byte string,
 * and 0 in `fits`.
 */
export interface EncodedValues extends Messages {
  readonly fits: Uint8Array
}

/** Kinds of types that have an encoding. */
export function requireEncodable(kind: string, type: Column['type']): void {
  if (type.kind !== 'text' && type.kind !== 'integer' && type.kind !== 'date') {
    throw wrongType(kind, type, 'text, integer or date')
  }
}

/** @throws SluiceError RULE_INVALID where the type has no encoding; `kind` is the rule's that asks */
export function encodedValues(kind: string, column: Column): EncodedValues {
  requireEncodable(kind, column.type)
  return isText(column) ? encodedTexts(column) : encodedTexts(spelledOut(column))
}

/** The tag and the text of what `encodedValues` made. */
export function textOf(encoded: Uint8Array): Uint8Array {
  return encoded.subarray(1)
}

/** A text column of these byte strings in lower-case hexadecimal after a prefix; null where `fits` is 0. */
export function hexColumn({ bytes, offsets }: Messages, fits: Uint8Array, prefix = ''): TextColumn {
  const mark = new TextEncoder().encode(prefix)
  const length = fits.length
  const validity = new Validity(length)
  const out = new Int32Array(length + 1)
  for (let row = 0; row < length; row++) {
    out[row + 1] = out[row]!
    if (fits[row] === 1) out[row + 1]! += mark.length + 2 * (offsets[row + 1]! - offsets[row]!)
    else validity.clear(row)
  }
  const text = new Uint8Array(out[length]!)
  for (let row = 0; row < length; row++) {
    if (fits[row] === 0) continue
    let at = out[row]!
    for (let i = 0; i < mark.length; i++) text[at++] = mark[i]!
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) {
      const byte = bytes[i]!
      text[at++] = HEX[byte >> 4]!
      text[at++] = HEX[byte & 15]!
    }
  }
  return { type: TEXT, length, validity: validity.finish(), offsets: out, bytes: text }
}

/** Byte strings of one size each. */
export function fixedSize(bytes: Uint8Array, size: number): Messages {
  const offsets = Int32Array.from({ length: bytes.length / size + 1 }, (_, i) => i * size)
  return { bytes, offsets }
}

/** How many values are there and do not fit. */
export function misfits(column: Column, fits: Uint8Array): number {
  let fitting = 0
  for (let row = 0; row < fits.length; row++) fitting += fits[row]!
  return column.length - nullsIn(column) - fitting
}

const HEX = new TextEncoder().encode('0123456789abcdef')
const TAGS: Readonly<Record<string, number>> = { text: 0x74, integer: 0x69, date: 0x64 }

interface Spelled {
  readonly type: Column['type']
  readonly length: number
  readonly validity: Uint8Array | null
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

function encodedTexts(column: Spelled): EncodedValues {
  const { length, offsets, bytes } = column
  const tag = TAGS[column.type.kind]!
  const fits = new Uint8Array(length)
  const out = new Int32Array(length + 1)
  for (let row = 0; row < length; row++) {
    const size = offsets[row + 1]! - offsets[row]!
    const there =
      column.validity === null || ((column.validity[row >> 3]! >> (row & 7)) & 1) === 1 ? size > 0 : false
    fits[row] = there ? 1 : 0
    out[row + 1] = out[row]! + (there ? size + 1 : 0)
  }
  const encoded = new Uint8Array(out[length]!)
  for (let row = 0; row < length; row++) {
    if (fits[row] === 0) continue
    let at = out[row]!
    encoded[at++] = tag
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) encoded[at++] = bytes[i]!
  }
  return { bytes: encoded, offsets: out, fits }
}

function spelledOut(column: Exclude<Column, TextColumn>): Spelled {
  const { type, length, validity, values } = column
  const spell =
    type.kind === 'date'
      ? (row: number) => isoDate(Number(values[row]))
      : type.kind === 'integer' && type.bits === 128
        ? (row: number) => String(wide(values as Uint32Array, row, type.signed))
        : (row: number) => String(values[row])
  const texts = Array.from({ length }, (_, row) => (isValid(column, row) ? spell(row) : ''))
  const bytes = new TextEncoder().encode(texts.join(''))
  const offsets = new Int32Array(length + 1)
  for (let row = 0; row < length; row++) offsets[row + 1] = offsets[row]! + texts[row]!.length
  return { type, length, validity, offsets, bytes }
}

/** A day as text; one that the calendar of ISO 8601 has no four digits for keeps its number. */
function isoDate(day: number): string {
  const date = new Date(day * 86_400_000)
  const year = date.getUTCFullYear()
  return year >= 0 && year <= 9999 ? date.toISOString().slice(0, 10) : `day ${day}`
}

function wide(words: Uint32Array, row: number, signed: boolean): bigint {
  let number = 0n
  for (let k = 3; k >= 0; k--) number = (number << 32n) | BigInt(words[row * 4 + k]!)
  return signed ? BigInt.asIntN(128, number) : number
}
