import { DICTIONARY, FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, DOT, HYPHEN, OTHER, SPACE } from '../shape.js'
import { indexOfByte } from './bytes.js'
import { isDigit } from './digits.js'

/**
 * 经纬度: decimal degrees with three digits or more behind the point (about 100 m) inside of China's extent, longitude 73
 * to 136, latitude 3 to 54. A pair of both is hardly anything else.
 */
export const coordinate: Recognizer = {
  length: [5, 48],
  only: DIGIT | DOT | HYPHEN | OTHER | SPACE,
  needs: DIGIT | DOT,
  weights: { format: 0.3, dictionary: 0.6 },
  match(bytes, start, end) {
    const comma = indexOfByte(bytes, 0x2c, start, end)
    if (comma < 0) return extentOf(bytes, start, end) === OUTSIDE ? NONE : FORMAT
    const second = bytes[comma + 1] === 0x20 ? comma + 2 : comma + 1
    const [a, b] = [extentOf(bytes, start, comma), extentOf(bytes, second, end)]
    return a !== OUTSIDE && b !== OUTSIDE && a !== b ? DICTIONARY : NONE
  },
}

const OUTSIDE = 0
const LONGITUDE = 1
const LATITUDE = 2

function extentOf(bytes: Uint8Array, start: number, end: number) {
  let at = start
  let degrees = 0
  while (at < end && isDigit(bytes[at]!) && at - start < 4) degrees = degrees * 10 + bytes[at++]! - 0x30
  if (at === start || bytes[at] !== 0x2e) return OUTSIDE
  const point = at++
  while (at < end && isDigit(bytes[at]!)) at++
  if (at !== end || end - point < 4) return OUTSIDE
  if (degrees >= 73 && degrees <= 135) return LONGITUDE
  return degrees >= 3 && degrees <= 53 ? LATITUDE : OUTSIDE
}
