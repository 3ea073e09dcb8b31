/** The number that ASCII digits spell, or −1 where one of them is none. */
export function readDigits(bytes: Uint8Array, from: number, length: number): number {
  let number = 0
  for (let i = from; i < from + length; i++) {
    const digit = bytes[i]! - 48
    if (digit < 0 || digit > 9) return -1
    number = number * 10 + digit
  }
  return number
}

/** Writes a number in that many ASCII digits. */
export function writeDigits(number: number, bytes: Uint8Array, from: number, length: number): void {
  let rest = number
  for (let i = from + length - 1; i >= from; i--) {
    const next = Math.floor(rest / 10)
    bytes[i] = 48 + rest - 10 * next
    rest = next
  }
}
