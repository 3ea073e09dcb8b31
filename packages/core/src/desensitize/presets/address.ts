import type { TextTransform } from '../text-map.js'
import { MARK } from './shape.js'

export const ADDRESS_LEVELS = ['province', 'city', 'district'] as const
export type AddressLevel = (typeof ADDRESS_LEVELS)[number]

/** The names of the provincial level as addresses write them in full (GB/T 2260). */
const MUNICIPALITY = '(?:北京|天津|上海|重庆)市|香港特别行政区|澳门特别行政区'
const PROVINCE =
  '(?:河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾)省|' +
  '(?:内蒙古|广西壮族|西藏|宁夏回族|新疆维吾尔)自治区'

/**
 * A character of a place's name: Han, but none that ends a division or stands in the name of a street or a building,
 * so that a street is never taken for a city (`文三路城市花园`).
 */
const PLACE =
  '[^\\x{0}-\\x{3006}\\x{3008}-\\x{33ff}\\x{a000}-\\x{f8ff}\\x{fb00}-\\x{1ffff}省市区县旗路街道巷弄号楼幢栋室村]'
const CITY = `${PLACE}{2,10}(?:市|地区|自治州)|${PLACE}{2,4}盟`
const DISTRICT = `${PLACE}{1,12}[区县市旗]`
const REST = '[^\\n\\r\\x{2028}\\x{2029}]'

/** Of each level: the whole address, its first group is what stays. What stays is never all of it. */
export const ADDRESS_PATTERNS: Readonly<Record<AddressLevel, string>> = {
  province: `(${MUNICIPALITY}|${PROVINCE})${REST}+`,
  // something smaller has to follow, or a city that is none could not be told
  city: `(${MUNICIPALITY}|(?:${PROVINCE})(?:${CITY}))${PLACE}{1,12}(?:[区县市旗]|街道|镇)${REST}*`,
  district: `((?:${MUNICIPALITY}|(?:${PROVINCE})(?:${CITY}))${DISTRICT})${REST}+`,
}

/** Marks for what follows, however long it is. */
export const ADDRESS_MARKS = MARK.repeat(3)

const LONGEST = 1024

/** The divisions down to a level stay. An address that does not begin with its province does not fit. */
export function addressTransform(level: AddressLevel): TextTransform {
  const pattern = new RegExp(`^(?:${ADDRESS_PATTERNS[level].replaceAll('\\x{', '\\u{')})$`, 'u')
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const marks = new TextEncoder().encode(ADDRESS_MARKS)
  return (bytes, start, end, out) => {
    if (end - start > LONGEST) return false
    const kept = pattern.exec(decoder.decode(bytes.subarray(start, end)))?.[1]
    if (kept === undefined) return false
    out.copy(bytes, start, start + Buffer.byteLength(kept))
    out.write(marks)
    return true
  }
}

/** The longest address, in bytes of UTF-8. */
export const ADDRESS_LONGEST = LONGEST
