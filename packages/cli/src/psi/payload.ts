import type { Table } from 'apache-arrow'
import type { Context } from '../context.js'
import { asText, type PsiInput, requireColumns, withInput } from './input.js'

/** The columns of these rows, ascending, of the own file, as exact text: of a CSV file, what stands there. */
export async function rowsOf(
  context: Context,
  input: PsiInput,
  columns: readonly string[],
  rows: Uint32Array,
): Promise<Table> {
  const [{ gather }, { cellText }, arrow] = await Promise.all([
    import('@sluice/core/columns'),
    import('@sluice/sandbox/io'),
    import('apache-arrow'),
  ])
  return withInput(context, input, async (table, unchanged) => {
    requireColumns(table, input.file, columns)
    let [start, next] = [0, 0]
    const texts = columns.map((): (string | null)[] => [])
    for await (const batch of table.batches(columns, asText(table, columns))) {
      const end = start + batch.numRows
      const first = next
      while (next < rows.length && rows[next]! < end) next++
      const part = gather(
        batch,
        rows.slice(first, next).map(row => row - start),
      )
      texts.forEach((column, i) => {
        const vector = part.getChildAt(i)!
        for (const value of vector) column.push(value === null ? null : cellText(value, vector.type))
      })
      start = end
    }
    await unchanged()
    const vectors = columns.map(
      (name, i) => [name, arrow.vectorFromArray(texts[i]!, new arrow.Utf8())] as const,
    )
    return new arrow.Table(Object.fromEntries(vectors))
  })
}
