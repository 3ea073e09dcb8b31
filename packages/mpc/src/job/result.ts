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

export function tableOf(operation: JointOperation, query: Query, opened: OpenedCells): JointTable {
  return {
    operation: operation.name,
    columns: query.outputs.map(({ name, is }) => ({ name, is })),
    rows: groupsOf(query).map((group, cell) =>
      query.outputs.map(output => textOf(output, group, cell, query, opened)),
    ),
  }
}

/**
 * The groups that were opened, in the order of their keys; where every key has a public list, all of the lists' product,
 * as without a relation.
 */
export function groupTable(
  operation: JointOperation,
  query: RelationalQuery,
  opened: OpenedGroups,
): JointTable {
  const { keys } = query.relation
  const cells = cellsOf(query, opened)
  const found = Array.from(opened.members, (_, group) => {
    const words = opened.keys.map(values => values[group]!)
    return { group, words, texts: keyTexts(keys, words) }
  })
  found.sort((a, b) => compareWords(a.words, b.words))
  const places = new Map(found.map(({ texts, group }) => [JSON.stringify(texts), group]))
  const shown = isListed(keys) ? groupsOf({ keys: listed(keys) }) : found.map(({ texts }) => texts)
  return {
    operation: operation.name,
    columns: query.outputs.map(({ name, is }) => ({ name, is })),
    rows: shown.map(texts => {
      const group = places.get(JSON.stringify(texts))
      return query.outputs.map(output =>
        group === undefined && output.is !== 'key' ? null : textOf(output, texts, group ?? 0, query, cells),
      )
    }),
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
