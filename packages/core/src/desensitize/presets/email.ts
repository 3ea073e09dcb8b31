import type { TextTransform } from '../text-map.js'
import { MARK } from './shape.js'

/**
 * The usual part of RFC 5321's addresses: a dot-string before the `@`, a domain of two labels or more behind it; no
 * quoted local parts, no address literals, no other scripts.
 */
export const EMAIL_PATTERN =
  "[A-Za-z0-9!#$%&'+/=?^_`{|}~.-]{2,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"

/** Marks for the local part after its first character, however long it is. */
export const EMAIL_MARKS = MARK.repeat(3)

const LOCAL = bytesOf(/[A-Za-z0-9!#$%&'+/=?^_`{|}~.-]/)
const ALPHANUMERIC = bytesOf(/[A-Za-z0-9]/)
const AT = 0x40
const DOT = 0x2e
const HYPHEN = 0x2d
const MARK_BYTES = new TextEncoder().encode(EMAIL_MARKS)

/** The first character of the local part and the domain stay. */
export const emailTransform: TextTransform = (bytes, start, end, out) => {
  let at = start
  while (at < end && LOCAL[bytes[at]!] === 1) at++
  if (at - start < 2 || at - start > 64 || at >= end || bytes[at] !== AT) return false
  if (!isDomain(bytes, at + 1, end)) return false
  out.copy(bytes, start, start + 1)
  out.write(MARK_BYTES)
  out.copy(bytes, at, end)
  return true
}

function isDomain(bytes: Uint8Array, start: number, end: number): boolean {
  let labels = 0
  let labelStart = start
  for (let i = start; i <= end; i++) {
    if (i < end && bytes[i] !== DOT) {
      if (ALPHANUMERIC[bytes[i]!] === 0 && bytes[i] !== HYPHEN) return false
      continue
    }
    if (i === labelStart || bytes[labelStart] === HYPHEN || bytes[i - 1] === HYPHEN) return false
    labels++
    labelStart = i + 1
  }
  return labels >= 2
}

function bytesOf(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    byte < 128 && pattern.test(String.fromCharCode(byte)) ? 1 : 0,
  )
}
