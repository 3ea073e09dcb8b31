import type { ColumnId, Plan, ScalarType } from '@sluice/core/plan'
import { exactlyScaled, unscaled } from '../decimal.js'
import { tooFine } from '../invalid.js'
import type { JointOperation } from '../job.js'
import type { CellColumn, Query } from '../query.js'
import { type Cell, type CellTable, type JointTable, scaleOf, shownTable } from '../result.js'
import { type Computed, computedFrom, releasedTypes } from './above.js'
import type { Value } from './evaluate.js'

/** What a plan with an aggregate makes of the cells that were opened. */
export function computedOf(plan: Plan, query: Query, cells: CellTable): Computed {
  return computedFrom(plan, valuesOf(query, cells), cells.groups.length)
}

/** What an operation opened to a party: as it was opened, and as it is handed out. */
export interface Opened {
  readonly kept: JointTable
  /** computed once it is recorded what was opened: there may be a cell that the plan has no result for */
  readonly table: () => JointTable
  /** of a plan with an aggregate */
  readonly cells?: CellTable
}

export function openedOf(operation: JointOperation, query: Query, cells: CellTable): Opened {
  const kept = shownTable(operation, query, cells)
  return { kept, table: () => resultTable(operation, query, cells, kept), cells }
}

/**
 * What is handed out of an operation: the plan's columns, whether they are cells or computed from them.
 *
 * @throws SluiceError RESULT_TOO_LARGE `mpc.above`
 */
function resultTable(
  operation: JointOperation,
  query: Query,
  cells: CellTable,
  kept: JointTable,
): JointTable {
  const { computed: plan } = query
  if (plan === undefined) return kept
  const { columns, ...wanted } = computedOf(plan, query, cells)
  const types = releasedTypes(plan)
  return {
    operation: operation.name,
    columns: plan.output.map(({ name }) => ({ name, is: 'value' })),
    rows: arranged(wanted, cells).map(row =>
      columns.map((values, place) => textOf(values[row]!, types[place]!)),
    ),
  }
}

/** The rows that are wanted, in the order in which they are. */
export function arranged(
  { keep, rank, limit }: Pick<Computed, 'keep' | 'rank' | 'limit'>,
  { groups }: CellTable,
): number[] {
  const rows = [...groups.keys()].filter(row => keep?.[row] !== 0)
  if (rank !== null) rows.sort((a, b) => rank[a]! - rank[b]!)
  const from = limit?.offset ?? 0
  return rows.slice(from, limit === null || limit.count === null ? undefined : from + limit.count)
}

/** By id of the plan's keys and aggregates, by row. */
function valuesOf(query: Query, { groups, measures }: CellTable): Map<ColumnId, Value[]> {
  return new Map(
    query.cells!.map(column => [
      column.id,
      column.is === 'key'
        ? groups.map(group => keyOf(group[column.at]!, column.type))
        : measures[column.at]!.map(cell => cell && amountOf(cell, column, scaleOf(query, column.at))),
    ]),
  )
}

function keyOf(text: string, type: ScalarType): Value {
  switch (type.kind) {
    case 'text':
      return text
    case 'float':
      return Number(text)
    default: {
      const digits = text.split('.')[1]?.length ?? 0
      return ofScale(exactlyScaled(text, digits)!, digits, type)
    }
  }
}

function amountOf({ count, sum }: Cell, { is, type }: CellColumn, scale: number): Value {
  if (is === 'count') return count
  if (is === 'average') return Number(sum) / 10 ** scale / Number(count)
  return type.kind === 'float' ? Number(sum) / 10 ** scale : ofScale(sum, scale, type)
}

/** The same value with the digits of its type. */
function ofScale(value: bigint, scale: number, type: ScalarType): bigint {
  const digits = type.kind === 'decimal' ? type.scale : 0
  if (digits >= scale) return value * 10n ** BigInt(digits - scale)
  const unit = 10n ** BigInt(scale - digits)
  if (value % unit === 0n) return value / unit
  throw tooFine()
}

function textOf(value: Value, type: ScalarType): string | null {
  if (value === null) return null
  return typeof value === 'bigint' ? unscaled(value, type.kind === 'decimal' ? type.scale : 0) : String(value)
}
