import type { SourceColumn } from './expression.js'

/** For `JSON.stringify`, to tell two parts of a query apart: numbers of any size as text, a column by its name. */
export function written(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return key === 'column' ? (value as SourceColumn['column']).name : value
}
