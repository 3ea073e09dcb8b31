import type { OpenedCells } from '../protocols/replicated/totals.js'
import { decimalOf, unscaled } from './decimal.js'
import type { JointOperation } from './job.js'
import { groupsOf, type Output, type Query } from './query.js'

/** What an operation opened: a row a cell, in the order of the lists, under the names of the plan's columns. */
export interface JointTable {
  readonly operation: string
  readonly columns: readonly { readonly name: string; readonly is: Output['is'] }[]
  /** decimal numbers and categories as text; null where fewer than the minimum have a value */
  readonly rows: readonly (readonly (string | null)[])[]
}

/** Digits that an average has beyond those of its values. */
const AVERAGE_DIGITS = 6

export function tableOf(operation: JointOperation, query: Query, opened: OpenedCells): JointTable {
  return {
    operation: operation.name,
    columns: query.outputs.map(({ name, is }) => ({ name, is })),
    rows: groupsOf(query).map((group, cell) =>
      query.outputs.map(output => textOf(output, group, cell, query, opened)),
    ),
  }
}

function textOf(
  { is, at }: Output,
  group: readonly string[],
  cell: number,
  query: Query,
  { passed, counts, sums }: OpenedCells,
): string | null {
  if (is === 'key') return group[at]!
  if (passed[at]![cell] !== 1n) return null
  if (query.derived !== undefined) return decimalOf(sums[at]![cell]!, query.derived.scale)
  const count = counts[at]![cell]!
  if (is === 'count') return count.toString()
  const measure = query.measures[at]!
  const scale = measure.kind === 'rows' ? 0 : measure.value.scale
  const sum = sums[at]![cell]!
  return is === 'sum' ? unscaled(sum, scale) : averageOf(sum, count, scale)
}

/** Rounded half away from zero. */
function averageOf(sum: bigint, count: bigint, scale: number): string {
  const raised = (sum < 0n ? -sum : sum) * 10n ** BigInt(AVERAGE_DIGITS)
  const rounded = (2n * raised + count) / (2n * count)
  return unscaled(sum < 0n ? -rounded : rounded, scale + AVERAGE_DIGITS)
}
