import type { ColumnId } from '@sluice/core/plan'
import { quoteIdentifier } from './names.js'

/** How one available column of a block is written. */
export interface BlockColumn {
  readonly text: string
  /** a plain reference, which may stand anywhere and any number of times */
  readonly plain: boolean
  /** computed from an aggregate */
  readonly aggregated: boolean
}

export interface OrderKey {
  readonly text: string
  /** the column that it is, if it is one: then it is written as an ordinal where that column is selected */
  readonly id: ColumnId | null
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/**
 * One SELECT under construction. A plan node is added to it where SQL evaluates that node after everything that the
 * block holds already; else the block is wrapped as a subquery first.
 */
export interface Block {
  readonly from: string
  readonly columns: ReadonlyMap<ColumnId, BlockColumn>
  readonly carried: ReadonlyMap<string, string>
  readonly where: readonly string[]
  /** null: rows; an empty list: one group of all rows */
  readonly group: readonly string[] | null
  readonly having: readonly string[]
  readonly distinct: boolean
  readonly order: readonly OrderKey[] | null
  readonly limit: { readonly count: number | null; readonly offset: number } | null
}

export const EMPTY: Block = {
  from: '',
  columns: new Map(),
  carried: new Map(),
  where: [],
  group: null,
  having: [],
  distinct: false,
  order: null,
  limit: null,
}

export interface SelectItem {
  readonly id: ColumnId
  readonly name: string
}

/** The block as SQL text, one clause a line, its carried columns after the items. */
export function render(block: Block, items: readonly SelectItem[]): string {
  const list = [
    ...items.map(({ id, name }) => `${block.columns.get(id)!.text} AS ${quoteIdentifier(name)}`),
    ...[...block.carried].map(([name, text]) => `${text} AS ${quoteIdentifier(name)}`),
  ]
  const lines = [`SELECT ${block.distinct ? 'DISTINCT ' : ''}${list.length === 0 ? '1' : list.join(', ')}`]
  lines.push(`FROM ${block.from}`)
  if (block.where.length > 0) lines.push(`WHERE ${block.where.join(' AND ')}`)
  if (block.group !== null && block.group.length > 0) lines.push(`GROUP BY ${block.group.join(', ')}`)
  if (block.group?.length === 0 && !items.some(({ id }) => block.columns.get(id)!.aggregated)) {
    lines.push('GROUP BY ()')
  }
  if (block.having.length > 0) lines.push(`HAVING ${block.having.join(' AND ')}`)
  if (block.order !== null && block.order.length > 0) {
    lines.push(`ORDER BY ${block.order.map(key => orderKey(key, items)).join(', ')}`)
  }
  if (block.limit !== null) {
    const { count, offset } = block.limit
    const clauses = [count === null ? [] : `LIMIT ${count}`, offset === 0 ? [] : `OFFSET ${offset}`].flat()
    if (clauses.length > 0) lines.push(clauses.join(' '))
  }
  return lines.join('\n')
}

export function indent(text: string): string {
  return text
    .split('\n')
    .map(line => `  ${line}`)
    .join('\n')
}

function orderKey(key: OrderKey, items: readonly SelectItem[]): string {
  const ordinal = items.findIndex(({ id }) => id === key.id) + 1
  const where = ordinal > 0 ? String(ordinal) : key.text
  return `${where} ${key.descending ? 'DESC' : 'ASC'} NULLS ${key.nullsFirst ? 'FIRST' : 'LAST'}`
}
