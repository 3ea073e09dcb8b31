/** Reading digits and dates from bytes, for recognizers. */

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

export function allDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isDigit(bytes[at]!)) return false
  return true
}

/** The number that `count` digits make; the caller knows that they are digits. */
export function numberAt(bytes: Uint8Array, start: number, count: number): number {
  let number = 0
  for (let at = start; at < start + count; at++) number = number * 10 + bytes[at]! - 0x30
  return number
}

/** A day of the Gregorian calendar from 1800 to 2099: registers hold the dead as well. */
export function isDate(year: number, month: number, day: number): boolean {
  if (year < 1800 || year > 2099 || month < 1 || month > 12 || day < 1) return false
  if (month !== 2) return day <= (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31)
  return day <= (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28)
}

/** The digits of the value that was gathered last, each a number from 0 to 9. */
export const gathered = new Uint8Array(24)

/**
 * Gathers the digits of a value that may be grouped by single spaces or hyphens, into `gathered`.
 *
 * @param most at most so many, up to 24
 * @returns how many there are; -1 where there are more, another character, or separators at an end or in a row
 */
export function gatherDigits(bytes: Uint8Array, start: number, end: number, most: number): number {
  let count = 0
  let separated = true
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (isDigit(byte)) {
      if (count === most) return -1
      gathered[count++] = byte - 0x30
      separated = false
    } else {
      if (separated || (byte !== 0x20 && byte !== 0x2d)) return -1
      separated = true
    }
  }
  return separated ? -1 : count
}
