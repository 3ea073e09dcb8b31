import { DICTIONARY, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, HYPHEN, LETTER, SPACE, WIDE } from '../shape.js'
import { isLetter } from './bytes.js'
import { codePointAt, codePointsOf } from './han.js'

/**
 * 车牌号 (GA 36): the province's character, a letter, and five letters or digits without I and O, the last of which may
 * be a character of use (学, 警, 挂, 港, 澳, 领, 试, 超); new-energy plates have six, of which the first or the last is a
 * letter. A dot, a space or a hyphen may stand after the second character.
 */
export const plate: Recognizer = {
  length: [9, 14],
  only: DIGIT | LETTER | SPACE | HYPHEN | WIDE,
  needs: WIDE,
  weights: { dictionary: 0.9 },
  match(bytes, start, end) {
    if (!PROVINCES.has(codePointAt(bytes, start)) || !isLetter(bytes[start + 3]!)) return NONE
    let at = start + 4
    if (bytes[at] === 0x20 || bytes[at] === 0x2d) at++
    else if (bytes[at] === 0xc2 && bytes[at + 1] === 0xb7) at += 2
    else if (bytes[at] === 0xe2 && bytes[at + 1] === 0x80 && bytes[at + 2] === 0xa2) at += 3
    const begin = at
    let digits = 0
    while (at < end && isSerial(bytes[at]!)) if (bytes[at++]! <= 0x39) digits++
    const serial = at - begin
    if (at < end)
      return serial === 4 && at + 3 === end && USES.has(codePointAt(bytes, at)) ? DICTIONARY : NONE
    if (serial === 5) return digits >= 1 ? DICTIONARY : NONE
    const newEnergy = serial === 6 && digits >= 4 && (bytes[begin]! > 0x39 || bytes[at - 1]! > 0x39)
    return newEnergy ? DICTIONARY : NONE
  },
}

const PROVINCES = codePointsOf('京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使')
const USES = codePointsOf('学警挂港澳领使试超')

function isSerial(byte: number): boolean {
  const letter = byte & 0xdf
  return (byte >= 0x30 && byte <= 0x39) || (isLetter(byte) && letter !== 0x49 && letter !== 0x4f)
}
