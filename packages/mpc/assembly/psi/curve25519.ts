// Arithmetic modulo p = 2^255 − 19 and on Curve25519 (RFC 7748, section 4.1), for the search of a total alone: what is
// searched is the searcher's own result, so nothing here takes constant time. Elements are nine limbs of 29 bits, each
// in eight bytes, of a number below 2^262 that need not be reduced; 2^261 = 1216 modulo p.

const LIMBS: i32 = 9
const MASK: u64 = (1 << 29) - 1
/** Bytes of an element. */
const ELEMENT: usize = 72
const A: u64 = 486_662

const columns: usize = memory.data(18 * 8, 16)
const product: usize = memory.data(72, 16)
const inverse: usize = memory.data(72, 16)
const slope: usize = memory.data(72, 16)
const sum: usize = memory.data(72, 16)

function limb(a: usize, i: i32): u64 {
  return load<u64>(a + ((<usize>i) << 3))
}

function setLimb(a: usize, i: i32, value: u64): void {
  store<u64>(a + ((<usize>i) << 3), value)
}

/** Brings limbs below 2^62 to 29 bits; the first may keep a bit more. */
function carry(a: usize): void {
  let over: u64 = 0
  for (let i = 0; i < LIMBS; i++) {
    const value = limb(a, i) + over
    setLimb(a, i, value & MASK)
    over = value >> 29
  }
  const first = limb(a, 0) + over * 1216
  setLimb(a, 0, first & MASK)
  setLimb(a, 1, limb(a, 1) + (first >> 29))
}

function multiply(a: usize, b: usize, out: usize): void {
  for (let k = 0; k < 2 * LIMBS - 1; k++) {
    let column: u64 = 0
    const last = k < LIMBS ? k : LIMBS - 1
    for (let i = k < LIMBS ? 0 : k - LIMBS + 1; i <= last; i++) column += limb(a, i) * limb(b, k - i)
    setLimb(columns, k, column)
  }
  let over: u64 = 0
  for (let k = 0; k < 2 * LIMBS - 1; k++) {
    const value = limb(columns, k) + over
    setLimb(columns, k, value & MASK)
    over = value >> 29
  }
  setLimb(columns, 2 * LIMBS - 1, over)
  for (let i = 0; i < LIMBS; i++) setLimb(out, i, limb(columns, i) + 1216 * limb(columns, i + LIMBS))
  carry(out)
}

/** a − b; 128 p is added, so that no limb is negative */
function subtract(a: usize, b: usize, out: usize): void {
  setLimb(out, 0, limb(a, 0) + (1 << 30) - 2432 - limb(b, 0))
  for (let i = 1; i < LIMBS; i++) setLimb(out, i, limb(a, i) + (1 << 30) - 2 - limb(b, i))
  carry(out)
}

function add(a: usize, b: usize, out: usize): void {
  for (let i = 0; i < LIMBS; i++) setLimb(out, i, limb(a, i) + limb(b, i))
  carry(out)
}

/** 1 / a = a^(p − 2), where p − 2 = 2^255 − 21; of zero, zero. `out` is not `a`. */
function invert(a: usize, out: usize): void {
  memory.copy(out, a, ELEMENT)
  // every bit of 2^255 − 21 below the highest is one but those of 4 and 16
  for (let bit = 253; bit >= 0; bit--) {
    multiply(out, out, out)
    if (bit !== 2 && bit !== 4) multiply(out, a, out)
  }
}

/** The lower 64 bits of the number below p. Changes how `a` is written, not what it is. */
function lowest(a: usize): u64 {
  for (let round = 0; round < 2; round++) {
    let over = 19 * (limb(a, LIMBS - 1) >> 23)
    setLimb(a, LIMBS - 1, limb(a, LIMBS - 1) & ((1 << 23) - 1))
    for (let i = 0; i < LIMBS; i++) {
      const value = limb(a, i) + over
      setLimb(a, i, i < LIMBS - 1 ? value & MASK : value)
      over = value >> 29
    }
  }
  // p or more where 19 more reach 2^255
  let over: u64 = 19
  for (let i = 0; i < LIMBS - 1; i++) over = (limb(a, i) + over) >> 29
  const more: u64 = (limb(a, LIMBS - 1) + over) >> 23 !== 0 ? 19 : 0
  const low = limb(a, 0) + (limb(a, 1) << 29) + (limb(a, 2) << 58)
  return low + more
}

