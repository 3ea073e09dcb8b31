import type { DataType } from 'apache-arrow'

/** Arrow's type ids, as its format fixes them (Schema.fbs). */
const INT = 2
const FLOAT = 3
const BOOLEAN = 6
const DECIMAL = 7
const DATE = 8
const TIME = 9
const TIMESTAMP = 10

export function isNumeric(type: DataType): boolean {
  return type.typeId === INT || type.typeId === FLOAT || type.typeId === DECIMAL
}

/** A cell as JSON: integers beyond 2^53, decimals, dates and times as text, so that nothing is lost. */
export function cellJson(value: unknown, type: DataType): string | number | boolean | null {
  if (value === null || value === undefined) return null
  switch (type.typeId) {
    case INT:
      return typeof value === 'bigint' && !isSafe(value) ? value.toString() : Number(value)
    case FLOAT:
      return Number.isFinite(value) ? (value as number) : String(value)
    case BOOLEAN:
      return value as boolean
    default:
      return cellText(value, type)
  }
}

/** A cell as exact text: integers and decimals in full, dates and times in ISO 8601. */
export function cellText(value: unknown, type: DataType): string {
  switch (type.typeId) {
    case DECIMAL:
      return decimalText(value as Uint32Array, (type as DataType & { scale: number }).scale)
    case DATE:
      return dateText(Number(value))
    case TIME:
      return timeText(BigInt(value as bigint))
    case TIMESTAMP:
      return timestampText(value as number)
    default:
      return String(value)
  }
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
}

/** Arrow gives a decimal as its little-endian 32-bit words, two's complement. */
function decimalText(words: Uint32Array, scale: number): string {
  const unsigned = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
  const value = BigInt.asIntN(words.length * 32, unsigned)
  if (scale === 0) return value.toString()
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function dateText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10)
}

function timeText(microseconds: bigint): string {
  return momentText(microseconds).slice(11)
}

/** Arrow's vectors hand timestamps out in milliseconds, with the microseconds behind the point. */
function timestampText(milliseconds: number): string {
  return momentText(BigInt(Math.round(milliseconds * 1000)))
}

function momentText(microseconds: bigint): string {
  const second = (microseconds - modulo(microseconds, 1_000_000n)) / 1_000_000n
  const fraction = modulo(microseconds, 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '')
  const text = new Date(Number(second) * 1000).toISOString().slice(0, 19)
  return fraction === '' ? text : `${text}.${fraction}`
}

function modulo(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by
}
