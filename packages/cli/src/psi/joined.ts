import { columnSchemasOf, gather } from '@sluice/core/columns'
import type { ColumnSchema } from '@sluice/core/plan'
import type { PsiItems } from '@sluice/mpc/psi'
import { writeTable } from '@sluice/sandbox/io'
import type { TableFile } from '@sluice/sandbox/table'
import { Schema, Table, type Vector } from 'apache-arrow'
import type { Context } from '../context.js'
import type { PsiInput } from './input.js'
import { type Checked, formatOf, type Join, type Matched, ownText, type Written } from './output.js'

/** The rows with what another party handed over beside them, or what a join says of them: see `writeMatched`. */
export function writeJoined(
  context: Context,
  table: TableFile,
  input: PsiInput,
  items: PsiItems,
  result: Matched,
  options: Checked,
): Promise<Written> {
  const { join, unchanged } = options
  return writeTable(context.path(options.out), async (_, begin) => {
    const own = table.columns.map(({ name }) => name)
    const text = ownText(table, input)
    const beside = join === 'anti' ? undefined : besideOf(result, own)
    const rowsOf = counterparts(items, beside)
    const { Bool, vectorFromArray } = await import('apache-arrow')
    let columns: readonly ColumnSchema[] = []
    let writer: Awaited<ReturnType<typeof begin>> | undefined
    let [read, rows] = [0, 0]
    for await (const batch of table.batches(undefined, text)) {
      const [left, right] = chosen(batch.numRows, read, result.matched, join, rowsOf)
      let out = gather(batch, left)
      if (beside !== undefined) out = out.assign(gathered(beside.columns, right))
      if (join === 'left') {
        const shared = [...left].map(row => result.matched[read + row] === 1)
        out = out.assign(new Table({ [free('shared', own)]: vectorFromArray(shared, new Bool()) }))
      }
      columns = columnSchemasOf(out.schema)
      writer ??= await begin({
        format: formatOf(options.out) ?? table.format,
        columns,
        ...(options.force === true && { force: true }),
        signal: context.signal,
      })
      await writer.write(out)
      read += batch.numRows
      rows += out.numRows
      context.progress.report({ stage: 'write', fraction: read / Math.max(1, table.rows) })
    }
    await unchanged()
    await writer?.finish()
    return { rows, columns: columns.map(({ name }) => name) }
  })
}

interface Beside {
  readonly itemOf: Uint32Array
  readonly columns: Table
}

function besideOf({ payload }: Matched, own: readonly string[]): Beside | undefined {
  if (payload === undefined) return undefined
  const { from, itemOf, columns } = payload
  const names = columns.schema.fields.map(({ name }) => (own.includes(name) ? `${from}.${name}` : name))
  const vectors = names.map((name, i): [string, Vector] => [name, columns.getChildAt(i)!])
  return { itemOf, columns: new Table(Object.fromEntries(vectors)) }
}

/** For a row of the own file, the rows beside it. */
function counterparts(items: PsiItems, beside: Beside | undefined): (row: number) => readonly number[] {
  if (beside === undefined) return () => NOBODY
  const rows = new Map<number, number[]>()
  for (const [row, item] of beside.itemOf.entries()) {
    const found = rows.get(item)
    if (found === undefined) rows.set(item, [row])
    else found.push(row)
  }
  return row => rows.get(items.itemOf[row]!) ?? NOBODY
}

const NOBODY = [-1]

/** Rows of the batch, and of what is beside them; −1 where there is nothing. */
function chosen(
  count: number,
  start: number,
  matched: Uint8Array,
  join: Join,
  rowsOf: (row: number) => readonly number[],
): [Uint32Array, Int32Array] {
  const left: number[] = []
  const right: number[] = []
  for (let row = 0; row < count; row++) {
    const shared = matched[start + row] === 1
    if (join !== 'left' && shared !== (join === 'inner')) continue
    for (const other of shared ? rowsOf(start + row) : NOBODY) {
      left.push(row)
      right.push(other)
    }
  }
  return [Uint32Array.from(left), Int32Array.from(right)]
}

function gathered(columns: Table, rows: Int32Array): Table {
  const missing = Uint8Array.from(rows, row => (row < 0 ? 1 : 0))
  const nulls = new Map(columns.schema.fields.map((_, i) => [i, missing]))
  const table = gather(
    columns,
    Uint32Array.from(rows, row => Math.max(0, row)),
    nulls,
  )
  // every column may hold nulls now
  const fields = table.schema.fields.map(field => field.clone({ nullable: true }))
  return new Table(new Schema(fields), table.batches)
}

function free(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? free(`${name}_`, taken) : name
}
