/**
 * Fisher and Yates' shuffle, downwards from place `from`, as far as the random words go. Each draw is without bias
 * (Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS 29(1), 2019, algorithm 5): a word whose product
 * falls into the part that would be drawn too often is thrown away.
 *
 * @param order places, 4 bytes each
 * @param words random, 4 bytes each, at least one
 * @returns the place to go on from; 0 where it is done
 */
export function shuffle(order: usize, from: i32, words: usize, available: i32): i32 {
  let next = 0
  let i = from
  while (i > 0 && next < available) {
    const range = <u32>i + 1
    const product = <u64>load<u32>(words + ((<usize>next) << 2)) * <u64>range
    next++
    const low = <u32>product
    if (low < range && low < (0 - range) % range) continue
    const drawn = order + ((<usize>(product >> 32)) << 2)
    const place = order + ((<usize>i) << 2)
    const swapped = load<u32>(place)
    store<u32>(place, load<u32>(drawn))
    store<u32>(drawn, swapped)
    i--
  }
  return i
}

/** Places 0 … count − 1, in this order. */
export function countUp(order: usize, count: i32): void {
  for (let i = 0; i < count; i++) store<i32>(order + ((<usize>i) << 2), i)
}

/** Piece i of `out` is piece `order[i]`, of `width` bytes, a multiple of 4. */
export function gatherPieces(pieces: usize, width: i32, order: usize, count: i32, out: usize): void {
  if (width === 16) {
    for (let i = 0; i < count; i++) {
      const from = pieces + ((<usize>load<u32>(order + ((<usize>i) << 2))) << 4)
      v128.store(out + ((<usize>i) << 4), v128.load(from))
    }
    return
  }
  for (let i = 0; i < count; i++) {
    const from = pieces + <usize>load<u32>(order + ((<usize>i) << 2)) * width
    const to = out + <usize>i * width
    for (let k: usize = 0; k < <usize>width; k += 4) store<u32>(to + k, load<u32>(from + k))
  }
}
