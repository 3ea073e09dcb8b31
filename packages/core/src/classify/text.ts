import { type Column, type FixedColumn, isText, isValid } from '../desensitize/column.js'
import { unreachable } from '../errors.js'

/** Values as UTF-8, one after the other: value i is `bytes[offsets[i] … offsets[i + 1])`. */
export interface TextRun {
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

/**
 * The values of a column as text, so that a number or a date is recognized as it would be in a CSV file: integers and
 * decimals in full, dates and times in ISO 8601. A text column is taken as it lies.
 */
export function textOf(column: Column): TextRun {
  return isText(column) ? column : writtenOut(column)
}

function writtenOut(column: FixedColumn): TextRun {
  const text = writer(column)
  const offsets = new Int32Array(column.length + 1)
  let bytes = new Uint8Array(24 * column.length + 64)
  let size = 0
  for (let row = 0; row < column.length; row++) {
    if (isValid(column, row)) {
      const written = text(row)
      if (size + written.length > bytes.length) {
        const larger = new Uint8Array(2 * bytes.length + written.length)
        larger.set(bytes)
        bytes = larger
      }
      for (let i = 0; i < written.length; i++) bytes[size++] = written.charCodeAt(i)
    }
    offsets[row + 1] = size
  }
  return { offsets, bytes }
}

function writer({ type, values }: FixedColumn): (row: number) => string {
  switch (type.kind) {
    case 'boolean':
      return row => String(((values as Uint8Array)[row >> 3]! >> (row & 7)) & 1)
    case 'integer':
      return type.bits === 128
        ? row => wideInteger(values as Uint32Array, row).toString()
        : row => String(values[row])
    case 'decimal':
      return row => decimalText(wideInteger(values as Uint32Array, row), type.scale)
    case 'float':
      return row => floatText(Number(values[row]))
    case 'date': {
      const known = new Map<number, string>()
      return row => {
        const day = Number(values[row])
        let text = known.get(day)
        if (text === undefined) {
          text = momentText(day * 86_400_000).slice(0, 10)
          if (known.size < 100_000) known.set(day, text)
        }
        return text
      }
    }
    case 'time':
      return row => momentText(Number(values[row]) / 1000).slice(11)
    case 'timestamp':
      return row => momentText(Number(values[row]) / 1000)
    default:
      return unreachable(type)
  }
}

/** Four little-endian words in two's complement. */
function wideInteger(words: Uint32Array, row: number): bigint {
  let value = 0n
  for (let k = 3; k >= 0; k--) value = (value << 32n) | BigInt(words[4 * row + k]!)
  return BigInt.asIntN(128, value)
}

function decimalText(value: bigint, scale: number): string {
  if (scale === 0) return value.toString()
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** All digits of a whole number: the shortest form would hide how many it has. */
function floatText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) >= 1e21 ? BigInt(value).toString() : String(value)
}

/** @param milliseconds since 1970; beyond the calendar of the language it is no moment */
function momentText(milliseconds: number): string {
  if (!(Math.abs(milliseconds) <= 8.64e15)) return ''
  return new Date(milliseconds).toISOString().slice(0, 19)
}
