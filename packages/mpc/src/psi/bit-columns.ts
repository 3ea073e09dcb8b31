import { AesCtrPrg, PRG_KEY_BYTES } from '../prg/aes-ctr.js'
import type { Arena } from './arena.js'
import type { Address } from './kernels.js'

/**
 * Columns of pseudorandom bits, one stream for each key that an oblivious transfer gave, drawn a block of rows at a
 * time. Two holders of a key who draw the same blocks in the same order get the same column.
 */
export class BitColumns {
  /** bytes of a row: a bit for each key */
  readonly width: number
  readonly #streams: readonly AesCtrPrg[]

  /** @param keys a multiple of 64 keys, 16 bytes each */
  constructor(keys: Uint8Array) {
    const count = keys.length / PRG_KEY_BYTES
    this.width = count / 8
    this.#streams = Array.from({ length: count }, (_, column) => {
      return new AesCtrPrg(keys.subarray(column * PRG_KEY_BYTES, (column + 1) * PRG_KEY_BYTES))
    })
  }

  /**
   * The next rows of all columns.
   *
   * @param arena its `columns` has room for `count · width` bytes
   * @param rows where they go, `width` bytes each
   * @param count a multiple of 64
   */
  draw({ kernels, at, bytes }: Arena<'columns'>, rows: Address, count: number): void {
    const stride = count / 8
    this.#streams.forEach((stream, column) => {
      stream.fill(bytes.columns.subarray(column * stride, (column + 1) * stride))
    })
    kernels.columnsToRows(at.columns, stride, this.width / 8, count, rows)
  }
}

/** Rows that are drawn together are so many that each column's part is whole words. */
export function wholeWords(rows: number): number {
  return Math.ceil(rows / 64) * 64
}

/** One byte for each bit, 0 or 1, the lowest bit of a byte first. */
export function bitsOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: bytes.length * 8 }, (_, bit) => (bytes[bit >> 3]! >> (bit & 7)) & 1)
}

/** Of pairs of keys, as the sender of base transfers has them, all the first or all the second. */
export function everyOther(pairs: Uint8Array, choice: number): Uint8Array<ArrayBuffer> {
  const keys = new Uint8Array(pairs.length / 2)
  for (let to = 0; to < keys.length; to += PRG_KEY_BYTES) {
    const from = 2 * to + choice * PRG_KEY_BYTES
    keys.set(pairs.subarray(from, from + PRG_KEY_BYTES), to)
  }
  return keys
}
