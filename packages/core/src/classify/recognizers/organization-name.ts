import { DICTIONARY, NONE, type Recognizer } from '../recognizer.js'
import { ANY, WIDE } from '../shape.js'

/** 单位名称: Chinese text of five characters and more that ends as names of organizations do. */
export const organizationName: Recognizer = {
  length: [15, 180],
  only: ANY,
  needs: WIDE,
  weights: { dictionary: 0.8 },
  match(bytes, start, end) {
    for (const suffix of SUFFIXES) {
      const at = end - suffix.length
      if (at > start && suffix.every((byte, index) => bytes[at + index] === byte)) return DICTIONARY
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
