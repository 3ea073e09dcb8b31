/**
 * Han characters as they stand in names and places: the unified ideographs with their extensions and compatibility
 * forms, and `〇` (Unicode 15.1, Blocks.txt).
 */
const HAN: readonly (readonly [number, number])[] = [
  [0x3007, 0x3007],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xf900, 0xfa6d],
  [0xfa70, 0xfad9],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2ebe0],
  [0x2f800, 0x2fa1d],
  [0x30000, 0x323af],
]

/** The inside of a bracket of a regular expression (RE2). */
export const HAN_CLASS = HAN.map(([first, last]) =>
  first === last ? `\\x{${first.toString(16)}}` : `\\x{${first.toString(16)}}-\\x{${last.toString(16)}}`,
).join('')

/** The same for JavaScript, with the flag `u`. */
export const HAN_CLASS_JS = HAN_CLASS.replaceAll('\\x{', '\\u{')

/** Bytes of the Han character at `at`; 0 where there is none. */
export function hanLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!
  if (lead >= 0xe4 && lead <= 0xe9) {
    // 4000 to 9FFF but 4DC0 to 4DFF, which are hexagrams
    if (at + 3 > end) return 0
    return lead === 0xe4 && bytes[at + 1] === 0xb7 ? 0 : 3
  }
  if (lead < 0xe3) return 0
  const size = lead < 0xf0 ? 3 : 4
  if (at + size > end) return 0
  const point =
    size === 3
      ? ((lead & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f)
      : ((lead & 0x07) << 18) |
        ((bytes[at + 1]! & 0x3f) << 12) |
        ((bytes[at + 2]! & 0x3f) << 6) |
        (bytes[at + 3]! & 0x3f)
  return HAN.some(([first, last]) => point >= first && point <= last) ? size : 0
}
