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
    if (!BEGINS[bytes[start]!]) return NONE
    const before = marked(bytes, start, end, BEFORE, false)
    let at = start + before
    const after = marked(bytes, at, end, AFTER, true)
    const stop = end - after
    if (bytes[at] === 0x2d || bytes[at] === 0x2b) at++
    const first = at
    while (at < stop && at - first <= MOST_DIGITS && (isDigit(bytes[at]!) || bytes[at] === 0x2c)) at++
    if (at === first || at - first > MOST_DIGITS || !isDigit(bytes[first]!)) return NONE
    if (at < stop) {
      if (bytes[at++] !== 0x2e) return NONE
      const fraction = at
      while (at < stop && isDigit(bytes[at]!)) at++
      if (at < stop || at === fraction) return NONE
    }
    return before + after > 0 ? DICTIONARY : FORMAT
  },
}

/** Of the whole number, separators included: 12 digits and four separators. */
const MOST_DIGITS = 16

const utf8 = (text: string) => new TextEncoder().encode(text)
const BEFORE = ['¥', '￥', 'RMB', 'CNY'].map(utf8)
const AFTER = ['万元', '元', '圆', 'RMB', 'CNY'].map(utf8)

/** Bytes that an amount can begin with: a digit, a sign, or a mark's first. */
const BEGINS = new Uint8Array(256)
for (const mark of [...BEFORE, utf8('+'), utf8('-'), ...Array.from('0123456789', utf8)]) BEGINS[mark[0]!] = 1

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
    if (at < start || !stands(bytes, at, mark)) continue
    const beside = bytes[last ? at - 1 : at + mark.length]
    return mark.length + (beside === 0x20 ? 1 : 0)
  }
  return 0
}

function stands(bytes: Uint8Array, at: number, mark: Uint8Array): boolean {
  for (let i = 0; i < mark.length; i++) if (bytes[at + i] !== mark[i]) return false
  return true
}
