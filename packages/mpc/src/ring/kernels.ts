import { SluiceError } from '@sluice/core'
import kernelBytes from './ring.wasm'
import { lazily, type SlotExports, sameLength, type Words } from './slots.js'

export type { Words } from './slots.js'

/** Fills bytes with a pseudorandom stream, going on where it stopped. */
export interface MaskSource {
  fill(target: Uint8Array): void
}

type Binary = 'add' | 'sub' | 'mul' | 'xor' | 'and'

/** `a ∘ b`, word by word, in a new column unless another is named, which may be one of the two. */
export function combine(
  operation: Binary,
  a: Words,
  b: Words,
  out: Words = new BigUint64Array(a.length),
): Words {
  sameLength(a, b)
  const { kernels, slots, at, block } = instance()
  const kernel = kernels[operation]
  for (let start = 0; start < out.length; start += block) {
    const end = Math.min(start + block, out.length)
    slots[0]!.set(a.subarray(start, end))
    slots[1]!.set(b.subarray(start, end))
    kernel(at[0]!, at[1]!, at[2]!, end - start)
    out.set(slots[2]!.subarray(0, end - start), start)
  }
  return out
}

/** `factor · a + term` in Z_2^64, in a new column. */
export function affine(a: Words, factor: bigint, term: bigint): Words {
  const { kernels } = instance()
  return inBlocks(a, (from, to, words) => kernels.affine(from, factor, term, to, words))
}

/**
 * Multiplies a column by a factor, in its place; its values, signed, are to lie within ±limit, where `factor · limit` is
 * below 2^63.
 *
 * @returns whether they do
 */
export function scaleWithin(a: Words, factor: bigint, limit: bigint): boolean {
  const { kernels } = instance()
  let beyond = 0
  inBlocks(
    a,
    (from, to, words) => {
      beyond |= kernels.scaleWithin(from, factor, limit, to, words)
    },
    a,
  )
  return beyond === 0
}

/** Every value shifted right by so many bits: `shiftSigned` fills in the sign, `shiftUnsigned` zeros. */
export function shiftRight(kind: 'shiftSigned' | 'shiftUnsigned', a: Words, bits: number): Words {
  const { kernels } = instance()
  return inBlocks(a, (from, to, words) => kernels[kind](from, bits, to, words))
}

/** `⌊a / divisor⌋`, unsigned, for a divisor of 1 to 2^64 − 1. */
export function divideUnsigned(a: Words, divisor: bigint): Words {
  const { kernels } = instance()
  return inBlocks(a, (from, to, words) => kernels.divideUnsigned(from, divisor, to, words))
}

/** The sum of a column in Z_2^64. */
export function sum(a: Words): bigint {
  const { kernels, slots, at, block } = instance()
  let total = 0n
  for (let start = 0; start < a.length; start += block) {
    const end = Math.min(start + block, a.length)
    slots[0]!.set(a.subarray(start, end))
    total += kernels.sum(at[0]!, end - start)
  }
  return BigInt.asUintN(64, total)
}

/** The sum of every value and all before it in Z_2^64, in a new column. */
export function prefixSums(a: Words): Words {
  const { kernels } = instance()
  let before = 0n
  return inBlocks(a, (from, to, words) => {
    before = kernels.prefixSums(from, before, to, words)
  })
}

/** The inner product of two columns in Z_2^64. */
export function dot(a: Words, b: Words): bigint {
  sameLength(a, b)
  const { kernels, slots, at, block } = instance()
  let total = 0n
  for (let start = 0; start < a.length; start += block) {
    const end = Math.min(start + block, a.length)
    slots[0]!.set(a.subarray(start, end))
    slots[1]!.set(b.subarray(start, end))
    total += kernels.dot(at[0]!, at[1]!, end - start)
  }
  return BigInt.asUintN(64, total)
}

/** Σ a0·b0 + a0·b1 + a1·b0 in Z_2^64. */
export function crossDot(a0: Words, a1: Words, b0: Words, b1: Words): bigint {
  for (const other of [a1, b0, b1]) sameLength(a0, other)
  const { kernels, slots, at, block } = instance()
  let total = 0n
  for (let start = 0; start < a0.length; start += block) {
    const end = Math.min(start + block, a0.length)
    load(slots, [a0, a1, b0, b1], start, end)
    total += kernels.crossDot(at[0]!, at[1]!, at[2]!, at[3]!, end - start)
  }
  return BigInt.asUintN(64, total)
}

/**
 * `a0·b0 + a0·b1 + a1·b0 + m0 − m1` in Z_2^64 (`crossMul`), or with ∧ and ⊕ over bits (`crossAnd`); the masks are
 * drawn a block at a time and never lie in memory as columns.
 */
