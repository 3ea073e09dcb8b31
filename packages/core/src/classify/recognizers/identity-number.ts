import { identityCheck } from '../../check-characters.js'
import { CHECKSUM, DICTIONARY, type Evidence, FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, LETTER } from '../shape.js'
import { allDigits, isDate, isDigit, numberAt } from './digits.js'

/**
 * 公民身份号码: 18 characters (GB 11643-1999: area, date of birth, sequence, check character by ISO 7064 MOD 11-2), or
 * 15 digits as they were issued until 1999. Residents from Hong Kong, Macau and Taiwan (areas 81, 82, 83) and
 * foreigners with permanent residence (9…) have numbers of the same form.
 *
 * The area is never asked for: areas were merged and renamed, and the number stays. Only of 15 digits, which have no
 * check character, does a known province make more than a format.
 */
export const identityNumber: Recognizer = {
  length: [15, 18],
  only: DIGIT | LETTER,
  needs: DIGIT,
  weights: { format: 0.35, dictionary: 0.35, checksum: 0.97 },
  chance: 1 / 11,
  match(bytes, start, end) {
    if (end - start === 18) return matchEighteen(bytes, start)
    return end - start === 15 ? matchFifteen(bytes, start) : NONE
  },
}

function matchEighteen(bytes: Uint8Array, start: number): Evidence {
  if (!allDigits(bytes, start, start + 17)) return NONE
  const last = bytes[start + 17]! & (isDigit(bytes[start + 17]!) ? 0xff : 0xdf)
  if (!isDigit(last) && last !== 0x58) return NONE
  if (!isDate(numberAt(bytes, start + 6, 4), numberAt(bytes, start + 10, 2), numberAt(bytes, start + 12, 2)))
    return NONE
  return identityCheck(bytes, start) === last ? CHECKSUM : FORMAT
}

function matchFifteen(bytes: Uint8Array, start: number): Evidence {
  if (!allDigits(bytes, start, start + 15)) return NONE
  const year = 1900 + numberAt(bytes, start + 6, 2)
  if (!isDate(year, numberAt(bytes, start + 8, 2), numberAt(bytes, start + 10, 2))) return NONE
  return PROVINCES.has(numberAt(bytes, start, 2)) ? DICTIONARY : FORMAT
}

/** GB/T 2260, first two digits. */
const PROVINCES: ReadonlySet<number> = new Set([
  11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61,
  62, 63, 64, 65, 71, 81, 82,
])
