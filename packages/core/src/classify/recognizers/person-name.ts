import { DICTIONARY, FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { OTHER, WIDE } from '../shape.js'
import { codePointAt, isHan, widthOf } from './han.js'
import { isSurname, isTwoCharacterSurname } from './surnames.js'

/**
 * 姓名: two to four Chinese characters that begin with a surname, or parts between dots, as Uyghur, Tibetan and foreign
 * names are written. Many words begin with a surname's character (黄金, 高级), about one in four: so nearly all values of
 * a column have to.
 */
export const personName: Recognizer = {
  length: [6, 60],
  only: WIDE | OTHER,
  needs: WIDE,
  weights: { format: 0.15, dictionary: 0.75 },
  diverse: true,
  match(bytes, start, end) {
    let characters = 0
    let dots = 0
    let first = 0
    let second = 0
    for (let at = start; at < end; ) {
      const codePoint = codePointAt(bytes, at)
      at += widthOf(bytes[at]!)
      if (isHan(codePoint)) {
        characters++
        if (characters === 1) first = codePoint
        else if (characters === 2) second = codePoint
      } else if (DOTS.includes(codePoint) && characters > 0 && at < end) dots++
      else return NONE
    }
    if (dots > 0) return characters >= 4 && characters <= 19 ? DICTIONARY : NONE
    if (characters < 2 || characters > 4) return NONE
    if (characters > 2 && isTwoCharacterSurname(first, second)) return DICTIONARY
    return characters < 4 && isSurname(first) ? DICTIONARY : FORMAT
  },
}

/** `·` and what is written for it. */
const DOTS = [0xb7, 0x2022, 0x30fb, 0x2027]
