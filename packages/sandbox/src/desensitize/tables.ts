import { SluiceError, visibleText } from '@sluice/core'
import { readTable } from '../io/table-reader.js'

const MOST_ROWS = 1_000_000

/**
 * Reads hierarchies and dictionaries from files with a header line: the first column's values to those of the others.
 *
 * @param paths by the names that rules use
 * @throws SluiceError RULE_INVALID with the row where a value is missing or stands twice, FILE_TOO_LARGE, and what
 * `readTable` throws
 */
export async function readTables(
  paths: ReadonlyMap<string, string>,
  { staging, signal }: { readonly staging: string; readonly signal?: AbortSignal },
): Promise<(name: string) => ReadonlyMap<string, readonly string[]>> {
  const tables = new Map<string, ReadonlyMap<string, readonly string[]>>()
  for (const [name, path] of paths) {
    tables.set(
      name,
      await readTable(path, { staging, ...(signal && { signal }) }, table => rowsOf(name, table)),
    )
  }
  return name => {
    const found = tables.get(name)
    if (found !== undefined) return found
    throw new SluiceError('FILE_MISSING', `there is no table "${visibleText(name)}"`, { rule: 'rule.table' })
  }
}

async function rowsOf(
  name: string,
  table: Parameters<Parameters<typeof readTable>[2]>[0],
): Promise<Map<string, readonly string[]>> {
  if (table.rows > MOST_ROWS) {
    throw new SluiceError('FILE_TOO_LARGE', `the table "${visibleText(name)}" has too many rows`, {
      rule: 'rule.table',
      remedy: `Give at most ${MOST_ROWS} rows.`,
    })
  }
  const columns = table.columns.map(column => column.name)
  const rows = new Map<string, readonly string[]>()
  let row = 0
  for await (const batch of table.batches(columns, new Set(columns))) {
    const vectors = columns.map((_, index) => batch.getChildAt(index)!)
    for (let i = 0; i < batch.numRows; i++) {
      row++
      const [from, ...to] = vectors.map(vector => vector.get(i) as unknown)
      if (typeof from !== 'string' || to.some(value => typeof value !== 'string')) {
        throw malformed(name, row, 'has a value that is missing or is no text')
      }
      if (rows.has(from)) throw malformed(name, row, 'has a value for the second time')
      rows.set(from, to as string[])
    }
  }
  return rows
}

function malformed(name: string, row: number, what: string): SluiceError {
  return new SluiceError('RULE_INVALID', `row ${row} of the table "${visibleText(name)}" ${what}`, {
    rule: 'rule.table',
    remedy: 'Give a CSV file with a header line; in each row a value and what stands for it.',
    position: { line: row + 1, column: 1, source: name },
  })
}
