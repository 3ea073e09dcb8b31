/** Classes of characters, as bits: what a value consists of, by its bytes. */
export const DIGIT = 1
export const UPPER = 2
export const LOWER = 4
export const SPACE = 8
export const HYPHEN = 16
export const DOT = 32
/** any other character of ASCII */
export const OTHER = 64
/** any character beyond ASCII */
export const WIDE = 128

export const LETTER = UPPER | LOWER
export const ANY = 255

/** The class of each byte. */
export const CLASS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return WIDE
  if (byte >= 0x30 && byte <= 0x39) return DIGIT
  if (byte >= 0x41 && byte <= 0x5a) return UPPER
  if (byte >= 0x61 && byte <= 0x7a) return LOWER
  if (byte === 0x20 || byte === 0x09) return SPACE
  if (byte === 0x2d) return HYPHEN
  return byte === 0x2e ? DOT : OTHER
})

/** Lengths from here on are one bucket. */
const LONGEST = 255

export interface Shaped {
  readonly length: readonly [least: number, most: number]
  readonly only: number
  readonly needs: number
  readonly oneOf?: number
}

/**
 * For the classes and the length of a value, which of the recognizers it is worth asking: most values are asked of
 * one or two of twenty.
 */
export class ShapeTable {
  readonly #shapes: readonly Shaped[]
  readonly #table: (Uint8Array | undefined)[] = new Array(256 * (LONGEST + 1))

  constructor(shapes: readonly Shaped[]) {
    this.#shapes = shapes
  }

  /** @returns indexes of recognizers */
  candidates(classes: number, length: number): Uint8Array {
    const at = classes * (LONGEST + 1) + Math.min(length, LONGEST)
    const known = this.#table[at]
    if (known !== undefined) return known
    const found = this.#find(classes, length)
    this.#table[at] = found
    return found
  }

  #find(classes: number, length: number): Uint8Array {
    const fits = ({ length: [least, most], only, needs, oneOf }: Shaped) =>
      (length >= least || least >= LONGEST) &&
      (length <= most || (length >= LONGEST && most >= LONGEST)) &&
      (classes & ~only) === 0 &&
      (classes & needs) === needs &&
      (oneOf === undefined || (classes & oneOf) !== 0)
    return Uint8Array.from(this.#shapes.flatMap((shape, index) => (fits(shape) ? [index] : [])))
  }
}
