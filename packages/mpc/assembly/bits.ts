/** A 64 × 64 matrix of bits in place (Warren, Hacker's Delight, 2nd edition, section 7-3). */
export function transpose(square: usize): void {
  let mask: u64 = 0x0000_0000_ffff_ffff
  for (let width: i32 = 32; width > 1; width >>= 1) {
    const m = i64x2.splat(mask)
    for (let k: i32 = 0; k < 64; k = ((k | width) + 2) & ~width) {
      const low = square + ((<usize>k) << 3)
      const high = low + ((<usize>width) << 3)
      const x = v128.load(low)
      const y = v128.load(high)
      const moved = v128.and(v128.xor(i64x2.shr_u(x, width), y), m)
      v128.store(low, v128.xor(x, i64x2.shl(moved, width)))
      v128.store(high, v128.xor(y, moved))
    }
    mask ^= mask << (width >> 1)
  }
  for (let k: i32 = 0; k < 64; k += 2) {
    const low = square + ((<usize>k) << 3)
    const x = load<u64>(low)
    const y = load<u64>(low + 8)
    const moved = ((x >> 1) ^ y) & mask
    store<u64>(low, x ^ (moved << 1))
    store<u64>(low + 8, y ^ moved)
  }
}
