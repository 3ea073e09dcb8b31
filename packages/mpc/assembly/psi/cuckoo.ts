/** Who is in an empty bin. */
const NOBODY: u32 = 0xffffffff

/**
 * Three different bins for each item.
 *
 * @param hashes 16 uniform bytes an item
 * @param out four words an item: its bins, and a word that decides where it goes when it is driven out
 */
export function threeBins(hashes: usize, count: i32, bins: u32, out: usize): void {
  for (let i = 0; i < count; i++) {
    const from = hashes + ((<usize>i) << 4)
    const to = out + ((<usize>i) << 4)
    const a = below(load<u32>(from), bins)
    let b = below(load<u32>(from, 4), bins - 1)
    let c = below(load<u32>(from, 8), bins - 2)
    if (b >= a) b++
    const low = min(a, b)
    const high = max(a, b)
    if (c >= low) c++
    if (c >= high) c++
    store<u32>(to, a)
    store<u32>(to, b, 4)
    store<u32>(to, c, 8)
    store<u32>(to, load<u32>(from, 12), 12)
  }
}

function below(word: u32, bound: u32): u32 {
  return <u32>((<u64>word * <u64>bound) >> 32)
}

/**
 * Puts every item into one of its three bins, one item a bin (Pagh and Rodler 2004, with three functions): who is
 * driven out goes on to one of its other two.
 *
 * @param places what `threeBins` gave
 * @param table a word for each of `bins`: 4 · item + which of its bins this is
 * @param limit after so many items were driven out for one, there is no place
 * @returns how many items have a place: all of them, or the first that has none
 */
export function cuckooInsert(places: usize, count: i32, table: usize, bins: i32, limit: i32): i32 {
  for (let bin = 0; bin < bins; bin++) store<u32>(table + ((<usize>bin) << 2), NOBODY)
  for (let i = 0; i < count; i++) {
    let item = <u32>i
    let which: u32 = 0
    let steps: i32 = 0
    for (;;) {
      const own = places + ((<usize>item) << 4)
      let free: i32 = -1
      for (let k: u32 = 0; k < 3; k++) {
        if (load<u32>(table + ((<usize>load<u32>(own + (k << 2))) << 2)) === NOBODY) {
          free = k
          break
        }
      }
      if (free >= 0) which = free
      const slot = table + ((<usize>load<u32>(own + (which << 2))) << 2)
      const before = load<u32>(slot)
      store<u32>(slot, (item << 2) | which)
      if (before === NOBODY) break
      if (++steps > limit) return i
      item = before >> 2
      const turn = (load<u32>(places + ((<usize>item) << 4), 12) >> (steps & 31)) & 1
      which = ((before & 3) + 1 + turn) % 3
    }
  }
  return count
}
