import { transpose } from '../bits'

const square: usize = memory.data(512, 16)

/**
 * Columns of bits to rows: bit i of column j becomes bit j of row i, the lowest bit of a byte first.
 *
 * @param columns 64 · `groups` columns, `stride` bytes apart, a multiple of 8
 * @param count rows, a multiple of 64
 * @param out `count` rows of 8 · `groups` bytes
 */
export function columnsToRows(columns: usize, stride: i32, groups: i32, count: i32, out: usize): void {
  const width = (<usize>groups) << 3
  for (let group = 0; group < groups; group++) {
    const from = columns + <usize>stride * ((<usize>group) << 6)
    const to = out + ((<usize>group) << 3)
    for (let block = 0; block < count >> 6; block++) {
      for (let column = 0; column < 64; column++) {
        const word = load<u64>(from + <usize>stride * column + ((<usize>block) << 3))
        store<u64>(square + ((<usize>column) << 3), word)
      }
      transpose(square)
      const rows = to + width * ((<usize>block) << 6)
      for (let row = 0; row < 64; row++) {
        store<u64>(rows + width * row, load<u64>(square + ((<usize>row) << 3)))
      }
    }
  }
}

/** a ⊕= b, over a multiple of 16 bytes */
export function xorInto(a: usize, b: usize, bytes: i32): void {
  for (let i: usize = 0; i < <usize>bytes; i += 16) {
    v128.store(a + i, v128.xor(v128.load(a + i), v128.load(b + i)))
  }
}

/** The same of pieces of 16 bytes into pieces that are `stride` bytes apart. */
export function xorIntoStrided(a: usize, stride: i32, b: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const to = a + <usize>stride * i
    v128.store(to, v128.xor(v128.load(to), v128.load(b + ((<usize>i) << 4))))
  }
}

/** rows ⊕= other ∧ mask, for rows as wide as the mask, a multiple of 16 bytes */
export function xorMasked(rows: usize, other: usize, mask: usize, width: i32, count: i32): void {
  for (let part: usize = 0; part < <usize>width; part += 16) {
    const m = v128.load(mask + part)
    for (let row = 0; row < count; row++) {
      const at = <usize>width * row + part
      v128.store(rows + at, v128.xor(v128.load(rows + at), v128.and(v128.load(other + at), m)))
    }
  }
}

/** The first `width` bytes of each of `count` pieces of 16, one after the other; `width` is at most 16. */
export function compact(from: usize, width: i32, out: usize, count: i32): void {
  for (let i = 0; i < count; i++) memory.copy(out + <usize>width * i, from + ((<usize>i) << 4), width)
}

/** Flips every bit of the rows, of 16 bytes, whose choice is one. */
export function flipWhere(rows: usize, choices: usize, count: i32): void {
  for (let row = 0; row < count; row++) {
    const bit = (<u32>load<u8>(choices + (<usize>row >> 3)) >> (row & 7)) & 1
    const at = rows + ((<usize>row) << 4)
    v128.store(at, v128.xor(v128.load(at), i64x2.splat(-(<i64>bit))))
  }
}
