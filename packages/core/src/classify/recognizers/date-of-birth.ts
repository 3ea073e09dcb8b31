import { FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { ANY, DIGIT } from '../shape.js'
import { dateEnd } from './date.js'

/** 出生日期: a date; that somebody was born on it, only the column's name can say. */
export const dateOfBirth: Recognizer = {
  length: [8, 40],
  only: ANY,
  needs: DIGIT,
  weights: { format: 0.25 },
  match: (bytes, start, end) => (dateEnd(bytes, start, end) > 0 ? FORMAT : NONE),
}
