import { DICTIONARY, FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { ANY, DIGIT } from '../shape.js'
import { isDigit } from './digits.js'

/**
 * 金额: a decimal number, with thousands separated or not. A currency (¥, ￥, 元, RMB, CNY) makes it one; else only the
 * column's name can say that a number is money.
 */
export const amount: Recognizer = {
  length: [1, 32],
  only: ANY,
  needs: DIGIT,
  weights: { format: 0.15, dictionary: 0.6 },
  match(bytes, start, end) {
    const before = marked(bytes, start, end, BEFORE, false)
    let at = start + before
    const after = marked(bytes, at, end, AFTER, true)
    const stop = end - after
    if (bytes[at] === 0x2d || bytes[at] === 0x2b) at++
    const first = at
    while (at < stop && (isDigit(bytes[at]!) || bytes[at] === 0x2c)) at++
    if (at === first || !isDigit(bytes[first]!)) return NONE
    if (at < stop) {
      if (bytes[at++] !== 0x2e) return NONE
      const fraction = at
      while (at < stop && isDigit(bytes[at]!)) at++
      if (at < stop || at === fraction) return NONE
    }
    return before + after > 0 ? DICTIONARY : FORMAT
  },
}

const utf8 = (text: string) => new TextEncoder().encode(text)
const BEFORE = ['¥', '￥', 'RMB', 'CNY'].map(utf8)
const AFTER = ['万元', '元', '圆', 'RMB', 'CNY'].map(utf8)

/** Bytes of the mark at that end, a space beside it included; 0 where there is none. */
function marked(
  bytes: Uint8Array,
  start: number,
  end: number,
  marks: readonly Uint8Array[],
  last: boolean,
): number {
  // the mark is no digit: most values have none
  if (isDigit(bytes[last ? end - 1 : start]!)) return 0
  for (const mark of marks) {
    const at = last ? end - mark.length : start
    if (at < start || !mark.every((byte, index) => bytes[at + index] === byte)) continue
    const beside = bytes[last ? at - 1 : at + mark.length]
    return mark.length + (beside === 0x20 ? 1 : 0)
  }
  return 0
}
