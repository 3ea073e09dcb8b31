/**
 * A table of own values for `markMatches`: open addressing over the values' first word, which is as good as random.
 *
 * @param values 16 bytes each
 * @param table `mask` + 1 words, zeros, at least twice as many as values; a value's number plus one
 */
export function buildTable(values: usize, count: i32, table: usize, mask: u32): void {
  for (let i = 0; i < count; i++) {
    let slot = load<u32>(values + ((<usize>i) << 4)) & mask
    while (load<u32>(table + ((<usize>slot) << 2)) !== 0) slot = (slot + 1) & mask
    store<u32>(table + ((<usize>slot) << 2), i + 1)
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
      const found = load<u32>(table + ((<usize>slot) << 2))
      if (found === 0) break
      const own = values + ((<usize>(found - 1)) << 4)
      if (load<u32>(own) === first && memory.compare(own, other, width) === 0) {
        store<u8>(matched + (found - 1), 1)
      }
    }
  }
}
