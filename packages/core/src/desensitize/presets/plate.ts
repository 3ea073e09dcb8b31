import type { TextTransform } from '../text-map.js'
import { MARK } from './shape.js'

/** Provinces' characters on plates (GA 36-2018, table 4). */
const PROVINCES = '京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼'

/** Last characters of plates for special purposes (GA 36-2018): trailers, training, police, Hong Kong, Macau. */
const SPECIAL = '挂学警港澳'

/** 车牌: province, authority, then five characters, or six for new energy. Letters without I and O. */
export const PLATE_PATTERN = `[${PROVINCES}][A-HJ-NP-Z](?:[0-9A-HJ-NP-Z]{5,6}|[0-9A-HJ-NP-Z]{4}[${SPECIAL}])`

const PROVINCE_POINTS = new Set([...PROVINCES].map(character => character.codePointAt(0)!))
const SPECIAL_POINTS = new Set([...SPECIAL].map(character => character.codePointAt(0)!))
const MARK_BYTE = MARK.charCodeAt(0)

/** Province and authority stay; each other character is a mark. */
export const plateTransform: TextTransform = (bytes, start, end, out) => {
  const length = end - start
  // three bytes of the province, one of the authority, then five or six of one byte, or four and one of three
  if (length !== 9 && length !== 10 && length !== 11) return false
  if (!PROVINCE_POINTS.has(point(bytes, start)) || !isLetter(bytes[start + 3]!)) return false
  const plain = length === 11 ? 4 : length - 4
  for (let i = 0; i < plain; i++) if (!isAlphanumeric(bytes[start + 4 + i]!)) return false
  if (length === 11 && !SPECIAL_POINTS.has(point(bytes, start + 8))) return false
  out.reserve(10)
  out.copy(bytes, start, start + 4)
  const marks = length === 11 ? 5 : plain
  for (let i = 0; i < marks; i++) out.bytes[out.size + i] = MARK_BYTE
  out.size += marks
  return true
}

function point(bytes: Uint8Array, at: number): number {
  if ((bytes[at]! & 0xf0) !== 0xe0) return 0
  return ((bytes[at]! & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f)
}

function isLetter(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a && byte !== 0x49 && byte !== 0x4f
}

function isAlphanumeric(byte: number): boolean {
  return isLetter(byte) || (byte >= 0x30 && byte <= 0x39)
}
