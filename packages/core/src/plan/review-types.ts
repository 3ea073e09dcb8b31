import type { Policy } from '../policy/types.js'
import type { ColumnId, Expression } from './expression.js'
import type { TableFingerprints } from './mask.js'
import type { Aggregate, Plan, Scan } from './node.js'
import type { OrderBound } from './order-statistics.js'
import type { ColumnSchema } from './types.js'

/** How a plan touches a column. */
export const USES = ['join', 'group', 'filter', 'aggregate', 'order', 'extreme', 'output'] as const
export type Use = (typeof USES)[number]

/** What a plan is reviewed against: one dataset as it is registered. */
export interface DatasetFacts {
  readonly name: string
  readonly version: number
  /** SHA-256 of the registered bytes, hexadecimal */
  readonly fingerprint: string
  readonly owner: string
  readonly columns: readonly ColumnSchema[]
  /** columns (or lists of columns) that registration verified to be unique and never null */
  readonly uniqueKeys: readonly (readonly string[])[]
  readonly policy: Policy
  readonly policyDigest: string
  /** registered tables that rules of the policy look values up in; absent: none */
  readonly tables?: TableFingerprints
}

/** What the disclosure check has to hold one scanned dataset to. One for each scan whose dataset has an entity. */
export interface Obligation {
  /** ordinal of the scan in the plan, in depth-first order, left before right, from 0 */
  readonly source: number
  readonly dataset: string
  readonly entity:
    | { readonly kind: 'row' }
    | { readonly kind: 'column'; readonly column: string; readonly notEntities: readonly string[] }
  /** a cell needs at least this many distinct entities */
  readonly minimumEntities: number
  /** unsafe if the n largest contributions exceed `percent` % of the total; null if the policy demands none */
  readonly dominance: { readonly n: number; readonly percent: number } | null
  /** unsafe if total − x1 − x2 < pPercent/100 · x1 */
  readonly pPercent: number | null
  readonly onFailure: 'suppress' | 'refuse'
  /** of an engine that adds contributions of organizations; absent where the policy says nothing of them */
  readonly contributors?: { readonly minimum: number; readonly inPlaceOfDominance: boolean }
}

/** What the evidence of one aggregate column is taken over. Its expressions are over the aggregate's input. */
export interface CellSpecification {
  /** the aggregate column of `aggregate` that this belongs to */
  readonly id: ColumnId
  /**
   * A row takes part where this is true (neither false nor null): FILTER, the condition of a conditional argument,
   * and the value not null. Null where every row of the group takes part.
   */
  readonly contributes: Expression | null
  /**
   * Set where the aggregate selects among the group's rows (FILTER, CASE or a comparison in the argument): the rows
   * that it left out though they have a value. Their entities must be none or enough, and their contributions must
   * hold as well, else the difference to the whole group reveals them. Rows without a value are in neither, since
   * they would only dilute.
   */
  readonly complement: Expression | null
  /**
   * Rows that the difference to another cell of the group, or what several leave of it, belongs to. Their entities
   * must be none or enough, and their contributions must hold as well; see `withDifferences`.
   */
  readonly differences: readonly Expression[]
  /**
   * Non-negative contribution of a row (null is 0), summed per entity over the rows of the cell, and over those of
   * the complement; dominance must hold for each of them. The argument's absolute value, and that of every base
   * measure which reaches it through arithmetic (an offset such as `sum(x + 1000000)` would otherwise hide one
   * entity's share); 1 for a count. Empty where dominance is not defined (a distinct count) or is implied by the
   * minimum (counts where every entity is a row and nothing is joined).
   */
  readonly contributions: readonly Expression[]
  /** of a quantile or a rank: the cell needs more entities than the minimum, see `leastEntities` */
  readonly order?: OrderBound
}

/** How a reviewed plan is released. */
export type ReleaseShape =
  /** every dataset is public reference data: nothing to protect */
  | { readonly mode: 'public' }
  /** rows, of columns whose policy and grade allow it; null where nothing about a person is touched */
  | { readonly mode: 'rows'; readonly anonymity: RowsAnonymity | null }
  /** one aggregate whose cells are checked; what stands above it runs on cells only */
  | {
      readonly mode: 'aggregate'
      /**
       * The plan's aggregate, by its ids. Its input computes the same and may hand on further columns, so that all
       * that the cells' expressions name is in scope.
       */
      readonly aggregate: Aggregate
      readonly cells: readonly CellSpecification[]
      /** that a group exists is no news, since its one key is a public column and no row was chosen: a failed row may be shown, marked */
      readonly publicKeys: boolean
      readonly outputs: readonly OutputLineage[]
    }

/** What the equivalence classes of released rows are held to. Every row is another entity's. */
export interface RowsAnonymity {
  readonly dataset: string
  /** released columns that come from one of role `identifier` or `quasi`: rows that agree in them are a class */
  readonly quasi: readonly string[]
  /** released columns that come from one of role `sensitive` */
  readonly sensitive: readonly string[]
  /** rows of a class, at least */
  readonly k: number
  /** distinct values of each sensitive column in a class, at least */
  readonly l: number
}

/** Which parts of an aggregate reach a released column. */
export interface OutputLineage {
  readonly name: string
  readonly id: ColumnId
  /** aggregate columns that it is computed from, through the expressions above the aggregate; empty for keys */
  readonly aggregates: readonly ColumnId[]
}

export interface ColumnUse {
  readonly dataset: string
  readonly column: string
  readonly uses: readonly Use[]
}

/** Who must sign: `principals` are names; `count` of them have to. */
export interface RequiredApproval {
  readonly reason: string
  readonly role: 'provider' | 'reviewer' | null
  readonly principals: readonly string[] | null
  readonly count: number
}

/** plan × policies. Made by `reviewPlan`. */
export interface ReviewedPlan {
  readonly kind: 'reviewed-plan'
  readonly plan: Plan
  readonly planDigest: string
  readonly datasets: readonly DatasetFacts[]
  readonly scans: readonly Scan[]
  readonly uses: readonly ColumnUse[]
  readonly release: ReleaseShape
  readonly obligations: readonly Obligation[]
  readonly approvals: readonly RequiredApproval[]
  /** the highest grade touched, 就高从严 */
  readonly grade: string
  /** rows in ledger entries and displays are rounded to this step, times to this many milliseconds */
  readonly step: { readonly rows: number; readonly milliseconds: number }
}
