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

/**
 * An index for `findPlaces`: as `buildTable`, but of equal values the first alone, so that no value repeated a million
 * times makes a search long.
 */
export function buildIndex(values: usize, count: i32, table: usize, mask: u32): void {
  for (let i = 0; i < count; i++) {
    const value = values + ((<usize>i) << 4)
    const slot = slotOf(value, values, table, mask)
    if (load<u64>(slot) === 0) store<u64>(slot, ((<u64>load<u32>(value)) << 32) | (<u64>i + 1))
  }
}

/**
 * Adds to a set those items that it does not have, in their order.
 *
 * @param items 16 bytes each
 * @param kept the set's `size` items, with room for `limit`
 * @param table as `buildIndex` has it, of at least twice `limit` slots
 * @returns how many items the set has now; where there would be more than `limit`, one more than that
 */
export function keepDistinct(
  items: usize,
  count: i32,
  kept: usize,
  size: i32,
  limit: i32,
  table: usize,
  mask: u32,
): i32 {
  for (let i = 0; i < count; i++) {
    const item = items + ((<usize>i) << 4)
    const slot = slotOf(item, kept, table, mask)
    if (load<u64>(slot) !== 0) continue
    if (size === limit) return limit + 1
    v128.store(kept + ((<usize>size) << 4), v128.load(item))
    size++
    store<u64>(slot, ((<u64>load<u32>(item)) << 32) | <u64>size)
  }
  return size
}

/** Writes for each of their values, 16 bytes each, the place of the equal one, or −1. @param out `count` words of 4 bytes */
export function findPlaces(
  values: usize,
  table: usize,
  mask: u32,
  theirs: usize,
  count: i32,
  out: usize,
): void {
  for (let i = 0; i < count; i++) {
    const slot = slotOf(theirs + ((<usize>i) << 4), values, table, mask)
    store<i32>(out + ((<usize>i) << 2), <i32>load<u32>(slot) - 1)
  }
}

/** The slot that holds the equal value, or the free one where it would go. */
function slotOf(value: usize, values: usize, table: usize, mask: u32): usize {
  const first = load<u32>(value)
  let slot = first & mask
  let entry = load<u64>(table + ((<usize>slot) << 3))
  while (entry !== 0) {
    if (<u32>(entry >> 32) === first) {
      const found = values + ((<usize>(<u32>entry - 1)) << 4)
      if (load<u64>(found) === load<u64>(value) && load<u64>(found, 8) === load<u64>(value, 8)) break
    }
    slot = (slot + 1) & mask
    entry = load<u64>(table + ((<usize>slot) << 3))
  }
  return table + ((<usize>slot) << 3)
}
