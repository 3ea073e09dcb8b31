import { FF1 as nobleFf1 } from '@noble/ciphers/ff1.js'
import { blockCipher, ff1 } from '@sluice/core/desensitize/cipher'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, seeded, vectors } from './vectors.ts'

interface Vector {
  readonly radix?: number
  readonly alphabet?: string
  readonly key: string
  readonly tweak: string
  readonly plain: string
  readonly cipher: string
}

describe('FF1', () => {
  it.each(['ff1-nist-samples', 'ff1-acvp', 'ff1-wycheproof'])('%s, there and back', name => {
    for (const { radix, alphabet, key, tweak, plain, cipher } of vectors<Vector>(name)) {
      const numerals = alphabet ?? '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, radix)
      const split = (text: string) =>
        halves(
          [...text].map(numeral => numerals.indexOf(numeral)),
          numerals.length,
        )
      const mode = ff1(blockCipher('aes', bytes(key)), numerals.length, plain.length, bytes(tweak))
      const [left, right] = split(plain)
      mode.encrypt(left, right)
      expect([left, right]).toEqual(split(cipher))
      mode.decrypt(left, right)
      expect([left, right]).toEqual(split(plain))
    }
  })

  it('is that of @noble/ciphers for every radix and length, the largest halves too', () => {
    const radixAndLength = fc
      .integer({ min: 2, max: 65_536 })
      .chain(radix => {
        const least = Math.max(2, Math.ceil(Math.log(1e6) / Math.log(radix)) + 1)
        const most = 2 * Math.floor(52 / Math.log2(radix))
        return fc.tuple(fc.constant(radix), fc.integer({ min: Math.min(least, most), max: most }))
      })
      .filter(([radix, length]) => radix ** Math.ceil(length / 2) <= 2 ** 52 && radix ** length >= 1e6)
    fc.assert(
      fc.property(
        radixAndLength,
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: 1 }),
        (shape, tweak, seed) => {
          const [radix, length] = shape
          const key = seeded(seed)(32)
          const random = seeded(seed + 1)
          const values = Array.from({ length: 5 }, (_, row) =>
            Array.from({ length }, () => {
              const [high, low] = random(2)
              // the first row is the largest value: every carry that there can be
              return row === 0 ? radix - 1 : (high! * 256 + low!) % radix
            }),
          )
          const mode = ff1(blockCipher('aes', key), radix, length, tweak)
          const peer = nobleFf1(radix, key, tweak)
          const columns = values.map(value => halves(value, radix))
          const left = Float64Array.from(columns, ([a]) => a[0]!)
          const right = Float64Array.from(columns, ([, b]) => b[0]!)
          mode.encrypt(left, right)
          for (const [row, value] of values.entries()) {
            const [a, b] = halves(peer.encrypt(value), radix)
            expect([left[row], right[row]]).toEqual([a[0], b[0]])
          }
        },
      ),
      { seed: 38, numRuns: 150 },
    )
  })

  it('is a permutation of a whole domain', () => {
    const mode = ff1(blockCipher('aes', seeded(5)(16)), 10, 6)
    const [left, right] = numbers(1e6)
    mode.encrypt(left, right)
    const seen = new Uint8Array(1e6)
    let moved = 0
    for (let i = 0; i < 1e6; i++) {
      const value = left[i]! * 1000 + right[i]!
      seen[value] = 1
      if (value !== i) moved++
    }
    expect(seen.every(mark => mark === 1)).toBe(true)
    // a random permutation leaves one value in its place on average, more than 20 with a chance below 10^-18
    expect(moved).toBeGreaterThan(1e6 - 20)
    mode.decrypt(left, right)
    expect(left.every((value, i) => value === Math.floor(i / 1000))).toBe(true)
    expect(right.every((value, i) => value === i % 1000)).toBe(true)
  })

  it('with SM4 is another permutation, there and back', () => {
    const encrypted = (['aes', 'sm4'] as const).map(name => {
      const mode = ff1(blockCipher(name, seeded(5)(16)), 10, 6)
      const [left, right] = numbers(10_000)
      mode.encrypt(left, right)
      const values = left.map((value, i) => value * 1000 + right[i]!)
      mode.decrypt(left, right)
      expect([left, right]).toEqual(numbers(10_000))
      return values
    })
    for (const values of encrypted) expect(new Set(values).size).toBe(10_000)
    expect(encrypted[0]!.filter((value, i) => value === encrypted[1]![i]).length).toBeLessThan(10)
  })

  it('refuses domains below a million values, and halves that a double does not hold', async () => {
    const aes = blockCipher('aes', new Uint8Array(16))
    for (const [radix, length] of [
      [10, 5],
      [10, 4],
      [2, 19],
      [999, 2],
      [1, 30],
      [65_537, 4],
      [65_536, 1],
    ] as const) {
      await expect(() => ff1(aes, radix, length)).toThrowWithCode('RULE_INVALID', 'ff1.domain')
    }
    for (const [radix, length] of [
      [10, 31],
      [36, 21],
      [65_536, 7],
    ] as const) {
      await expect(() => ff1(aes, radix, length)).toThrowWithCode('RULE_INVALID', 'ff1.length')
    }
    for (const [radix, length] of [
      [10, 6],
      [10, 30],
      [36, 20],
      [1000, 2],
      [2, 104],
    ] as const) {
      expect(ff1(aes, radix, length).rightDomain).toBe(radix ** Math.ceil(length / 2))
    }
  })
})

/** The numbers of both halves of a value, as columns of one row. */
function halves(numerals: readonly number[], radix: number): [Float64Array, Float64Array] {
  const number = (part: readonly number[]) =>
    Float64Array.of(part.reduce((sum, next) => sum * radix + next, 0))
  const middle = Math.floor(numerals.length / 2)
  return [number(numerals.slice(0, middle)), number(numerals.slice(middle))]
}

/** The first values of six digits, in halves. */
function numbers(count: number): [Float64Array, Float64Array] {
  return [
    Float64Array.from({ length: count }, (_, i) => Math.floor(i / 1000)),
    Float64Array.from({ length: count }, (_, i) => i % 1000),
  ]
}
