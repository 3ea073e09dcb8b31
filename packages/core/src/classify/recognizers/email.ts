import { FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { ANY, OTHER } from '../shape.js'
import { indexOfByte, isLetter } from './bytes.js'
import { isDigit } from './digits.js'

/** 电子邮箱 (RFC 5321, section 4.1.2, dot-string before the `@`; internationalized by RFC 6531). */
export const email: Recognizer = {
  length: [6, 254],
  only: ANY,
  needs: OTHER,
  weights: { format: 0.95 },
  match(bytes, start, end) {
    const at = indexOfByte(bytes, 0x40, start, end)
    if (at <= start || at - start > 64) return NONE
    for (let i = start; i < at; i++) if (!isLocal(bytes[i]!)) return NONE
    if (bytes[start] === DOT || bytes[at - 1] === DOT) return NONE
    let label = 0
    let dots = 0
    for (let i = at + 1; i < end; i++) {
      const byte = bytes[i]!
      if (byte === DOT) {
        if (label === 0) return NONE
        label = 0
        dots++
      } else if (isAlphanumeric(byte) || byte === 0x2d || byte >= 0x80) label++
      else return NONE
    }
    return dots > 0 && label >= 2 ? FORMAT : NONE
  },
}

const DOT = 0x2e
const LOCAL = Uint8Array.from("!#$%&'*+-/=?^_`{|}~.", character => character.charCodeAt(0))

function isLocal(byte: number): boolean {
  return isAlphanumeric(byte) || byte >= 0x80 || LOCAL.includes(byte)
}

function isAlphanumeric(byte: number): boolean {
  return isDigit(byte) || isLetter(byte)
}
