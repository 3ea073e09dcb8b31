import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { ColumnSchema, ScalarType } from '@sluice/core/plan'
import type { Table } from 'apache-arrow'
import { integersOf } from '../duckdb/columns.js'
import { createEnginePool } from '../duckdb/pool.js'
import { EngineFailure, Session } from '../duckdb/session.js'
import type { Child } from '../isolation/child.js'
import { quoteIdentifier, quoteText } from '../sql/emit/names.js'
import { type Encoding, transcode } from './encoding.js'
import { detectFormat, type FileFormat } from './format.js'
import { KEPT_COLUMN } from './hidden.js'
import type { NormalizedColumn } from './schema.js'
import { requireFile } from './seal.js'
import { openSource } from './source.js'
import { sourceError } from './source-error.js'
import { changed, fileVersion, requireVersion } from './version.js'

export interface ReadTableOptions {
  /** where the child's working files go for a moment; on the file's own file system a copy costs least */
  readonly staging: string
  /** of a text file; UTF-8 where absent */
  readonly encoding?: Encoding
  readonly milliseconds?: number
  readonly signal?: AbortSignal
  /** called when the child was started, some tenths of a second before it answers */
  readonly onStart?: () => void
}

/** A file's table, as long as its child lives. One reading at a time. */
export interface TableFile {
  readonly format: FileFormat
  readonly columns: readonly ColumnSchema[]
  readonly rows: number
  /** which file it is, as `fileVersion` says */
  readonly version: string
  /**
   * The rows in the file's order, some ten thousand at a time.
   *
   * @param select the columns, in their order; all where absent
   * @param asText columns of a CSV file that are to be read as the text that stands there; other files have types
   * @param sample so many rows drawn at random without replacement, in no order; all where absent
   * @param from rows to leave out at the beginning
   */
  batches(
    select?: readonly string[],
    asText?: ReadonlySet<string>,
    sample?: number,
    from?: number,
  ): AsyncGenerator<Table, void, undefined>
  /**
   * Makes a Parquet file of some of the rows, in the file's order, where they are: none leaves the child. For tables
   * without integers of 128 bits, which Parquet does not have.
   *
   * @param kept by row of the file, 1 where it is kept
   * @param asText as `batches` has it
   * @param take gets the path of what was made, which is gone with the child
   * @throws SluiceError FINGERPRINT_MISMATCH where the file has another number of rows
   */
  keep<T>(kept: Uint8Array, asText: ReadonlySet<string>, take: (path: string) => Promise<T>): Promise<T>
  /**
   * Lets go of the file until the next call, for whoever holds the table while something else takes its time: a process
   * that is killed meanwhile leaves no second name of it behind.
   */
  rest(): Promise<void>
  /**
   * To be called when what was read or made of the rows is whole, before it is used: a change in place may have come
   * between.
   *
   * @throws SluiceError FINGERPRINT_MISMATCH where the file was changed since it was opened, or, unless it is held, another
   * stands at its path
   */
  unchanged(): Promise<void>
}

const SOURCE = 'source'
const OUTPUT = 'kept.parquet'
/** The default level of zstd, 3, takes two and a half times as long, and a million identity numbers became no smaller by it. */
const WRITTEN = 'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, USE_TMP_FILE false'
const DAY = 86_400_000
export const LONGEST = 1 << 30
const BATCH_ROWS = 32_768
const BATCH_BYTES = 64 * 2 ** 20

/**
 * Opens a Parquet, Arrow IPC or CSV file, told by its content, in a child process of its own, and hands its rows over
 * batch by batch: memory stays bounded, whatever the file's size.
 *
 * @throws SluiceError FILE_MISSING, FILE_FORMAT, FILE_TOO_LARGE, SCHEMA_INVALID, DISK_FULL, MEMORY_EXCEEDED,
 * TIME_EXCEEDED, ISOLATION_MISSING, INTERRUPTED, and what `use` throws
 */
export async function readTable<T>(
  path: string,
  options: ReadTableOptions,
  use: (table: TableFile) => Promise<T>,
): Promise<T> {
  const { staging, encoding = 'utf-8', signal, milliseconds = DAY } = options
  await requireFile(path, Number.MAX_SAFE_INTEGER)
  // the file is whoever runs this command's own: any isolation will do
  const pool = createEnginePool({
    stagingRoot: resolve(staging),
    minimum: 'process',
    warm: 0,
    outputBytes: Number.MAX_SAFE_INTEGER,
  })
  try {
    return await pool.run(
      { grade: '1', milliseconds: Math.min(milliseconds, LONGEST), signal },
      async child => {
        options.onStart?.()
        const staged = join(child.staging.path, 'in', SOURCE)
        const before = await fileVersion(path)
        if (encoding === 'utf-8') await child.staging.link(path, SOURCE)
        else await transcode(path, staged, encoding, signal)
        const format = await detectFormat(staged)
        const file = {
          ...{ path, staged, before, isTranscoded: encoding !== 'utf-8' },
          inside: { source: `${child.inside.in}/${SOURCE}`, output: `${child.inside.out}/${OUTPUT}` },
          output: join(child.staging.path, 'out', OUTPUT),
        }
        try {
          return await use(await openTable(child, format, file, pool))
        } catch (error) {
          throw told(error, format)
        }
      },
    )
  } finally {
    await pool.close()
  }
}

