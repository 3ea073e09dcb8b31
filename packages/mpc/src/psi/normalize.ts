import type { Messages } from '@sluice/core/desensitize/cipher'

/**
 * How a key's text is brought to one form before it is compared. Both parties sign which of these hold; they are
 * always applied in this order:
 *
 * - `width`: full-width forms become ASCII (U+FF01 to U+FF5E, less 0xFEE0), the ideographic space a space;
 * - `trim`: white space at both ends goes, as ECMAScript's `trim` has it, and zero-width spaces and joiners;
 * - `case`: the letters a to z become A to Z. Others stay: what their capitals are changes with versions of Unicode,
 *   and the two parties may have different ones;
 * - `identity`: in an identity number of GB 11643, 17 digits and a check character, a check character written as
 *   x, ×, ✕ or the Cyrillic or Greek letter becomes X. Numbers of 15 digits stay what they are.
 */
export const NORMALIZATIONS = ['width', 'trim', 'case', 'identity'] as const
export type Normalization = (typeof NORMALIZATIONS)[number]

/**
 * A column of texts in UTF-8, brought to one form: the column itself where it is in that form. Values of ASCII alone
 * never become strings.
 */
export function normalized(texts: Messages, rules: readonly Normalization[]): Messages {
  const wanted = new Set(rules)
  if (rules.length === 0 || isInForm(texts, wanted)) return texts
  const { bytes, offsets } = texts
  const count = Math.max(0, offsets.length - 1)
  const out: Output = { bytes: new Uint8Array(bytes.length), length: 0 }
  const ends = new Int32Array(count + 1)
  for (let row = 0; row < count; row++) {
    const [start, end] = [offsets[row]!, offsets[row + 1]!]
    if (isAscii(bytes, start, end)) appendAscii(out, bytes, start, end, wanted)
    else append(out, new TextEncoder().encode(normalizedText(decode(bytes, start, end), wanted)))
    ends[row + 1] = out.length
  }
  return { bytes: out.bytes.subarray(0, out.length), offsets: ends }
}

/** Whether there is nothing to do, as in most columns: no letter or end of a value that a rule changes, and ASCII alone. */
function isInForm({ bytes, offsets }: Messages, rules: ReadonlySet<Normalization>): boolean {
  const rows = offsets.length - 1
  if (rows < 1) return true
  if (!isPlain(bytes.subarray(offsets[0]!, offsets[rows]!), rules.has('case'))) return false
  const [trim, identity] = [rules.has('trim'), rules.has('identity')]
  for (let row = 0; row < rows; row++) {
    const start = offsets[row]!
    const end = offsets[row + 1]!
    if (start === end) continue
    if (trim && (isSpace(bytes[start]!) || isSpace(bytes[end - 1]!))) return false
    if (identity && bytes[end - 1] === 0x78) return false
  }
  return true
}

/** ASCII alone and, where capitals are wanted, no small letter: looked at in words of four bytes. */
function isPlain(bytes: Uint8Array, capitals: boolean): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const whole = bytes.length & ~3
  for (let at = 0; at < whole; at += 4) {
    const word = view.getInt32(at)
    if ((word & HIGH_BITS) !== 0) return false
    // the high bit of a byte: it is "a" or later, and it is not beyond "z"; no byte carries into the next
    if (capitals && ((word + FROM_SMALL_A) & ~(word + BEYOND_SMALL_Z) & HIGH_BITS) !== 0) return false
  }
  for (let at = whole; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte > 127 || (capitals && byte >= 0x61 && byte <= 0x7a)) return false
  }
  return true
}

const HIGH_BITS = 0x80808080 | 0
const FROM_SMALL_A = 0x1f1f1f1f
const BEYOND_SMALL_Z = 0x05050505

/** One text; the rules' meaning in a few lines, which the columns' fast path agrees with. */
export function normalizedText(text: string, rules: ReadonlySet<Normalization>): string {
  let value = text
  if (rules.has('width')) value = value.replace(FULL_WIDTH, halved)
  if (rules.has('trim')) value = value.replace(ENDS, '')
  if (rules.has('case')) value = value.replace(/[a-z]+/g, letters => letters.toUpperCase())
  if (rules.has('identity')) value = value.replace(IDENTITY, '$1X')
  return value
}

const FULL_WIDTH = /[\uff01-\uff5e\u3000]/g
const ENDS = /^[\s\u200b-\u200d\u2060]+|[\s\u200b-\u200d\u2060]+$/gu
const IDENTITY = /^(\d{17})[xX×✕хХχΧ]$/u

function halved(character: string): string {
  return character === '\u3000' ? ' ' : String.fromCharCode(character.charCodeAt(0) - 0xfee0)
}

interface Output {
  bytes: Uint8Array<ArrayBuffer>
  length: number
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 127) return false
  return true
}

function appendAscii(
  out: Output,
  bytes: Uint8Array,
  start: number,
  end: number,
  rules: ReadonlySet<Normalization>,
): void {
  let [from, to] = [start, end]
  if (rules.has('trim')) {
    while (from < to && isSpace(bytes[from]!)) from++
    while (to > from && isSpace(bytes[to - 1]!)) to--
  }
  reserve(out, to - from)
  const begin = out.length
  const upper = rules.has('case')
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    out.bytes[out.length++] = upper && byte >= 0x61 && byte <= 0x7a ? byte - 32 : byte
  }
  if (rules.has('identity') && isIdentity(out.bytes, begin, out.length)) out.bytes[out.length - 1] = 0x58
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

/** 17 digits and an x, large or small */
function isIdentity(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 18 || (bytes[end - 1]! | 32) !== 0x78) return false
  for (let i = start; i < end - 1; i++) if (bytes[i]! < 0x30 || bytes[i]! > 0x39) return false
  return true
}

function append(out: Output, bytes: Uint8Array): void {
  reserve(out, bytes.length)
  out.bytes.set(bytes, out.length)
  out.length += bytes.length
}

/** No rule makes a text longer, but text that is no UTF-8 is spelled with replacement characters. */
function reserve(out: Output, more: number): void {
  if (out.length + more <= out.bytes.length) return
  const grown = new Uint8Array(Math.max(out.bytes.length * 2, out.length + more))
  grown.set(out.bytes.subarray(0, out.length))
  out.bytes = grown
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start, end))
}
