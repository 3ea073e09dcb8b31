import { extname } from 'node:path'
import { isSluiceError } from '@sluice/core'
import type { PsiItems } from '@sluice/mpc/psi'
import type { FileFormat } from '@sluice/sandbox/io'
import type { TableFile } from '@sluice/sandbox/table'
import type { Table } from 'apache-arrow'
import type { Context } from '../context.js'
import type { HeldTable } from './held-table.js'
import { asText, type PsiInput, withInput } from './input.js'

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
 *
 * @param options `held`: the own file, where it is still open
 */
export async function writeMatched(
  context: Context,
  input: PsiInput,
  items: PsiItems,
  result: Matched,
  { held, ...options }: Writing & { readonly held?: HeldTable },
): Promise<Written> {
  const write = async (table: TableFile, unchanged: () => Promise<void>): Promise<Written> => {
    const checked = { ...options, unchanged }
    if (isChoice(table, result, options)) return writeChosen(context, table, input, result, checked)
    const { writeJoined } = await import('./joined.js')
    return writeJoined(context, table, input, items, result, checked)
  }
  if (held === undefined) return withInput(context, input, write)
  try {
    const table = await held.opened
    return await write(table, () => table.unchanged())
  } catch (error) {
    // the run has counted: its rows are not lost with an engine that died while it waited
    if (!isSluiceError(error) || !ENGINE_ENDS.has(error.code)) throw error
    return withInput(context, input, write)
  }
}

/** What another engine may do where a held one could not, or says again of the same file. */
const ENGINE_ENDS: ReadonlySet<string> = new Set([
  'ENGINE_KILLED',
  'ENGINE_FAILED',
  'MEMORY_EXCEEDED',
  'FILE_FORMAT',
])

export interface Writing {
  readonly out: string
  readonly join: Join
  readonly force?: boolean
}

export interface Checked extends Writing {
  /** refuses an input that was changed: its rows are others than those that were intersected */
  readonly unchanged: () => Promise<void>
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
  { out, join, force, unchanged }: Checked,
): Promise<Written> {
  const { placeTable } = await import('@sluice/sandbox/table')
  const kept = join === 'inner' ? matched : matched.map(flag => 1 - flag)
  context.progress.report({ stage: 'write' })
  await table.keep(kept, ownText(table, input), async made => {
    await unchanged()
    return placeTable(made, context.path(out), force)
  })
  return { rows: kept.reduce((sum, flag) => sum + flag, 0), columns: table.columns.map(({ name }) => name) }
}

/** Names of the own columns that are read as the text that stands there. */
export function ownText(table: TableFile, { key, sum }: PsiInput): ReadonlySet<string> {
  return asText(table, [...key, ...(sum === undefined ? [] : [sum])])
}

export function formatOf(path: string): FileFormat | null {
  const known: Readonly<Record<string, FileFormat>> = {
    '.parquet': 'parquet',
    '.csv': 'csv',
    '.arrow': 'arrow',
  }
  return known[extname(path).toLowerCase()] ?? null
}
