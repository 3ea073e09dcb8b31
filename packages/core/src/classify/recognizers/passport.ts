import { DICTIONARY, FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, UPPER } from '../shape.js'
import { allDigits } from './digits.js'

/**
 * 护照号 (ICAO Doc 9303 allows nine characters): one or two letters and seven or eight digits. Letters that Chinese
 * passports begin with (ordinary E and G, service S and SE, public affairs P and PE, diplomatic D and DE; Hong Kong K and
 * H, Macau MA) count more, but products have such codes too: without the column's name it stays a candidate.
 */
export const passport: Recognizer = {
  length: [8, 9],
  only: DIGIT | UPPER,
  needs: DIGIT | UPPER,
  weights: { format: 0.15, dictionary: 0.25 },
  match(bytes, start, end) {
    const [first, second] = [bytes[start]!, bytes[start + 1]!]
    if (first < 0x41) return NONE
    const letters = second < 0x41 ? 1 : 2
    const digits = end - start - letters
    if (digits < 6 || digits > 8 || !allDigits(bytes, start + letters, end)) return NONE
    const letter = String.fromCharCode(first)
    if (letters === 1) {
      if (digits === 8 && 'EGKHDSP'.includes(letter)) return DICTIONARY
      return digits === 7 && 'DSP'.includes(letter) ? DICTIONARY : FORMAT
    }
    // E and a letter but I and O; D, S, P and E; M and A
    const chinese =
      (letter === 'E' && second !== 0x49 && second !== 0x4f) ||
      ('DSP'.includes(letter) && second === 0x45) ||
      (letter === 'M' && second === 0x41)
    return digits === 7 && chinese ? DICTIONARY : FORMAT
  },
}
