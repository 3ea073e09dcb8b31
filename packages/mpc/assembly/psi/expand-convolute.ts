// The dual of an expand-convolute code, over columns of 16 bytes, or over pairs of such columns (32 bytes an element) that
// share the code's random bits.

/** How far the convolution reaches: the states before, of which each is added with probability a half. */
const STATE: i32 = 24

/**
 * Adds to each element those of the 24 before it that its random bits name, and always the one before these. Elements
 * before the first are not there: `convoluteWrap` adds, at last, the last ones to the first.
 *
 * @param bits a word for each element from `from` to `to`
 * @param wide whether elements are pairs
 */
export function convolute(elements: usize, from: i32, to: i32, bits: usize, wide: bool): void {
  for (let i = from; i < to; i++) {
    const word = load<u32>(bits + ((<usize>(i - from)) << 2))
    gather(elements, i, i, word, 0, min(i, STATE), i > STATE, wide)
  }
}

/** @param bits a word for each of the first 25 elements */
export function convoluteWrap(elements: usize, size: i32, bits: usize, wide: bool): void {
  for (let i = 0; i <= STATE; i++) {
    const word = load<u32>(bits + ((<usize>i) << 2))
    // the nearest i are no last ones: `convolute` has added them
    gather(elements, i, size + i, word, i, STATE, true, wide)
  }
}

/** element[at] ⊕= Σ bit(k − 1) · element[end − k], k from `skip` + 1 to `reach`, and element[end − 25] if `last`. */
function gather(
  elements: usize,
  at: i32,
  end: i32,
  word: u32,
  skip: i32,
  reach: i32,
  last: bool,
  wide: bool,
): void {
  const shift: usize = wide ? 5 : 4
  const target = elements + ((<usize>at) << shift)
  // the oldest first: the newest is only just there, and what comes after it would wait for it
  let from = elements + ((<usize>(end - reach)) << shift)
  const step: usize = (<usize>1) << shift
  let sum = v128.load(target)
  let other = wide ? v128.load(target, 16) : i64x2.splat(0)
  if (last) {
    sum = v128.xor(sum, v128.load(from - step))
    if (wide) other = v128.xor(other, v128.load(from - step, 16))
  }
  for (let k = reach - 1; k >= skip; k--) {
    const mask = i64x2.splat(-(<i64>((word >> k) & 1)))
    sum = v128.xor(sum, v128.and(v128.load(from), mask))
    if (wide) other = v128.xor(other, v128.and(v128.load(from, 16), mask))
    from += step
  }
  v128.store(target, sum)
  if (wide) v128.store(target, other, 16)
}

/**
 * Adds to each output the elements that its random words name: one of each of `regular` equal regions, and `uniform`
 * ones from anywhere.
 *
 * @param elements `size` elements
 * @param draws `regular` + `uniform` words an output
 * @param out 16 bytes an output
 */
export function expand(
  elements: usize,
  size: u32,
  draws: usize,
  regular: i32,
  uniform: i32,
  out: usize,
  count: i32,
): void {
  const step = size / <u32>regular
  for (let i = 0; i < count; i++) {
    const to = out + ((<usize>i) << 4)
    let sum = v128.load(to)
    let first: u32 = 0
    for (let j = 0; j < regular; j++, first += step) {
      sum = v128.xor(sum, v128.load(elements + ((<usize>(first + below(load<u32>(draws), step))) << 4)))
      draws += 4
    }
    for (let j = 0; j < uniform; j++) {
      sum = v128.xor(sum, v128.load(elements + ((<usize>below(load<u32>(draws), size)) << 4)))
      draws += 4
    }
    v128.store(to, sum)
  }
}

/** `expand` over pairs: the first of each to `out`, the second to `other`. */
export function expandPairs(
  elements: usize,
  size: u32,
  draws: usize,
  regular: i32,
  uniform: i32,
  out: usize,
  other: usize,
  count: i32,
): void {
  const step = size / <u32>regular
  for (let i = 0; i < count; i++) {
    const place = (<usize>i) << 4
    let sum = v128.load(out + place)
    let second = v128.load(other + place)
    let first: u32 = 0
    for (let j = 0; j < regular + uniform; j++) {
      const word = load<u32>(draws)
      draws += 4
      const index = j < regular ? first + below(word, step) : below(word, size)
      first += step
      const element = elements + ((<usize>index) << 5)
      sum = v128.xor(sum, v128.load(element))
      second = v128.xor(second, v128.load(element, 16))
    }
    v128.store(out + place, sum)
    v128.store(other + place, second)
  }
}

/** A column as the first halves of pairs; the second halves are zero. */
export function pairUp(a: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i++) {
    const to = out + ((<usize>i) << 5)
    v128.store(to, v128.load(a + ((<usize>i) << 4)))
    v128.store(to, i64x2.splat(0), 16)
  }
}

function below(word: u32, bound: u32): u32 {
  return <u32>((<u64>word * <u64>bound) >> 32)
}
