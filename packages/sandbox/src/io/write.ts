import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Table, tableToIPC } from 'apache-arrow'
import { createEnginePool } from '../duckdb/pool.js'
import { EngineFailure, failureError, Session } from '../duckdb/session.js'
import { quoteText } from '../sql/emit/names.js'
import { cellText, isNumeric } from './cell.js'

export interface WriteOptions {
  /** where a child's working files go for a moment; the system's directory for temporary files if not given */
  readonly staging?: string
  readonly signal?: AbortSignal
}

/**
 * A released table as the bytes of a file.
 *
 * - `arrow`: Arrow IPC file
 * - `parquet`: by DuckDB, in a child process of its own
 * - `csv`: RFC 4180 in UTF-8 with line feeds; null is nothing, empty text is `""`. Text that a spreadsheet would take
 *   for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a line break) gets an apostrophe before it.
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
  const columns = table.schema.fields.map(({ type }, index) => {
    const values = table.getChildAt(index)
    const isText = !isNumeric(type)
    return (row: number) => {
      const value: unknown = values?.get(row) ?? null
      return value === null ? '' : field(cellText(value, type), isText)
    }
  })
  const lines = [table.schema.fields.map(({ name }) => field(name, true)).join(',')]
  for (let row = 0; row < table.numRows; row++) lines.push(columns.map(column => column(row)).join(','))
  return `${lines.join('\n')}\n`
}

function field(text: string, isText: boolean): string {
  const harmless = isText && /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
  return harmless === '' || /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

const SECONDS = 600
const SOURCE = 'released.arrow'
const OUTPUT = 'released.parquet'

async function parquetBytes(table: Table, { staging, signal }: WriteOptions): Promise<Uint8Array> {
  // what was released is nobody's secret any more: any isolation will do
  const stagingRoot = staging ?? tmpdir()
  const pool = createEnginePool({ stagingRoot, minimum: 'process', warm: 0 })
  try {
    return await pool.run({ grade: '1', milliseconds: SECONDS * 1000, signal }, async child => {
      await writeFile(join(child.staging.path, 'in', SOURCE), tableToIPC(table, 'stream'), { mode: 0o600 })
      const [source, output] = [`${child.inside.in}/${SOURCE}`, `${child.inside.out}/${OUTPUT}`]
      const session = await Session.open(child, {
        threads: pool.threads,
        memoryBytes: pool.engineMemoryBytes,
        temporaryBytes: pool.memoryBytes,
        files: [source, output],
        statements: [],
      })
      await session.loadArrow(source, 'released')
      const sql = `COPY (SELECT * FROM released) TO ${quoteText(output)} (FORMAT parquet, COMPRESSION zstd)`
      await session.execute({ sql, bindings: [] })
      return readFile(join(child.staging.path, 'out', OUTPUT))
    })
  } catch (error) {
    throw error instanceof EngineFailure ? failureError(error) : error
  } finally {
    await pool.close()
  }
}
