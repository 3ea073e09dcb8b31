import { isUtf8 } from 'node:buffer'
import { type Column, isText } from '../desensitize/column.js'
import { SluiceError } from '../errors.js'
import { visibleText } from '../text.js'
import { DistinctCounter } from './distinct.js'
import { embedsIdentifier, mayEmbed } from './embedded.js'
import type { Recognizer } from './recognizer.js'
import { CLASS, type ShapeTable } from './shape.js'
import { type TextRun, textOf } from './text.js'

/** No cell that a recognizer could tell apart from a document is longer; a row of longer ones would fill the memory. */
export const CELL_LIMIT = 1 << 20

/** What was counted in a column. */
export interface Tally {
  readonly rows: number
  readonly nulls: number
  /** text that holds nothing but spaces */
  readonly blanks: number
  /** texts in which somebody's number stands, among other things */
  readonly embedded: number
  /** bytes of all values, trimmed */
  readonly bytes: number
  readonly distinct: DistinctCounter
  /** values by recognizer and by the tier that they reached: `counts[4 * recognizer + evidence]` */
  readonly counts: Float64Array
}

/** Holds the recognizers against a column's values, a run of rows at a time, over the bytes in which they lie. */
export class ColumnScan implements Tally {
  rows = 0
  nulls = 0
  blanks = 0
  embedded = 0
  bytes = 0
  readonly distinct = new DistinctCounter()
  readonly counts: Float64Array
  readonly #name: string
  readonly #recognizers: readonly Recognizer[]
  readonly #shapes: ShapeTable

  readonly #rowsKnown: boolean

  /**
   * @param shapes of these recognizers; the columns share one
   * @param rowsKnown do rows come in the file's order, so that one can be named
   */
  constructor(name: string, recognizers: readonly Recognizer[], shapes: ShapeTable, rowsKnown: boolean) {
    this.#rowsKnown = rowsKnown
    this.#name = name
    this.#recognizers = recognizers
    this.#shapes = shapes
    this.counts = new Float64Array(4 * recognizers.length)
  }

  /**
   * @throws SluiceError FILE_FORMAT where text is not UTF-8, FILE_TOO_LARGE where a cell is longer than `CELL_LIMIT`
   */
  add(column: Column): void {
    const run = textOf(column)
    if (isText(column)) this.#requireText(run)
    const { offsets, bytes } = run
    const { validity, length } = column
    const { distinct, counts } = this
    for (let row = 0; row < length; row++) {
      if (validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0) {
        this.nulls++
        continue
      }
      let start = offsets[row]!
      let end = offsets[row + 1]!
      while (start < end && bytes[start]! <= 0x20) start++
      while (end > start && bytes[end - 1]! <= 0x20) end--
      if (start === end) {
        this.blanks++
        continue
      }
      // one pass for the classes of its characters and for its hash
      let classes = 0
      let high = 0x9e3779b9
      let low = 0x85ebca6b
      for (let at = start; at < end; at++) {
        const byte = bytes[at]!
        classes |= CLASS[byte]!
        high = Math.imul(high ^ byte, 0x9e3779b1)
        low = Math.imul(low ^ byte, 0x5f356495)
      }
      distinct.add(hash53(high, low))
      this.bytes += end - start
      if (mayEmbed(classes, end - start) && embedsIdentifier(bytes, start, end)) this.embedded++
      if (classes & 128 && end - start <= FOLDED_LIMIT && isFullWidth(bytes, start, end)) {
        this.#count(folded, 0, fold(bytes, start, end))
        continue
      }
      const candidates = this.#shapes.candidates(classes, end - start)
      for (let i = 0; i < candidates.length; i++) {
        const recognizer = candidates[i]!
        const evidence = this.#recognizers[recognizer]!.match(bytes, start, end)
        counts[4 * recognizer + evidence]!++
      }
    }
    this.rows += length
  }

  #count(bytes: Uint8Array, start: number, end: number): void {
    let classes = 0
    for (let at = start; at < end; at++) classes |= CLASS[bytes[at]!]!
    for (const recognizer of this.#shapes.candidates(classes, end - start)) {
      this.counts[4 * recognizer + this.#recognizers[recognizer]!.match(bytes, start, end)]!++
    }
  }

  #requireText({ offsets, bytes }: TextRun): void {
    const last = offsets.length - 1
    if (offsets[last]! - offsets[0]! > CELL_LIMIT) {
      for (let row = 0; row < last; row++) {
        if (offsets[row + 1]! - offsets[row]! > CELL_LIMIT) throw this.#tooLong(row)
      }
    }
    if (isUtf8(bytes.subarray(offsets[0], offsets[last]))) return
    for (let row = 0; row < last; row++) {
      const cell = bytes.subarray(offsets[row], offsets[row + 1])
      if (!isUtf8(cell)) throw this.#notText(row, cell)
    }
  }

  #tooLong(row: number): SluiceError {
    const { where, facts } = this.#place(row)
    return new SluiceError('FILE_TOO_LARGE', `the cell of ${where} is too long`, {
      rule: 'cell.size',
      remedy: `Give cells of at most ${CELL_LIMIT} bytes; leave out the column, or keep documents outside of the table.`,
      facts: { ...facts, limit: CELL_LIMIT },
    })
  }

  #notText(row: number, cell: Uint8Array): SluiceError {
    const { where, facts } = this.#place(row)
    return new SluiceError('FILE_FORMAT', `the text of ${where} is not UTF-8`, {
      rule: 'encoding',
      remedy: isGb18030(cell)
        ? 'It looks like GBK: write the file again in UTF-8.'
        : 'Write the file again in UTF-8.',
      facts,
    })
  }

  #place(row: number) {
    const column = visibleText(this.#name)
    if (!this.#rowsKnown) return { where: `column "${column}"`, facts: { column } }
    const number = this.rows + row + 1
    return { where: `column "${column}" in row ${number}`, facts: { column, row: number } }
  }
}

/** 53 bits of two running 32-bit hashes, mixed at the end (finalizers of MurmurHash3). */
function hash53(high: number, low: number): number {
  let a = high ^ (low >>> 15)
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b)
  a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  a ^= a >>> 16
  let b = low ^ a
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b)
  b = Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
  b ^= b >>> 16
  return (a >>> 11) * 0x100000000 + (b >>> 0)
}

/** Longer values are read as they are: recognizers of codes look at none of them. */
const FOLDED_LIMIT = 96
const folded = new Uint8Array(FOLDED_LIMIT)

/** Does a full-width letter, digit or sign of ASCII (U+FF01 to U+FF5E) or an ideographic space stand in it? */
function isFullWidth(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at + 2 < end; at++) {
    const byte = bytes[at]
    if (byte === 0xef && (bytes[at + 1] === 0xbc || bytes[at + 1] === 0xbd)) return true
    if (byte === 0xe3 && bytes[at + 1] === 0x80 && bytes[at + 2] === 0x80) return true
  }
  return false
}

/** Writes the value in half-width characters into `folded`; answers its length. */
function fold(bytes: Uint8Array, start: number, end: number): number {
  let size = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    const codePoint =
      at + 2 < end ? ((byte & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f) : 0
    if (byte === 0xef && codePoint >= 0xff01 && codePoint <= 0xff5e) {
      folded[size++] = codePoint - 0xfee0
      at += 2
    } else if (byte === 0xe3 && codePoint === 0x3000) {
      folded[size++] = 0x20
      at += 2
    } else folded[size++] = byte
  }
  return size
}

function isGb18030(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('gb18030', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
