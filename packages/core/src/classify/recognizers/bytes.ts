/** Single bytes of ASCII, for recognizers. */

/** Where the byte stands first in `bytes[start … end)`; -1 where it does not. */
export function indexOfByte(bytes: Uint8Array, byte: number, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === byte) return at
  return -1
}

export function isHexadecimal(byte: number): boolean {
  const letter = byte & 0xdf
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && letter >= 0x41 && letter <= 0x46)
}

export function isLetter(byte: number): boolean {
  const letter = byte & 0xdf
  return byte < 0x80 && letter >= 0x41 && letter <= 0x5a
}
