/**
 * What the sender hashes: for each of its items and one of the item's bins, the bin's row with the item's codeword
 * under the secret mask, and the number that stands for this bin and this function.
 *
 * @param rows 64 bytes a bin
 * @param places what `threeBins` gave
 * @param codes 64 bytes an item
 * @param mask 64 bytes
 * @param out 64 bytes an item
 * @param counters a word an item
 */
export function kkrtInputs(
  rows: usize,
  places: usize,
  which: u32,
  codes: usize,
  mask: usize,
  out: usize,
  counters: usize,
  count: i32,
): void {
  const m0 = v128.load(mask)
  const m1 = v128.load(mask, 16)
  const m2 = v128.load(mask, 32)
  const m3 = v128.load(mask, 48)
  for (let i = 0; i < count; i++) {
    const bin = load<u32>(places + ((<usize>i) << 4) + (which << 2))
    const row = rows + ((<usize>bin) << 6)
    const code = codes + ((<usize>i) << 6)
    const to = out + ((<usize>i) << 6)
    v128.store(to, v128.xor(v128.load(row), v128.and(v128.load(code), m0)))
    v128.store(to, v128.xor(v128.load(row, 16), v128.and(v128.load(code, 16), m1)), 16)
    v128.store(to, v128.xor(v128.load(row, 32), v128.and(v128.load(code, 32), m2)), 32)
    v128.store(to, v128.xor(v128.load(row, 48), v128.and(v128.load(code, 48), m3)), 48)
    store<u32>(counters + ((<usize>i) << 2), 3 * bin + which)
  }
}

/**
 * The receiver's bins: who is in each, and the number for it and the function that led there.
 *
 * @param table what `cuckooInsert` filled
 * @param items 16 bytes an item
 * @param contents 16 bytes a bin; where nobody is, what is there stays
 * @param counters a word a bin
 */
export function fillBins(
  table: usize,
  from: i32,
  bins: i32,
  items: usize,
  contents: usize,
  counters: usize,
): void {
  for (let i = 0; i < bins; i++) {
    const bin = <u32>(from + i)
    const entry = load<u32>(table + ((<usize>bin) << 2))
    if (entry === 0xffffffff) {
      store<u32>(counters + ((<usize>i) << 2), 3 * bin)
    } else {
      const item = items + ((<usize>(entry >> 2)) << 4)
      v128.store(contents + ((<usize>i) << 4), v128.load(item))
      store<u32>(counters + ((<usize>i) << 2), 3 * bin + (entry & 3))
    }
  }
}

/** Each occupied bin's 16 bytes to the place of the item that is in it. */
export function binsToItems(table: usize, from: i32, bins: i32, values: usize, out: usize): void {
  for (let i = 0; i < bins; i++) {
    const entry = load<u32>(table + ((<usize>(from + i)) << 2))
    if (entry !== 0xffffffff) {
      v128.store(out + ((<usize>(entry >> 2)) << 4), v128.load(values + ((<usize>i) << 4)))
    }
  }
}
