import type { Protocol } from '@sluice/mpc'
import { type Arithmetic, type DivideOptions, divide, inputOf, squareRoot } from '@sluice/mpc/replicated'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { at, column, costOf, mod, opened, pairs, signed, stream } from './local.js'

const quotients = (a: Words, b: Words, options?: DivideOptions) =>
  opened(function* (party) {
    const x = yield* inputOf(party, 0, at(party, 0, a))
    const y = yield* inputOf(party, 2, at(party, 2, b))
    return yield* divide(party, x, y, options)
  }).output

const roots = (a: Words, options?: { bits?: number; digits?: number }) =>
  opened(function* (party): Protocol<Arithmetic> {
    return yield* squareRoot(party, yield* inputOf(party, 1, at(party, 1, a)), options)
  }).output

/** Rounded towards zero, as big integers and SQL do; by zero, zero. */
const expected = (a: Words, b: Words, scale = 1n) =>
  a.map((x, i) => (b[i] === 0n ? 0n : mod((signed(x) * scale) / signed(b[i]!))))

/** Random divisors of every size, zero and both signs among them. */
const within = (bits: number, length: number, seed: string) => pairs(length, seed, bits)

describe('division', () => {
  it.each([0, 1, 63, 64, 65, 2100])('is that of integers over %i values', length => {
    const [a, b] = within(60, length, 'divide')
    expect(quotients(a, b)).toEqual(expected(a, b))
  })

  it('at the edges of its range', () => {
    const top = 2n ** 59n - 1n
    const edges = [0n, 1n, -1n, 2n, 3n, top, -top, top - 1n, 1n - top, 2n ** 58n, -(2n ** 58n), 12_345n]
    const a = column(edges.flatMap(x => edges.map(() => x)))
    const b = column(edges.flatMap(() => edges))
    expect(quotients(a, b)).toEqual(expected(a, b))
  })

  it.each([1, 2, 7, 24])('of numbers of %i bits', bits => {
    const [a, b] = within(bits + 1, 500, `bits ${bits}`)
    const clamp = (x: bigint) => (mod(x) === mod(-(2n ** BigInt(bits))) ? 0n : x)
    const [x, y] = [a.map(clamp), b.map(clamp)]
    expect(quotients(x, y, { bits })).toEqual(expected(x, y))
  })

  it('to decimal and to binary places', () => {
    const [a, b] = within(30, 600, 'places')
    expect(quotients(a, b, { bits: 30, fraction: { base: 10, digits: 6 } })).toEqual(
      expected(a, b, 10n ** 6n),
    )
    expect(quotients(a, b, { bits: 30, fraction: { base: 2, digits: 24 } })).toEqual(
      expected(a, b, 2n ** 24n),
    )
  })

  it('refuses sizes that it cannot do', async () => {
    const one = column([1])
    const asked: DivideOptions[] = [
      { bits: 0 },
      { bits: 60 },
      { fraction: { base: 10, digits: 19 } },
      { fraction: { base: 2, digits: -1 } },
    ]
    for (const options of asked)
      await expect(() => quotients(one, one, options)).toThrowWithCode('PARAMETER_INVALID')
  })
})

describe('square root', () => {
  const root = (x: bigint) => {
    let low = 0n
    for (let step = 1n << 31n; step > 0n; step >>= 1n) if ((low + step) ** 2n <= x) low += step
    return low
  }

  it.each([0, 1, 64, 65, 2100])('is the whole part over %i values', length => {
    const values = stream('roots')
      .words(length)
      .map((x, i) => x >> BigInt(5 + (i % 59)))
    expect(roots(values)).toEqual(values.map(root))
  })

  it('of squares and their neighbours', () => {
    const squares = [0n, 1n, 2n, 3n, 1000n, 2n ** 29n, 759_250_124n].flatMap(x => [
      x * x - 1n,
      x * x,
      x * x + 1n,
    ])
    const values = column(squares.filter(x => x >= 0n && x < 2n ** 59n))
    expect(roots(values)).toEqual(values.map(root))
  })

  it('to binary places', () => {
    const values = column([0, 1, 2, 3, 4, 5, 1000, 65_535])
    const found = roots(values, { bits: 16, digits: 16 })
    expect(found).toEqual(values.map(x => root(x << 32n)))
  })

  it('refuses sizes that it cannot do', async () => {
    for (const options of [{ bits: 60 }, { digits: -1 }, { bits: 59, digits: 29 }])
      await expect(() => roots(column([1]), options)).toThrowWithCode('PARAMETER_INVALID')
  })
})

describe('what it costs', () => {
  it('is what the documentation says', () => {
    const [a] = within(30, 640, 'costs')
    const multiples = (count: number) => count * (181 + 64) + 64
    // signs, conditions and products; the bits of 59 (327 conjunctions) as ring elements; digits; the sign
    const divided = 2 * 181 + 63 + 3 * 64 + 3 * 64 + 327 + 64 + 59 * 64 + 30 * multiples(3) + 64
    const decimals = 2 * multiples(9)
    const rooted = 327 + 59 * 64 + 30 * multiples(1)
    // what party 0 sends more: a summand for each comparison, an element for each bit that is converted
    const more = 3 * 64 + 3 * 64 + 59 + 59 * 64 + 30 * 3 * 128
    expect(costOf(a, (party, x) => divide(party, x, x))).toEqual({
      rounds: 22 + 11 * 30,
      bits: [divided + more, divided, divided],
    })
    expect(costOf(a, (party, x) => divide(party, x, x, { fraction: { base: 10, digits: 2 } }))).toEqual({
      rounds: 22 + 11 * 32,
      bits: [divided + decimals + more + 18 * 128, divided + decimals, divided + decimals],
    })
    expect(costOf(a, (party, x) => squareRoot(party, x))).toEqual({
      rounds: 10 + 11 * 30,
      bits: [rooted + 59 + 59 * 64 + 30 * 128, rooted, rooted],
    })
  })
})
