import type { Protocol } from '@sluice/mpc'
import {
  add,
  affineOf,
  and,
  atLeast,
  type Binary,
  bitsOf,
  bitsToArithmetic,
  concatenate,
  innerProducts,
  inputOf,
  isNegative,
  isZero,
  known,
  lessThan,
  multiply,
  noneOrEnough,
  not,
  open,
  openAtLeast,
  type Party,
  provide,
  receiveFrom,
  receiveOpened,
  subtract,
  total,
  xor,
} from '@sluice/mpc/replicated'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { at, column, costOf, INDICES, mod, opened, pairs, seeded, signed, stream, three } from './local.js'

const LENGTHS = [0, 1, 2, 63, 64, 65, 1000, 5000]
const ALL = [0, 1, 2]

describe('three parties agree with plain arithmetic', () => {
  it.each(LENGTHS)('inputs of each party, sums, differences and public terms over %i values', length => {
    const [a, b] = pairs(length, 'linear')
    for (const owner of INDICES) {
      const { output } = opened(function* (party) {
        const x = yield* inputOf(party, owner, at(party, owner, a))
        const y = yield* inputOf(party, 1, at(party, 1, b))
        const mixed = affineOf(
          party,
          subtract(add(x, y), known(party, column(Array(length).fill(9)))),
          3n,
          5n,
        )
        return mixed
      })
      expect(output).toEqual(a.map((x, i) => mod(3n * (x + b[i]! - 9n) + 5n)))
    }
  })

  it.each(LENGTHS)('products and inner products over %i values', length => {
    const [a, b] = pairs(length, 'products')
    const { output } = opened(function* (party) {
      const x = yield* inputOf(party, 0, at(party, 0, a))
      const y = yield* inputOf(party, 2, at(party, 2, b))
      return yield* multiply(party, x, y)
    })
    expect(output).toEqual(a.map((x, i) => mod(x * b[i]!)))
    const inner = opened(function* (party) {
      const x = yield* inputOf(party, 0, at(party, 0, a))
      const y = yield* inputOf(party, 2, at(party, 2, b))
      const sums = yield* innerProducts(party, [
        [x, y],
        [x, x],
      ])
      return concatenate([sums, total(x)])
    })
    const sum = (term: (x: bigint, i: number) => bigint) =>
      mod(a.reduce((whole, x, i) => whole + term(x, i), 0n))
    expect([...inner.output]).toEqual([sum((x, i) => x * b[i]!), sum(x => x * x), sum(x => x)])
  })

  it.each(LENGTHS)('signs, comparisons and equality over %i values', length => {
    const [a, b] = pairs(length, 'comparisons', 63)
    const bits = (protocol: (party: Party, x: never, y: never) => Protocol<never>) =>
      opened(function* (party) {
        const x = yield* inputOf(party, 1, at(party, 1, a))
        const y = yield* inputOf(party, 2, at(party, 2, b))
        return yield* bitsToArithmetic(party, yield* protocol(party, x as never, y as never), length)
      }).output
    const flags = (test: (x: bigint, y: bigint) => boolean) =>
      a.map((x, i) => (test(signed(x), signed(b[i]!)) ? 1n : 0n))
    expect(bits((party, x) => isNegative(party, x) as never)).toEqual(flags(x => x < 0n))
    expect(bits((party, x, y) => lessThan(party, x, y) as never)).toEqual(flags((x, y) => x < y))
    expect(bits((party, x) => atLeast(party, x, -7n) as never)).toEqual(flags(x => x >= -7n))
    expect(bits((party, x, y) => isZero(party, subtract(x, y)) as never)).toEqual(flags((x, y) => x === y))
  })

  it('the sign of every edge of the ring, however it is shared', () => {
    const [a] = pairs(2000, 'edges')
    for (const owner of INDICES) {
      const { output } = opened(function* (party) {
        const x = yield* inputOf(party, owner, at(party, owner, a))
        return yield* bitsToArithmetic(party, yield* isNegative(party, x), a.length)
      })
      expect(output).toEqual(a.map(x => (signed(x) < 0n ? 1n : 0n)))
    }
  })

  it('bits: and, exclusive or, not', () => {
    const [a, b] = [stream('bits a').words(40), stream('bits b').words(40)]
    const { output } = opened(function* (party) {
      const x = yield* bitsOf(party, 0, at(party, 0, a))
      const y = yield* bitsOf(party, 1, at(party, 1, b))
      const mixed = not(party, xor(yield* and(party, x, y), y))
      return yield* bitsToArithmetic(party, mixed, 40 * 64)
    })
    expect(output).toEqual(
      column(
        Array.from({ length: 40 * 64 }, (_, i) => {
          const [x, y] = [a[i >> 6]!, b[i >> 6]!]
          return (mod(~((x & y) ^ y)) >> BigInt(i & 63)) & 1n
        }),
      ),
    )
  })
})

