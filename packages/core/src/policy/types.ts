import type { Rule } from '../desensitize/rules/registry.js'
import type { Use } from '../plan/review-types.js'

/**
 * Levels of GB/T 43697-2024: general data in levels 1 to 4, important, core. Written `1`…`4`, `important`, `core`
 * in a policy.
 */
export const GRADES = ['1', '2', '3', '4', 'important', 'core'] as const
export type Grade = (typeof GRADES)[number]

export const COLUMN_ROLES = ['identifier', 'quasi', 'sensitive', 'measure', 'attribute'] as const
export type ColumnRole = (typeof COLUMN_ROLES)[number]

/** A dataset's policy, complete: the defaults of its grades are filled in. Made by `parsePolicy`. */
export interface Policy {
  readonly kind: 'policy'
  readonly version: 1
  readonly owner: string
  /** the standard that the grades follow, such as `GB/T 43697-2024` */
  readonly standard: string
  readonly grade: Grade
  readonly entity:
    | { readonly kind: 'column'; readonly column: string; readonly notEntities: readonly string[] }
    | { readonly kind: 'row' }
    | { readonly kind: 'none' }
  readonly release: 'aggregate' | 'rows'
  readonly disclosure: DisclosureLimits
  readonly approvals: ApprovalRule
  /** purposes that the owner allows; empty denies all */
  readonly purposes: readonly string[]
  /** 企业白名单: principals that may ask; empty denies all */
  readonly consumers: readonly string[]
  /** ISO 8601 date-time with offset Z, after which nothing runs; null: none */
  readonly expires: string | null
  /** what stand-in to develop against may be handed out; absent: none. See `core/sample` */
  readonly sample?: SampleRule | undefined
  /** may an approval stand for later versions of the dataset with the same schema */
  readonly laterVersions: boolean
  readonly columns: Readonly<Record<string, ColumnPolicy>>
}

export interface ColumnPolicy {
  readonly role: ColumnRole
  readonly grade: Grade
  readonly uses: readonly Use[]
  /** the set of values that the column can take is public knowledge (states, damage classes) */
  readonly publicValues: boolean
  /** inclusive bounds of its values, as decimal text */
  readonly bounds: { readonly minimum: string | null; readonly maximum: string | null } | null
  /** what desensitizes it: in the plan's scan, or by the provider before the data enters the zone; see `scanRule` */
  readonly rule?: Rule
}

export interface DisclosureLimits {
  readonly minimumEntities: number
  readonly dominance: { readonly n: number; readonly percent: number } | null
  readonly pPercent: number | null
  readonly onFailure: 'suppress' | 'refuse'
  /** of a total over contributions that nobody can look into; absent: as many as the aggregation says, and every limit */
  readonly contributors?: ContributorLimits | undefined
  /** what rows that leave are held to; where it is absent, see `rowsAnonymity` */
  readonly anonymity?: { readonly k: number; readonly l: number } | undefined
  /** row counts outside the release are rounded up to `rows`, times to `milliseconds` */
  readonly step: { readonly rows: number; readonly milliseconds: number }
}

/** A stand-in: rows drawn from the data and desensitized, or made up from its marginals; see `core/sample`. */
export interface SampleRule {
  readonly mode: 'rows' | 'synthetic'
  /** rows of the one stand-in that a version of the dataset has */
  readonly rows: number
}

export interface ContributorLimits {
  /** organizations whose contributions a total holds at least */
  readonly minimum: number
  /** their number and the cells' counts are the evidence, where an engine knows no largest contribution */
  readonly inPlaceOfDominance: boolean
}

export interface ApprovalRule {
  /** the owner always has to approve; a reviewer too, if true */
  readonly reviewer: boolean
  /** m of these named principals, besides */
  readonly named: { readonly count: number; readonly of: readonly string[] } | null
}
