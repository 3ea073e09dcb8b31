import { USES, type Use } from '../plan/review-types.js'
import { type DisclosureLimits, GRADES, type Grade } from './types.js'

/**
 * What a grade implies. A policy starts from `defaults` and may tighten down to anything; it may loosen no further
 * than `least`.
 *
 * Levels are those of GB/T 43697-2024 (general data in levels 1 to 4, important, core; 附录 H). What may leave at each
 * level follows the Zhejiang mapping (DB33/T 2351—2021 《数字化改革 公共数据分类分级指南》): level 1 is open, levels 2 and
 * 3 leave only approved and desensitized, level 4 is kept and not opened.
 *
 * Where the standards leave room, we decided: "desensitized" is met by an aggregate whose cells pass the disclosure
 * check, so levels 2 and 3 are never output as rows. A level 4 column can link data sets (`join`) and stand as the
 * entity that is counted, but nothing computed from its values leaves: no output, no group, no aggregate, and no
 * filter, since a filtered count is a statistic of the filtered column. Important and core data have no use here at
 * all: their release is not for the owner alone to permit.
 *
 * An order statistic is one of the values as it is: `extreme` ends at level 2, and at level 3 `order` is asked of columns
 * that carry a rule, as `group` is.
 *
 * A total over encrypted contributions shows nobody a largest one, so dominance cannot be checked. An owner may accept
 * the number of contributing organizations and of the cell's entities instead, in so many words in the policy, and with
 * no fewer of them than the grade's: one of five knows less of another than one of three.
 */
export interface GradeRule {
  /** how data of the grade may leave */
  readonly release: 'rows' | 'aggregate' | 'none'
  /** uses that a column of the grade can have at most */
  readonly uses: readonly Use[]
  /** a reviewer has to approve besides the owner */
  readonly reviewer: boolean
  readonly defaults: Limits
  readonly least: Limits
  /** organizations, at least, whose number may be evidence in place of dominance */
  readonly contributors: number
}

export type Limits = Pick<DisclosureLimits, 'minimumEntities' | 'dominance' | 'pPercent'>

const OPEN: Limits = { minimumEntities: 10, dominance: null, pPercent: null }
const USUAL: Limits = { minimumEntities: 10, dominance: { n: 1, percent: 70 }, pPercent: 10 }
const STRICT: Limits = { minimumEntities: 20, dominance: { n: 1, percent: 50 }, pPercent: 20 }
const NOTHING = {
  release: 'none',
  uses: [],
  reviewer: true,
  defaults: STRICT,
  least: STRICT,
  contributors: 20,
} as const

export const GRADE_RULES: Readonly<Record<Grade, GradeRule>> = {
  '1': {
    release: 'rows',
    uses: USES,
    reviewer: false,
    defaults: OPEN,
    least: { minimumEntities: 1, dominance: null, pPercent: null },
    contributors: 3,
  },
  '2': {
    release: 'aggregate',
    uses: ['join', 'group', 'filter', 'aggregate', 'order', 'extreme'],
    reviewer: false,
    defaults: USUAL,
    least: { minimumEntities: 3, dominance: { n: 1, percent: 90 }, pPercent: null },
    contributors: 5,
  },
  '3': {
    release: 'aggregate',
    uses: ['join', 'group', 'filter', 'aggregate', 'order'],
    reviewer: true,
    defaults: USUAL,
    least: { minimumEntities: 10, dominance: { n: 1, percent: 80 }, pPercent: 5 },
    contributors: 10,
  },
  '4': {
    release: 'none',
    uses: ['join'],
    reviewer: true,
    defaults: STRICT,
    least: STRICT,
    contributors: 20,
  },
  important: NOTHING,
  core: NOTHING,
}

/** Positive where `a` is the higher grade, 0 where they are the same. */
export function compareGrades(a: Grade, b: Grade): number {
  return GRADES.indexOf(a) - GRADES.indexOf(b)
}

/** The strictest of the grades (就高从严); `1` where there is none. */
export function highestGrade(grades: Iterable<Grade>): Grade {
  let highest: Grade = '1'
  for (const grade of grades) if (compareGrades(grade, highest) > 0) highest = grade
  return highest
}

/** Is every cell that `rule` finds safe one that `least` finds safe as well? */
export function dominanceAtLeast(rule: Limits['dominance'], least: Limits['dominance']): boolean {
  if (least === null) return true
  if (rule === null) return false
  // the n largest hold at most n/m of what bounds the m largest, where m < n
  return rule.percent * Math.max(1, least.n / rule.n) <= least.percent
}

export function pPercentAtLeast(rule: number | null, least: number | null): boolean {
  return least === null || (rule !== null && rule >= least)
}
