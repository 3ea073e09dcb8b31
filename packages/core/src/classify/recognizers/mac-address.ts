import { FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, DOT, HYPHEN, LETTER, OTHER } from '../shape.js'
import { isHexadecimal } from './bytes.js'

/** MAC 地址 (IEEE 802, EUI-48): six pairs of hexadecimal digits between colons or hyphens, or three groups of four between dots. */
export const macAddress: Recognizer = {
  length: [14, 17],
  only: DIGIT | LETTER | HYPHEN | DOT | OTHER,
  needs: 0,
  oneOf: HYPHEN | DOT | OTHER,
  weights: { format: 0.95 },
  match(bytes, start, end) {
    const length = end - start
    if (length !== 17 && length !== 14) return NONE
    const group = length === 17 ? 2 : 4
    const separator = bytes[start + group]!
    if (group === 4 ? separator !== 0x2e : separator !== 0x3a && separator !== 0x2d) return NONE
    for (let i = 0; i < length; i++) {
      const byte = bytes[start + i]!
      if (i % (group + 1) === group ? byte !== separator : !isHexadecimal(byte)) return NONE
    }
    return FORMAT
  },
}
