import { CREDIT_BYTES, CREDIT_VALUES, creditCheck } from '../../check-characters.js'
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
    for (let i = 2; i < 18; i++) {
      const value = VALUES[bytes[start + i]!]!
      if (value < 0 || (i < 8 && value > 9)) return NONE
    }
    const check = VALUES[creditCheck(bytes, start, VALUES)]!
    return check === VALUES[bytes[start + 17]!]! ? CHECKSUM : FORMAT
  },
}

/** Small letters too, as people type them. */
const VALUES = CREDIT_VALUES.slice()
for (const [value, byte] of CREDIT_BYTES.entries()) if (byte > 0x40) VALUES[byte | 0x20] = value
