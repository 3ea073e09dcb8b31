import { CHECKSUM, FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, UPPER } from '../shape.js'

/**
 * 车辆识别代号 VIN (GB 16735-2019, ISO 3779): 17 characters without I, O and Q, the last four digits, the ninth a check
 * character modulo 11, which China demands and Europe does not use.
 */
export const vin: Recognizer = {
  length: [17, 17],
  only: DIGIT | UPPER,
  needs: DIGIT | UPPER,
  weights: { format: 0.4, checksum: 0.95 },
  chance: 1 / 11,
  match(bytes, start) {
    let sum = 0
    for (let i = 0; i < 17; i++) {
      const value = VALUES[bytes[start + i]!]!
      if (value === ABSENT || (i >= 13 && bytes[start + i]! > 0x39)) return NONE
      sum += value * WEIGHTS[i]!
    }
    const rest = sum % 11
    const check = bytes[start + 8]!
    return check === (rest === 10 ? 0x58 : 0x30 + rest) ? CHECKSUM : FORMAT
  },
}

const ABSENT = 255
const WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
const VALUES = new Uint8Array(256).fill(ABSENT)
for (let digit = 0; digit < 10; digit++) VALUES[0x30 + digit] = digit
for (const [index, letter] of [...'ABCDEFGH'].entries()) VALUES[letter.charCodeAt(0)] = index + 1
for (const [index, letter] of [...'JKLMN'].entries()) VALUES[letter.charCodeAt(0)] = index + 1
for (const [letter, value] of [
  ['P', 7],
  ['R', 9],
] as const)
  VALUES[letter.charCodeAt(0)] = value
for (const [index, letter] of [...'STUVWXYZ'].entries()) VALUES[letter.charCodeAt(0)] = index + 2