interface Limits {
  readonly threads: number
  readonly engineMemoryBytes: number
}

export interface StagedFile {
  readonly path: string
  /** another name of it, or a copy, where the child has it; null where the child has it open */
  readonly staged: string | null
  /** its version before it was staged */
  readonly before: string
  readonly isTranscoded: boolean
  /** what the child reads, and where it writes what is kept, as it names them */
  readonly inside: { readonly source: string; readonly output: string }
  /** the same output as this process names it */
  readonly output: string
}

export async function openTable(
  child: Child,
  format: FileFormat,
  { path, staged, before, isTranscoded, inside, output: made }: StagedFile,
  limits: Limits,
): Promise<TableFile> {
  const { source, output } = inside
  const session = await Session.open(child, {
    threads: limits.threads,
    memoryBytes: limits.engineMemoryBytes,
    temporaryBytes: Number.MAX_SAFE_INTEGER,
    files: [source, output],
    statements: [],
  })
  const { from, columns } = await openSource(session, format, source, staged ?? path)
  const counted = await session.query(statement(`SELECT count(*) FROM ${from}`), {
    maximumRows: 1,
    maximumBytes: 1 << 16,
  })
  const rows = integersOf(counted, 0)[0] ?? 0
  const textOf = (asText?: ReadonlySet<string>) => (format === 'csv' ? asText : undefined)
  let isResting = false
  const wake = async () => {
    // of another file the engine has a table of its own
    if (!isResting || format !== 'parquet') return
    if (staged !== null) {
      await rm(staged, { force: true })
      await child.staging.link(path, SOURCE)
    }
    await requireVersion(path, before)
    isResting = false
  }
  return {
    format,
    columns: columns.map(({ name, type }) => ({ name, type })),
    rows,
    version: before,
    unchanged: () => requireVersion(path, before),
    async *batches(select, asText, sample, start) {
      await wake()
      const wanted = chosen(columns, select, textOf(asText))
      try {
        yield* readBatches(session, after(sampled(from, sample), start), wanted)
      } catch (error) {
        throw told(error, format)
      }
    },
    async rest() {
      if (isResting || isTranscoded) return
      if (staged !== null) await rm(staged)
      isResting = true
    },
    async keep(kept, asText, take) {
      await wake()
      if (kept.length !== rows) throw changed()
      const list = selected(chosen(columns, undefined, textOf(asText)))
      const relation = `${from} POSITIONAL JOIN kept AS kept(${KEPT_COLUMN})`
      const sql = `COPY (SELECT ${list} FROM ${relation} WHERE ${KEPT_COLUMN} = 1) TO ${quoteText(output)} (${WRITTEN})`
      try {
        await session.numbers('kept', new Uint32Array(kept))
        await session.execute(statement(sql))
      } catch (error) {
        throw told(error, format)
      }
      return take(made)
    },
  }
}

/** What whoever asks for a table is told of its engine's failure, also where the table is used elsewhere. */
export function told(error: unknown, format: FileFormat): unknown {
  return error instanceof EngineFailure ? sourceError(error, format) : error
}

function sampled(from: string, rows: number | undefined): string {
  return rows === undefined ? from : `(FROM ${from} USING SAMPLE reservoir(${Math.floor(rows)} ROWS))`
}

/** The engine keeps the file's order, as it does for all rows. */
function after(from: string, rows = 0): string {
  return rows === 0 ? from : `(FROM ${from} OFFSET ${Math.floor(rows)})`
}

const TEXT: ScalarType = { kind: 'text' }

function chosen(
  columns: readonly NormalizedColumn[],
  select: readonly string[] | undefined,
  asText: ReadonlySet<string> = new Set(),
): NormalizedColumn[] {
  const names = select ?? columns.map(column => column.name)
  return names.map(name => {
    const column = columns.find(candidate => candidate.name === name)
    if (column === undefined) throw new SluiceError('INTERNAL', 'a column is read that is not there')
    return asText.has(name) ? { name, type: TEXT, expression: quoteIdentifier(name) } : column
  })
}

/** The rows of a relation in its order, some ten thousand at a time. */
export async function* readBatches(
  session: Session,
  from: string,
  columns: readonly NormalizedColumn[],
): AsyncGenerator<Table, void, undefined> {
  await session.stream(statement(`SELECT ${selected(columns)} FROM ${from}`))
  const ask = () => {
    const asked = session.next(BATCH_ROWS, BATCH_BYTES)
    // whoever stops reading does not want to hear of the one under way
    asked.catch(() => undefined)
    return asked
  }
  // the child reads on while this process works
  let next = ask()
  // loaded here: the engine starts sooner without it
  const { arrowTable } = await import('../duckdb/arrow-table.js')
  for (;;) {
    const batch = await next
    if (batch.rows === 0) return
    next = ask()
    yield arrowTable(columns, batch.columns, batch.rows)
  }
}

function selected(columns: readonly NormalizedColumn[]): string {
  return columns.map(({ name, expression }) => `${expression} AS ${quoteIdentifier(name)}`).join(', ')
}

function statement(sql: string) {
  return { sql, bindings: [] }
}
