/**
 * How strongly one value speaks for an entity: the best that can be said of it. All of them have the format.
 *
 * - `FORMAT`: length, characters and structure fit
 * - `DICTIONARY`: a part of it stands in a list (an issuer, an area, a surname)
 * - `CHECKSUM`: its check character is right
 */
export const NONE = 0
export const FORMAT = 1
export const DICTIONARY = 2
export const CHECKSUM = 3
export type Evidence = typeof NONE | typeof FORMAT | typeof DICTIONARY | typeof CHECKSUM

export const TIERS = ['format', 'dictionary', 'checksum'] as const
export type Tier = (typeof TIERS)[number]

/** Recognizes one entity in values, by their bytes alone. One file each in `recognizers/`. */
export interface Recognizer {
  /** bytes of UTF-8 that a value may have, inclusive */
  readonly length: readonly [least: number, most: number]
  /** classes of characters (`shape.ts`) of which a value may consist */
  readonly only: number
  /** classes of which each has to occur */
  readonly needs: number
  /** classes of which at least one has to occur, where there are such */
  readonly oneOf?: number
  /**
   * What each tier adds to the confidence where (nearly) every value reaches it: 1 − Π(1 − weight). A weight of 0.5
   * is enough by itself; one below needs another tier, or the column's name.
   */
  readonly weights: Readonly<Partial<Record<Tier, number>>>
  /** the share of arbitrary values of that format whose check character is right by chance */
  readonly chance?: number
  /** a column of a few values repeated often is no column of these, whatever the dictionary says */
  readonly diverse?: boolean
  /** Looks at `bytes[start … end)`, which has the shape that is declared above, trimmed and in half-width characters. */
  match(bytes: Uint8Array, start: number, end: number): Evidence
}
