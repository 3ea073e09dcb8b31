import { SluiceError } from '@sluice/core'
import { affine, combine, divideUnsigned, shiftRight, type Words } from '../../ring/kernels.js'
import { type Protocol, together } from '../../session/protocol.js'
import { joinSegments } from './adder.js'
import { isNegative } from './compare.js'
import { bitsToArithmetic, planesToArithmetic, summands } from './convert.js'
import { inputOf } from './input.js'
import { and } from './multiply.js'
import type { Party } from './party.js'
import {
  type Arithmetic,
  add,
  affineOf,
  arithmetic,
  type Binary,
  concatenate,
  not,
  only,
  padded,
  slice,
  subtract,
  xor,
} from './shares.js'

/**
 * ⌊x / 2^bits⌋ of signed values, exact for every element of the ring. With x + 2^63 = p + q − 2^64·w, of which party
 * 0 knows p and the others q, it is ⌊p / 2^bits⌋ + ⌊q / 2^bits⌋ + c − 2^(64−bits)·w − 2^(63−bits), where c is the
 * carry out of the lowest bits and w that out of all (the corrections of Catrina and de Hoogh, "Improved Primitives
 * for Secure Multiparty Integer Computation", SCN 2010, section 3, with summands that two sides know in place of a
 * masked opening).
 *
 * To round half up, add 2^(bits−1) first. Rounds: 5 and one for each doubling up to the longer of `bits` and
 * `64 − bits`; for each value a party sends 317 bits less one for each doubling up to `bits`, party 0 another 256.
 *
 * @param bits 0 to 63, public
 * @throws SluiceError PARAMETER_INVALID
 */
export function* truncate(party: Party, x: Arithmetic, bits: number): Protocol<Arithmetic> {
  if (!Number.isInteger(bits) || bits < 0 || bits > 63) throw outOfRange('bits', '0 to 63')
  if (bits === 0) return x
  const { p, q, quotients } = yield* split(party, x, column => shiftRight('shiftUnsigned', column, bits))
  const [carry, wrap] = yield* carries(party, p, q, bits)
  const [carried, wrapped] = yield* planesToArithmetic(party, concatenate([carry, wrap]), 2, x.own.length)
  const offset = -(1n << BigInt(63 - bits))
  const turns = affineOf(party, wrapped!, 1n << BigInt(64 - bits), 0n)
  return affineOf(party, add(quotients, subtract(carried!, turns)), 1n, mod(offset))
}

/**
 * ⌊x / divisor⌋ of signed values by a public divisor, exact for every element of the ring: what rescales a product of
 * decimals. As `truncate`, with remainders whose sum takes two comparisons.
 *
 * To round half up, add half the divisor first. 20 rounds; for each value a party sends 983 bits, party 0 another 640.
 *
 * @param divisor 1 to 2^61, public
 * @throws SluiceError PARAMETER_INVALID
 */
export function* divideByPublic(party: Party, x: Arithmetic, divisor: bigint): Protocol<Arithmetic> {
  if (divisor < 1n || divisor > 1n << 61n) throw outOfRange('divisor', '1 to 2^61')
  if (divisor === 1n) return x
  const rows = x.own.length
  const { p, q, quotients, remainders } = yield* split(
    party,
    x,
    column => divideUnsigned(column, divisor),
    column => combine('sub', column, affine(divideUnsigned(column, divisor), divisor, 0n)),
  )
  const wrap = yield* bitsToArithmetic(party, yield* carryOut(party, p, q), rows)
  // x + 2^63 = p + q − 2^64·w, and 2^63 in its turn: what is left lies within ±3 divisors
  const [turn, half] = [1n << 64n, 1n << 63n]
  const left = subtract(remainders!, affineOf(party, wrap, turn % divisor, half % divisor))
  const whole = subtract(quotients, affineOf(party, wrap, turn / divisor, half / divisor))
  const steps = [-1n, 0n, 1n].map(step => affineOf(party, left, 1n, mod(-step * divisor)))
  const atLeast = not(party, yield* isNegative(party, padded(steps)))
  const corrections = yield* planesToArithmetic(party, atLeast, 3, rows)
  return affineOf(party, corrections.reduce(add, whole), 1n, mod(-2n))
}

