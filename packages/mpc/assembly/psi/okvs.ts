// Rows of the store, 48 bytes each: the value (16), a bit for each dense column (8), the part that the row belongs to (4)
// and its three sparse columns (12), which count through all parts; the last 8 bytes are not used. A part has `sparse`
// sparse columns and then 64 dense ones, of 16 bytes.

const ROW: usize = 48
const DENSE_BITS: usize = 16
const PART: usize = 24
const COLUMNS: usize = 28
const DENSE: u32 = 64
/** bytes of a part's tables for `okvsDecode`: for each byte of the dense bits, the sum of the columns it names */
const TABLES: usize = 8 * 256 * 16

/** Uniform hashes of 48 bytes to rows, in place; their values and dense bits are what they are. */
export function okvsRows(rows: usize, count: i32, parts: u32, sparse: u32): void {
  for (let i = 0; i < count; i++) {
    const row = rows + ROW * i
    const part = below(load<u32>(row, PART), parts)
    const a = below(load<u32>(row, COLUMNS), sparse)
    let b = below(load<u32>(row, COLUMNS + 4), sparse - 1)
    let c = below(load<u32>(row, COLUMNS + 8), sparse - 2)
    if (b >= a) b++
    if (c >= min(a, b)) c++
    if (c >= max(a, b)) c++
    const first = part * (sparse + DENSE)
    store<u32>(row, part, PART)
    store<u32>(row, first + a, COLUMNS)
    store<u32>(row, first + b, COLUMNS + 4)
    store<u32>(row, first + c, COLUMNS + 8)
  }
}

function below(word: u32, bound: u32): u32 {
  return <u32>((<u64>word * <u64>bound) >> 32)
}

/**
 * The rows in the order of their parts, so that what works on a part stays in the processor's cache.
 *
 * @param starts `parts` + 1 words, zeros: afterwards where each part begins
 * @param order for each place the row that came there
 */
export function okvsGroup(
  rows: usize,
  count: i32,
  parts: i32,
  starts: usize,
  order: usize,
  grouped: usize,
): void {
  for (let i = 0; i < count; i++) {
    const slot = starts + ((<usize>load<u32>(rows + ROW * i, PART)) << 2)
    store<u32>(slot, load<u32>(slot) + 1)
  }
  let total: u32 = 0
  for (let part = 0; part <= parts; part++) {
    const slot = starts + ((<usize>part) << 2)
    const here = load<u32>(slot)
    store<u32>(slot, total)
    total += here
  }
  for (let i = 0; i < count; i++) {
    const row = rows + ROW * i
    const slot = starts + ((<usize>load<u32>(row, PART)) << 2)
    const place = load<u32>(slot)
    const to = grouped + ROW * <usize>place
    store<u32>(order + ((<usize>place) << 2), i)
    v128.store(to, v128.load(row))
    v128.store(to, v128.load(row, 16), 16)
    v128.store(to, v128.load(row, 32), 32)
    store<u32>(slot, place + 1)
  }
  for (let part = parts; part > 0; part--) {
    store<u32>(starts + ((<usize>part) << 2), load<u32>(starts + ((<usize>(part - 1)) << 2)))
  }
  store<u32>(starts, 0)
}

/**
 * Peels one part: again and again a column that only one row has is taken away together with that row.
 *
 * @param rows the part's
 * @param first the part's first column
 * @param degrees room for 8 bytes a sparse column: how many rows have it, and the xor of their numbers
 * @param queue room for a word a sparse column
 * @param stack 8 bytes a row: number of the row, and its column, in the order of peeling
 * @returns how many rows were peeled; those that were not are the 2-core
 */
