import { FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, OTHER, UPPER } from '../shape.js'
import { isLetter } from './bytes.js'
import { allDigits } from './digits.js'

/**
 * 台湾居民来往大陆通行证: eight digits, or ten digits and a letter, in brackets or not, as issued before 2015.
 * 大陆居民往来台湾通行证: L or T and eight digits. Eight digits are many things: only the column's name decides.
 */
export const taiwanPermit: Recognizer = {
  length: [8, 13],
  only: DIGIT | UPPER | OTHER,
  needs: DIGIT,
  weights: { format: 0.1 },
  match(bytes, start, end) {
    const length = end - start
    if (length === 8) return allDigits(bytes, start, end) ? FORMAT : NONE
    if (length === 9) {
      return (bytes[start] === 0x4c || bytes[start] === 0x54) && allDigits(bytes, start + 1, end)
        ? FORMAT
        : NONE
    }
    if (length < 11 || !allDigits(bytes, start, start + 10)) return NONE
    if (length === 11) return isLetter(bytes[start + 10]!) ? FORMAT : NONE
    const bracketed = bytes[start + 10] === 0x28 && bytes[end - 1] === 0x29 && isLetter(bytes[start + 11]!)
    return length === 13 && bracketed ? FORMAT : NONE
  },
}
