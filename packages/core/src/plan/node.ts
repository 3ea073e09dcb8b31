import type { ColumnId, Expression } from './expression.js'
import type { AggregateFunction } from './functions.js'
import type { ScanMask } from './mask.js'
import type { ScalarType } from './types.js'

/**
 * The closed relational algebra. There is no node that holds text of a query, and nothing here that only one
 * engine could satisfy. Every node that makes columns gives them fresh ids.
 */
export type PlanNode = Scan | Filter | Project | Join | Aggregate | Distinct | Union | Sort | Limit

export interface PlanColumn {
  readonly id: ColumnId
  readonly name: string
  readonly type: ScalarType
}

/** Reads columns of one registered dataset. Two scans of one dataset are two sources. */
export interface Scan {
  readonly kind: 'scan'
  readonly dataset: string
  /** the columns that the plan uses, by their names in the dataset, in the dataset's order */
  readonly columns: readonly ScanColumn[]
}

/** Where the policy has a rule for the scan, the column is masked before anything else sees it. */
export interface ScanColumn extends PlanColumn {
  readonly mask?: ScanMask
}

/** Keeps the rows whose predicate is true (neither false nor null). */
export interface Filter {
  readonly kind: 'filter'
  readonly input: PlanNode
  readonly predicate: Expression
}

/** Replaces the input's columns by these. */
export interface Project {
  readonly kind: 'project'
  readonly input: PlanNode
  readonly columns: readonly (PlanColumn & { readonly expression: Expression })[]
}

/** The output has the columns of both inputs. In a left join the right side's are null where nothing matched. */
export interface Join {
  readonly kind: 'join'
  readonly type: 'inner' | 'left'
  readonly left: PlanNode
  readonly right: PlanNode
  readonly condition: Expression
}

/** Groups by the keys (nulls form one group) and gives one row a group; without keys exactly one row. */
export interface Aggregate {
  readonly kind: 'aggregate'
  readonly input: PlanNode
  readonly keys: readonly (PlanColumn & { readonly expression: Expression })[]
  readonly aggregates: readonly AggregateColumn[]
}

export interface AggregateColumn extends PlanColumn {
  readonly function: AggregateFunction
  /** null counts rows */
  readonly argument: Expression | null
  readonly distinct: boolean
  /** only rows for which this is true take part */
  readonly filter: Expression | null
  /** of a minimum or a maximum: the how manieth, from 2 to `HIGHEST_RANK`; the first where absent */
  readonly rank?: number
  /** of a quantile, and there always: above 0, below 1, with six digits at most and no zero at the end, as `0.25` */
  readonly fraction?: string
}

export interface Distinct {
  readonly kind: 'distinct'
  readonly input: PlanNode
}

/** Columns are matched by position; the output has fresh ids. */
export interface Union {
  readonly kind: 'union'
  readonly inputs: readonly PlanNode[]
  readonly columns: readonly PlanColumn[]
}

export interface Sort {
  readonly kind: 'sort'
  readonly input: PlanNode
  readonly keys: readonly SortKey[]
}

export interface SortKey {
  readonly expression: Expression
  readonly descending: boolean
  readonly nullsFirst: boolean
}

export interface Limit {
  readonly kind: 'limit'
  readonly input: PlanNode
  readonly count: number | null
  readonly offset: number
}

/** What would be computed. Its canonical encoding is what people sign; see `encodePlan`. */
export interface Plan {
  readonly kind: 'plan'
  /** version of the plan language and of its semantics; a change of either voids approvals */
  readonly language: typeof PLAN_LANGUAGE
  readonly root: PlanNode
  /** the released columns in order: names are what the consumer sees */
  readonly output: readonly { readonly name: string; readonly id: ColumnId }[]
  readonly parameters: readonly ParameterSchema[]
}

export const PLAN_LANGUAGE = 'sluice-plan/1'

/** A named parameter. Bounds are inclusive; values as in `Literal`. */
export interface ParameterSchema {
  readonly name: string
  readonly type: ScalarType
  readonly minimum?: string
  readonly maximum?: string
  /** the only values allowed */
  readonly values?: readonly string[]
  readonly default?: string
}
