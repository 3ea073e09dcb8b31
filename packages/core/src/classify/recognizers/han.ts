/** Chinese characters in UTF-8, for recognizers. The bytes are valid: the scan has checked that. */

/** The code point that begins at `at`. */
export function codePointAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return first
  if (first < 0xe0) return ((first & 0x1f) << 6) | (bytes[at + 1]! & 0x3f)
  if (first < 0xf0) {
    return ((first & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f)
  }
  const high = ((first & 0x07) << 18) | ((bytes[at + 1]! & 0x3f) << 12)
  return high | ((bytes[at + 2]! & 0x3f) << 6) | (bytes[at + 3]! & 0x3f)
}

/** Bytes of the character that begins with this byte. */
export function widthOf(first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}

/** The unified ideographs, their extensions A to H and 〇. */
export function isHan(codePoint: number): boolean {
  return (
    (codePoint >= 0x4e00 && codePoint <= 0x9fff) ||
    (codePoint >= 0x3400 && codePoint <= 0x4dbf) ||
    (codePoint >= 0x20000 && codePoint <= 0x323af) ||
    codePoint === 0x3007
  )
}

export function codePointsOf(text: string): ReadonlySet<number> {
  return new Set(Array.from(text, character => character.codePointAt(0)!))
}
