// The keyed hash of BLAKE3 (O'Connor, Aumasson, Neves and Wilcox-O'Hearn, 2020, sections 2.2 and 2.3) of messages of one
// block, four at a time: lane i of every vector belongs to message i. One block is the whole tree, so that its only
// compression is the root's; the counter says which block of 64 bytes of the extendable output comes out.

/** the message's sixteen words, each for four messages */
const words: usize = memory.data(256, 16)
/** a message that is padded with zeros, for those that come alone */
const pad: usize = memory.data(256, 16)
/** four outputs */
const result: usize = memory.data(256, 16)

/** The order of the message's words in the seven rounds, as offsets (table 2 of the paper, applied again and again). */
const schedule: usize = memory.data<u8>([
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8,
  3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1, 10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6,
  12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4, 9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7,
  11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13,
])

const ROOT_OF_ONE_BLOCK: i32 = 1 | 2 | 8 | 16

/**
 * @param key 32 bytes
 * @param rows messages of `width` bytes, one after the other; a multiple of 16, at most 64
 * @param counters a u32 for each message, or 0 for zero everywhere
 * @param out `take` bytes a message; a multiple of 16, at most 64
 */
export function blake3Keyed(
  key: usize,
  rows: usize,
  width: i32,
  counters: usize,
  out: usize,
  take: i32,
  count: i32,
): void {
  let row = 0
  for (; row + 4 <= count; row += 4) {
    gather(rows + <usize>row * width, width)
    const counter = counters === 0 ? i32x4.splat(0) : v128.load(counters + ((<usize>row) << 2))
    compress(key, counter, width)
    scatter(out + <usize>row * take, take)
  }
  if (row === count) return
  const left = count - row
  memory.fill(pad, 0, 256)
  memory.copy(pad, rows + <usize>row * width, <usize>left * width)
  gather(pad, width)
  let counter = i32x4.splat(0)
  if (counters !== 0) {
    const from = counters + ((<usize>row) << 2)
    counter = v128.replace_lane<i32>(counter, 0, load<i32>(from))
    if (left > 1) counter = v128.replace_lane<i32>(counter, 1, load<i32>(from, 4))
    if (left > 2) counter = v128.replace_lane<i32>(counter, 2, load<i32>(from, 8))
  }
  compress(key, counter, width)
  scatter(pad, take)
  memory.copy(out + <usize>row * take, pad, <usize>left * take)
}

/** Four messages, side by side, to sixteen vectors. */
function gather(rows: usize, width: i32): void {
  const stride = <usize>width
  for (let part: usize = 0; part < 64; part += 16) {
    const to = words + (part << 2)
    if (part >= stride) {
      memory.fill(to, 0, 64)
    } else {
      const from = rows + part
      transpose(
        to,
        16,
        v128.load(from),
        v128.load(from + stride),
        v128.load(from + 2 * stride),
        v128.load(from + 3 * stride),
      )
    }
  }
}

function scatter(out: usize, take: i32): void {
  const stride = <usize>take
  for (let part: usize = 0; part < stride; part += 16) {
    const from = result + (part << 2)
    transpose(
      out + part,
      stride,
      v128.load(from),
      v128.load(from, 16),
      v128.load(from, 32),
      v128.load(from, 48),
    )
  }
}

/** Four rows of four words to four columns, `stride` bytes apart. */
function transpose(to: usize, stride: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5)
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5)
  const ef = i32x4.shuffle(a, b, 2, 6, 3, 7)
  const gh = i32x4.shuffle(c, d, 2, 6, 3, 7)
  v128.store(to, i64x2.shuffle(ab, cd, 0, 2))
  v128.store(to + stride, i64x2.shuffle(ab, cd, 1, 3))
  v128.store(to + 2 * stride, i64x2.shuffle(ef, gh, 0, 2))
  v128.store(to + 3 * stride, i64x2.shuffle(ef, gh, 1, 3))
}

function rotate16(x: v128): v128 {
  return i8x16.shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
}

function rotate8(x: v128): v128 {
  return i8x16.shuffle(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12)
}

function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(x, bits), i32x4.shl(x, 32 - bits))
}

function word(order: usize, index: i32): v128 {
  return v128.load(words + ((<usize>load<u8>(order + index)) << 4))
}

