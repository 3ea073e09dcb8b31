const NUMBER = /^(-?)(\d{1,19})(?:\.(\d{1,18}))?$/
const LONG_NUMBER = /^(-?)(\d+)(?:\.(\d+))?$/

/** A decimal text as an integer of that many digits after the point; undefined where it has more, or is no number. */
export function scaled(text: string, scale: number): bigint | undefined {
  return scaledAs(NUMBER, text, scale)
}

/** The same of any number of digits. */
export function exactlyScaled(text: string, scale: number): bigint | undefined {
  return scaledAs(LONG_NUMBER, text, scale)
}

function scaledAs(form: RegExp, text: string, scale: number): bigint | undefined {
  const [, sign, whole, fraction = ''] = form.exec(text) ?? []
  if (whole === undefined || fraction.length > scale) return undefined
  const value = BigInt(whole + fraction.padEnd(scale, '0'))
  return sign === '-' ? -value : value
}

/** Digits that a double holds exactly. */
const EXACT = 15
const [MINUS, POINT, ZERO] = [45, 46, 48]

/** The same of a text in UTF-8, for the many that are short; NaN where it has more than 15 digits, or is no number. */
export function shortScaled(bytes: Uint8Array, start: number, end: number, scale: number): number {
  const first = bytes[start] === MINUS ? start + 1 : start
  let value = 0
  let point = end
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit >= 0 && digit <= 9) value = value * 10 + digit
    else if (bytes[at] === POINT && point === end && at > first && at + 1 < end) point = at
    else return Number.NaN
  }
  const fraction = Math.max(0, end - point - 1)
  const digits = point - first + scale
  if (point === first || fraction > scale || digits > EXACT) return Number.NaN
  for (let missing = scale - fraction; missing > 0; missing--) value *= 10
  return first > start ? -value : value
}

/** The inverse, with all its digits. */
export function unscaled(value: bigint, scale: number): string {
  if (scale === 0) return value.toString()
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** A value that was scaled by a power of ten, which may be below one. */
export function decimalOf(value: bigint, scale: number): string {
  return scale >= 0 ? unscaled(value, scale) : unscaled(value * 10n ** BigInt(-scale), 0)
}
