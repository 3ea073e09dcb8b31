import { isValid, nullsIn, TEXT, type TextColumn, Validity } from '../column.js'
import type { Applied } from '../rule.js'

/** How a code is taken apart into a pair of numbers, and put together from another. */
export interface Surrogate {
  /** bytes of a code, before and after */
  readonly size: number
  /** The two numbers of the code that begins here; false where it is none, or is a surrogate already. */
  read(bytes: Uint8Array, from: number, pair: Float64Array): boolean
  permute(outer: Float64Array, inner: Float64Array): void
  /** Writes the surrogate of these numbers. What `read` did not take apart is copied from the code at `source`. */
  write(
    outer: number,
    inner: number,
    bytes: Uint8Array,
    at: number,
    original: Uint8Array,
    source: number,
  ): void
}

/** Surrogates of a column's codes; what is no code is hidden. */
export function surrogates(column: TextColumn, { size, read, permute, write }: Surrogate): Applied {
  const { length, offsets, bytes } = column
  const rows = new Int32Array(length)
  const outer = new Float64Array(length)
  const inner = new Float64Array(length)
  const pair = new Float64Array(2)
  const validity = new Validity(length)
  let fitting = 0
  for (let row = 0; row < length; row++) {
    const start = offsets[row]!
    const fits = isValid(column, row) && offsets[row + 1]! - start === size && read(bytes, start, pair)
    if (!fits) {
      validity.clear(row)
      continue
    }
    rows[fitting] = row
    outer[fitting] = pair[0]!
    inner[fitting] = pair[1]!
    fitting++
  }
  permute(outer.subarray(0, fitting), inner.subarray(0, fitting))
  const text = new Uint8Array(fitting * size)
  const out = new Int32Array(length + 1)
  let next = 0
  for (let row = 0; row < length; row++) {
    if (next < fitting && rows[next] === row) {
      write(outer[next]!, inner[next]!, text, next * size, bytes, offsets[row]!)
      next++
    }
    out[row + 1] = next * size
  }
  return {
    column: { type: TEXT, length, validity: validity.finish(), offsets: out, bytes: text },
    changed: fitting,
    hidden: length - nullsIn(column) - fitting,
    fixedPoints: 0,
  }
}
