import { z } from 'zod'
import type { FixedColumn, TextColumn } from '../column.js'
import { mapNumbers } from '../numbers.js'
import { type RuleDefinition, wrongType } from '../rule.js'
import { mapText, type TextTransform } from '../text-map.js'

export const DIVISION_LEVELS = ['province', 'city', 'county'] as const
export type DivisionLevel = (typeof DIVISION_LEVELS)[number]

/** The form of its description. */
export const DivisionRule = z
  .strictObject({
    kind: z.literal('division'),
    to: z.enum(DIVISION_LEVELS).describe('province, city or county'),
  })
  .describe('{kind: division, to}: codes of administrative divisions to a higher level (泛化)')

export type DivisionRule = z.infer<typeof DivisionRule>

/** Digits of a code that say the level (GB/T 2260: two, two, two). */
export const DIVISION_DIGITS: Readonly<Record<DivisionLevel, number>> = { province: 2, city: 4, county: 6 }

/** Digits of a code: six to the county (GB/T 2260), nine to the town (GB/T 10114), twelve to the village. */
export const DIVISION_LENGTHS = [6, 9, 12] as const

/**
 * Codes of administrative divisions to a higher level: the digits below it become zeros, as the code of the higher
 * division is written (330106 to the city: 330100). A code that is of that level already is a fixed point. Text of 6,
 * 9 or 12 digits, or integers of 6 digits.
 */
export const division: RuleDefinition<DivisionRule> = {
  keyed: false,
  scope: 'chunk',
  resultType(_, type) {
    if (type.kind !== 'text' && !(type.kind === 'integer' && type.bits >= 32 && type.bits <= 64)) {
      throw wrongType('division', type, 'text, or integers of 32 or 64 bits')
    }
    return type
  },
  bind({ to }, { type }) {
    const digits = DIVISION_DIGITS[to]
    if (type.kind === 'text') {
      const transform = codeTransform(digits)
      return chunk => mapText(chunk as TextColumn, transform, 'leave')
    }
    const below = 10 ** (6 - digits)
    const zeroed = (code: number) => (code >= 100_000 && code <= 999_999 ? code - (code % below) : Number.NaN)
    return chunk => mapNumbers(chunk as FixedColumn, zeroed, () => null, 999_999)
  },
}

const ZERO = 0x30

function codeTransform(kept: number): TextTransform {
  return (bytes, start, end, out) => {
    const length = end - start
    if ((length !== 6 && length !== 9 && length !== 12) || bytes[start] === ZERO) return false
    for (let i = start; i < end; i++) if (bytes[i]! < ZERO || bytes[i]! > ZERO + 9) return false
    out.reserve(length)
    for (let i = 0; i < length; i++) out.bytes[out.size + i] = i < kept ? bytes[start + i]! : ZERO
    out.size += length
    return true
  }
}
