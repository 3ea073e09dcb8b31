import { extname } from 'node:path'
import { columnSchemasOf, gather } from '@sluice/core/columns'
import type { ColumnSchema } from '@sluice/core/plan'
import type { PsiItems } from '@sluice/mpc/psi'
import { type FileFormat, placeTable, type TableFile, writeTable } from '@sluice/sandbox/io'
import { Schema, Table, type Vector } from 'apache-arrow'
import type { Context } from '../context.js'
import { asText, type PsiInput, withTable } from './input.js'

/** Which rows of the own file come out: the shared ones, all, or those that are not shared. */
export const JOINS = ['inner', 'left', 'anti'] as const
export type Join = (typeof JOINS)[number]

export interface Matched {
  /** by row of the own file, 1 where its key is shared */
  readonly matched: Uint8Array
  /** columns that another party handed over; row i belongs to item `itemOf[i]` */
  readonly payload?: { readonly from: string; readonly itemOf: Uint32Array; readonly columns: Table }
}

export interface Written {
  readonly rows: number
  readonly columns: readonly string[]
}

/**
 * Writes the rows of the own file that are shared (`inner`), all (`left`) or those that are not (`anti`), with the
 * columns that another party handed over beside them: a row with several counterparts comes out as often, and in a
 * left join one without comes out with nulls. A column whose name is taken gets its party’s before it. A left join says
 * in the column `shared` which rows are.
 */
export function writeMatched(
  context: Context,
  input: PsiInput,
  items: PsiItems,
  result: Matched,
  options: Writing,
): Promise<Written> {
  return withTable(context, input.file, table =>
    isChoice(table, result, options)
      ? writeChosen(context, table, input, result, options)
      : writeJoined(context, table, input, items, result, options),
  )
}

interface Writing {
  readonly out: string
  readonly join: Join
  readonly force?: boolean
}

/** Nothing but rows as they are, which the engine writes by itself. */
function isChoice({ format, columns }: TableFile, { payload }: Matched, { out, join }: Writing): boolean {
  const isPlain = join === 'anti' || (join === 'inner' && payload === undefined)
  const isWide = columns.some(({ type }) => type.kind === 'integer' && type.bits === 128)
  return isPlain && !isWide && (formatOf(out) ?? format) === 'parquet'
}

async function writeChosen(
  context: Context,
  table: TableFile,
  input: PsiInput,
  { matched }: Matched,
  { out, join, force }: Writing,
): Promise<Written> {
  const kept = join === 'inner' ? matched : matched.map(flag => 1 - flag)
  context.progress.report({ stage: 'write' })
  await table.keep(kept, ownText(table, input), made => placeTable(made, context.path(out), force))
  return { rows: kept.reduce((sum, flag) => sum + flag, 0), columns: table.columns.map(({ name }) => name) }
}

function ownText(table: TableFile, { key, sum }: PsiInput): ReadonlySet<string> {
  return asText(table, [...key, ...(sum === undefined ? [] : [sum])])
}

function writeJoined(
  context: Context,
  table: TableFile,
  input: PsiInput,
  items: PsiItems,
  result: Matched,
  options: Writing,
): Promise<Written> {
  const { join } = options
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

function formatOf(path: string): FileFormat | null {
  const known: Readonly<Record<string, FileFormat>> = {
    '.parquet': 'parquet',
    '.csv': 'csv',
    '.arrow': 'arrow',
  }
  return known[extname(path).toLowerCase()] ?? null
}
