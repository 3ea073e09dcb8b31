import { CHECKSUM, NONE } from './recognizer.js'
import { bankCard } from './recognizers/bank-card.js'
import { isDigit } from './recognizers/digits.js'
import { identityNumber } from './recognizers/identity-number.js'
import { mobile } from './recognizers/mobile.js'
import { DIGIT, OTHER, SPACE, WIDE } from './shape.js'

/** Shorter text holds nothing but the number. */
const LEAST = 12
const DOT = 0x2e

/** Can a value of these classes of characters be text with a number in it? */
export function mayEmbed(classes: number, length: number): boolean {
  return length >= LEAST && (classes & DIGIT) !== 0 && (classes & (WIDE | SPACE | OTHER)) !== 0
}

/**
 * Does somebody's number stand inside a text: an identity or bank card number with the right check character, or a mobile
 * number of a known range? Only runs of digits that nothing continues are looked at; names and addresses are not found.
 */
export function embedsIdentifier(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at]!)) continue
    const from = at
    while (at < end && isDigit(bytes[at]!)) at++
    const marked = at - from === 17 && at < end && (bytes[at]! & 0xdf) === 0x58
    const to = marked ? at + 1 : at
    if (to - from < 11 || to - from > 19 || continues(bytes, from - 1, start, end)) continue
    if (continues(bytes, to, start, end)) continue
    if (to - from === 11 && mobile.match(bytes, from, to) !== NONE) return true
    if (to - from === 18 && identityNumber.match(bytes, from, to) === CHECKSUM) return true
    if (!marked && to - from >= 16 && bankCard.match(bytes, from, to) === CHECKSUM) return true
  }
  return false
}

/** A letter or a decimal point beside digits makes another number or code of them. */
function continues(bytes: Uint8Array, at: number, start: number, end: number): boolean {
  if (at < start || at >= end) return false
  const byte = bytes[at]!
  if (byte === DOT) return at > start && at + 1 < end && isDigit(bytes[at - 1]!) && isDigit(bytes[at + 1]!)
  const letter = byte & 0xdf
  return letter >= 0x41 && letter <= 0x5a && byte < 0x80
}
