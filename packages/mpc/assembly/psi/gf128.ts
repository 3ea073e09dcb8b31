// GF(2^128) as polynomials over GF(2) modulo x^128 + x^7 + x^2 + x + 1, 16 bytes each: the coefficient of x^0 is the
// lowest bit of the first byte.

/** What x^128 is. */
const REDUCTION: u64 = 0x87

/**
 * Tables for products with one factor: for each of the 16 bytes of the other, and each of its values.
 *
 * @param factor 16 bytes
 * @param table 64 KiB
 */
export function gfTable(factor: usize, table: usize): void {
  let low = load<u64>(factor)
  let high = load<u64>(factor, 8)
  for (let bit: usize = 0; bit < 128; bit++) {
    const part = table + ((bit >> 3) << 12)
    const power: usize = 1 << (bit & 7)
    // every value below this power of two is there: add the new bit's share to each
    if (power === 1) v128.store(part, i64x2.splat(0))
    for (let value: usize = 0; value < power; value++) {
      const sum = part + (value << 4)
      store<u64>(part + ((power + value) << 4), load<u64>(sum) ^ low)
      store<u64>(part + ((power + value) << 4), load<u64>(sum, 8) ^ high, 8)
    }
    const carry = high >> 63
    high = (high << 1) | (low >> 63)
    low = (low << 1) ^ (carry * REDUCTION)
  }
}

/** out ⊕= a · factor, element by element. */
export function gfMultiplyInto(a: usize, table: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const from = a + ((<usize>i) << 4)
    const to = out + ((<usize>i) << 4)
    let sum = v128.load(to)
    for (let byte: usize = 0; byte < 16; byte++) {
      sum = v128.xor(sum, v128.load(table + (byte << 12) + ((<usize>load<u8>(from + byte)) << 4)))
    }
    v128.store(to, sum)
  }
}

/** Of each 128 rows of 16 bytes the sum of row k times x^k, as one element. */
export function gfCombine(rows: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i++) {
    let low: u64 = 0
    let high: u64 = 0
    for (let k = 127; k >= 0; k--) {
      const row = rows + ((<usize>(128 * i + k)) << 4)
      const carry = high >> 63
      high = ((high << 1) | (low >> 63)) ^ load<u64>(row, 8)
      low = (low << 1) ^ (carry * REDUCTION) ^ load<u64>(row)
    }
    store<u64>(out + ((<usize>i) << 4), low)
    store<u64>(out + ((<usize>i) << 4), high, 8)
  }
}
