// Kernels over Z_2^64 and over packed bits, compiled to WebAssembly with SIMD. They work on fixed slots of a small
// linear memory that stays in the processor's cache: the caller copies a block in, calls, and copies the result out.
// So memory never grows, nothing is allocated, and a column may be of any length. An odd number of words reads and
// writes one word beyond, which every slot has room for.

import { transpose } from './bits'

/** Words of 64 bits in a slot: 32 KiB. */
const SLOT_WORDS: i32 = 4096
const SLOTS: i32 = 7
const base: usize = memory.data(SLOTS * SLOT_WORDS * 8, 16)

export function slotWords(): i32 {
  return SLOT_WORDS
}

/** Address of a slot. */
export function slot(index: i32): usize {
  return base + <usize>index * SLOT_WORDS * 8
}

export function add(a: usize, b: usize, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(out + i, i64x2.add(v128.load(a + i), v128.load(b + i)))
  }
}

export function sub(a: usize, b: usize, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(out + i, i64x2.sub(v128.load(a + i), v128.load(b + i)))
  }
}

export function mul(a: usize, b: usize, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(out + i, i64x2.mul(v128.load(a + i), v128.load(b + i)))
  }
}

export function xor(a: usize, b: usize, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(out + i, v128.xor(v128.load(a + i), v128.load(b + i)))
  }
}

export function and(a: usize, b: usize, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(out + i, v128.and(v128.load(a + i), v128.load(b + i)))
  }
}

/** factor · a + term, the same factor and term for every word */
export function affine(a: usize, factor: u64, term: u64, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  const f = i64x2.splat(factor)
  const t = i64x2.splat(term)
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(out + i, i64x2.add(i64x2.mul(v128.load(a + i), f), t))
  }
}

/** factor · a; returns 1 where a value, signed, is beyond ±limit, else 0. */
export function scaleWithin(a: usize, factor: i64, limit: i64, out: usize, words: i32): i32 {
  const end = (<usize>words) << 3
  let beyond: i32 = 0
  for (let i: usize = 0; i < end; i += 8) {
    const value = load<i64>(a + i)
    beyond |= i32(value > limit) | i32(value < -limit)
    store<i64>(out + i, factor * value)
  }
  return beyond
}

/** a ≫ bits, the sign filled in. */
export function shiftSigned(a: usize, bits: i32, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) v128.store(out + i, i64x2.shr_s(v128.load(a + i), bits))
}

/** a ≫ bits, zeros filled in. */
export function shiftUnsigned(a: usize, bits: i32, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) v128.store(out + i, i64x2.shr_u(v128.load(a + i), bits))
}

/** ⌊a / divisor⌋, unsigned. */
export function divideUnsigned(a: usize, divisor: u64, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 8) store<u64>(out + i, load<u64>(a + i) / divisor)
}

export function sum(a: usize, words: i32): u64 {
  let total: u64 = 0
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 8) total += load<u64>(a + i)
  return total
}

/** Each word plus all before it and `before`; returns the last. */
export function prefixSums(a: usize, before: u64, out: usize, words: i32): u64 {
  let total = before
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 8) {
    total += load<u64>(a + i)
    store<u64>(out + i, total)
  }
  return total
}

export function dot(a: usize, b: usize, words: i32): u64 {
  let total: u64 = 0
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 8) total += load<u64>(a + i) * load<u64>(b + i)
  return total
}

/** a0·b0 + a0·b1 + a1·b0, summed: an inner product's share before its mask. */
export function crossDot(a0: usize, a1: usize, b0: usize, b1: usize, words: i32): u64 {
  let total: u64 = 0
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 8) {
    const b = load<u64>(b0 + i)
    total += load<u64>(a0 + i) * (b + load<u64>(b1 + i)) + load<u64>(a1 + i) * b
  }
  return total
}

/** a0·b0 + a0·b1 + a1·b0 + m0 − m1 (Araki et al. 2016, section 2.2, in the ring). */
export function crossMul(
  a0: usize,
  a1: usize,
  b0: usize,
  b1: usize,
  m0: usize,
  m1: usize,
  out: usize,
  words: i32,
): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) {
    const b = v128.load(b0 + i)
    const product = i64x2.add(
      i64x2.mul(v128.load(a0 + i), i64x2.add(b, v128.load(b1 + i))),
      i64x2.mul(v128.load(a1 + i), b),
    )
    v128.store(out + i, i64x2.add(product, i64x2.sub(v128.load(m0 + i), v128.load(m1 + i))))
  }
}

/** The same over bits: a0·b0 ⊕ a0·b1 ⊕ a1·b0 ⊕ m0 ⊕ m1. */
export function crossAnd(
  a0: usize,
  a1: usize,
  b0: usize,
  b1: usize,
  m0: usize,
  m1: usize,
  out: usize,
  words: i32,
): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) {
    const b = v128.load(b0 + i)
    const product = v128.xor(
      v128.and(v128.load(a0 + i), v128.xor(b, v128.load(b1 + i))),
      v128.and(v128.load(a1 + i), b),
    )
    v128.store(out + i, v128.xor(product, v128.xor(v128.load(m0 + i), v128.load(m1 + i))))
  }
}

/** Blocks of 64 values to 64 planes of bits: bit v of word `plane · blocks + block` is that plane's bit of value v. */
export function toPlanes(a: usize, out: usize, blocks: i32): void {
  for (let block = 0; block < blocks; block++) {
    const square = a + ((<usize>block) << 9)
    transpose(square)
    for (let plane = 0; plane < 64; plane++) {
      store<u64>(out + ((<usize>(plane * blocks + block)) << 3), load<u64>(square + ((<usize>plane) << 3)))
    }
  }
}

/** The inverse of `toPlanes`. */
export function fromPlanes(a: usize, out: usize, blocks: i32): void {
  for (let block = 0; block < blocks; block++) {
    const square = out + ((<usize>block) << 9)
    for (let plane = 0; plane < 64; plane++) {
      store<u64>(square + ((<usize>plane) << 3), load<u64>(a + ((<usize>(plane * blocks + block)) << 3)))
    }
    transpose(square)
  }
}
