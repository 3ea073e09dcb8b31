import { createCipheriv } from 'node:crypto'
import {
  AesCtrPrg,
  affine,
  combine,
  cross,
  crossDot,
  divideUnsigned,
  dot,
  fromPlanes,
  prefixSums,
  shiftRight,
  sum,
  toPlanes,
  type Words,
} from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'

const stream = (seed: number) => new AesCtrPrg(Buffer.alloc(16, seed))
const mod = (value: bigint) => BigInt.asUintN(64, value)
const EDGES = [0n, 1n, 2n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]
const LENGTHS = [0, 1, 2, 63, 64, 65, 127, 4095, 4096, 4097, 10_000]

/** Random words with the ring's edges among them, in every pairing where the columns are long enough. */
function columns(length: number, count: number): Words[] {
  return Array.from({ length: count }, (_, column) => {
    const words = stream(column + 1).words(length)
    for (let i = 0; i < Math.min(length, EDGES.length ** 2); i++) {
      words[i] = column % 2 === 0 ? EDGES[i % EDGES.length]! : EDGES[Math.floor(i / EDGES.length)]!
    }
    return words
  })
}

describe('the kernels agree with big integers', () => {
  it.each(LENGTHS)('word by word over %i words', length => {
    const [a, b] = columns(length, 2) as [Words, Words]
    const oracles = {
      add: (x: bigint, y: bigint) => x + y,
      sub: (x: bigint, y: bigint) => x - y,
      mul: (x: bigint, y: bigint) => x * y,
      xor: (x: bigint, y: bigint) => x ^ y,
      and: (x: bigint, y: bigint) => x & y,
    }
    for (const [name, oracle] of Object.entries(oracles)) {
      expect(combine(name as keyof typeof oracles, a, b)).toEqual(a.map((x, i) => mod(oracle(x, b[i]!))))
    }
    expect(affine(a, 2n ** 64n - 3n, 7n)).toEqual(a.map(x => mod(x * -3n + 7n)))
  })

  it.each(LENGTHS)('shifts, quotients and prefix sums over %i words', length => {
    const [a] = columns(length, 1) as [Words]
    for (const bits of [0, 1, 17, 63]) {
      expect(shiftRight('shiftUnsigned', a, bits)).toEqual(a.map(x => x >> BigInt(bits)))
      expect(shiftRight('shiftSigned', a, bits)).toEqual(
        a.map(x => mod(BigInt.asIntN(64, x) >> BigInt(bits))),
      )
    }
    for (const divisor of [1n, 3n, 10n ** 9n, 2n ** 64n - 1n])
      expect(divideUnsigned(a, divisor)).toEqual(a.map(x => x / divisor))
    let total = 0n
    expect(prefixSums(a)).toEqual(
      a.map(x => {
        total = mod(total + x)
        return total
      }),
    )
  })

  it.each(LENGTHS)('sums and inner products over %i words', length => {
    const [a, b, c, d] = columns(length, 4) as [Words, Words, Words, Words]
    expect(sum(a)).toBe(mod(a.reduce((total, x) => total + x, 0n)))
    expect(dot(a, b)).toBe(mod(a.reduce((total, x, i) => total + x * b[i]!, 0n)))
    expect(crossDot(a, b, c, d)).toBe(
      mod(a.reduce((total, x, i) => total + x * c[i]! + x * d[i]! + b[i]! * c[i]!, 0n)),
    )
  })

  it.each(LENGTHS)('masked products of shares over %i words', length => {
    const [a, b, c, d] = columns(length, 4) as [Words, Words, Words, Words]
    const [m, k] = [stream(9).words(length), stream(10).words(length)]
    expect(cross('crossMul', [a, b], [c, d], [stream(9), stream(10)])).toEqual(
      a.map((x, i) => mod(x * c[i]! + x * d[i]! + b[i]! * c[i]! + m[i]! - k[i]!)),
    )
    expect(cross('crossAnd', [a, b], [c, d], [stream(9), stream(10)])).toEqual(
      a.map((x, i) => (x & c[i]!) ^ (x & d[i]!) ^ (b[i]! & c[i]!) ^ m[i]! ^ k[i]!),
    )
  })

  it('refuses columns of different lengths', async () => {
    const [a, b] = [new BigUint64Array(2), new BigUint64Array(3)]
    await expect(() => combine('add', a, b)).toThrowWithCode('INTERNAL')
    await expect(() => cross('crossMul', [a, a], [a, b], [stream(1), stream(2)])).toThrowWithCode('INTERNAL')
    await expect(() => fromPlanes(b, 5)).toThrowWithCode('INTERNAL')
  })
})

describe('bit slicing', () => {
  it.each(LENGTHS)('%i values to planes and back', length => {
    const [a] = columns(length, 1) as [Words]
    const planes = toPlanes(a)
    const width = Math.ceil(length / 64)
    expect(planes.length).toBe(width * 64)
    const expected = new BigUint64Array(width * 64)
    a.forEach((x, i) => {
      for (let plane = 0; plane < 64; plane++) {
        expected[plane * width + (i >> 6)]! |= ((x >> BigInt(plane)) & 1n) << BigInt(i & 63)
      }
    })
    expect(planes).toEqual(expected)
    expect(fromPlanes(planes, length)).toEqual(a)
  })
})

describe('the pseudorandom stream', () => {
  it('is the keystream of AES-CTR (NIST SP 800-38A, F.5.1, checked through the cipher)', () => {
    const key = Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex')
    const expected = createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(300_000))
    const bytes = new Uint8Array(300_000)
    new AesCtrPrg(key).fill(bytes)
    expect(Buffer.compare(bytes, expected)).toBe(0)
  })

  it('goes on where it stopped, however it is cut', () => {
    const whole = stream(3).words(20_000)
    const prg = stream(3)
    const parts = [1, 4095, 9000, 6904].flatMap(length => [...prg.words(length)])
    expect(new BigUint64Array(parts)).toEqual(whole)
  })
})
