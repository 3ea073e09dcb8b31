import { FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT } from '../shape.js'

/** 邮政编码: six digits, of which the first two name a province, 01 to 86. As many things have six digits, the column's name decides. */
export const postalCode: Recognizer = {
  length: [6, 6],
  only: DIGIT,
  needs: DIGIT,
  weights: { format: 0.15 },
  match(bytes, start) {
    const province = (bytes[start]! - 0x30) * 10 + bytes[start + 1]! - 0x30
    return province >= 1 && province <= 86 ? FORMAT : NONE
  },
}
