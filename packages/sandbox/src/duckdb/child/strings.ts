import duckdb from '@duckdb/node-bindings'

/** Bytes of a `duckdb_string_t`: a length, then the bytes themselves or four of them and a pointer. */
export const STRING_BYTES = 16
const INLINED_BYTES = 12
/** Far less than a page: what lies between two texts so close lies on a page of one of them, and can be read with both. */
const GAP_BYTES = 64

/**
 * Copies the texts of a vector, one after the other. Those that lie near one another in the engine's memory, as a file's
 * or a table's mostly do, are fetched together: a call for each costs more than everything else that is done to them.
 *
 * @param data the vector's `duckdb_string_t`s
 * @param lengths of the texts to copy, by row; 0 where there is nothing to copy
 * @param at where the first goes in `out`, which has room for all
 */
export function copyStrings(data: Uint8Array, lengths: Int32Array, out: Uint8Array, at: number): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let to = at
  for (let row = 0; row < lengths.length; ) {
    if (lengths[row]! <= INLINED_BYTES) {
      to = copyInlined(data, row, lengths[row]!, out, to)
      row++
      continue
    }
    const run = runFrom(view, lengths, row)
    const offset = data.byteOffset + run.first * STRING_BYTES + 8
    const bytes = duckdb.get_data_from_pointer(data.buffer as ArrayBuffer, offset, run.end - run.start)
    if (run.isPacked) {
      out.set(bytes, to)
      to += bytes.length
      row = run.next
      continue
    }
    for (; row < run.next; row++) {
      const length = lengths[row]!
      if (length <= INLINED_BYTES) {
        to = copyInlined(data, row, length, out, to)
        continue
      }
      const from = pointerAt(view, row) - run.start
      for (let i = 0; i < length; i++) out[to + i] = bytes[from + i]!
      to += length
    }
  }
}

function copyInlined(data: Uint8Array, row: number, length: number, out: Uint8Array, to: number): number {
  const from = row * STRING_BYTES + 4
  for (let i = 0; i < length; i++) out[to + i] = data[from + i]!
  return to + length
}

/** Rows whose longer texts cover a stretch of memory without a gap that matters. */
interface Run {
  /** addresses */
  readonly start: number
  readonly end: number
  /** the row that `start` is the pointer of, and the first row that does not belong to it */
  readonly first: number
  readonly next: number
  /** the stretch is the rows' texts, one after the other */
  readonly isPacked: boolean
}

function runFrom(view: DataView, lengths: Int32Array, row: number): Run {
  let start = pointerAt(view, row)
  let end = start + lengths[row]!
  let [first, next, isPacked] = [row, row + 1, true]
  for (; next < lengths.length; next++) {
    const length = lengths[next]!
    if (length <= INLINED_BYTES) {
      if (length > 0) isPacked = false
      continue
    }
    const pointer = pointerAt(view, next)
    if (pointer > end + GAP_BYTES || pointer + length + GAP_BYTES < start) break
    if (pointer !== end) isPacked = false
    if (pointer < start) {
      start = pointer
      first = next
    }
    end = Math.max(end, pointer + length)
  }
  return { start, end, first, next, isPacked }
}

/** Exact: a process has no address beyond 2^52 unless it asks for one. */
function pointerAt(view: DataView, row: number): number {
  const at = row * STRING_BYTES + 8
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32
}
