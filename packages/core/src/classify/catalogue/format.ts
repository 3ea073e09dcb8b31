import { FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { DIGIT, DOT, HYPHEN, LOWER, OTHER, SPACE, UPPER, WIDE } from '../shape.js'
import type { CHARACTERS, FormatForm } from './schema.js'

/**
 * A recognizer from a catalogue's own form of values. There is no regular expression in it: whatever a catalogue says,
 * a value is looked at once.
 */
export function formatRecognizer({ characters, length, prefixes, weight }: FormatForm): Recognizer {
  const begins = (prefixes ?? []).map(prefix => new TextEncoder().encode(prefix))
  const wide = characters.includes('wide')
  return {
    // a character beyond ASCII has two to four bytes
    length: [length.min, wide ? 4 * length.max : length.max],
    only: characters.reduce((mask, character) => mask | CLASSES[character], 0),
    needs: 0,
    weights: { format: weight },
    match(bytes, start, end) {
      if (wide && !isBetween(bytes, start, end, length)) return NONE
      const fits =
        begins.length === 0 ||
        begins.some(prefix => prefix.every((byte, index) => bytes[start + index] === byte))
      return fits ? FORMAT : NONE
    },
  }
}

function isBetween(bytes: Uint8Array, start: number, end: number, length: FormatForm['length']): boolean {
  let characters = 0
  for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80) characters++
  return characters >= length.min && characters <= length.max
}

const CLASSES: Readonly<Record<(typeof CHARACTERS)[number], number>> = {
  digit: DIGIT,
  upper: UPPER,
  lower: LOWER,
  space: SPACE,
  hyphen: HYPHEN,
  dot: DOT,
  other: OTHER,
  wide: WIDE,
}
