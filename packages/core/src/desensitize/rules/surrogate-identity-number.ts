import { z } from 'zod'
import { identityCheck } from '../../check-characters.js'
import { SluiceError } from '../../errors.js'
import { blockCipher } from '../cipher/block-cipher.js'
import { deriveKey } from '../cipher/derive.js'
import { TEXT, type TextColumn } from '../column.js'
import { JoinDomain, KeyName } from '../keyed/fields.js'
import { type RuleDefinition, wrongType } from '../rule.js'
import { CODES_PER_PAIR, PROVINCES, positions, UNISSUED, UNISSUED_CODES } from '../surrogate/areas.js'
import { type Surrogate, surrogates } from '../surrogate/column.js'
import { readDigits, writeDigits } from '../surrogate/digits.js'
import { pairPermutation } from '../surrogate/pair-permutation.js'

/** The form of its description. */
export const SurrogateIdentityNumberRule = z
  .strictObject({
    kind: z.literal('surrogate-identity-number'),
    key: KeyName,
    domain: JoinDomain,
    bornFrom: z.iso
      .date()
      .default('1900-01-01')
      .describe('the first date of birth, of numbers and surrogates'),
    bornTo: z.iso.date().default('2049-12-31').describe('the last one'),
  })
  .describe(
    '{kind: surrogate-identity-number, key, domain}: identity numbers that are well formed and nobody’s',
  )

export type SurrogateIdentityNumberRule = z.infer<typeof SurrogateIdentityNumberRule>

/**
 * Identity numbers of 18 characters (GB 11643-1999; foreign residents' since 2023 too) become others with a valid date
 * and check character, in areas that were never issued: they are nobody's, and everybody sees from the area that they
 * are surrogates. Area, date and sequence are permuted together by FF1, so that no two numbers have one surrogate, and
 * the surrogate's date and sex tell nothing. Anything else is hidden: 15 digits, a wrong check character, a lower-case x,
 * a date that is not in the range, a surrogate.
 */
export const surrogateIdentityNumber: RuleDefinition<SurrogateIdentityNumberRule> = {
  keyed: true,
  scope: 'chunk',
  resultType(rule, type) {
    if (type.kind !== 'text') {
      throw wrongType('surrogate-identity-number', type, 'text; numbers lose digits of an identity number')
    }
    if (dayOf(rule.bornFrom) > dayOf(rule.bornTo)) {
      throw new SluiceError('RULE_INVALID', 'the first date of birth is after the last', {
        rule: 'rule.surrogate-identity-number.born',
        remedy: 'bornFrom ≤ bornTo',
      })
    }
    return TEXT
  },
  bind({ key, domain, bornFrom, bornTo }, binding) {
    const purpose = { rule: 'surrogate-identity-number', algorithm: 'ff1-aes', domain, bornFrom, bornTo }
    const cipher = blockCipher('aes', deriveKey(binding.key(key), purpose, 32))
    const [firstDay, lastDay] = [dayOf(bornFrom), dayOf(bornTo)]
    const innerSize = (lastDay - firstDay + 1) * SEQUENCES
    const surrogate: Surrogate = {
      size: 18,
      permute: pairPermutation(cipher, UNISSUED_CODES, innerSize),
      read(bytes, from, pair) {
        const area = areaOf(bytes, from)
        const day = birthday(bytes, from + 6)
        const sequence = readDigits(bytes, from + 14, 3)
        // not an and: a comparison with NaN is false
        if (!(area >= 0 && day >= firstDay && day <= lastDay && sequence >= 0)) return false
        if (identityCheck(bytes, from) !== bytes[from + 17]) return false
        pair[0] = area
        pair[1] = (day - firstDay) * SEQUENCES + sequence
        return true
      },
      write(outer, inner, bytes, at) {
        const pairIndex = Math.floor(outer / CODES_PER_PAIR)
        writeDigits(UNISSUED[pairIndex]!, bytes, at, 2)
        writeDigits(outer - pairIndex * CODES_PER_PAIR, bytes, at + 2, 4)
        const day = Math.floor(inner / SEQUENCES)
        const { year, month, date } = civil(firstDay + day)
        writeDigits(year * 10_000 + month * 100 + date, bytes, at + 6, 8)
        writeDigits(inner - day * SEQUENCES, bytes, at + 14, 3)
        bytes[at + 17] = identityCheck(bytes, at)
      },
    }
    return chunk => surrogates(chunk as TextColumn, surrogate)
  },
}

const SEQUENCES = 1000
const PROVINCE_POSITIONS = positions(PROVINCES)
const FOREIGN = PROVINCES.length * CODES_PER_PAIR

/** An area's number: a province's four further digits, or, after a 9, a province and a country's three digits. */
function areaOf(bytes: Uint8Array, from: number): number {
  if (bytes[from] === 0x39) {
    const province = PROVINCE_POSITIONS[readDigits(bytes, from + 1, 2)] ?? -1
    const country = readDigits(bytes, from + 3, 3)
    return province < 0 || country < 0 ? -1 : FOREIGN + province * 1000 + country
  }
  const province = PROVINCE_POSITIONS[readDigits(bytes, from, 2)] ?? -1
  const rest = readDigits(bytes, from + 2, 4)
  return province < 0 || rest < 0 ? -1 : province * CODES_PER_PAIR + rest
}

/** The day that eight digits name, or NaN where there is none in the calendar. */
function birthday(bytes: Uint8Array, from: number): number {
  const year = readDigits(bytes, from, 4)
  const month = readDigits(bytes, from + 4, 2)
  const date = readDigits(bytes, from + 6, 2)
  if (year < 1 || month < 1 || month > 12 || date < 1) return Number.NaN
  const day = dayNumber(year, month, date)
  const back = civil(day)
  return back.month === month && back.date === date ? day : Number.NaN
}

function dayOf(iso: string): number {
  return Date.parse(iso) / 86_400_000
}

/** Days since 1970-01-01 in the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms"). */
function dayNumber(year: number, month: number, date: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + date - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

function civil(day: number): { readonly year: number; readonly month: number; readonly date: number } {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const march = Math.floor((5 * dayOfYear + 2) / 153)
  const month = march < 10 ? march + 3 : march - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    date: dayOfYear - Math.floor((153 * march + 2) / 5) + 1,
  }
}
