const NUMBER = /^(-?)(\d{1,19})(?:\.(\d{1,18}))?$/

/** A decimal text as an integer of that many digits after the point; undefined where it has more, or is no number. */
export function scaled(text: string, scale: number): bigint | undefined {
  const [, sign, whole, fraction = ''] = NUMBER.exec(text) ?? []
  if (whole === undefined || fraction.length > scale) return undefined
  const value = BigInt(whole + fraction.padEnd(scale, '0'))
  return sign === '-' ? -value : value
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
