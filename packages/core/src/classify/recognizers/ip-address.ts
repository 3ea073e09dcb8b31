import { FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, DOT, LETTER, OTHER } from '../shape.js'
import { indexOfByte, isHexadecimal } from './bytes.js'
import { isDigit } from './digits.js'

/** IP 地址: version 4 in four decimal numbers (RFC 6943, section 3.1.1, strict), version 6 as text (RFC 4291, section 2.2). */
export const ipAddress: Recognizer = {
  length: [3, 45],
  only: DIGIT | LETTER | DOT | OTHER,
  needs: 0,
  oneOf: DOT | OTHER,
  weights: { format: 0.9 },
  match(bytes, start, end) {
    const colon = indexOfByte(bytes, COLON, start, end)
    return (colon < 0 ? isVersion4(bytes, start, end) : isVersion6(bytes, start, end)) ? FORMAT : NONE
  },
}

const COLON = 0x3a

function isVersion4(bytes: Uint8Array, start: number, end: number): boolean {
  let numbers = 0
  for (let at = start; at <= end; ) {
    const begin = at
    let number = 0
    while (at < end && isDigit(bytes[at]!)) number = number * 10 + bytes[at++]! - 0x30
    if (at === begin || at - begin > 3 || number > 255 || (bytes[begin] === 0x30 && at - begin > 1))
      return false
    numbers++
    if (at === end) return numbers === 4
    if (bytes[at] !== 0x2e) return false
    at++
  }
  return false
}

function isVersion6(bytes: Uint8Array, start: number, end: number): boolean {
  let groups = 0
  let compressed = false
  let at = start
  if (bytes[at] === COLON && bytes[at + 1] !== COLON) return false
  while (at < end) {
    if (bytes[at] === COLON) {
      if (bytes[at + 1] === COLON) {
        if (compressed) return false
        compressed = true
        at += 2
        continue
      }
      at++
      if (at === end) return false
    }
    const begin = at
    while (at < end && isHexadecimal(bytes[at]!)) at++
    if (at < end && bytes[at] === 0x2e) {
      groups += 2
      return isVersion4(bytes, begin, end) && (compressed ? groups < 8 : groups === 8)
    }
    if (at === begin || at - begin > 4 || (at < end && bytes[at] !== COLON)) return false
    groups++
  }
  return compressed ? groups < 8 : groups === 8
}
