import { DICTIONARY, NONE, type Recognizer } from '../recognizer.js'
import { ANY, WIDE } from '../shape.js'

/** 单位名称: Chinese text of five characters and more that ends as names of organizations do. */
export const organizationName: Recognizer = {
  length: [15, 180],
  only: ANY,
  needs: WIDE,
  weights: { dictionary: 0.8 },
  match(bytes, start, end) {
    // most texts end in a character that no suffix ends in
    if (!LAST.has(bytes[end - 1]! | (bytes[end - 2]! << 8) | (bytes[end - 3]! << 16))) return NONE
    for (const suffix of SUFFIXES) {
      if (end - suffix.length > start && endsWith(bytes, end, suffix)) return DICTIONARY
    }
    return NONE
  },
}

const SUFFIXES = (
  '公司 分公司 集团 合作社 事务所 医院 学校 大学 学院 中学 小学 幼儿园 委员会 管理局 研究院 研究所 银行 支行 基金会 协会 ' +
  '门市部 经营部 工作室 商行 超市 工厂 个体工商户'
)
  .split(' ')
  .map(suffix => new TextEncoder().encode(suffix))
/** The last characters of these, three bytes each. */
const LAST: ReadonlySet<number> = new Set(
  SUFFIXES.map(suffix => suffix.at(-1)! | (suffix.at(-2)! << 8) | (suffix.at(-3)! << 16)),
)

function endsWith(bytes: Uint8Array, end: number, suffix: Uint8Array): boolean {
  const at = end - suffix.length
  for (let i = 0; i < suffix.length; i++) if (bytes[at + i] !== suffix[i]) return false
  return true
}