/**
 * The points around a center C on a list L_1 … L_count: C + L_i and C − L_i, of whose first coordinates the lower 64 bits
 * are kept. One inversion serves them all (Montgomery's trick), and each pair shares its part.
 *
 * @param center coordinates u and v
 * @param list `count` pairs of coordinates
 * @param products room for `count` elements
 * @param out C + L_1, C − L_1, C + L_2, …, eight bytes each
 * @returns 0 where C is one of ± L_i, and nothing is given; else 1
 */
export function pointsAround(center: usize, list: usize, count: i32, products: usize, out: usize): i32 {
  const u = center
  const v = center + ELEMENT
  memory.fill(product, 0, ELEMENT)
  setLimb(product, 0, 1)
  for (let i = 0; i < count; i++) {
    memory.copy(products + <usize>i * ELEMENT, product, ELEMENT)
    subtract(list + 2 * <usize>i * ELEMENT, u, slope)
    multiply(product, slope, product)
  }
  invert(product, inverse)
  if (lowest(product) === 0) return 0
  for (let i = count - 1; i >= 0; i--) {
    const other = list + 2 * <usize>i * ELEMENT
    subtract(other, u, slope)
    // the inverse of this difference, then of all before it
    multiply(inverse, products + <usize>i * ELEMENT, product)
    multiply(inverse, slope, inverse)
    add(other, u, sum)
    setLimb(sum, 0, limb(sum, 0) + A)
    const pair = out + ((<usize>i) << 4)
    subtract(other + ELEMENT, v, slope)
    store<u64>(pair, third())
    add(other + ELEMENT, v, slope)
    store<u64>(pair, third(), 8)
  }
  return 1
}

/** u3 = λ² − A − u1 − u2, λ being what `slope` holds times what `product` does */
function third(): u64 {
  multiply(slope, product, slope)
  multiply(slope, slope, slope)
  subtract(slope, sum, slope)
  return lowest(slope)
}

/**
 * Puts words under their numbers into a table: open addressing by the lower half of each, of which the upper is kept.
 *
 * @param table `mask` + 1 entries of 8 bytes, zeros, of which most stay free
 * @param first number of the first word, less than 2^32 − 1
 */
export function numberWords(words: usize, count: i32, first: u32, table: usize, mask: u32): void {
  for (let i = 0; i < count; i++) {
    const word = load<u64>(words + ((<usize>i) << 3))
    let slot = <u32>word & mask
    while (load<u64>(table + ((<usize>slot) << 3)) !== 0) slot = (slot + 1) & mask
    store<u64>(table + ((<usize>slot) << 3), ((word >> 32) << 32) | (<u64>first + i + 1))
  }
}

/**
 * Which of these words may be in the table: equal halves are a hint, and no proof.
 *
 * @param hints room for `most` pairs of 4 bytes: place of the word, and the number under which it is found
 * @returns how many hints there are
 */
export function findWords(words: usize, count: i32, table: usize, mask: u32, hints: usize, most: i32): i32 {
  let found = 0
  for (let i = 0; i < count; i++) {
    const word = load<u64>(words + ((<usize>i) << 3))
    let slot = <u32>word & mask
    let entry = load<u64>(table + ((<usize>slot) << 3))
    while (entry !== 0) {
      if (entry >> 32 === word >> 32 && found < most) {
        const hint = hints + ((<usize>found) << 3)
        store<i32>(hint, i)
        store<u32>(hint, <u32>entry - 1, 4)
        found++
      }
      slot = (slot + 1) & mask
      entry = load<u64>(table + ((<usize>slot) << 3))
    }
  }
  return found
}
