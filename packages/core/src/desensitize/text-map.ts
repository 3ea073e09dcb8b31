import { SluiceError } from '../errors.js'
import { isValid, TEXT, TEXT_LIMIT, type TextColumn, Validity } from './column.js'
import type { Applied } from './rule.js'

/** Where a rule for text writes a value's successor. */
export class TextOutput {
  bytes: Uint8Array
  size = 0

  constructor(expected: number) {
    this.bytes = new Uint8Array(Math.max(64, expected))
  }

  /** Makes room: call it before writing to `bytes` at `size`. */
  reserve(more: number): void {
    const needed = this.size + more
    if (needed <= this.bytes.length) return
    if (needed > TEXT_LIMIT) {
      throw new SluiceError('FILE_TOO_LARGE', 'a chunk of a text column grows beyond 2 GiB', {
        rule: 'column.size',
        remedy: 'Give smaller chunks of rows.',
      })
    }
    const grown = new Uint8Array(Math.min(TEXT_LIMIT, Math.max(needed, 2 * this.bytes.length)))
    grown.set(this.bytes.subarray(0, this.size))
    this.bytes = grown
  }

  copy(from: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.reserve(length)
    // a call costs more than a few bytes
    if (length > 48) this.bytes.set(from.subarray(start, end), this.size)
    else for (let k = 0; k < length; k++) this.bytes[this.size + k] = from[start + k]!
    this.size += length
  }

  write(text: Uint8Array): void {
    this.copy(text, 0, text.length)
  }

  /** @param mark what stands for one hidden character */
  repeat(mark: Uint8Array, times: number): void {
    this.reserve(mark.length * times)
    if (mark.length === 1) {
      const byte = mark[0]!
      for (let k = 0; k < times; k++) this.bytes[this.size + k] = byte
      this.size += times
    } else {
      for (let k = 0; k < times; k++) this.write(mark)
    }
  }
}

/**
 * Writes the successor of the value `bytes[start … end)`; false where the value does not fit, whatever it wrote until
 * then.
 */
export type TextTransform = (bytes: Uint8Array, start: number, end: number, out: TextOutput) => boolean

/**
 * Every value of a text column through a transformation. Null stays null; what does not fit becomes null.
 *
 * @param same what becomes of a value that comes out as it went in: a mask hides it, a generalization leaves it
 */
export function mapText(chunk: TextColumn, transform: TextTransform, same: 'hide' | 'leave'): Applied {
  const { length, offsets, bytes, validity } = chunk
  const out = new TextOutput((offsets[length]! - offsets[0]!) * 1.05 + 1024)
  const outOffsets = new Int32Array(length + 1)
  const outValidity = new Validity(length)
  let hidden = 0
  let fixedPoints = 0
  let nulls = 0
  for (let i = 0; i < length; i++) {
    const before = out.size
    if (validity !== null && !isValid(chunk, i)) {
      nulls++
      outValidity.clear(i)
    } else {
      const start = offsets[i]!
      const end = offsets[i + 1]!
      const fits = transform(bytes, start, end, out)
      if (!fits) {
        hidden++
        out.size = before
        outValidity.clear(i)
      } else if (isSame(bytes, start, end, out.bytes, before, out.size)) {
        if (same === 'leave') fixedPoints++
        else {
          hidden++
          out.size = before
          outValidity.clear(i)
        }
      }
    }
    outOffsets[i + 1] = out.size
  }
  const column: TextColumn = {
    type: TEXT,
    length,
    validity: outValidity.finish(),
    offsets: outOffsets,
    bytes: out.bytes.subarray(0, out.size),
  }
  return { column, hidden, fixedPoints, changed: length - nulls - hidden - fixedPoints }
}

function isSame(a: Uint8Array, from: number, to: number, b: Uint8Array, start: number, end: number): boolean {
  if (to - from !== end - start) return false
  // the end differs more often than the beginning
  for (let k = to - from - 1; k >= 0; k--) if (a[from + k] !== b[start + k]) return false
  return true
}
