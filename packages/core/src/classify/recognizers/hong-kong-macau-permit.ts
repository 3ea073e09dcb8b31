import { FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, UPPER } from '../shape.js'
import { allDigits } from './digits.js'

/**
 * 港澳居民来往内地通行证: H or M and eight digits, with the two of the issue or without. 往来港澳通行证 of mainland
 * residents: C or W and eight digits, or C, a letter and seven digits.
 */
export const hongKongMacauPermit: Recognizer = {
  length: [9, 11],
  only: DIGIT | UPPER,
  needs: DIGIT | UPPER,
  weights: { format: 0.3 },
  match(bytes, start, end) {
    const first = bytes[start]!
    const length = end - start
    if (first === 0x48 || first === 0x4d) {
      return length !== 10 && allDigits(bytes, start + 1, end) ? FORMAT : NONE
    }
    if ((first !== 0x43 && first !== 0x57) || length !== 9) return NONE
    if (allDigits(bytes, start + 1, end)) return FORMAT
    return first === 0x43 && bytes[start + 1]! >= 0x41 && allDigits(bytes, start + 2, end) ? FORMAT : NONE
  },
}
