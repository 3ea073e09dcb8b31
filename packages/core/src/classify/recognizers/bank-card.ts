import { CHECKSUM, FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, HYPHEN, SPACE } from '../shape.js'
import { gatherDigits, gathered } from './digits.js'

/**
 * 银行卡号 (ISO/IEC 7812): 13 to 19 digits, grouped or not, in a range of an issuer network that is met in China, with a
 * check digit by Luhn's formula (ISO/IEC 7812-1, annex B).
 */
export const bankCard: Recognizer = {
  length: [13, 24],
  only: DIGIT | SPACE | HYPHEN,
  needs: DIGIT,
  weights: { format: 0.25, checksum: 0.85 },
  chance: 1 / 10,
  match(bytes, start, end) {
    const count = gatherDigits(bytes, start, end, 19)
    if (count < 13 || count > 19 || !isIssuer(count)) return NONE
    return luhn(count) ? CHECKSUM : FORMAT
  },
}

function isIssuer(count: number): boolean {
  const two = gathered[0]! * 10 + gathered[1]!
  const four = two * 100 + gathered[2]! * 10 + gathered[3]!
  // China UnionPay, and the ranges that Chinese banks used before it
  if (two === 62 || two === 60 || two === 68 || two === 69) return count >= 16
  if (gathered[0] === 9) return count === 16 || count === 18 || count === 19
  if (gathered[0] === 4) return count === 13 || count === 16 || count === 19
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return count === 16
  if (two === 34 || two === 37) return count === 15
  if (four >= 3528 && four <= 3589) return count >= 16
  return (two === 36 || two === 30) && count === 14
}

function luhn(count: number): boolean {
  let sum = 0
  for (let i = 0; i < count; i++) {
    const digit = gathered[count - 1 - i]!
    sum += i % 2 === 0 ? digit : digit < 5 ? 2 * digit : 2 * digit - 9
  }
  return sum % 10 === 0
}