export function cross(
  operation: 'crossMul' | 'crossAnd',
  [a0, a1]: readonly [Words, Words],
  [b0, b1]: readonly [Words, Words],
  [m0, m1]: readonly [MaskSource, MaskSource],
): Words {
  for (const other of [a1, b0, b1]) sameLength(a0, other)
  const { kernels, slots, bytes, at, block } = instance()
  const kernel = kernels[operation]
  const out = new BigUint64Array(a0.length)
  for (let start = 0; start < out.length; start += block) {
    const end = Math.min(start + block, out.length)
    load(slots, [a0, a1, b0, b1], start, end)
    m0.fill(bytes[4]!.subarray(0, (end - start) * 8))
    m1.fill(bytes[5]!.subarray(0, (end - start) * 8))
    kernel(at[0]!, at[1]!, at[2]!, at[3]!, at[4]!, at[5]!, at[6]!, end - start)
    out.set(slots[6]!.subarray(0, end - start), start)
  }
  return out
}

/**
 * Bit-slices a column: 64 planes of `ceil(n / 64)` words each, one after the other, plane 0 the lowest bit. Values
 * beyond the column's end are zero.
 */
export function toPlanes(a: Words): Words {
  const { kernels, slots, at, block } = instance()
  const width = Math.ceil(a.length / 64)
  const out = new BigUint64Array(width * 64)
  for (let start = 0; start < a.length; start += block) {
    const end = Math.min(start + block, a.length)
    const blocks = Math.ceil((end - start) / 64)
    slots[0]!.fill(0n, end - start, blocks * 64)
    slots[0]!.set(a.subarray(start, end))
    kernels.toPlanes(at[0]!, at[1]!, blocks)
    for (let plane = 0; plane < 64; plane++) {
      out.set(slots[1]!.subarray(plane * blocks, (plane + 1) * blocks), plane * width + start / 64)
    }
  }
  return out
}

/** The inverse of `toPlanes` for a column of `length` values. */
export function fromPlanes(planes: Words, length: number): Words {
  const { kernels, slots, at, block } = instance()
  const width = Math.ceil(length / 64)
  if (planes.length !== width * 64)
    throw new SluiceError('INTERNAL', 'the planes are not those of the column')
  const out = new BigUint64Array(length)
  for (let start = 0; start < length; start += block) {
    const end = Math.min(start + block, length)
    const blocks = Math.ceil((end - start) / 64)
    for (let plane = 0; plane < 64; plane++) {
      const from = plane * width + start / 64
      slots[0]!.set(planes.subarray(from, from + blocks), plane * blocks)
    }
    kernels.fromPlanes(at[0]!, at[1]!, blocks)
    out.set(slots[1]!.subarray(0, end - start), start)
  }
  return out
}

interface RingKernels
  extends SlotExports,
    Record<Binary, (a: number, b: number, out: number, words: number) => void> {
  readonly affine: (a: number, factor: bigint, term: bigint, out: number, words: number) => void
  readonly scaleWithin: (a: number, factor: bigint, limit: bigint, out: number, words: number) => number
  readonly shiftSigned: (a: number, bits: number, out: number, words: number) => void
  readonly shiftUnsigned: (a: number, bits: number, out: number, words: number) => void
  readonly divideUnsigned: (a: number, divisor: bigint, out: number, words: number) => void
  readonly sum: (a: number, words: number) => bigint
  readonly prefixSums: (a: number, before: bigint, out: number, words: number) => bigint
  readonly dot: (a: number, b: number, words: number) => bigint
  readonly crossDot: (a0: number, a1: number, b0: number, b1: number, words: number) => bigint
  readonly crossMul: Cross
  readonly crossAnd: Cross
  readonly toPlanes: (a: number, out: number, blocks: number) => void
  readonly fromPlanes: (a: number, out: number, blocks: number) => void
}

// biome-ignore format: eight addresses and counts
type Cross = (a0: number, a1: number, b0: number, b1: number, m0: number, m1: number, out: number, words: number) => void

const instance = lazily<RingKernels>(kernelBytes, 7)

/** A kernel of one column, block by block, into a new column unless another is named. */
function inBlocks(
  a: Words,
  kernel: (from: number, to: number, words: number) => void,
  out: Words = new BigUint64Array(a.length),
): Words {
  const { slots, at, block } = instance()
  for (let start = 0; start < out.length; start += block) {
    const end = Math.min(start + block, out.length)
    slots[0]!.set(a.subarray(start, end))
    kernel(at[0]!, at[1]!, end - start)
    out.set(slots[1]!.subarray(0, end - start), start)
  }
  return out
}

function load(slots: readonly Words[], columns: readonly Words[], start: number, end: number): void {
  columns.forEach((column, index) => {
    slots[index]!.set(column.subarray(start, end))
  })
}
