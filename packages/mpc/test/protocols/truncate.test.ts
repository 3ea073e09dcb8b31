import type { Protocol } from '@sluice/mpc'
import {
  type Arithmetic,
  add,
  divideByPublic,
  inputOf,
  known,
  type Party,
  planesToArithmetic,
  toBits,
  truncate,
  truncateProbabilistically,
} from '@sluice/mpc/replicated'
import { describe, expect, it } from 'vitest'
import { at, column, costOf, EDGES, INDICES, mod, opened, pairs, signed, stream, three } from './local.js'

const LENGTHS = [0, 1, 63, 64, 65, 1000]

/** ⌊a / b⌋, as mathematics rounds. */
const floor = (a: bigint, b: bigint) => a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n)

const over = (
  owner: number,
  values: ReturnType<typeof column>,
  of: (party: Party, x: Arithmetic) => Protocol<Arithmetic>,
) =>
  opened(function* (party) {
    const x = yield* inputOf(party, owner as 0 | 1 | 2, at(party, owner, values))
    return yield* of(party, x)
  }).output

describe('bits of a value', () => {
  it.each([1, 2, 3, 31, 32, 33, 64])('are those of two’s complement: the lowest %i', bits => {
    const [a] = pairs(500, 'bits')
    const { outputs } = three(function* (party) {
      const x = yield* inputOf(party, 1, at(party, 1, a))
      const planes = yield* planesToArithmetic(party, yield* toBits(party, x, bits), bits, a.length)
      return planes.map((plane, bit) => ({ plane, bit }))
    })
    for (let bit = 0; bit < bits; bit++) {
      const [first, second] = [outputs[0]![bit]!.plane, outputs[1]![bit]!.plane]
      const sum = first.own.map((share, i) => mod(share + first.next[i]! + second.next[i]!))
      expect(sum).toEqual(a.map(x => (x >> BigInt(bit)) & 1n))
    }
  })
})

describe('exact truncation', () => {
  it.each(LENGTHS)('rounds down, as mathematics does, over %i values', length => {
    const [a] = pairs(length, 'truncate')
    for (const bits of [0, 1, 20, 63])
      expect(over(2, a, (party, x) => truncate(party, x, bits))).toEqual(
        a.map(x => mod(signed(x) >> BigInt(bits))),
      )
  })

  it('by every number of bits, the edges of the ring included, however they are shared', () => {
    const [a] = pairs(300, 'edges')
    for (let bits = 0; bits < 64; bits++) {
      const owner = (bits % 3) as 0 | 1 | 2
      const expected = a.map(x => mod(signed(x) >> BigInt(bits)))
      expect(over(owner, a, (party, x) => truncate(party, x, bits))).toEqual(expected)
    }
  })

  it('of what everybody knows, and of sums of inputs', () => {
    const a = column(EDGES)
    const doubled = over(1, a, (party, x) => truncate(party, add(x, known(party, a)), 7))
    expect(doubled).toEqual(a.map(x => mod(signed(mod(2n * x)) >> 7n)))
  })

  it('refuses other numbers of bits', async () => {
    for (const bits of [-1, 64, 1.5, Number.NaN])
      await expect(() => over(0, column([1]), (party, x) => truncate(party, x, bits))).toThrowWithCode(
        'PARAMETER_INVALID',
      )
  })
})

describe('exact division by a public number', () => {
  const divisors = [
    1n,
    2n,
    3n,
    10n,
    100n,
    999_983n,
    10n ** 9n,
    2n ** 32n,
    10n ** 18n,
    2n ** 61n - 1n,
    2n ** 61n,
  ]

  it.each(divisors)('rounds down: by %i', divisor => {
    const [a] = pairs(400, `by ${divisor}`)
    const near =
      divisor < 2n ** 60n ? [0n, 1n, -1n, divisor, divisor - 1n, -divisor, -divisor - 1n, 1n - divisor] : []
    const values = column([...a, ...near])
    for (const owner of INDICES)
      expect(over(owner, values, (party, x) => divideByPublic(party, x, divisor))).toEqual(
        values.map(x => mod(floor(signed(x), divisor))),
      )
  })

  it.each(LENGTHS)('over %i values', length => {
    const [a] = pairs(length, 'divide')
    expect(over(0, a, (party, x) => divideByPublic(party, x, 1000n))).toEqual(
      a.map(x => mod(floor(signed(x), 1000n))),
    )
  })

  it('refuses other divisors', async () => {
    for (const divisor of [0n, -2n, 2n ** 61n + 1n])
      await expect(() =>
        over(0, column([1]), (party, x) => divideByPublic(party, x, divisor)),
      ).toThrowWithCode('PARAMETER_INVALID')
  })
})

describe('probabilistic truncation', () => {
  it('is off by at most one where values are small', () => {
    const values = stream('small')
      .words(20_000)
      .map(x => mod(signed(x) >> 40n))
    const output = over(1, values, (party, x) => truncateProbabilistically(party, x, 10))
    output.forEach((y, i) => {
      const error = signed(mod(y - mod(signed(values[i]!) >> 10n)))
      expect(error >= -1n && error <= 1n).toBe(true)
    })
  })

  it('fails grossly as often as is said: for values of 2^62, every fourth time', () => {
    const values = column(Array(4000).fill(2n ** 62n))
    const output = over(2, values, (party, x) => truncateProbabilistically(party, x, 10))
    const wrong = output.filter(y => signed(mod(y - 2n ** 52n)) ** 2n > 1n).length
    // 1,000 of 4,000 with a deviation of 27
    expect(wrong).toBeGreaterThan(850)
    expect(wrong).toBeLessThan(1150)
    const exact = over(2, values, (party, x) => truncate(party, x, 10))
    expect(exact).toEqual(values.map(() => 2n ** 52n))
  })
})

describe('what it costs', () => {
  it('is what the documentation says', () => {
    const [a] = pairs(6400, 'costs')
    expect(costOf(a, (party, x) => toBits(party, x))).toEqual({ rounds: 8, bits: [437, 373, 373] })
    // conjunctions, joints of the carries, two bits as ring elements
    const truncated = 64 + 124 + 1 - 5 + 128
    const rescaled = 64 + 126 - 6 + 64 + 3 * (181 + 64)
    expect(costOf(a, (party, x) => truncate(party, x, 20))).toEqual({
      rounds: 11,
      bits: [truncated + 64 + 64 + 128, truncated, truncated],
    })
    expect(costOf(a, (party, x) => divideByPublic(party, x, 100n))).toEqual({
      rounds: 20,
      bits: [rescaled + 64 + 2 * 64 + 64 + 3 * 128, rescaled, rescaled],
    })
    expect(costOf(a, (party, x) => truncateProbabilistically(party, x, 20))).toEqual({
      rounds: 1,
      bits: [64, 0, 0],
    })
  })
})
