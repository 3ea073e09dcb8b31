import type { TextTransform } from '../text-map.js'
import { HAN_CLASS, hanLength } from './han.js'
import { MARK } from './shape.js'

/** 姓名: Han characters, two or more, with `·` between the parts of a name (GB 18030 A1A4). */
export const NAME_PATTERN = `[${HAN_CLASS}]{2,}(?:·[${HAN_CLASS}]+)*|[${HAN_CLASS}](?:·[${HAN_CLASS}]+)+`

/** The longest name, in characters, that passes for one. */
export const NAME_LONGEST = 32

const MARK_BYTE = MARK.charCodeAt(0)

/** The first character stays, each other is a mark. A name in other letters does not fit. */
export const nameTransform: TextTransform = (bytes, start, end, out) => {
  const first = hanLength(bytes, start, end)
  if (first === 0 || first === end - start) return false
  out.reserve(first + NAME_LONGEST)
  const { bytes: target } = out
  let { size } = out
  for (let k = 0; k < first; k++) target[size++] = bytes[start + k]!
  let characters = 1
  let afterDot = false
  for (let at = start + first; at < end; ) {
    const length = hanLength(bytes, at, end)
    if (length > 0) {
      at += length
      afterDot = false
    } else {
      // U+00B7, between two Han characters
      if (afterDot || bytes[at] !== 0xc2 || bytes[at + 1] !== 0xb7 || at + 2 >= end) return false
      at += 2
      afterDot = true
    }
    if (++characters > NAME_LONGEST) return false
    target[size++] = MARK_BYTE
  }
  out.size = size
  return true
}
