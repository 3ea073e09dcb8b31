import type { Rule } from '../desensitize/rules/registry.js'
import type { Use } from '../plan/review-types.js'
import type { ColumnRole, Grade } from '../policy/types.js'
import type { Impact, Label } from './catalogue/types.js'
import type { Share } from './interval.js'
import type { Tier } from './recognizer.js'

/** What speaks for an entity: values by tier, or the column's name. */
export type EvidenceKind = Tier | 'name'

/** One thing that a column may hold. */
export interface Candidate {
  /** as the catalogue calls it */
  readonly entity: string
  readonly label: Label
  /** from 0 to 1: 1 − Π(1 − weight of each piece of evidence) */
  readonly confidence: number
  /** share of the values that are there which have the entity's format; null where only the name tells */
  readonly matches: Share | null
  readonly evidence: readonly EvidenceKind[]
}

/** What classification found in a column, and what it suggests. It holds no value of the data. */
export interface ColumnClassification {
  readonly name: string
  /** the column's type as the plan language prints it */
  readonly type: string
  /** null where nothing was recognized with a confidence of at least 0.5 */
  readonly entity: Candidate | null
  /** what else it could be, most likely first */
  readonly others: readonly Candidate[]
  readonly nulls: Share
  /** text of spaces only, or empty */
  readonly blanks: Share
  /** cells in which somebody's number stands among other text: of identity, mobile phone or bank card */
  readonly embedded: Share
  /** among the rows that were read; `relativeError` at 95 % confidence, 0 where it was counted */
  readonly distinct: { readonly count: number; readonly share: number; readonly relativeError: number }
  readonly role: ColumnRole
  readonly grade: Grade
  readonly impact: Impact
  readonly uses: readonly Use[]
  /** the desensitization rule to show values by, where that has to be; null: none is needed */
  readonly rule: Rule | null
  /** why the grade is what it is */
  readonly reason:
    | 'entity'
    /** a name or a second candidate of a higher grade was followed (就高从严) */
    | 'higher-candidate'
    | 'unrecognized'
}

export interface Classification {
  readonly catalogue: {
    readonly name: string
    readonly edition: string
    readonly standard: string
    readonly digest: string
  }
  readonly rows: {
    /** how many were looked at */
    readonly read: number
    /** how many there are; null where nobody counted */
    readonly total: number | null
    /** were they drawn at random: then shares have an interval */
    readonly sampled: boolean
  }
  /** the highest of the columns' (就高从严) */
  readonly grade: Grade
  readonly columns: readonly ColumnClassification[]
}