function compress(key: usize, counter: v128, length: i32): void {
  let v0 = v128.load32_splat(key)
  let v1 = v128.load32_splat(key, 4)
  let v2 = v128.load32_splat(key, 8)
  let v3 = v128.load32_splat(key, 12)
  let v4 = v128.load32_splat(key, 16)
  let v5 = v128.load32_splat(key, 20)
  let v6 = v128.load32_splat(key, 24)
  let v7 = v128.load32_splat(key, 28)
  let v8 = i32x4.splat(0x6a09e667)
  let v9 = i32x4.splat(0xbb67ae85)
  let v10 = i32x4.splat(0x3c6ef372)
  let v11 = i32x4.splat(0xa54ff53a)
  let v12 = counter
  let v13 = i32x4.splat(0)
  let v14 = i32x4.splat(length)
  let v15 = i32x4.splat(ROOT_OF_ONE_BLOCK)
  for (let order = schedule; order < schedule + 112; order += 16) {
    v0 = i32x4.add(i32x4.add(v0, v4), word(order, 0))
    v12 = rotate16(v128.xor(v12, v0))
    v8 = i32x4.add(v8, v12)
    v4 = rotate(v128.xor(v4, v8), 12)
    v0 = i32x4.add(i32x4.add(v0, v4), word(order, 1))
    v12 = rotate8(v128.xor(v12, v0))
    v8 = i32x4.add(v8, v12)
    v4 = rotate(v128.xor(v4, v8), 7)
    v1 = i32x4.add(i32x4.add(v1, v5), word(order, 2))
    v13 = rotate16(v128.xor(v13, v1))
    v9 = i32x4.add(v9, v13)
    v5 = rotate(v128.xor(v5, v9), 12)
    v1 = i32x4.add(i32x4.add(v1, v5), word(order, 3))
    v13 = rotate8(v128.xor(v13, v1))
    v9 = i32x4.add(v9, v13)
    v5 = rotate(v128.xor(v5, v9), 7)
    v2 = i32x4.add(i32x4.add(v2, v6), word(order, 4))
    v14 = rotate16(v128.xor(v14, v2))
    v10 = i32x4.add(v10, v14)
    v6 = rotate(v128.xor(v6, v10), 12)
    v2 = i32x4.add(i32x4.add(v2, v6), word(order, 5))
    v14 = rotate8(v128.xor(v14, v2))
    v10 = i32x4.add(v10, v14)
    v6 = rotate(v128.xor(v6, v10), 7)
    v3 = i32x4.add(i32x4.add(v3, v7), word(order, 6))
    v15 = rotate16(v128.xor(v15, v3))
    v11 = i32x4.add(v11, v15)
    v7 = rotate(v128.xor(v7, v11), 12)
    v3 = i32x4.add(i32x4.add(v3, v7), word(order, 7))
    v15 = rotate8(v128.xor(v15, v3))
    v11 = i32x4.add(v11, v15)
    v7 = rotate(v128.xor(v7, v11), 7)
    v0 = i32x4.add(i32x4.add(v0, v5), word(order, 8))
    v15 = rotate16(v128.xor(v15, v0))
    v10 = i32x4.add(v10, v15)
    v5 = rotate(v128.xor(v5, v10), 12)
    v0 = i32x4.add(i32x4.add(v0, v5), word(order, 9))
    v15 = rotate8(v128.xor(v15, v0))
    v10 = i32x4.add(v10, v15)
    v5 = rotate(v128.xor(v5, v10), 7)
    v1 = i32x4.add(i32x4.add(v1, v6), word(order, 10))
    v12 = rotate16(v128.xor(v12, v1))
    v11 = i32x4.add(v11, v12)
    v6 = rotate(v128.xor(v6, v11), 12)
    v1 = i32x4.add(i32x4.add(v1, v6), word(order, 11))
    v12 = rotate8(v128.xor(v12, v1))
    v11 = i32x4.add(v11, v12)
    v6 = rotate(v128.xor(v6, v11), 7)
    v2 = i32x4.add(i32x4.add(v2, v7), word(order, 12))
    v13 = rotate16(v128.xor(v13, v2))
    v8 = i32x4.add(v8, v13)
    v7 = rotate(v128.xor(v7, v8), 12)
    v2 = i32x4.add(i32x4.add(v2, v7), word(order, 13))
    v13 = rotate8(v128.xor(v13, v2))
    v8 = i32x4.add(v8, v13)
    v7 = rotate(v128.xor(v7, v8), 7)
    v3 = i32x4.add(i32x4.add(v3, v4), word(order, 14))
    v14 = rotate16(v128.xor(v14, v3))
    v9 = i32x4.add(v9, v14)
    v4 = rotate(v128.xor(v4, v9), 12)
    v3 = i32x4.add(i32x4.add(v3, v4), word(order, 15))
    v14 = rotate8(v128.xor(v14, v3))
    v9 = i32x4.add(v9, v14)
    v4 = rotate(v128.xor(v4, v9), 7)
  }
  v128.store(result, v128.xor(v0, v8))
  v128.store(result, v128.xor(v1, v9), 16)
  v128.store(result, v128.xor(v2, v10), 32)
  v128.store(result, v128.xor(v3, v11), 48)
  v128.store(result, v128.xor(v4, v12), 64)
  v128.store(result, v128.xor(v5, v13), 80)
  v128.store(result, v128.xor(v6, v14), 96)
  v128.store(result, v128.xor(v7, v15), 112)
  v128.store(result, v128.xor(v8, v128.load32_splat(key)), 128)
  v128.store(result, v128.xor(v9, v128.load32_splat(key, 4)), 144)
  v128.store(result, v128.xor(v10, v128.load32_splat(key, 8)), 160)
  v128.store(result, v128.xor(v11, v128.load32_splat(key, 12)), 176)
  v128.store(result, v128.xor(v12, v128.load32_splat(key, 16)), 192)
  v128.store(result, v128.xor(v13, v128.load32_splat(key, 20)), 208)
  v128.store(result, v128.xor(v14, v128.load32_splat(key, 24)), 224)
  v128.store(result, v128.xor(v15, v128.load32_splat(key, 28)), 240)
}
