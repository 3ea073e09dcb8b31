import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { SluiceError, visibleText } from '@sluice/core'
import type { Progress } from '@sluice/core/plan'
import { integersOf } from '../duckdb/columns.js'
import { EngineFailure, Session } from '../duckdb/session.js'
import type { ChildPool } from '../isolation/pool.js'
import { LOOKUP_WIDTH, lookupColumn, quoteIdentifier, quoteText } from '../sql/emit/names.js'
import { detectFormat, type FileFormat } from './format.js'
import type { NormalizedColumn } from './schema.js'
import { requireFile, seal } from './seal.js'
import { openSource } from './source.js'
import { sourceError } from './source-error.js'

export interface RegisterTableOptions {
  readonly pool: ChildPool
  /** a CSV file with a header line (or Parquet, Arrow): values, and what stands for each in the other columns */
  readonly from: string
  /** as the policy's rules name it */
  readonly name: string
  /** columns beside the first that rules look at, at least */
  readonly levels: number
  /** where the registered file is put, under a random name */
  readonly directory: string
  readonly grade: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  /** random bytes for the file's name */
  readonly random?: (length: number) => Uint8Array
}

export interface RegisteredTableFile {
  readonly file: string
  readonly path: string
  readonly fingerprint: string
}

const SOURCE = 'source'
const OUTPUT = 'table.parquet'
const MOST_ROWS = 1_000_000
const MOST_BYTES = 2 ** 30
const MILLISECONDS = 600_000

/**
 * Reads a hierarchy or a dictionary in an isolated child and writes it as Parquet, sorted by its values, so that the
 * same table has the same fingerprint: column `c0` has the values, each once, `c1` and on what stands for them.
 *
 * @throws SluiceError RULE_INVALID with the row where a value is missing or stands twice, or for too few columns;
 * FILE_MISSING, FILE_FORMAT, FILE_TOO_LARGE, SCHEMA_INVALID, DISK_FULL, INTERRUPTED
 */
export async function registerTable(options: RegisterTableOptions): Promise<RegisteredTableFile> {
  const { pool, name, grade, signal, random = randomBytes } = options
  options.onProgress?.({ stage: 'read' })
  await requireFile(options.from, MOST_BYTES)
  return pool.run({ grade, milliseconds: MILLISECONDS, signal }, async child => {
    await child.staging.copy(options.from, SOURCE)
    const staged = join(child.staging.path, 'in', SOURCE)
    const format = await detectFormat(staged)
    const source = `${child.inside.in}/${SOURCE}`
    const output = `${child.inside.out}/${OUTPUT}`
    const session = await Session.open(child, {
      threads: pool.threads,
      memoryBytes: pool.engineMemoryBytes,
      temporaryBytes: MOST_BYTES,
      files: [source, output],
      statements: [],
    })
    try {
      const { from, columns } = await openSource(session, format, source, staged)
      requireWidth(name, columns.length, options.levels)
      const texts = columns.map(column => textOf(name, column, format))
      const list = texts.map((text, index) => `${text} AS ${lookupColumn(index)}`)
      await session.execute(
        statement(
          `CREATE TEMP TABLE lookup AS SELECT row_number() OVER () AS row, ${list.join(', ')} FROM ${from}`,
        ),
      )
      await requireWhole(session, name, columns.length)
      const kept = columns.map((_, index) => lookupColumn(index)).join(', ')
      await session.execute(
        statement(
          `COPY (SELECT ${kept} FROM lookup ORDER BY ${lookupColumn(0)}) TO ${quoteText(output)} ` +
            '(FORMAT parquet, COMPRESSION snappy)',
        ),
      )
    } catch (error) {
      throw error instanceof EngineFailure ? sourceError(error, format) : error
    }
    await child.stop()
    const file = `${Buffer.from(random(16)).toString('hex')}.parquet`
    const sealed = await seal(join(child.staging.path, 'out', OUTPUT), options.directory, file, MOST_BYTES)
    return { file, path: sealed.path, fingerprint: sealed.fingerprint }
  })
}

/** A CSV file is read as the text that stands there: `010` is no number. */
function textOf(table: string, column: NormalizedColumn, format: FileFormat): string {
  if (format === 'csv') return quoteIdentifier(column.name)
  if (column.type.kind === 'text') return column.expression
  throw malformed(
    `the table "${visibleText(table)}" has a column "${visibleText(column.name)}" that is no text`,
    table,
  )
}

function requireWidth(table: string, columns: number, levels: number): void {
  if (columns > levels && columns <= LOOKUP_WIDTH) return
  throw malformed(
    `the table "${visibleText(table)}" has ${columns} columns; its rules need ${levels + 1} to ${LOOKUP_WIDTH}`,
    table,
  )
}

/** No value is missing, and none of the first column stands twice. */
async function requireWhole(session: Session, table: string, width: number): Promise<void> {
  const key = lookupColumn(0)
  const missing = Array.from({ length: width }, (_, index) => `${lookupColumn(index)} IS NULL`).join(' OR ')
  const found = await session.query(
    statement(
      `SELECT count(*), coalesce(min(row) FILTER (WHERE ${missing}), 0), coalesce(min(row) FILTER (WHERE nth > 1), 0) ` +
        `FROM (SELECT *, row_number() OVER (PARTITION BY ${key} ORDER BY row) AS nth FROM lookup)`,
    ),
    { maximumRows: 1, maximumBytes: 1 << 16 },
  )
  const [rows, without, twice] = [0, 1, 2].map(index => integersOf(found, index)[0] ?? 0)
  if (rows! > MOST_ROWS) {
    throw new SluiceError('FILE_TOO_LARGE', `the table "${visibleText(table)}" has too many rows`, {
      rule: 'rule.table',
      remedy: `Give at most ${MOST_ROWS} rows.`,
    })
  }
  const shown = visibleText(table)
  if (without! > 0) throw malformed(`row ${without} of the table "${shown}" lacks a value`, table, without)
  if (twice! > 0) {
    throw malformed(`row ${twice} of the table "${shown}" has a value for the second time`, table, twice)
  }
}

function malformed(message: string, table: string, row?: number): SluiceError {
  return new SluiceError('RULE_INVALID', message, {
    rule: 'rule.table',
    remedy: 'Give a CSV file with a header line; in each row a value and what stands for it.',
    ...(row !== undefined && { position: { line: row + 1, column: 1, source: table } }),
  })
}

function statement(sql: string) {
  return { sql, bindings: [] }
}
