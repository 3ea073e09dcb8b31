import { FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { ANY, DIGIT } from '../shape.js'
import { allDigits, isDate, isDigit, numberAt } from './digits.js'

/** A date or a time: year, month and day as ISO 8601 writes them, with `/`, `.` or 年月日, and a time of day or none. */
export const date: Recognizer = {
  length: [8, 40],
  only: ANY,
  needs: DIGIT,
  weights: { format: 0.85 },
  match: (bytes, start, end) => (dateEnd(bytes, start, end) > 0 ? FORMAT : NONE),
}

/**
 * Reads a date, and after it a time of day or nothing.
 *
 * @returns where the date ends; 0 where there is none
 */
export function dateEnd(bytes: Uint8Array, start: number, end: number): number {
  if (!allDigits(bytes, start, start + 4)) return 0
  const year = numberAt(bytes, start, 4)
  if (end - start === 8 && allDigits(bytes, start, end)) {
    return isDate(year, numberAt(bytes, start + 4, 2), numberAt(bytes, start + 6, 2)) ? end : 0
  }
  const chinese = bytes[start + 4] === 0xe5
  if (chinese ? skip(bytes, start + 4, YEAR) === 0 : !SEPARATORS.includes(bytes[start + 4]!)) return 0
  let at = start + (chinese ? 4 + YEAR.length : 5)
  const month = oneOrTwo(bytes, at)
  at += month.digits
  if (chinese) at += skip(bytes, at, MONTH)
  else if (bytes[at++] !== bytes[start + 4]) return 0
  const day = oneOrTwo(bytes, at)
  at += day.digits
  if (chinese) at += skip(bytes, at, DAY)
  if (!isDate(year, month.number, day.number) || at > end) return 0
  return at === end || isTime(bytes, at, end) ? at : 0
}

const SEPARATORS = [0x2d, 0x2f, 0x2e]
const YEAR = [0xe5, 0xb9, 0xb4]
const MONTH = [0xe6, 0x9c, 0x88]
const DAY = [0xe6, 0x97, 0xa5]

function skip(bytes: Uint8Array, at: number, character: readonly number[]): number {
  return character.every((byte, index) => bytes[at + index] === byte) ? character.length : 0
}

function oneOrTwo(bytes: Uint8Array, at: number): { number: number; digits: number } {
  const digits = isDigit(bytes[at] ?? 0) ? (isDigit(bytes[at + 1] ?? 0) ? 2 : 1) : 0
  return { number: numberAt(bytes, at, digits), digits }
}

/** A space or T, hours and minutes, then whatever a time of day is made of. */
function isTime(bytes: Uint8Array, start: number, end: number): boolean {
  const mark = bytes[start]
  if (mark !== 0x20 && mark !== 0x54) return false
  const hour = oneOrTwo(bytes, start + 1)
  const colon = start + 1 + hour.digits
  if (hour.digits === 0 || hour.number > 24 || bytes[colon] !== 0x3a) return false
  for (let at = colon + 1; at < end; at++) {
    const byte = bytes[at]!
    if (!isDigit(byte) && !TIME.includes(byte)) return false
  }
  return end - colon >= 3
}

/** `:`, `.`, `+`, `-`, `Z` and a space. */
const TIME = [0x3a, 0x2e, 0x2b, 0x2d, 0x5a, 0x20]
