import type { OpenedGroups } from '../protocols/replicated/group.js'
import type { OpenedCells } from '../protocols/replicated/totals.js'
import { decodeCode } from './code.js'
import { decimalOf, unscaled } from './decimal.js'
import type { JointOperation } from './job.js'
import { type Key, widthOf } from './key.js'
import { categoriesOf, countsAll, groupsOf, isListed, listed, type Output, type Query } from './query.js'
import type { RelationalQuery } from './share.js'

/** What an operation opened: a row a cell, in the order of the lists or keys, under the names of the plan's columns. */
export interface JointTable {
  readonly operation: string
  readonly columns: readonly { readonly name: string; readonly is: Output['is'] }[]
  /** decimal numbers and categories as text; null where fewer than the minimum have a value */
  readonly rows: readonly (readonly (string | null)[])[]
}

/** Digits that an average has beyond those of its values. */
const AVERAGE_DIGITS = 6

/** What was opened of one measure of one cell. */
export interface Cell {
  readonly count: bigint
  /** scaled as the measure is */
  readonly sum: bigint
}

/** What was opened of an operation's cells, a row a cell. */
export interface CellTable {
  /** what says which cell it is, by row */
  readonly groups: readonly (readonly string[])[]
  /** by measure, by row; null where the cell is suppressed */
  readonly measures: readonly (readonly (Cell | null)[])[]
}

export function cellTable(query: Query, opened: OpenedCells): CellTable {
  const groups = groupsOf(query)
  return { groups, measures: measuresOf(opened, [...groups.keys()]) }
}

/**
 * The groups that were opened, in the order of their keys; where every key has a public list, all of the lists' product,
 * as without a relation.
 */
export function groupCells(query: RelationalQuery, opened: OpenedGroups): CellTable {
  const { keys } = query.relation
  const found = Array.from(opened.members, (_, group) => {
    const words = opened.keys.map(values => values[group]!)
    return { group, words, texts: keyTexts(keys, words) }
  })
  found.sort((a, b) => compareWords(a.words, b.words))
  const places = new Map(found.map(({ texts, group }) => [JSON.stringify(texts), group]))
  const groups = isListed(keys) ? groupsOf({ keys: listed(keys) }) : found.map(({ texts }) => texts)
  const order = groups.map(texts => places.get(JSON.stringify(texts)))
  return { groups, measures: measuresOf(cellsOf(query, opened), order) }
}

/** @param order the opened cell of each row; undefined where it has none */
function measuresOf(
  { passed, counts, sums }: OpenedCells,
  order: readonly (number | undefined)[],
): (Cell | null)[][] {
  return passed.map((flags, measure) =>
    order.map(cell =>
      cell === undefined || flags[cell] !== 1n
        ? null
        : // of what is derived from cells there is no count
          { count: counts[measure]?.[cell] ?? 0n, sum: sums[measure]![cell]! },
    ),
  )
}

/** What was opened, in the columns that the query names. */
export function shownTable(operation: JointOperation, query: Query, cells: CellTable): JointTable {
  return {
    operation: operation.name,
    columns: query.outputs.map(({ name, is }) => ({ name, is })),
    rows: cells.groups.map((group, row) =>
      query.outputs.map(output =>
        output.is === 'key' ? group[output.at]! : textOf(output, query, cells.measures[output.at]![row]!),
      ),
    ),
  }
}

/** By measure of the query: those of rows are the group's own. */
function cellsOf(query: Query, { members, measures }: OpenedGroups): OpenedCells {
  const own = [...measures]
  const rows = {
    passed: new BigUint64Array(members.length).fill(1n),
    count: members,
    sum: new BigInt64Array(members.length),
  }
  const all = query.measures.map((_, place) => (countsAll(query, place) ? rows : own.shift()!))
  return {
    passed: all.map(({ passed }) => passed),
    counts: all.map(({ count }) => count),
    sums: all.map(({ sum }) => sum),
  }
}

function keyTexts(keys: readonly Key[], words: readonly bigint[]): string[] {
  const left = [...words]
  return keys.map(key => {
    const own = left.splice(0, widthOf(key))
    if (key.kind === 'number') return unscaled(own[0]!, key.value.scale)
    const { type } = key.source.column
    return type.kind === 'code' ? decodeCode(own, type) : categoriesOf(key.source.column)[Number(own[0])]!
  })
}

function compareWords(a: readonly bigint[], b: readonly bigint[]): number {
  const place = a.findIndex((word, index) => word !== b[index])
  return place < 0 ? 0 : a[place]! < b[place]! ? -1 : 1
}

function textOf({ is, at }: Output, query: Query, cell: Cell | null): string | null {
  if (cell === null) return null
  if (query.derived !== undefined) return decimalOf(cell.sum, query.derived.scale)
  if (is === 'count') return cell.count.toString()
  const scale = scaleOf(query, at)
  return is === 'sum' || is === 'value' ? unscaled(cell.sum, scale) : averageOf(cell.sum, cell.count, scale)
}

/** Digits after the point of a measure's values. */
export function scaleOf({ measures }: Pick<Query, 'measures'>, place: number): number {
  const measure = measures[place]!
  return measure.kind === 'rows' ? 0 : measure.value.scale
}

/** Rounded half away from zero. */
function averageOf(sum: bigint, count: bigint, scale: number): string {
  const raised = (sum < 0n ? -sum : sum) * 10n ** BigInt(AVERAGE_DIGITS)
  const rounded = (2n * raised + count) / (2n * count)
  return unscaled(sum < 0n ? -rounded : rounded, scale + AVERAGE_DIGITS)
}
