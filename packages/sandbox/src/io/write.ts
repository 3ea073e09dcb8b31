import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Table, tableToIPC } from 'apache-arrow'
import { createEnginePool } from '../duckdb/pool.js'
import { EngineFailure, failureError, Session } from '../duckdb/session.js'
import { quoteIdentifier, quoteText } from '../sql/emit/names.js'
import { cellText, isNumeric } from './cell.js'

export interface WriteOptions {
  /** where a child's working files go for a moment; the system's directory for temporary files if not given */
  readonly staging?: string
  readonly signal?: AbortSignal
  /** key-value metadata of a Parquet file; in Arrow the schema's own is written */
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * A released table as the bytes of a file.
 *
 * - `arrow`: Arrow IPC file
 * - `parquet`: by DuckDB, in a child process of its own
 * - `csv`: RFC 4180 in UTF-8 with line feeds; null is nothing, empty text is `""`. Text that a spreadsheet would take
 *   for a formula (see `FORMULA`) gets an apostrophe before it.
 *
 * @throws SluiceError DISK_FULL, MEMORY_EXCEEDED, ENGINE_FAILED, INTERRUPTED
 */
export async function encodeTable(
  table: Table,
  format: 'arrow' | 'parquet' | 'csv',
  options: WriteOptions = {},
): Promise<Uint8Array> {
  if (format === 'arrow') return tableToIPC(table, 'file')
  return format === 'csv' ? new TextEncoder().encode(csvText(table)) : parquetBytes(table, options)
}

/** See `encodeTable`. */
export function csvText(table: Table): string {
  return csvHeader(table.schema.fields.map(({ name }) => name)) + csvRows(table)
}

export function csvHeader(names: readonly string[]): string {
  return `${names.map(name => field(name, true)).join(',')}\n`
}

/** A line for each row. */
export function csvRows(table: Table): string {
  const columns = table.schema.fields.map(({ type }, index) => {
    const values = table.getChildAt(index)
    const isText = !isNumeric(type)
    return (row: number) => {
      const value: unknown = values?.get(row) ?? null
      return value === null ? '' : field(cellText(value, type), isText)
    }
  })
  const lines: string[] = []
  for (let row = 0; row < table.numRows; row++)
    lines.push(`${columns.map(column => column(row)).join(',')}\n`)
  return lines.join('')
}

/**
 * What text begins with that a spreadsheet may take for a formula, for JavaScript and RE2 alike: a tab or a line break,
 * or, behind spaces too, one of four signs, which some languages' spreadsheets also take full-width (OWASP, CSV Injection).
 */
export const FORMULA = '^(?:[\\t\\r\\n]|[ \u00a0\u3000\ufeff]*[=+\\-@＝＋－＠])'

const BEGINS_FORMULA = new RegExp(FORMULA)

/** Text as a spreadsheet shows it and does not compute it. */
export function harmlessText(text: string): string {
  return BEGINS_FORMULA.test(text) ? `'${text}` : text
}

function field(text: string, isText: boolean): string {
  const harmless = isText ? harmlessText(text) : text
  return harmless === '' || /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

const SECONDS = 600
const SOURCE = 'released.arrow'
const OUTPUT = 'released.parquet'

async function parquetBytes(
  table: Table,
  { staging, signal, metadata = {} }: WriteOptions,
): Promise<Uint8Array> {
  return parquetOfArrow(
    { staging: staging ?? tmpdir(), milliseconds: SECONDS * 1000, signal, metadata },
    path => writeFile(path, tableToIPC(table, 'stream'), { mode: 0o600 }),
    path => readFile(path),
  )
}

/**
 * Makes a Parquet file of an Arrow IPC file, in a child process.
 *
 * @param put makes the Arrow file at that path
 * @param take takes the Parquet file from that path, which is gone afterwards
 */
export async function parquetOfArrow<T>(
  options: {
    staging: string
    milliseconds: number
    signal: AbortSignal | undefined
    metadata?: Readonly<Record<string, string>>
  },
  put: (path: string) => Promise<void>,
  take: (path: string) => Promise<T>,
): Promise<T> {
  const { staging: stagingRoot, milliseconds, signal, metadata = {} } = options
  const pairs = Object.entries(metadata).map(([key, value]) => `${quoteIdentifier(key)}: ${quoteText(value)}`)
  const marked = pairs.length === 0 ? '' : `, KV_METADATA {${pairs.join(', ')}}`
  // what was released or desensitized is to be handed on: any isolation will do
  const pool = createEnginePool({ stagingRoot, minimum: 'process', warm: 0 })
  try {
    return await pool.run({ grade: '1', milliseconds, signal }, async child => {
      await put(join(child.staging.path, 'in', SOURCE))
      const [source, output] = [`${child.inside.in}/${SOURCE}`, `${child.inside.out}/${OUTPUT}`]
      const session = await Session.open(child, {
        threads: pool.threads,
        memoryBytes: pool.engineMemoryBytes,
        temporaryBytes: pool.memoryBytes,
        files: [source, output],
        statements: [],
      })
      await session.loadArrow(source, 'released')
      const sql = `COPY (SELECT * FROM released) TO ${quoteText(output)} (FORMAT parquet, COMPRESSION zstd${marked})`
      await session.execute({ sql, bindings: [] })
      return take(join(child.staging.path, 'out', OUTPUT))
    })
  } catch (error) {
    throw error instanceof EngineFailure ? failureError(error) : error
  } finally {
    await pool.close()
  }
}
