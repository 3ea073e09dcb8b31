import { createHash, type Hash } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import type { Vector } from 'apache-arrow'
import type { InputForm } from './input.js'
import { type TextBuffers, textsIn } from './texts.js'

/** Rows that are hashed in one call. */
const BLOCK = 1 << 15
/** Digits of the longest length, and a colon. */
const PREFIX = 11
const [COLON, ZERO] = [58, 48]

/**
 * Holds the entities of an input to their order, that of code points, which is that of their bytes (RFC 3629, section 1),
 * and hashes them, each with its number of UTF-16 units before it.
 */
export class EntityOrder {
  readonly #form: Pick<InputForm, 'name' | 'entity'>
  readonly #hash: Hash = createHash('sha256')
  #last: Uint8Array | undefined

  constructor(form: Pick<InputForm, 'name' | 'entity'>) {
    this.#form = form
  }

  /** @throws SluiceError SCHEMA_INVALID, rule `job.rows` */
  add(entities: Vector): void {
    for (const data of entities.data) {
      const texts = textsIn(data)
      if (texts === undefined || texts.hasNulls) throw this.#wrong('does not name each row’s entity, as text')
      for (let row = 0; row < data.length; row += BLOCK)
        this.#addRows(texts, row, Math.min(row + BLOCK, data.length))
    }
  }

  digest(): Uint8Array {
    return this.#hash.digest()
  }

  #addRows({ bytes, offsets }: TextBuffers, first: number, end: number): void {
    const out = new Uint8Array(offsets[end]! - offsets[first]! + (end - first) * PREFIX)
    let filled = 0
    for (let row = first; row < end; row++) {
      const [start, stop] = [offsets[row]!, offsets[row + 1]!]
      if (row > first) this.#demandAfter(compared(bytes, offsets[row - 1]!, start, bytes, start, stop))
      else if (this.#last !== undefined)
        this.#demandAfter(compared(this.#last, 0, this.#last.length, bytes, start, stop))
      let units = 0
      // a byte that continues a character is no unit, one that begins the longest is two
      for (let at = start; at < stop; at++) {
        const byte = bytes[at]!
        if ((byte & 0xc0) !== 0x80) units += byte < 0xf0 ? 1 : 2
      }
      filled = writtenLength(out, filled, units)
      for (let at = start; at < stop; at++) out[filled++] = bytes[at]!
    }
    this.#last = bytes.slice(offsets[end - 1]!, offsets[end]!)
    this.#hash.update(out.subarray(0, filled))
  }

  #demandAfter(order: number): void {
    if (order >= 0)
      throw this.#wrong(order === 0 ? 'names an entity twice' : 'is not in ascending order by code points')
  }

  #wrong(reason: string): SluiceError {
    return new SluiceError('SCHEMA_INVALID', `the column "${this.#form.entity}" ${reason}`, {
      rule: 'job.rows',
      remedy: 'Give one row for each entity, sorted by that column.',
    })
  }
}

/** Below zero where the first text comes first, zero where they are one. */
function compared(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart)
  for (let at = 0; at < length; at++) {
    const difference = a[aStart + at]! - b[bStart + at]!
    if (difference !== 0) return difference
  }
  return aEnd - aStart - (bEnd - bStart)
}

/** Writes a length in decimal digits and a colon; returns where it ends. */
function writtenLength(out: Uint8Array, at: number, length: number): number {
  let digits = 1
  for (let rest = length; rest > 9; rest = Math.floor(rest / 10)) digits++
  for (let place = at + digits - 1, rest = length; place >= at; place--, rest = Math.floor(rest / 10))
    out[place] = ZERO + (rest % 10)
  out[at + digits] = COLON
  return at + digits + 1
}
