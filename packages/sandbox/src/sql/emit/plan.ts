import type { ColumnId, Plan, PlanNode, Scan } from '@sluice/core/plan'
import { outputColumns } from '@sluice/core/plan'
import { columnName } from './names.js'
import { Writer } from './writer.js'

/** A column of a scan's table that a node's text passes up although the plan does not name it. */
export interface CarriedColumn {
  /** its name in the table */
  readonly column: string
  /** its name in the result; unique in the whole text, and not of the form `c<number>` */
  readonly as: string
}

export interface EmitNodeOptions {
  /** ordinal of the first scan below the node (see `Obligation.source`); 0 if not given */
  readonly firstSource?: number
  /**
   * Columns to carry from a scan through filters, projections and joins to the result. Nothing can be carried
   * through the other nodes.
   */
  readonly carry?: (source: number, scan: Scan) => readonly CarriedColumn[]
  /** what stands after FROM for a scan; the dataset's fully qualified table if not given */
  readonly table?: (source: number, scan: Scan) => string
}

export interface EmittedNode {
  /** a SELECT: the node's columns in its order, each named `c<id>`, then the carried ones */
  readonly sql: string
  readonly columns: readonly { readonly id: ColumnId; readonly name: string }[]
  readonly carried: readonly string[]
}

/**
 * SQL for a whole plan: what approvers read and what the engine runs. Tables are fully qualified
 * (`"zone"."main"."dataset"`), parameters are `$name`.
 */
export function emitPlan(plan: Plan): string {
  const writer = new Writer({})
  const block = writer.build(plan.root)
  return writer.finish(block, plan.output)
}

/** SQL for one node of a plan, for engines that compute more over a node's rows than the plan says. */
export function emitNode(node: PlanNode, options: EmitNodeOptions = {}): EmittedNode {
  const writer = new Writer(options)
  const block = writer.build(node)
  const columns = outputColumns(node).map(({ id }) => ({ id, name: columnName(id) }))
  return { sql: writer.finish(block, columns), columns, carried: [...block.carried.keys()] }
}
