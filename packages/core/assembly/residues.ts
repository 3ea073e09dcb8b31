// Sums of residues modulo primes below 2^62, compiled to WebAssembly with SIMD: what SEAL's addition of two BGV
// ciphertexts comes to, word by word. Everything lies in a memory of fixed size, whatever the words are.

/** Words of 64 bits in the largest ciphertext: two polynomials of degree 4096 by two primes. */
const WORDS: i32 = 16384
const sumBase: usize = memory.data(WORDS * 8, 16)
const termBase: usize = memory.data(WORDS * 8, 16)

export function sum(): usize {
  return sumBase
}

export function term(): usize {
  return termBase
}

export function clear(): void {
  memory.fill(sumBase, 0, WORDS * 8)
}

/** Is every word from `first` on below the prime? Both counts are even. */
export function below(first: i32, words: i32, prime: i64): bool {
  const p = i64x2.splat(prime)
  const end = termBase + ((<usize>(first + words)) << 3)
  let above = i64x2.splat(0)
  for (let at = termBase + ((<usize>first) << 3); at < end; at += 16) {
    const word = v128.load(at)
    // unsigned: a word of 2^63 and more is negative, and its sign bit says so
    above = v128.or(above, v128.or(i64x2.ge_s(word, p), word))
  }
  return i64x2.all_true(i64x2.ge_s(above, i64x2.splat(0)))
}

/** Is any of these words of the term, or of the sum, not zero? */
export function anyOfTerm(first: i32, words: i32): bool {
  return any(termBase, first, words)
}

export function anyOfSum(first: i32, words: i32): bool {
  return any(sumBase, first, words)
}

/** sum + term modulo the prime, both below it. */
export function add(first: i32, words: i32, prime: i64): void {
  const p = i64x2.splat(prime)
  const from = (<usize>first) << 3
  const end = (<usize>(first + words)) << 3
  for (let at = from; at < end; at += 16) {
    const total = i64x2.add(v128.load(sumBase + at), v128.load(termBase + at))
    const wrapped = i64x2.ge_s(total, p)
    v128.store(sumBase + at, i64x2.sub(total, v128.and(wrapped, p)))
  }
}

// @ts-expect-error: decorator
function any(base: usize, first: i32, words: i32): bool {
  const end = base + ((<usize>(first + words)) << 3)
  let bits = i64x2.splat(0)
  for (let at = base + ((<usize>first) << 3); at < end; at += 16) bits = v128.or(bits, v128.load(at))
  return v128.any_true(bits)
}
