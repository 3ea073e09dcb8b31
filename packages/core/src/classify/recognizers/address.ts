import { DICTIONARY, FORMAT, NONE, type Recognizer } from '../recognizer.js'
import { ANY, WIDE } from '../shape.js'
import { codePointAt, widthOf } from './han.js'

/**
 * 地址: Chinese text without a sentence's punctuation in which units of place follow one another from large to small
 * (省, 市, 区, 街道, 路, 号, 室). One that begins with a province's name counts more.
 */
export const address: Recognizer = {
  length: [12, 300],
  only: ANY,
  needs: WIDE,
  weights: { format: 0.55, dictionary: 0.6 },
  match(bytes, start, end) {
    let rank = 0
    let units = 0
    for (let at = start; at < end; at += widthOf(bytes[at]!)) {
      if (bytes[at]! < 0x80) continue
      const codePoint = codePointAt(bytes, at)
      const found = RANKS[codePoint] ?? 0
      if (found === PUNCTUATION) return NONE
      // the first character is that of a name
      if (found <= rank || at === start) continue
      rank = found
      units++
    }
    if (units < 2) return NONE
    return PROVINCES.has(codePointAt(bytes, start) * 0x10000 + codePointAt(bytes, start + 3))
      ? DICTIONARY
      : FORMAT
  },
}

const PUNCTUATION = 255
/** By code point, how small a unit is, from 1; 0 where the character names none. */
const RANKS = new Uint8Array(0x10000)
const UNITS = ['省', '市州盟', '区县旗', '镇乡', '街路道巷弄村庄屯', '号', '栋幢楼座', '单', '室户']
for (const [index, characters] of UNITS.entries()) {
  for (const character of characters) RANKS[character.codePointAt(0)!] = index + 1
}
for (const character of '，。；！？：') RANKS[character.codePointAt(0)!] = PUNCTUATION

/** The first two characters of each province's name. */
const PROVINCES: ReadonlySet<number> = new Set(
  (
    '北京 天津 河北 山西 内蒙 辽宁 吉林 黑龙 上海 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 广西 海南 重庆 四川 贵州 ' +
    '云南 西藏 陕西 甘肃 青海 宁夏 新疆 台湾 香港 澳门'
  )
    .split(' ')
    .map(name => name.codePointAt(0)! * 0x10000 + name.codePointAt(1)!),
)
