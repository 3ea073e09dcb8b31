import { SluiceError } from '../errors.js'
import type { ScalarType } from '../plan/types.js'

/**
 * A run of one column's values in the buffers of the Arrow columnar format (version 1.5, "Physical Memory Layout"),
 * free of Arrow's classes: rules work on these, and load nothing.
 */
export type Column = TextColumn | FixedColumn

export interface TextColumn {
  readonly type: TextType
  readonly length: number
  /** bit i (least significant first) is 1 where value i is there; null: all are */
  readonly validity: Uint8Array | null
  /** `length + 1` of them: value i is `bytes[offsets[i] … offsets[i + 1])`; the first need not be 0 */
  readonly offsets: Int32Array
  /** UTF-8 */
  readonly bytes: Uint8Array
}

export interface FixedColumn {
  readonly type: FixedType
  readonly length: number
  readonly validity: Uint8Array | null
  /**
   * booleans as bits; integers and floats in the array of their width; decimals as four little-endian 32-bit words
   * a value, in two's complement; dates as days, times and timestamps as microseconds
   */
  readonly values: FixedValues
}

export type TextType = Extract<ScalarType, { kind: 'text' }>
export type FixedType = Exclude<ScalarType, { kind: 'text' }>

export type FixedValues =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array

export const TEXT: TextType = { kind: 'text' }

export function isText(column: Column): column is TextColumn {
  return column.type.kind === 'text'
}

/** Is value i there? */
export function isValid(column: Column, index: number): boolean {
  return column.validity === null || ((column.validity[index >> 3]! >> (index & 7)) & 1) === 1
}

/** An Arrow validity bitmap in the making: all are there until one is cleared. */
export class Validity {
  readonly #bits: Uint8Array
  #nulls = 0

  constructor(length: number) {
    this.#bits = new Uint8Array(bitmapBytes(length)).fill(255)
  }

  clear(index: number): void {
    this.#bits[index >> 3]! &= ~(1 << (index & 7))
    this.#nulls++
  }

  get nulls(): number {
    return this.#nulls
  }

  finish(): Uint8Array | null {
    return this.#nulls === 0 ? null : this.#bits
  }
}

/** Bytes of a bitmap, padded as Arrow pads it. */
export function bitmapBytes(length: number): number {
  return Math.ceil(length / 64) * 8
}

/** How many values are null. */
export function nullsIn(column: Column): number {
  const { validity, length } = column
  if (validity === null) return 0
  let valid = 0
  const whole = length >> 3
  for (let i = 0; i < whole; i++) valid += ONES[validity[i]!]!
  for (let i = whole << 3; i < length; i++) valid += (validity[i >> 3]! >> (i & 7)) & 1
  return length - valid
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1
  return ones
})

/** A column of nulls. */
export function nullColumn(type: ScalarType, length: number): Column {
  const validity = new Uint8Array(bitmapBytes(length))
  return type.kind === 'text'
    ? { type, length, validity, offsets: new Int32Array(length + 1), bytes: new Uint8Array(0) }
    : { type, length, validity, values: fixedValues(type, length) }
}

/** A zeroed array for values of a type. */
export function fixedValues(type: FixedType, length: number): FixedValues {
  switch (type.kind) {
    case 'boolean':
      return new Uint8Array(bitmapBytes(length))
    case 'integer':
      if (type.bits === 128) return new Uint32Array(4 * length)
      return new INTEGERS[`${type.signed ? 'i' : 'u'}${type.bits}`](length)
    case 'decimal':
      return new Uint32Array(4 * length)
    case 'float':
      return type.bits === 32 ? new Float32Array(length) : new Float64Array(length)
    case 'date':
      return new Int32Array(length)
    case 'time':
    case 'timestamp':
      return new BigInt64Array(length)
  }
}

const INTEGERS = {
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
}

/** Elements of the values' array that make one value; booleans are bits. */
export function stride(type: FixedType): number {
  return type.kind === 'decimal' || (type.kind === 'integer' && type.bits === 128) ? 4 : 1
}

/** The rows `from` up to `to` of a column, copied so that its first row is the bitmap's first bit. */
export function sliceColumn(column: Column, from: number, to: number): Column {
  const length = to - from
  const validity = column.validity === null ? null : sliceBits(column.validity, from, length)
  if (isText(column)) {
    return { ...column, length, validity, offsets: column.offsets.subarray(from, to + 1) }
  }
  if (column.type.kind === 'boolean') {
    return { ...column, length, validity, values: sliceBits(column.values as Uint8Array, from, length) }
  }
  const step = stride(column.type)
  return {
    ...column,
    length,
    validity,
    values: column.values.subarray(from * step, to * step) as FixedValues,
  }
}

/** Bits `from` up to `from + length` of a bitmap, as a bitmap of their own. */
export function sliceBits(bits: Uint8Array, from: number, length: number): Uint8Array {
  const out = new Uint8Array(bitmapBytes(length))
  const shift = from & 7
  const first = from >> 3
  const bytes = (length + 7) >> 3
  for (let i = 0; i < bytes; i++) {
    out[i] = (bits[first + i]! >> shift) | (shift === 0 ? 0 : (bits[first + i + 1] ?? 0) << (8 - shift))
  }
  return out
}

/** Text columns grow to at most what 32-bit offsets can address. */
export const TEXT_LIMIT = 0x7fff_ffff

/** The values of a text column in the making, one after the other. */
export class TextBuilder {
  readonly offsets: Int32Array
  readonly #validity: Validity
  #bytes: Uint8Array
  #size = 0
  #row = 0

  /** @param expected bytes of all values, as far as one can tell */
  constructor(length: number, expected: number) {
    this.offsets = new Int32Array(length + 1)
    this.#validity = new Validity(length)
    this.#bytes = new Uint8Array(Math.max(64, expected))
  }

  append(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#size)
    this.#size += value.length
    this.offsets[++this.#row] = this.#size
  }

  appendNull(): void {
    this.#validity.clear(this.#row)
    this.offsets[++this.#row] = this.#size
  }

  finish(): TextColumn {
    const bytes = this.#bytes.subarray(0, this.#size)
    return { type: TEXT, length: this.#row, validity: this.#validity.finish(), offsets: this.offsets, bytes }
  }

  #reserve(more: number): void {
    const needed = this.#size + more
    if (needed <= this.#bytes.length) return
    if (needed > TEXT_LIMIT) {
      throw new SluiceError('FILE_TOO_LARGE', 'a chunk of a text column grows beyond 2 GiB', {
        rule: 'column.size',
        remedy: 'Give smaller chunks of rows.',
      })
    }
    const grown = new Uint8Array(Math.min(TEXT_LIMIT, Math.max(needed, 2 * this.#bytes.length)))
    grown.set(this.#bytes.subarray(0, this.#size))
    this.#bytes = grown
  }
}
