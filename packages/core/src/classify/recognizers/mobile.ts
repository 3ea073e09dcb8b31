import { DICTIONARY, FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, HYPHEN, OTHER, SPACE } from '../shape.js'
import { gatherDigits, gathered } from './digits.js'

/**
 * 手机号: eleven digits from 13 to 19, with the country's code (`86`, `+86`, `0086`) and groups or without. The first
 * three digits stand in the public numbering plan (电信网编号计划) or not.
 */
export const mobile: Recognizer = {
  length: [11, 20],
  only: DIGIT | SPACE | HYPHEN | OTHER,
  needs: DIGIT,
  weights: { format: 0.45, dictionary: 0.5 },
  match(bytes, start, end) {
    const count = gatherDigits(bytes, bytes[start] === PLUS ? start + 1 : start, end, 15)
    const first = countryDigits(count)
    if (first < 0 || count - first !== 11) return NONE
    if (gathered[first] !== 1 || gathered[first + 1]! < 3) return NONE
    return ALLOCATED.has(gathered[first + 1]! * 10 + gathered[first + 2]!) ? DICTIONARY : FORMAT
  },
}

const PLUS = 0x2b

/** How many of the gathered digits are the country's code; -1 where there is none where there should be. */
function countryDigits(count: number): number {
  if (count === 11) return 0
  if (count === 13 && gathered[0] === 8 && gathered[1] === 6) return 2
  const international = gathered[0] === 0 && gathered[1] === 0 && gathered[2] === 8 && gathered[3] === 6
  return count === 15 && international ? 4 : -1
}

/** Second and third digit. */
const ALLOCATED: ReadonlySet<number> = new Set([
  30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 45, 46, 47, 48, 49, 50, 51, 52, 53, 55, 56, 57, 58, 59, 62, 65, 66,
  67, 70, 71, 72, 73, 74, 75, 76, 77, 78, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 95, 96, 97,
  98, 99,
])
