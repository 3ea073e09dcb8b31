// Kernels over the prime field of p = 2^61 − 1 (a Mersenne prime, so that reduction is a shift and an addition),
// compiled to WebAssembly with SIMD. Elements are words below p. They work on fixed slots like those of ring.ts.

/** Words of 64 bits in a slot: 32 KiB. */
const SLOT_WORDS: i32 = 4096
const SLOTS: i32 = 3
const base: usize = memory.data(SLOTS * SLOT_WORDS * 8, 16)

const P: u64 = (1 << 61) - 1

export function slotWords(): i32 {
  return SLOT_WORDS
}

/** Address of a slot. */
export function slot(index: i32): usize {
  return base + <usize>index * SLOT_WORDS * 8
}

/** Any words to elements: each is read as an integer modulo p. */
export function reduce(a: usize, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) v128.store(out + i, canonical(fold(v128.load(a + i))))
}

/** The lower 61 bits of every word, as an element: of p + 1 bit patterns two are zero. */
export function truncate(a: usize, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  const p = i64x2.splat(P)
  for (let i: usize = 0; i < end; i += 16) v128.store(out + i, canonical(v128.and(v128.load(a + i), p)))
}

export function add(a: usize, b: usize, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(out + i, canonical(i64x2.add(v128.load(a + i), v128.load(b + i))))
  }
}

export function sub(a: usize, b: usize, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  const p = i64x2.splat(P)
  for (let i: usize = 0; i < end; i += 16) {
    const difference = i64x2.sub(v128.load(a + i), v128.load(b + i))
    v128.store(out + i, i64x2.add(difference, v128.and(i64x2.shr_s(difference, 63), p)))
  }
}

export function mul(a: usize, b: usize, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(out + i, canonical(product(v128.load(a + i), v128.load(b + i))))
  }
}

/** factor · a + b, the same factor for every word: one step of Horner's rule, or of a linear combination */
export function scaleAdd(a: usize, factor: u64, b: usize, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  const f = i64x2.splat(factor)
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(out + i, canonical(fold(i64x2.add(product(v128.load(a + i), f), v128.load(b + i)))))
  }
}

/** factor · a + term, the same factor and term for every word */
export function affine(a: usize, factor: u64, term: u64, out: usize, words: i32): void {
  const end = (<usize>words) << 3
  const f = i64x2.splat(factor)
  const t = i64x2.splat(term)
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(out + i, canonical(fold(i64x2.add(product(v128.load(a + i), f), t))))
  }
}

export function sum(a: usize, words: i32): u64 {
  let total: u64 = 0
  const end = (<usize>words) << 3
  for (let i: usize = 0; i < end; i += 8) {
    total += load<u64>(a + i)
    total = (total & P) + (total >> 61)
  }
  return total >= P ? total - P : total
}

/** Two products modulo p of two elements each: not canonical, below 2^61 + 4. */
function product(a: v128, b: v128): v128 {
  // lanes of 32 bits: both lower halves first, then both upper halves
  const x = v128.shuffle<i32>(a, a, 0, 2, 1, 3)
  const y = v128.shuffle<i32>(b, b, 0, 2, 1, 3)
  const crossed = v128.shuffle<i32>(b, b, 1, 3, 0, 2)
  const low = i64x2.extmul_low_i32x4_u(x, y)
  const high = i64x2.extmul_high_i32x4_u(x, y)
  const middle = i64x2.add(i64x2.extmul_low_i32x4_u(x, crossed), i64x2.extmul_high_i32x4_u(x, crossed))
  // 2^64 = 8 and 2^61 = 1 modulo p; upper halves are below 2^29, so the total stays below 2^63
  const upper = i64x2.add(i64x2.shl(high, 3), i64x2.shr_u(middle, 29))
  const shifted = i64x2.shl(v128.and(middle, i64x2.splat((1 << 29) - 1)), 32)
  return fold(i64x2.add(fold(low), i64x2.add(upper, shifted)))
}

/** Congruent modulo p, and at most p + 7. */
function fold(x: v128): v128 {
  return i64x2.add(v128.and(x, i64x2.splat(P)), i64x2.shr_u(x, 61))
}

/** From below 2p to below p. */
function canonical(x: v128): v128 {
  const p = i64x2.splat(P)
  const less = i64x2.sub(x, p)
  return i64x2.add(less, v128.and(i64x2.shr_s(less, 63), p))
}