export function okvsPeel(
  rows: usize,
  count: i32,
  first: u32,
  sparse: i32,
  degrees: usize,
  queue: usize,
  stack: usize,
): i32 {
  memory.fill(degrees, 0, (<usize>sparse) << 3)
  for (let i = 0; i < count; i++) {
    const row = rows + ROW * i
    for (let k: usize = 0; k < 12; k += 4) {
      const at = degrees + ((<usize>(load<u32>(row + k, COLUMNS) - first)) << 3)
      store<u32>(at, load<u32>(at) + 1)
      store<u32>(at, load<u32>(at, 4) ^ <u32>i, 4)
    }
  }
  let waiting: usize = 0
  for (let column = 0; column < sparse; column++) {
    if (load<u32>(degrees + ((<usize>column) << 3)) === 1) {
      store<u32>(queue + (waiting << 2), column)
      waiting++
    }
  }
  let peeled: i32 = 0
  while (waiting > 0) {
    waiting--
    const column = load<u32>(queue + (waiting << 2))
    const at = degrees + ((<usize>column) << 3)
    // its row may have gone with another column meanwhile
    if (load<u32>(at) !== 1) continue
    const i = load<u32>(at, 4)
    store<u32>(stack + ((<usize>peeled) << 3), i)
    store<u32>(stack + ((<usize>peeled) << 3), first + column, 4)
    peeled++
    const row = rows + ROW * i
    for (let k: usize = 0; k < 12; k += 4) {
      const other = load<u32>(row + k, COLUMNS) - first
      const there = degrees + ((<usize>other) << 3)
      const degree = load<u32>(there) - 1
      store<u32>(there, degree)
      store<u32>(there, load<u32>(there, 4) ^ i, 4)
      if (degree === 1) {
        store<u32>(queue + (waiting << 2), other)
        waiting++
      }
    }
  }
  return peeled
}

/**
 * Gives every peeled row's column its value, the last row first, so that the row's columns sum to the row's value. The
 * other columns have theirs.
 *
 * @param rows the part's
 * @param tables the part's, made by `okvsTables`
 */
export function okvsSubstitute(rows: usize, stack: usize, peeled: i32, columns: usize, tables: usize): void {
  for (let place = peeled - 1; place >= 0; place--) {
    const entry = stack + ((<usize>place) << 3)
    const row = rows + ROW * <usize>load<u32>(entry)
    const target = columns + ((<usize>load<u32>(entry, 4)) << 4)
    // with the target at zero, the sum of all three is that of the other two
    v128.store(target, i64x2.splat(0))
    v128.store(target, v128.xor(v128.load(row), sumOf(row, columns, tables)))
  }
}

/** For each part, and each of the eight bytes of a row's dense bits: the sum of the columns that each value names. */
export function okvsTables(columns: usize, parts: i32, sparse: u32, tables: usize): void {
  for (let part = 0; part < parts; part++) {
    const dense = columns + ((<usize>part * (sparse + DENSE) + sparse) << 4)
    for (let byte: usize = 0; byte < 8; byte++) {
      const table = tables + TABLES * part + (byte << 12)
      v128.store(table, i64x2.splat(0))
      for (let bits: u32 = 1; bits < 256; bits++) {
        const without = v128.load(table + ((<usize>(bits & (bits - 1))) << 4))
        const column = v128.load(dense + (((byte << 3) + ctz(bits)) << 4))
        v128.store(table + ((<usize>bits) << 4), v128.xor(without, column))
      }
    }
  }
}

/** The sum of each row's columns, 16 bytes each. */
export function okvsDecode(rows: usize, count: i32, columns: usize, tables: usize, out: usize): void {
  for (let i = 0; i < count; i++) {
    const row = rows + ROW * i
    const own = tables + TABLES * <usize>load<u32>(row, PART)
    v128.store(out + ((<usize>i) << 4), sumOf(row, columns, own))
  }
}

function sumOf(row: usize, columns: usize, tables: usize): v128 {
  let sum = v128.load(columns + ((<usize>load<u32>(row, COLUMNS)) << 4))
  sum = v128.xor(sum, v128.load(columns + ((<usize>load<u32>(row, COLUMNS + 4)) << 4)))
  sum = v128.xor(sum, v128.load(columns + ((<usize>load<u32>(row, COLUMNS + 8)) << 4)))
  for (let byte: usize = 0; byte < 8; byte++) {
    const bits = <usize>load<u8>(row + byte, DENSE_BITS)
    sum = v128.xor(sum, v128.load(tables + (byte << 12) + (bits << 4)))
  }
  return sum
}

/** The rows' values, 16 bytes each. */
export function okvsValues(rows: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i++) v128.store(out + ((<usize>i) << 4), v128.load(rows + ROW * i))
}
