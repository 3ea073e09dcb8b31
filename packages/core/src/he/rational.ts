/** An exact fraction; `denominator` is positive. Totals are exact, so what is computed from them is rounded once. */
export interface Rational {
  readonly numerator: bigint
  readonly denominator: bigint
}

export function rational(numerator: bigint, denominator = 1n): Rational {
  return denominator < 0n ? { numerator: -numerator, denominator: -denominator } : { numerator, denominator }
}

export const plus = (a: Rational, b: Rational): Rational =>
  rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator)

export const minus = (a: Rational, b: Rational): Rational => plus(a, negated(b))

export const times = (a: Rational, b: Rational): Rational =>
  rational(a.numerator * b.numerator, a.denominator * b.denominator)

/** Null where the divisor is zero. */
export const over = (a: Rational, b: Rational): Rational | null =>
  b.numerator === 0n ? null : rational(a.numerator * b.denominator, a.denominator * b.numerator)

export const negated = (a: Rational): Rational => rational(-a.numerator, a.denominator)

/** The double nearest to the fraction, to within one unit in the last place. */
export function toNumber({ numerator, denominator }: Rational): number {
  if (numerator === 0n) return 0
  const size = (numerator < 0n ? -numerator : numerator).toString(2).length
  // a quotient of 64 bits and more, so that what is cut off lies below a double's last place
  const shift = Math.max(0, 64 + denominator.toString(2).length - size)
  return Number((numerator << BigInt(shift)) / denominator) / 2 ** shift
}

/** The fraction that a finite double is, exactly. */
export function fromNumber(value: number): Rational {
  let exponent = 0
  let scaled = value
  while (!Number.isInteger(scaled)) {
    scaled *= 2
    exponent++
  }
  return rational(BigInt(scaled), 1n << BigInt(exponent))
}
