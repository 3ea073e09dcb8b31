import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { needsText, type Rule } from '@sluice/core/desensitize'
import type { ColumnSchema, Progress, ScalarType } from '@sluice/core/plan'
import { integersOf } from '../duckdb/columns.js'
import { EngineFailure, Session } from '../duckdb/session.js'
import type { Child } from '../isolation/child.js'
import type { ChildPool } from '../isolation/pool.js'
import { quoteIdentifier, quoteText } from '../sql/emit/names.js'
import { type Encoding, transcode } from './encoding.js'
import { detectFormat, type FileFormat } from './format.js'
import { BUCKET_COLUMN, BUCKETS, ENTITY_COLUMN } from './hidden.js'
import { conversionFailures, invalid, type NormalizedColumn, overrideColumn } from './schema.js'
import { requireFile, seal, tooLarge } from './seal.js'
import { openSource } from './source.js'
import { sourceError } from './source-error.js'

export interface RegisterOptions {
  readonly pool: ChildPool
  /** the provider's file: Parquet, Arrow IPC or CSV, told by its content */
  readonly from: string
  /** where the registered file is put, under a random name */
  readonly directory: string
  /** as in the policy */
  readonly entity: { readonly kind: 'column'; readonly column: string } | { readonly kind: 'row' | 'none' }
  /** the highest grade of the policy's columns */
  readonly grade: string
  /** of a CSV file; UTF-8 where absent */
  readonly encoding?: Encoding
  /** the policy's rules: a column of a CSV file has the type that its rule needs */
  readonly rules?: ReadonlyMap<string, Rule>
  /** types that the provider demands, by column; every value has to convert */
  readonly types?: Readonly<Record<string, ScalarType>>
  /** lists of columns that may be unique keys: identifiers, and what the policy lets be joined */
  readonly keyCandidates?: readonly (readonly string[])[]
  readonly limits?: Partial<RegisterLimits>
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  /** random bytes for the file's name and the entity codes */
  readonly random?: (length: number) => Uint8Array
}

export interface RegisterLimits {
  /** of the provider's file and of the registered one */
  readonly bytes: number
  readonly rows: number
  readonly milliseconds: number
}

export interface RegisteredFile {
  /** random name below the directory */
  readonly file: string
  readonly path: string
  readonly format: FileFormat
  /** SHA-256 of the registered file's bytes, hexadecimal */
  readonly fingerprint: string
  readonly bytes: number
  readonly columns: readonly ColumnSchema[]
  readonly rows: number
  /** those candidates that are unique and never null */
  readonly uniqueKeys: readonly (readonly string[])[]
  /** the column whose entity codes were written, and how many distinct entities it has */
  readonly entity: { readonly column: string; readonly count: number } | null
}

const DEFAULT_LIMITS: RegisterLimits = { bytes: 64 * 2 ** 30, rows: 2_000_000_000, milliseconds: 3_600_000 }
const SOURCE = 'source'
const OUTPUT = 'data.parquet'

/**
 * Reads a provider's file in an isolated child, which writes it again as Parquet with the types of the plan language
 * and, where the policy's entity is a column, two columns beside: a dense code of the entity and its bucket. Codes
 * are the rank of SHA-256 over a random key and the value; the key is thrown away, so that a code tells nothing of
 * the value, and buckets (the code modulo 64) are even. The file's bytes differ at each registration for that reason.
 *
 * @throws SluiceError FILE_MISSING, FILE_FORMAT, FILE_TOO_LARGE, SCHEMA_INVALID, NAME_UNKNOWN, DISK_FULL,
 *   TIME_EXCEEDED, MEMORY_EXCEEDED, ISOLATION_MISSING, INTERRUPTED
 */
export async function registerFile(options: RegisterOptions): Promise<RegisteredFile> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const random = options.random ?? randomBytes
  const progress = (stage: string) => options.onProgress?.({ stage })
  await requireFile(options.from, limits.bytes)
  const job = { grade: options.grade, milliseconds: limits.milliseconds, signal: options.signal }
  return options.pool.run(job, async child => {
    progress('copy')
    const staged = join(child.staging.path, 'in', SOURCE)
    const { encoding = 'utf-8' } = options
    if (encoding === 'utf-8') await child.staging.copy(options.from, SOURCE)
    else await transcode(options.from, staged, encoding, options.signal)
    const format = await detectFormat(staged)
    progress('read')
    const found = await normalize(child, { ...options, limits, format, staged, random, progress })
    await child.stop()
    progress('seal')
    const file = `${Buffer.from(random(16)).toString('hex')}.parquet`
    const sealed = await seal(join(child.staging.path, 'out', OUTPUT), options.directory, file, limits.bytes)
    return { file, format, ...sealed, ...found }
  })
}

interface Normalization extends RegisterOptions {
  readonly limits: RegisterLimits
  readonly format: FileFormat
  readonly staged: string
  readonly random: (length: number) => Uint8Array
  readonly progress: (stage: string) => void
}

type Normalized = Pick<RegisteredFile, 'columns' | 'rows' | 'uniqueKeys' | 'entity'>

