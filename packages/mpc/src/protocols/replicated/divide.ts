import { SluiceError } from '@sluice/core'
import { type Protocol, together } from '../../session/protocol.js'
import { isNegative, isZero } from './compare.js'
import { planesToArithmetic, toBits } from './convert.js'
import { multiply } from './multiply.js'
import type { Party } from './party.js'
import { type Arithmetic, add, affineOf, arithmetic, concatenate, not, padded, subtract } from './shares.js'

/** Digits after the point: of base 10 for decimals, of base 2 for binary fractions. */
export interface Fraction {
  readonly base: 2 | 10
  readonly digits: number
}

export interface DivideOptions {
  /** dividend and divisor lie within ±2^bits; 1 to 59, 59 unless said */
  readonly bits?: number
  /** the quotient is scaled by base^digits; an integer unless said */
  readonly fraction?: Fraction
}

/**
 * Quotients of signed values, rounded towards zero as SQL rounds integers, and exact: ±⌊|a|·base^digits / |b|⌋. Long
 * division (Knuth, The Art of Computer Programming, volume 2, section 4.3.1, on shares): a digit of the quotient is how
 * many of the multiples 1·|b|, 2·|b|, 3·|b| the remainder reaches. A quotient by zero is zero.
 *
 * Where |a| or |b| is 2^bits or more, or the scaled quotient 2^63 or more, the result is wrong, and nothing shows it.
 *
 * Rounds: 11 for each digit, of which there is one for every two bits and one for each of the fraction's; beside them
 * 22 with 59 bits. Then a party sends 3.6 kB for each value, party 0 5.6 kB: meant for results, such as means of cells,
 * rather than for columns of many rows.
 *
 * @throws SluiceError PARAMETER_INVALID
 */
export function* divide(
  party: Party,
  a: Arithmetic,
  b: Arithmetic,
  { bits = MAXIMUM_BITS, fraction = { base: 2, digits: 0 } }: DivideOptions = {},
): Protocol<Arithmetic> {
  checkBits(bits)
  checkFraction(fraction)
  const rows = a.own.length
  const [signs, zero] = yield* together(isNegative(party, padded([a, b])), isZero(party, b))
  const conditions = yield* planesToArithmetic(party, concatenate([signs, zero]), 3, rows)
  const [negativeA, negativeB, byZero] = conditions as [Arithmetic, Arithmetic, Arithmetic]
  const [dividend, divisor, both] = yield* together(
    multiply(party, a, affineOf(party, negativeA, MINUS_TWO, 1n)),
    multiply(party, b, affineOf(party, negativeB, MINUS_TWO, 1n)),
    multiply(party, negativeA, negativeB),
  )
  const sign = affineOf(party, subtract(add(negativeA, negativeB), add(both, both)), MINUS_TWO, 1n)
  const [planes, factor] = yield* together(
    toBits(party, dividend, bits),
    multiply(party, sign, affineOf(party, byZero, MINUS_ONE, 1n)),
  )
  const incoming = digitsOf(yield* planesToArithmetic(party, planes, bits, rows))
  let quotient = zeros(rows)
  let remainder = zeros(rows)
  for (const digit of incoming) {
    const held = yield* multiplesIn(party, add(affineOf(party, remainder, 4n, 0n), digit), divisor, 4)
    quotient = add(affineOf(party, quotient, 4n, 0n), held.digit)
    remainder = held.remainder
  }
  const base = BigInt(fraction.base)
  for (let digit = 0; digit < fraction.digits; digit++) {
    const held = yield* multiplesIn(party, affineOf(party, remainder, base, 0n), divisor, fraction.base)
    quotient = add(affineOf(party, quotient, base, 0n), held.digit)
    remainder = held.remainder
  }
  return yield* multiply(party, quotient, factor)
}

/**
 * ⌊√(x·4^digits)⌋, the square root with so many binary digits after the point, exact: a digit at a time (Warren,
 * Hacker's Delight, 2nd edition, section 11-1, on shares). For decimals of s digits, multiply by 10^s before and ask
 * for no digits. Of negative values, and where x is 2^bits or more, the result is wrong, and nothing shows it.
 *
 * Rounds: 11 for each digit of the root, of which there is one for every two bits and one for each after the point;
 * beside them 10 with 59 bits.
 *
 * @param bits 1 to 59
 * @param digits binary digits after the point; with half of `bits`, 58 at most
 * @throws SluiceError PARAMETER_INVALID
 */
export function* squareRoot(
  party: Party,
  x: Arithmetic,
  { bits = MAXIMUM_BITS, digits = 0 }: { bits?: number; digits?: number } = {},
): Protocol<Arithmetic> {
  checkBits(bits)
  const rows = x.own.length
  const planes = yield* planesToArithmetic(party, yield* toBits(party, x, bits), bits, rows)
  const incoming = [...digitsOf(planes), ...Array.from({ length: digits }, () => zeros(rows))]
  if (!Number.isInteger(digits) || digits < 0 || incoming.length > 58) {
    throw invalid('digits is negative, or the root has more than 58', 'Ask for fewer digits.')
  }
  let root = zeros(rows)
  let remainder = zeros(rows)
  for (const pair of incoming) {
    remainder = add(affineOf(party, remainder, 4n, 0n), pair)
    const step = yield* multiplesIn(party, remainder, affineOf(party, root, 4n, 1n), 2)
    remainder = step.remainder
    root = add(affineOf(party, root, 2n, 0n), step.digit)
  }
  return root
}

/** How many times the divisor is in the remainder, which is below `base` times it; and what is left. */
function* multiplesIn(
  party: Party,
  remainder: Arithmetic,
  divisor: Arithmetic,
  base: number,
): Protocol<{ digit: Arithmetic; remainder: Arithmetic }> {
  const multiples = Array.from({ length: base - 1 }, (_, i) =>
    subtract(remainder, affineOf(party, divisor, BigInt(i + 1), 0n)),
  )
  const reached = not(party, yield* isNegative(party, padded(multiples)))
  const digit = (yield* planesToArithmetic(party, reached, base - 1, remainder.own.length)).reduce(add)
  return { digit, remainder: subtract(remainder, yield* multiply(party, digit, divisor)) }
}

/** Bits, the lowest first, as digits of base 4, the highest first. */
function digitsOf(bits: readonly Arithmetic[]): Arithmetic[] {
  const digits: Arithmetic[] = []
  for (let low = 0; low < bits.length; low += 2) {
    const high = bits[low + 1]
    digits.unshift(high === undefined ? bits[low]! : add(bits[low]!, add(high, high)))
  }
  return digits
}

function zeros(rows: number): Arithmetic {
  return arithmetic(new BigUint64Array(rows), new BigUint64Array(rows))
}

/** Ten divisors still have to be less than 2^63. */
const MAXIMUM_BITS = 59
const MINUS_ONE = 2n ** 64n - 1n
const MINUS_TWO = 2n ** 64n - 2n

function checkBits(bits: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > MAXIMUM_BITS) {
    throw invalid(`bits is not 1 to ${MAXIMUM_BITS}`, `Give an integer of 1 to ${MAXIMUM_BITS}.`)
  }
}

function checkFraction({ base, digits }: Fraction): void {
  const range = base === 2 ? 62 : 18
  if (!Number.isInteger(digits) || digits < 0 || digits > range) {
    throw invalid(`the fraction has not 0 to ${range} digits`, `Ask for 0 to ${range} digits.`)
  }
}

function invalid(reason: string, remedy: string): SluiceError {
  return new SluiceError('PARAMETER_INVALID', reason, { rule: 'mpc.parameters', remedy })
}
