/**
 * A table of own values for `markMatches`: open addressing over the values' first word, which is as good as random.
 *
 * @param values 16 bytes each
 * @param table `mask` + 1 times 8 bytes, zeros, at least twice as many as values: a value's first word, and its number
 *   plus one
 */
export function buildTable(values: usize, count: i32, table: usize, mask: u32): void {
  for (let i = 0; i < count; i++) {
    const first = load<u32>(values + ((<usize>i) << 4))
    let slot = first & mask
    while (load<u64>(table + ((<usize>slot) << 3)) !== 0) slot = (slot + 1) & mask
    store<u64>(table + ((<usize>slot) << 3), ((<u64>first) << 32) | (<u64>i + 1))
  }
}

/**
 * Writes 1 beside each own value whose first `width` bytes are one of theirs.
 *
 * @param theirs `count` values of `width` bytes, 4 to 16
 * @param matched a byte for each own value
 */
export function markMatches(
  values: usize,
  table: usize,
  mask: u32,
  theirs: usize,
  width: i32,
  count: i32,
  matched: usize,
): void {
  for (let i = 0; i < count; i++) {
    const other = theirs + <usize>width * i
    const first = load<u32>(other)
    for (let slot = first & mask; ; slot = (slot + 1) & mask) {
      const entry = load<u64>(table + ((<usize>slot) << 3))
      if (entry === 0) break
      if (<u32>(entry >> 32) === first) {
        const found = <u32>entry - 1
        if (memory.compare(values + ((<usize>found) << 4), other, width) === 0) store<u8>(matched + found, 1)
      }
    }
  }
}
