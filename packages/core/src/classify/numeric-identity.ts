import type { Column, FixedColumn } from '../desensitize/column.js'
import { SluiceError } from '../errors.js'
import type { ScalarType } from '../plan/types.js'
import { visibleText } from '../text.js'
import { NONE } from './recognizer.js'
import { identityNumber } from './recognizers/identity-number.js'
import { textOf } from './text.js'

/**
 * Watches a numeric column for identity numbers of 18 digits. A double keeps about 15 of them, and no number has the
 * check character X: what is in such a column is not what was issued, and nobody can tell whose it is. Arbitrary numbers
 * of 18 digits hold a date at that place once in 900 times.
 */
export class NumericIdentityWatch {
  readonly #name: string
  readonly #type: ScalarType
  readonly #rowsKnown: boolean
  #found = 0
  #values = 0
  #first = 0

  /** @param rowsKnown do rows come in the file's order, so that one can be named */
  constructor(name: string, type: ScalarType, rowsKnown: boolean) {
    this.#rowsKnown = rowsKnown
    this.#name = name
    this.#type = type
  }

  /** @param firstRow of these rows in the whole, from 1 */
  add(column: Column, firstRow: number): void {
    if (!isWide(column.type)) return
    const { offsets, bytes } = textOf(column as FixedColumn)
    for (let row = 0; row < column.length; row++) {
      const [start, end] = [offsets[row]!, offsets[row + 1]!]
      if (start === end) continue
      this.#values++
      if (end - start !== 18 || identityNumber.match(bytes, start, end) === NONE) continue
      if (this.#found++ === 0) this.#first = firstRow + row
    }
  }

  /** @throws SluiceError SCHEMA_INVALID where at least half of the values are identity numbers */
  check(): void {
    if (this.#found === 0 || 2 * this.#found < this.#values) return
    const lost =
      this.#type.kind === 'float'
        ? 'a float keeps about 15 of their 18 digits, so that the last ones are lost'
        : 'a number cannot end in the check character X, so that those which do are lost or changed'
    throw new SluiceError(
      'SCHEMA_INVALID',
      `column "${visibleText(this.#name)}" holds identity numbers as numbers${this.#rowsKnown ? `, from row ${this.#first} on` : ''}: ${lost}`,
      {
        rule: 'identity-number.numeric',
        remedy:
          'Export the column again from its source as text; converting this file does not bring them back.',
        facts: {
          column: visibleText(this.#name),
          ...(this.#rowsKnown && { row: this.#first }),
          values: this.#found,
        },
      },
    )
  }
}

function isWide(type: ScalarType): boolean {
  return (
    (type.kind === 'integer' && type.bits >= 64) ||
    (type.kind === 'float' && type.bits === 64) ||
    (type.kind === 'decimal' && type.precision >= 18)
  )
}
