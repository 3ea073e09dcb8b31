import { z } from 'zod'
import { type Column, type FixedColumn, fixedValues, isValid, type TextColumn, Validity } from '../column.js'
import { type Applied, type RuleDefinition, wrongType } from '../rule.js'
import { mapText, type TextTransform } from '../text-map.js'

export const DATE_PART_UNITS = ['month', 'quarter', 'year'] as const
export type DatePartUnit = (typeof DATE_PART_UNITS)[number]

/** The form of its description. */
export const DatePartRule = z
  .strictObject({
    kind: z.literal('date-part'),
    to: z.enum(DATE_PART_UNITS).describe('month, quarter or year'),
  })
  .describe('{kind: date-part, to}: dates to their month, quarter or year (泛化)')

export type DatePartRule = z.infer<typeof DatePartRule>

/**
 * Dates to their month, quarter or year. A date or timestamp becomes the first day of it (a first day is a fixed
 * point), within the years 1 to 9999; a text that is a date, `2024-03-05` or `20240305` of the years 1000 to 9999,
 * becomes `2024-03`, `2024-Q1` or `2024`.
 */
export const datePart: RuleDefinition<DatePartRule> = {
  keyed: false,
  scope: 'chunk',
  resultType(_, type) {
    if (type.kind !== 'text' && type.kind !== 'date' && type.kind !== 'timestamp') {
      throw wrongType('date-part', type, 'dates, timestamps, or text of ISO 8601 dates')
    }
    return type
  },
  bind({ to }, { type }) {
    if (type.kind === 'text') {
      const transform = writtenDate(to)
      return chunk => mapText(chunk as TextColumn, transform, 'leave')
    }
    const first = new FirstDays(to)
    return type.kind === 'date' ? chunk => days(chunk, first) : chunk => moments(chunk, first)
  },
}

/** 0001-01-01 and 9999-12-31 in days since 1970-01-01. */
const FIRST_DAY = -719_162
const LAST_DAY = 2_932_896
const DAY_MICROSECONDS = 86_400_000_000n

function days(chunk: Column, first: FirstDays): Applied {
  const { values } = chunk as FixedColumn
  return mapFixed(chunk, (i, out) => {
    const day = Number(values[i])
    if (day < FIRST_DAY || day > LAST_DAY) return null
    out[i] = first.of(day)
    return out[i] === day
  })
}

function moments(chunk: Column, first: FirstDays): Applied {
  const values = (chunk as FixedColumn).values as BigInt64Array
  return mapFixed(chunk, (i, out) => {
    const moment = values[i]!
    const rest = ((moment % DAY_MICROSECONDS) + DAY_MICROSECONDS) % DAY_MICROSECONDS
    const day = Number((moment - rest) / DAY_MICROSECONDS)
    if (day < FIRST_DAY || day > LAST_DAY) return null
    out[i] = BigInt(first.of(day)) * DAY_MICROSECONDS
    return out[i] === moment
  })
}

/** @param each writes value i; is it the same as before, or null where it does not fit */
function mapFixed(
  chunk: Column,
  each: (index: number, out: Int32Array | BigInt64Array) => boolean | null,
): Applied {
  const { type, length } = chunk as FixedColumn
  const values = fixedValues(type, length) as Int32Array | BigInt64Array
  const validity = new Validity(length)
  let nulls = 0
  let hidden = 0
  let fixedPoints = 0
  for (let i = 0; i < length; i++) {
    const same = isValid(chunk, i) ? each(i, values) : undefined
    if (same === undefined) nulls++
    else if (same === null) hidden++
    else if (same) fixedPoints++
    if (same === undefined || same === null) validity.clear(i)
  }
  return {
    column: { type, length, validity: validity.finish(), values },
    hidden,
    fixedPoints,
    changed: length - nulls - hidden - fixedPoints,
  }
}

/** First days of the unit, in days since 1970-01-01, by the proleptic Gregorian calendar; each is computed once. */
class FirstDays {
  readonly #to: DatePartUnit
  readonly #known = new Int32Array(LAST_DAY - FIRST_DAY + 1)

  constructor(to: DatePartUnit) {
    this.#to = to
    this.#known.fill(UNKNOWN)
  }

  of(day: number): number {
    const known = this.#known[day - FIRST_DAY]!
    if (known !== UNKNOWN) return known
    const date = new Date(day * 86_400_000)
    const month =
      this.#to === 'year'
        ? 0
        : this.#to === 'quarter'
          ? date.getUTCMonth() - (date.getUTCMonth() % 3)
          : date.getUTCMonth()
    date.setUTCMonth(month, 1)
    const first = Math.round(date.getTime() / 86_400_000)
    this.#known[day - FIRST_DAY] = first
    return first
  }
}

const UNKNOWN = 0x7fff_ffff

/** RE2 patterns of written dates; the calendar is looked at besides. */
export const WRITTEN_DATE = '[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}|[1-9][0-9]{3}[0-9]{2}[0-9]{2}'

function writtenDate(to: DatePartUnit): TextTransform {
  const quarters = [1, 2, 3, 4].map(quarter => new TextEncoder().encode(`-Q${quarter}`))
  return (bytes, start, end, out) => {
    const length = end - start
    const dashed = length === 10
    if (!dashed && length !== 8) return false
    if (dashed && (bytes[start + 4] !== HYPHEN || bytes[start + 7] !== HYPHEN)) return false
    const year = digits(bytes, start, 4)
    const month = digits(bytes, start + (dashed ? 5 : 4), 2)
    const day = digits(bytes, start + (dashed ? 8 : 6), 2)
    // comparisons with NaN are false
    if (!(year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= lastDay(year, month))) return false
    out.copy(bytes, start, start + 4)
    if (to === 'quarter') out.write(quarters[Math.floor((month - 1) / 3)]!)
    else if (to === 'month') {
      out.reserve(3)
      out.bytes[out.size++] = HYPHEN
      out.copy(bytes, start + (dashed ? 5 : 4), start + (dashed ? 7 : 6))
    }
    return true
  }
}

const HYPHEN = 0x2d

/** NaN where one is no digit. */
function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let k = 0; k < count; k++) {
    const digit = bytes[at + k]! - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

const LAST_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function lastDay(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return LAST_DAYS[month - 1]! + (leap ? 1 : 0)
}
