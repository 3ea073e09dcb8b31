import { DICTIONARY, FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, HYPHEN, OTHER, SPACE } from '../shape.js'
import { isDigit } from './digits.js'

/**
 * 固定电话 with its trunk code: `010`, `02x` or `0` and three digits from 3 to 9, then seven or eight digits that do not
 * begin with 0 or 1, then an extension or none. Where the trunk code is set apart, this is nothing else; as bare digits
 * it could be.
 */
export const landline: Recognizer = {
  length: [10, 24],
  only: DIGIT | SPACE | HYPHEN | OTHER,
  needs: DIGIT,
  weights: { format: 0.4, dictionary: 0.45 },
  match(bytes, start, end) {
    let at = start
    const bracket = bytes[at] === 0x28
    if (bracket) at++
    if (bytes[at] !== 0x30) return NONE
    const trunk = trunkDigits(bytes[at + 1]!)
    if (trunk === 0) return NONE
    for (let i = 1; i < trunk; i++) if (!isDigit(bytes[at + i] ?? 0)) return NONE
    at += trunk
    const apart = bytes[at] === (bracket ? 0x29 : 0x2d) || (!bracket && bytes[at] === 0x20)
    if (bracket && !apart) return NONE
    if (apart) at++
    if (bytes[at] === 0x20 || bytes[at] === 0x2d) at++
    const first = bytes[at] ?? 0
    if (first < 0x32 || first > 0x39) return NONE
    const begin = at
    while (at < end && isDigit(bytes[at]!)) at++
    if (at - begin < 7 || at - begin > 8 || !isExtension(bytes, at, end)) return NONE
    return apart ? DICTIONARY : FORMAT
  },
}

/** Digits of the trunk code, its 0 included, by the digit after that. */
function trunkDigits(second: number): number {
  if (second === 0x31 || second === 0x32) return 3
  return second >= 0x33 && second <= 0x39 ? 4 : 0
}

/** Nothing, or a hyphen, a star or a hash and up to six digits. */
function isExtension(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true
  const mark = bytes[start]
  if (mark !== 0x2d && mark !== 0x2a && mark !== 0x23) return false
  if (end - start < 2 || end - start > 7) return false
  for (let at = start + 1; at < end; at++) if (!isDigit(bytes[at]!)) return false
  return true
}
