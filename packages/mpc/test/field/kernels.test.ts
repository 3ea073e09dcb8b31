import {
  affine,
  combine,
  fromSigned,
  inverse,
  modulo,
  ORDER,
  reduce,
  SIGNED_BOUND,
  scaleAdd,
  sum,
  toSigned,
  uniform,
} from '@sluice/mpc/field'
import { AesCtrPrg, type Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'

const stream = (seed: number) => new AesCtrPrg(Buffer.alloc(16, seed))
const EDGES = [
  0n,
  1n,
  2n,
  2n ** 29n - 1n,
  2n ** 29n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 60n,
  ORDER - 2n,
  ORDER - 1n,
]
const LENGTHS = [0, 1, 2, 3, 100, 4095, 4096, 4097, 8193]

/** Random elements with the edges of the field and of the kernels' limbs among them, in every pairing. */
function columns(length: number): [Words, Words] {
  return [0, 1].map(which => {
    const elements = stream(which + 1)
      .words(length)
      .map(word => word % ORDER)
    for (let i = 0; i < Math.min(length, EDGES.length ** 2); i++) {
      elements[i] = EDGES[which === 0 ? i % EDGES.length : Math.floor(i / EDGES.length)]!
    }
    return elements
  }) as [Words, Words]
}

describe('the kernels of the field agree with big integers', () => {
  it.each(LENGTHS)('element by element over %i elements', length => {
    const [a, b] = columns(length)
    expect(combine('add', a, b)).toEqual(a.map((x, i) => modulo(x + b[i]!)))
    expect(combine('sub', a, b)).toEqual(a.map((x, i) => modulo(x - b[i]!)))
    expect(combine('mul', a, b)).toEqual(a.map((x, i) => modulo(x * b[i]!)))
    expect(sum(a)).toBe(modulo(a.reduce((total, x) => total + x, 0n)))
    for (const factor of length > 1000 ? [ORDER - 2n] : EDGES) {
      expect(scaleAdd(a, factor, b)).toEqual(a.map((x, i) => modulo(x * factor + b[i]!)))
      expect(affine(a, factor, ORDER - factor)).toEqual(a.map(x => modulo(x * factor - factor)))
    }
  })

  it('sums of the largest elements', () => {
    expect(sum(new BigUint64Array(100_000).fill(ORDER - 1n))).toBe(modulo(-100_000n))
  })

  it('any words become elements', () => {
    const words = stream(5).words(10_000)
    words.set([0n, ORDER - 1n, ORDER, ORDER + 1n, 2n * ORDER, 2n ** 64n - 1n, 2n ** 63n, 7n * ORDER])
    expect(reduce(words)).toEqual(words.map(modulo))
    expect(uniform(words)).toEqual(words.map(word => modulo(word & ORDER)))
  })

  it('inverses', () => {
    for (const x of [...EDGES.slice(1), ...columns(200)[0].slice(100)])
      expect(modulo(x * inverse(x))).toBe(1n)
    expect(modulo(inverse(-3n) * -3n)).toBe(1n)
  })

  it('refuses columns of different lengths, and the inverse of zero', async () => {
    const [a, b] = [new BigUint64Array(2), new BigUint64Array(3)]
    await expect(() => combine('mul', a, b)).toThrowWithCode('INTERNAL')
    await expect(() => scaleAdd(a, 2n, b)).toThrowWithCode('INTERNAL')
    await expect(() => inverse(ORDER)).toThrowWithCode('INTERNAL')
  })
})

describe('signed integers', () => {
  it('become elements and come back', () => {
    const values = new BigInt64Array([0n, 1n, -1n, SIGNED_BOUND - 1n, 1n - SIGNED_BOUND, 42n, -42n])
    const elements = fromSigned(values)
    expect(elements).toEqual(new BigUint64Array([...values].map(modulo)))
    expect(toSigned(elements)).toEqual(values)
  })

  it.each([SIGNED_BOUND, -SIGNED_BOUND, 2n ** 63n - 1n, -(2n ** 63n)])('refuses %i', async value => {
    await expect(() => fromSigned(new BigInt64Array([5n, value]))).toThrowWithCode('PARAMETER_INVALID')
  })
})
