import {
  chooseParameters,
  ciphertextBytes,
  largestTotal,
  mostContributions,
  PARAMETER_SETS,
  parameterSet,
} from '@sluice/core/he'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.ts'

/**
 * HomomorphicEncryption.org standard (ePrint 2019/939), table 1: the largest log2 of the coefficient modulus, ternary
 * secret, classical security, by degree and bits.
 */
const STANDARD: Readonly<Record<number, Readonly<Record<128 | 192 | 256, number>>>> = {
  1024: { 128: 27, 192: 19, 256: 14 },
  2048: { 128: 54, 192: 37, 256: 29 },
  4096: { 128: 109, 192: 75, 256: 58 },
  8192: { 128: 218, 192: 152, 256: 118 },
}

describe.each(PARAMETER_SETS.map(set => [set.name, parameterSet(set.name)] as const))('%s', (_, set) => {
  const keyPrimes = [...set.coefficientPrimes, ...(set.specialPrime === null ? [] : [set.specialPrime])]

  it('has 128 bits by the standard’s table, the special prime counted', () => {
    const product = keyPrimes.reduce((all, prime) => all * prime, 1n)
    expect(product < 1n << BigInt(STANDARD[set.degree]![128])).toBe(true)
    // the table could say no
    expect(product < 1n << BigInt(STANDARD[set.degree]![192])).toBe(false)
  })

  it('has primes that are prime, different, and fit the degree', () => {
    for (const prime of [...keyPrimes, ...set.plainPrimes]) {
      expect(isPrime(prime), String(prime)).toBe(true)
      expect(prime % BigInt(2 * set.degree), 'one residue class has the roots of unity').toBe(1n)
    }
    expect(new Set([...keyPrimes, ...set.plainPrimes]).size).toBe(keyPrimes.length + set.plainPrimes.length)
  })

  it('is chosen up to its bound and no further', () => {
    const contributors = 100
    const most = largestTotal(set) / BigInt(contributors)
    expect(chooseParameters({ contributors, maximum: most }).name).toBe(set.name)
    const next = PARAMETER_SETS[PARAMETER_SETS.findIndex(({ name }) => name === set.name) + 1]
    const beyond = () => chooseParameters({ contributors, maximum: most + 1n })
    if (next) expect(beyond().name).toBe(next.name)
    else expect(failure(beyond)).toMatchObject({ code: 'PARAMETER_INVALID', rule: 'he.range' })
  })
})

describe('the table', () => {
  it('gives totals of 30 bits half the bytes of totals of 50 bits, slot for slot', () => {
    const perSlot = (maximum: bigint) => {
      const set = chooseParameters({ contributors: 1000, maximum: maximum / 1000n })
      return ciphertextBytes(set) / set.degree
    }
    expect(perSlot(1n << 30n) / perSlot(1n << 50n)).toBeCloseTo(0.5, 2)
  })

  it('adds at least a thousand contributions in every set', () => {
    for (const set of PARAMETER_SETS) expect(mostContributions(parameterSet(set.name))).toBeGreaterThan(1000)
  })

  it('goes to a wider set, then refuses, where there are too many contributors', () => {
    const narrow = mostContributions(parameterSet('bgv-2048-33'))
    expect(chooseParameters({ contributors: narrow, maximum: 1n }).name).toBe('bgv-2048-33')
    expect(chooseParameters({ contributors: narrow + 1, maximum: 1n }).name).toBe('bgv-4096-60')
    expect(failure(() => chooseParameters({ contributors: 1_000_000, maximum: 1n }))).toMatchObject({
      code: 'PARAMETER_INVALID',
      rule: 'he.contributors',
    })
  })

  it('knows no other name', () => {
    expect(failure(() => parameterSet('bgv-1024-20'))).toMatchObject({ code: 'PARAMETER_INVALID' })
  })
})

/** Miller-Rabin with the bases that decide below 3.3·10^24 (Sorenson and Webster, 2015). */
function isPrime(n: bigint): boolean {
  let odd = n - 1n
  let twos = 0
  while (odd % 2n === 0n) {
    odd /= 2n
    twos++
  }
  return [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n].every(base => {
    let x = power(base, odd, n)
    if (x === 1n || x === n - 1n) return true
    for (let i = 1; i < twos; i++) {
      x = (x * x) % n
      if (x === n - 1n) return true
    }
    return false
  })
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (
    let square = base % modulus, rest = exponent;
    rest > 0n;
    rest >>= 1n, square = (square * square) % modulus
  ) {
    if (rest & 1n) result = (result * square) % modulus
  }
  return result
}
