import type { Translations } from '../translate.js'

/** What a joint job's statistics are refused for. */
export const zhStatistics: Translations = {
  'a {} has no groups: "{}" is no number': '{} 不分组：“{}”不是数字',
  'a fraction is not within 0 and 1, or a place below 1': '比例不在 0 至 1 之间，或位次小于 1',
  'Give whole numbers, the denominator at most 1000000.': '请给出整数，分母至多 1000000。',
  'The column’s bound is too large to find its extremes': '就求极值而言该列的取值上界过大',
  'Give a bound below 2^61, digits after the point included.': '请声明小于 2^61 的上界（含小数位）。',
  'the fractions are no numbers of 0 to 1, of six digits at most': '比例不是 0 至 1 之间至多六位小数的数字',
  'k is below the minimum of entities': 'k 小于最少实体数',
  'k is more than the rows that there are': 'k 大于行数',
  'what is opened would be somebody’s value of "{}", which the owner of "{}" does not allow':
    '打开的将是某一个体的“{}”值，而“{}”的所有者未允许',
  'there are {} rows to sort': '须排序的行数为 {}',
  'Sort {} rows at most: filter or aggregate them at their owners first.':
    '至多排序 {} 行：请先由所有者筛选或汇总。',
  'the plan has no column of numbers "{}"': '计划没有数字列“{}”',
  '"{}" has no weight and is no total': '“{}”既无权重，也不是合计',
  'a histogram is of one column, beside its totals': '除合计列之外，直方图只取一列',
  'the model "{}" is no input of one row, apart from those of the plan': '模型“{}”不是计划之外的一行输入',
  'no column has a weight': '没有列带有权重',
  'a score has more than {} digits after the point': '得分的小数位数超过 {}',
  'the weight "{}" is no number that is always there': '权重“{}”不是始终有值的数字',
  'a score has either edges or a threshold': '打分须给出边界或阈值之一',
  'so many rows of this bound are too large to divide': '如此多的行与此界限过大，无法相除',
}
