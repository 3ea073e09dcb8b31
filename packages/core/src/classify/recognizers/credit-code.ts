import { CHECKSUM, FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, LETTER } from '../shape.js'
import { isDigit } from './digits.js'

/**
 * 统一社会信用代码 (GB 32100-2015): registering department, category, six digits of the area, nine characters of the
 * organization, and a check character modulo 31 over an alphabet without I, O, S, V and Z.
 */
export const creditCode: Recognizer = {
  length: [18, 18],
  only: DIGIT | LETTER,
  needs: DIGIT,
  weights: { format: 0.35, checksum: 0.97 },
  chance: 1 / 31,
  match(bytes, start) {
    const department = VALUES[bytes[start]!]!
    // departments 1 to 9, A, N and Y; categories 1 to 9
    if (department < 1 || (department > 10 && department !== 21 && department !== 30)) return NONE
    if (!isDigit(bytes[start + 1]!) || bytes[start + 1] === 0x30) return NONE
    let sum = 0
    for (let i = 0; i < 17; i++) {
      const value = VALUES[bytes[start + i]!]!
      if (value === ABSENT || (i > 1 && i < 8 && value > 9)) return NONE
      sum += value * WEIGHTS[i]!
    }
    const check = VALUES[bytes[start + 17]!]!
    if (check === ABSENT) return NONE
    return (31 - (sum % 31)) % 31 === check ? CHECKSUM : FORMAT
  },
}

const ABSENT = 255
const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const VALUES = new Uint8Array(256).fill(ABSENT)
for (const [value, character] of [...ALPHABET].entries()) {
  VALUES[character.charCodeAt(0)] = value
  VALUES[character.toLowerCase().charCodeAt(0)] = value
}
/** 3^i mod 31. */
const WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