/**
 * x / 2^bits by shifting shares, for whoever chooses it (ABY3, section 5.1.1): off by at most one in the last place —
 * and **grossly wrong, by 2^(64−bits), with probability up to |x| / 2^64 for each value**, within ABY3's bound of
 * 2^(l+1−64) where |x| ≤ 2^l. Not for money: `truncate` is exact.
 *
 * One round; party 0 sends one ring element for each value.
 *
 * @param bits 0 to 63, public
 * @throws SluiceError PARAMETER_INVALID
 */
export function* truncateProbabilistically(party: Party, x: Arithmetic, bits: number): Protocol<Arithmetic> {
  if (!Number.isInteger(bits) || bits < 0 || bits > 63) throw outOfRange('bits', '0 to 63')
  const shifted = (column: Words): Words => shiftRight('shiftSigned', column, bits)
  const p = combine('add', x.own, x.next)
  const first = yield* inputOf(party, 0, party.index === 0 ? shifted(p) : x.own.length)
  const third = party.index === 0 ? x.own.length : shifted(party.index === 1 ? x.next : x.own)
  return add(first, arithmetic(...only(party, 2, third)))
}

interface Split {
  readonly p: Binary
  readonly q: Binary
  readonly quotients: Arithmetic
  readonly remainders: Arithmetic | undefined
}

/** x + 2^63 as bit-sliced summands, and what each side can work out of its own summand, added up. */
function* split(
  party: Party,
  x: Arithmetic,
  quotientOf: (summand: Words) => Words,
  remainderOf?: (summand: Words) => Words,
): Protocol<Split> {
  const shifted = affineOf(party, x, 1n, 1n << 63n)
  const first = combine('add', shifted.own, shifted.next)
  const third = party.index === 1 ? shifted.next : shifted.own
  const rows = x.own.length
  const addedUp = function* (of: (summand: Words) => Words): Protocol<Arithmetic> {
    const one = yield* inputOf(party, 0, party.index === 0 ? of(first) : rows)
    return add(one, arithmetic(...only(party, 2, party.index === 0 ? rows : of(third))))
  }
  const [[p, q], quotients, remainders] = yield* together(
    summands(party, shifted),
    addedUp(quotientOf),
    ...(remainderOf === undefined ? [] : [addedUp(remainderOf)]),
  )
  return { p, q, quotients, remainders }
}

/** The carry out of the lowest `bits` planes, and that out of all 64. */
function* carries(party: Party, p: Binary, q: Binary, bits: number): Protocol<[Binary, Binary]> {
  const width = p.own.length / 64
  const cut = bits * width
  const generate = yield* and(party, p, q)
  const propagate = xor(p, q)
  const part = (start: number, end: number) => ({
    generate: slice(generate, start, end),
    propagate: slice(propagate, start, end),
  })
  const [low, high] = yield* together(
    joinSegments(party, width, part(0, cut)),
    joinSegments(party, width, part(cut, 64 * width), true),
  )
  const carried = yield* and(party, high.propagate, low.generate)
  return [low.generate, xor(high.generate, carried)]
}

function* carryOut(party: Party, p: Binary, q: Binary): Protocol<Binary> {
  const segments = { generate: yield* and(party, p, q), propagate: xor(p, q) }
  return (yield* joinSegments(party, p.own.length / 64, segments)).generate
}

const mod = (value: bigint): bigint => BigInt.asUintN(64, value)

function outOfRange(parameter: string, range: string): SluiceError {
  return new SluiceError('PARAMETER_INVALID', `${parameter} is not within ${range}`, {
    rule: 'mpc.parameters',
    remedy: `Give an integer of ${range}.`,
  })
}