describe('who gives and who gets', () => {
  it('columns come from providers outside, and go to receivers outside alone', () => {
    const [a, b] = pairs(500, 'outside')
    const providers = [a, b].map(function* (values, index): Protocol<Words | undefined> {
      yield* provide(values, seeded(`provider ${index}`))
      return index === 0 ? yield* receiveOpened(500) : undefined
    })
    const { outputs } = three<Words | undefined>(
      function* (party) {
        const x = yield* receiveFrom(party, 3, 500)
        const y = yield* receiveFrom(party, 4, 500)
        return yield* open(party, yield* multiply(party, x, y), [1, 3])
      },
      { others: providers },
    )
    const product = a.map((x, i) => mod(x * b[i]!))
    expect(outputs).toEqual([undefined, product, undefined, product, undefined])
  })
})

describe('what it costs', () => {
  const length = 6400
  const [a] = pairs(length, 'costs')
  const bitsAlone = { kind: 'binary', own: new BigUint64Array(100), next: new BigUint64Array(100) } as Binary
  const cost = (protocol: (party: Party, x: never) => Protocol<unknown>) =>
    costOf(a, (party, x) => protocol(party, x as never))

  it('is what the documentation says: rounds, and bits that each party sends for a value', () => {
    expect(cost((party, x) => multiply(party, x, x))).toEqual({ rounds: 1, bits: [64, 64, 64] })
    expect(cost((party, x) => isNegative(party, x))).toEqual({ rounds: 8, bits: [245, 181, 181] })
    expect(cost((party, x) => isZero(party, x))).toEqual({ rounds: 7, bits: [127, 63, 63] })
    expect(cost(party => bitsToArithmetic(party, bitsAlone, length))).toEqual({
      rounds: 2,
      bits: [128, 64, 64],
    })
    const cells = { counts: [], sums: [] }
    expect(cost((party, x) => openAtLeast(party, { ...cells, counts: [x], sums: [x] }, 10n, ALL))).toEqual({
      rounds: 12,
      bits: [245 + 128 + 128 + 192, 181 + 64 + 128 + 192, 181 + 64 + 128 + 192],
    })
    // each further count: a comparison, its bit as a ring element, a product; and one more where it may be zero
    const guarded = (further: (party: Party, x: never) => Protocol<Parameters<typeof openAtLeast>[4]>) =>
      cost(function* (party, x) {
        const others = yield* further(party, x)
        return yield* openAtLeast(party, { ...cells, counts: [x], sums: [x] }, 10n, ALL, others)
      })
    const furtherBits = [245 + 128 + 64, 181 + 64 + 64, 181 + 64 + 64]
    const plain = [245 + 128 + 128 + 192, 181 + 64 + 128 + 192, 181 + 64 + 128 + 192]
    // biome-ignore lint/correctness/useYield: nothing is sent for it
    const enough = guarded(function* (_, x) {
      return [[x, x]]
    })
    expect(enough).toEqual({ rounds: 12 + 2, bits: plain.map((bits, i) => bits + 2 * furtherBits[i]!) })
    const none = guarded(function* (party, x) {
      return [yield* noneOrEnough(party, [x, x], 10n)]
    })
    expect(none).toEqual({
      rounds: 12 + 2 + 1,
      bits: plain.map((bits, i) => bits + 2 * (furtherBits[i]! + 64)),
    })
    expect(cost((party, x) => open(party, x, ALL))).toEqual({ rounds: 1, bits: [64, 64, 64] })
    expect(cost((party, x) => innerProducts(party, [[x, x]]))).toEqual({
      rounds: 1,
      bits: [64 / length, 64 / length, 64 / length],
    })
  })
})
