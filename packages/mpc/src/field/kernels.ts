import { SluiceError } from '@sluice/core'
import { lazily, type SlotExports, sameLength, type Words } from '../ring/slots.js'
import kernelBytes from './field.wasm'

/** The order of the field: a prime, 2^61 − 1. Elements are words below it. */
export const ORDER = 2n ** 61n - 1n

/** Signed integers of a smaller magnitude are elements one to one; the negative ones are those above p / 2. */
export const SIGNED_BOUND = 2n ** 60n

type Binary = 'add' | 'sub' | 'mul'

/** `a ∘ b`, element by element, in a new column. */
export function combine(operation: Binary, a: Words, b: Words): Words {
  sameLength(a, b)
  const { kernels, slots, at } = instance()
  return blockwise(a.length, (start, end) => {
    slots[0]!.set(a.subarray(start, end))
    slots[1]!.set(b.subarray(start, end))
    kernels[operation](at[0]!, at[1]!, at[2]!, end - start)
  })
}

/** `factor · a + b`, in a new column. */
export function scaleAdd(a: Words, factor: bigint, b: Words): Words {
  sameLength(a, b)
  const { kernels, slots, at } = instance()
  return blockwise(a.length, (start, end) => {
    slots[0]!.set(a.subarray(start, end))
    slots[1]!.set(b.subarray(start, end))
    kernels.scaleAdd(at[0]!, modulo(factor), at[1]!, at[2]!, end - start)
  })
}

/** `factor · a + term`, in a new column. */
export function affine(a: Words, factor: bigint, term: bigint): Words {
  const { kernels, slots, at } = instance()
  return blockwise(a.length, (start, end) => {
    slots[0]!.set(a.subarray(start, end))
    kernels.affine(at[0]!, modulo(factor), modulo(term), at[2]!, end - start)
  })
}

/** Any words, such as those that came from outside, read as integers modulo p. */
export function reduce(a: Words): Words {
  const { kernels, slots, at } = instance()
  return blockwise(a.length, (start, end) => {
    slots[0]!.set(a.subarray(start, end))
    kernels.reduce(at[0]!, at[2]!, end - start)
  })
}

/**
 * Elements out of random words: the lower 61 bits. Zero has twice the weight of the others, so that a column of n
 * is within n · 2^-61 of uniform.
 */
export function uniform(random: Words): Words {
  const { kernels, slots, at } = instance()
  return blockwise(random.length, (start, end) => {
    slots[0]!.set(random.subarray(start, end))
    kernels.truncate(at[0]!, at[2]!, end - start)
  })
}

/** The sum of a column. */
export function sum(a: Words): bigint {
  const { kernels, slots, at, block } = instance()
  let total = 0n
  for (let start = 0; start < a.length; start += block) {
    const end = Math.min(start + block, a.length)
    slots[0]!.set(a.subarray(start, end))
    total += kernels.sum(at[0]!, end - start)
  }
  return total % ORDER
}

/** `1 / a`. */
export function inverse(a: bigint): bigint {
  let [x, y, u, v] = [modulo(a), ORDER, 1n, 0n]
  if (x === 0n) throw new SluiceError('INTERNAL', 'zero has no inverse')
  while (x !== 1n) {
    const quotient = y / x
    ;[x, y, u, v] = [y - quotient * x, x, v - quotient * u, u]
  }
  return modulo(u)
}

/** An integer as an element. */
export function modulo(a: bigint): bigint {
  const rest = a % ORDER
  return rest < 0n ? rest + ORDER : rest
}

/**
 * A column of two's complement as elements.
 *
 * @throws SluiceError PARAMETER_INVALID where a value's magnitude is 2^60 or more
 */
export function fromSigned(values: BigInt64Array): Words {
  const elements = new BigUint64Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value >= SIGNED_BOUND || value <= -SIGNED_BOUND) throw tooLarge()
    elements[i] = value < 0n ? value + ORDER : value
  }
  return elements
}

/** The inverse of `fromSigned`. */
export function toSigned(elements: Words): BigInt64Array<ArrayBuffer> {
  const values = new BigInt64Array(elements.length)
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i]!
    values[i] = element >= SIGNED_BOUND ? element - ORDER : element
  }
  return values
}

interface FieldKernels extends SlotExports, Record<Binary, Pairwise> {
  readonly scaleAdd: (a: number, factor: bigint, b: number, out: number, words: number) => void
  readonly affine: (a: number, factor: bigint, term: bigint, out: number, words: number) => void
  readonly reduce: (a: number, out: number, words: number) => void
  readonly truncate: (a: number, out: number, words: number) => void
  readonly sum: (a: number, words: number) => bigint
}

type Pairwise = (a: number, b: number, out: number, words: number) => void

const instance = lazily<FieldKernels>(kernelBytes, 3)

/** Kernels leave each block's result in the last slot. */
function blockwise(length: number, kernel: (start: number, end: number) => void): Words {
  const { slots, block } = instance()
  const out = new BigUint64Array(length)
  for (let start = 0; start < length; start += block) {
    const end = Math.min(start + block, length)
    kernel(start, end)
    out.set(slots[2]!.subarray(0, end - start), start)
  }
  return out
}

function tooLarge(): SluiceError {
  return new SluiceError('PARAMETER_INVALID', 'A value is too large for the field of order 2^61 − 1', {
    rule: 'field.bound',
    remedy: 'Give integers of a magnitude below 2^60; a decimal counts in its smallest unit.',
  })
}
