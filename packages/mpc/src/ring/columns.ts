import type { Words } from './slots.js'

/** Columns one after the other. */
export function concatenate(columns: readonly Words[]): Words {
  const out = new BigUint64Array(columns.reduce((length, column) => length + column.length, 0))
  let start = 0
  for (const column of columns) {
    out.set(column, start)
    start += column.length
  }
  return out
}

/** The inverse, for parts of one length. */
export function split(columns: Words, parts: number): Words[] {
  const length = columns.length / parts
  return Array.from({ length: parts }, (_, part) => columns.subarray(part * length, (part + 1) * length))
}
