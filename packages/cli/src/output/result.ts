import { visibleText } from '@sluice/core'
import type { Suppression } from '@sluice/core/disclosure'
import { cellJson, cellText, isNumeric } from '@sluice/sandbox/io'
import type { DataType, Table } from 'apache-arrow'
import type { MessageKey } from '../messages/en.js'
import type { Ui } from './ui.js'

/** What was released: the table, and which of its cells were not. */
export interface ReleasedTable {
  readonly table: Table
  readonly suppressions: readonly Suppression[]
}

/** More rows than anybody reads; the rest is announced, and a file has them all. */
const ROWS_SHOWN = 500

/** The table as people read it, a suppressed cell marked with its rule, and a legend of the rules below. */
export function resultText({ table, suppressions }: ReleasedTable, ui: Ui): string {
  const marks = new Map(
    suppressions.flatMap(({ row, column, rule }) =>
      row === null ? [] : [[`${row} ${column ?? ''}`, rule] as const],
    ),
  )
  const fields = table.schema.fields
  const columns = fields.map((field, index) => ({ field, values: table.getChildAt(index) }))
  const count = Math.min(table.numRows, ROWS_SHOWN)
  const rows = Array.from({ length: count }, (_, row) =>
    columns.map(({ field, values }) => {
      const rule = marks.get(`${row} ${field.name}`) ?? marks.get(`${row} `)
      const value = values?.get(row)
      if (rule && value === null) return ui.style('yellow', `‹${rule}›`)
      return cellShown(value, field.type)
    }),
  )
  return [
    ui.grid(
      fields.map(({ name, type }) => ({ head: name, align: isNumeric(type) ? 'right' : 'left' })),
      rows,
    ),
    ...(table.numRows > count
      ? [ui.t('text.moreRows', { count: (table.numRows - count).toLocaleString('en-US') })]
      : []),
    ...legend(suppressions, ui),
  ].join('\n')
}

/** The table for machines: exact values, and null where a cell was suppressed. */
export function resultJson({ table, suppressions }: ReleasedTable): object {
  const columns = table.schema.fields.map((field, index) => ({ field, values: table.getChildAt(index) }))
  return {
    columns: columns.map(({ field }) => field.name),
    rows: Array.from({ length: table.numRows }, (_, row) =>
      columns.map(({ field, values }) => cellJson(values?.get(row), field.type)),
    ),
    suppressions,
  }
}

function legend(suppressions: readonly Suppression[], ui: Ui): string[] {
  if (suppressions.length === 0) return []
  const rules = [...new Set(suppressions.filter(({ row }) => row !== null).map(({ rule }) => rule))].sort()
  const hidden = suppressions.filter(({ row }) => row === null)
  return [
    '',
    ...(rules.length === 0
      ? []
      : [
          `${ui.style('dim', ui.t('text.legend'))}`,
          ...rules.map(
            rule => `  ${ui.style('yellow', `‹${rule}›`)}  ${ui.t(`rule.${rule}` satisfies MessageKey)}`,
          ),
        ]),
    ...(hidden.length === 0
      ? []
      : [
          ui.t('text.rowsHidden', {
            rules: [...new Set(hidden.map(({ rule }) => rule))].sort().join(', '),
          }),
        ]),
  ]
}

/** Numbers with thousands separators, nothing hidden in text. */
function cellShown(value: unknown, type: DataType): string {
  if (value === null || value === undefined) return ''
  const text = cellText(value, type)
  if (!isNumeric(type)) return visibleText(text)
  const [whole = '', ...rest] = text.split(/(?=[.e])/)
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + rest.join('')
}