async function normalize(child: Child, options: Normalization): Promise<Normalized> {
  const source = `${child.inside.in}/${SOURCE}`
  const output = `${child.inside.out}/${OUTPUT}`
  const session = await Session.open(child, {
    threads: options.pool.threads,
    memoryBytes: options.pool.engineMemoryBytes,
    temporaryBytes: options.limits.bytes * 2,
    files: [source, output],
    statements: [],
  })
  try {
    const { from, columns: found } = await openSource(session, options.format, source, options.staged)
    const own = options.format === 'csv' ? found.map(column => asRuled(column, options.rules)) : found
    const columns = await overridden(session, from, own, options.types ?? {})
    const list = columns.map(({ name, expression }) => `${expression} AS ${quoteIdentifier(name)}`)
    await execute(session, `CREATE TEMP VIEW normalized AS SELECT ${list.join(', ')} FROM ${from}`)
    options.progress('check')
    const candidates = (options.keyCandidates ?? []).map(key => key.map(name => known(columns, name).name))
    const { rows, uniqueKeys } = await measure(session, candidates)
    if (rows > options.limits.rows) throw tooLarge('rows', options.limits.rows)
    const entity = options.entity.kind === 'column' ? known(columns, options.entity.column).name : null
    const count = entity === null ? 0 : await numberEntities(session, entity, options.random)
    options.progress('write')
    await execute(session, copyStatement(entity, output))
    return {
      columns: columns.map(({ name, type }) => ({ name, type })),
      rows,
      uniqueKeys,
      entity: entity === null ? null : { column: entity, count },
    }
  } catch (error) {
    throw error instanceof EngineFailure ? sourceError(error, options.format) : error
  }
}

/** A text column's field as it stands there, where the rule of the column needs it. */
function asRuled(column: NormalizedColumn, rules: RegisterOptions['rules']): NormalizedColumn {
  const rule = rules?.get(column.name)
  if (rule === undefined || !needsText(rule, column.type)) return column
  return { name: column.name, type: { kind: 'text' }, expression: quoteIdentifier(column.name) }
}

async function overridden(
  session: Session,
  from: string,
  columns: readonly NormalizedColumn[],
  types: Readonly<Record<string, ScalarType>>,
): Promise<readonly NormalizedColumn[]> {
  const wanted = Object.entries(types).map(([name, type]) => ({ column: known(columns, name), type }))
  if (wanted.length === 0) return columns
  const checks = wanted.map(({ column, type }) => conversionFailures(column, type))
  const failures = await session.query(statement(`SELECT ${checks.join(', ')} FROM ${from}`), ONE_ROW)
  wanted.forEach(({ column }, index) => {
    if (integersOf(failures, index)[0] === 0) return
    throw invalid(
      'type-override',
      `column "${column.name}" has values that do not convert to the wanted type`,
      'Correct the file, or demand another type.',
      { column: column.name },
    )
  })
  return columns.map(column => {
    const override = wanted.find(candidate => candidate.column === column)
    return override ? overrideColumn(column, override.type) : column
  })
}

/** Counts rows, and finds which candidates are unique and never null. */
async function measure(
  session: Session,
  candidates: readonly (readonly string[])[],
): Promise<{ rows: number; uniqueKeys: readonly (readonly string[])[] }> {
  const parts = candidates.flatMap(key => {
    const columns = key.map(quoteIdentifier)
    const complete = columns.map(column => `${column} IS NOT NULL`).join(' AND ')
    const value = columns.length === 1 ? columns[0] : `row(${columns.join(', ')})`
    return [`count(*) FILTER (WHERE ${complete})`, `count(DISTINCT ${value})`]
  })
  const counts = await session.query(
    statement(`SELECT ${['count(*)', ...parts].join(', ')} FROM normalized`),
    ONE_ROW,
  )
  const rows = integersOf(counts, 0)[0] ?? 0
  const isUnique = (index: number) =>
    [1, 2].every(offset => integersOf(counts, 2 * index + offset)[0] === rows)
  return { rows, uniqueKeys: candidates.filter((_, index) => isUnique(index)) }
}

/** Makes the table of entities and their codes; answers how many there are. */
async function numberEntities(
  session: Session,
  column: string,
  random: (length: number) => Uint8Array,
): Promise<number> {
  const value = quoteIdentifier(column)
  await session.execute({
    sql:
      `CREATE TEMP TABLE entities AS SELECT value, ` +
      `CAST(row_number() OVER (ORDER BY sha256($key || CAST(value AS VARCHAR))) - 1 AS UINTEGER) AS code ` +
      `FROM (SELECT DISTINCT ${value} AS value FROM normalized WHERE ${value} IS NOT NULL)`,
    bindings: [{ name: 'key', value: Buffer.from(random(32)).toString('hex') }],
  })
  return integersOf(await session.query(statement('SELECT count(*) FROM entities'), ONE_ROW), 0)[0] ?? 0
}

function copyStatement(entity: string | null, output: string): string {
  const select =
    entity === null
      ? 'SELECT * FROM normalized'
      : `SELECT normalized.*, entities.code AS ${ENTITY_COLUMN}, ` +
        `CAST(entities.code % ${BUCKETS} AS UTINYINT) AS ${BUCKET_COLUMN} ` +
        `FROM normalized LEFT JOIN entities ON normalized.${quoteIdentifier(entity)} = entities.value`
  return `COPY (${select}) TO ${quoteText(output)} (FORMAT parquet, COMPRESSION snappy)`
}

const ONE_ROW = { maximumRows: 1, maximumBytes: 1 << 20 }

function statement(sql: string) {
  return { sql, bindings: [] }
}

async function execute(session: Session, sql: string): Promise<void> {
  await session.execute(statement(sql))
}

function known(columns: readonly NormalizedColumn[], name: string): NormalizedColumn {
  const column = columns.find(candidate => candidate.name === name)
  if (column) return column
  throw new SluiceError('NAME_UNKNOWN', `the file has no column "${name}"`, {
    remedy: 'Write the column as the file does; capital letters count.',
    facts: { column: name, columns: columns.map(candidate => candidate.name) },
  })
}
