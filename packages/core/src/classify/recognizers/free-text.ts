import { FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { ANY, SPACE, WIDE } from '../shape.js'

/**
 * 自由文本: sentences. What stands in them, nobody has said: names, numbers and illnesses may. Recognized by punctuation
 * in thirty bytes and more (ten Chinese characters), or by length where characters are Chinese or words are spaced.
 */
export const freeText: Recognizer = {
  length: [30, Number.MAX_SAFE_INTEGER],
  only: ANY,
  needs: 0,
  oneOf: WIDE | SPACE,
  weights: { format: 0.6 },
  diverse: true,
  match(bytes, start, end) {
    const stop = Math.min(end, start + LOOKED_AT)
    let wide = 0
    let words = 0
    for (let at = start; at < stop; at++) {
      const byte = bytes[at]!
      if (byte >= 0x80) {
        if (isPunctuation(bytes, at)) return FORMAT
        wide++
      } else if (byte === 0x20) words++
      else if (MARKS.includes(byte)) {
        // between Chinese characters, or after words and before a space
        if (bytes[at - 1]! >= 0x80 || (bytes[at + 1] === 0x20 && words > 2)) return FORMAT
      }
    }
    const long = end - start >= LONG
    return long && (wide > 60 || words > 12) ? FORMAT : NONE
  },
}

const LOOKED_AT = 400
const LONG = 150
/** `,` `.` `;` `:` `!` `?` */
const MARKS = [0x2c, 0x2e, 0x3b, 0x3a, 0x21, 0x3f]

/** `，` `。` `；` `：` `！` `？` `、` in UTF-8. */
function isPunctuation(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] === 0xe3) return bytes[at + 1] === 0x80 && (bytes[at + 2] === 0x82 || bytes[at + 2] === 0x81)
  if (bytes[at] !== 0xef || bytes[at + 1] !== 0xbc) return false
  const last = bytes[at + 2]
  return last === 0x8c || last === 0x9b || last === 0x9a || last === 0x81 || last === 0x9f
}
