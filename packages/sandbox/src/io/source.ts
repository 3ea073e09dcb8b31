import { SluiceError } from '@sluice/core'
import { integersOf, textsOf } from '../duckdb/columns.js'
import type { Session } from '../duckdb/session.js'
import { quoteText } from '../sql/emit/names.js'
import {
  afterRound,
  decided,
  type InferredColumn,
  inferenceRound,
  readCsv,
  readDialect,
  undecided,
} from './csv.js'
import type { FileFormat } from './format.js'
import { refuseLongRecord } from './long-cell.js'
import { type NormalizedColumn, normalizeColumn, requireNames, unsupported } from './schema.js'

/** A provider's file as a relation: what stands after FROM, and the columns that registration makes of it. */
export interface Source {
  readonly from: string
  readonly columns: readonly NormalizedColumn[]
}

const SCHEMA_LIMITS = { maximumRows: 100_000, maximumBytes: 64 * 2 ** 20 }
const SAMPLE_ROWS = 10_000

/**
 * @param inside the file as the child names it
 * @param outside the same file as this process does
 */
export function openSource(
  session: Session,
  format: FileFormat,
  inside: string,
  outside: string,
): Promise<Source> {
  switch (format) {
    case 'parquet':
      return openParquet(session, inside)
    case 'csv':
      return openCsv(session, inside, outside)
    case 'arrow':
      return openArrow(session, inside)
  }
}

async function openParquet(session: Session, file: string): Promise<Source> {
  // the engine renames a second column of one name; the file's own schema still has both
  const schema = await query(
    session,
    `SELECT name, CAST(coalesce(num_children, 0) AS BIGINT) FROM parquet_schema(${quoteText(file)})`,
  )
  requireNames(topLevelNames(textsOf(schema, 0), integersOf(schema, 1)))
  const from = `read_parquet(${quoteText(file)})`
  return { from, columns: await described(session, from) }
}

/** Parquet lists its schema as a tree in depth-first order, the root first. */
export function topLevelNames(names: readonly (string | null)[], children: readonly number[]): string[] {
  const top: string[] = []
  let at = 1
  const skip = (): void => {
    const below = children[at] ?? 0
    at++
    for (let child = 0; child < below && at < names.length; child++) skip()
  }
  while (at < names.length) {
    top.push(names[at] ?? '')
    skip()
  }
  return top
}

async function openCsv(session: Session, inside: string, outside: string): Promise<Source> {
  const dialect = await readDialect(outside)
  const header = dialect.header.map((name, index) => (index === 0 ? name.replace(/^\ufeff/, '') : name))
  requireNames(header)
  const sql = `CREATE TEMP TABLE csv_text AS SELECT * FROM ${readCsv(inside, { ...dialect, header })}`
  try {
    await session.execute({ sql, bindings: [] })
  } catch (error) {
    await refuseLongRecord(outside, { ...dialect, header })
    throw error
  }
  const sampled = await inferTypes(session, header.map(undecided), `(FROM csv_text LIMIT ${SAMPLE_ROWS})`)
  const { columns, values } = await inferTypes(session, sampled.columns, 'csv_text')
  return { from: 'csv_text', columns: columns.map((column, index) => decided(column, values[index] ?? 0)) }
}

interface Inference {
  readonly columns: readonly InferredColumn[]
  /** how many values each column has */
  readonly values: readonly number[]
}

/** Rounds until no value refutes a column's candidate. */
async function inferTypes(
  session: Session,
  columns: readonly InferredColumn[],
  from: string,
): Promise<Inference> {
  const result = await query(session, inferenceRound(columns, from))
  const count = (index: number) => integersOf(result, index)[0] ?? 0
  const next = columns.map((column, index) => afterRound(column, count(2 * index + 1)))
  if (next.some((column, index) => column !== columns[index])) return inferTypes(session, next, from)
  return { columns, values: columns.map((_, index) => count(2 * index)) }
}

async function openArrow(session: Session, file: string): Promise<Source> {
  const { columns, unsupported: refused } = await session.loadArrow(file, 'arrow_rows')
  requireNames(columns)
  if (refused !== null) throw unsupported(columns[refused] ?? '')
  return { from: 'arrow_rows', columns: await described(session, 'arrow_rows') }
}

async function described(session: Session, from: string): Promise<NormalizedColumn[]> {
  const columns = await query(
    session,
    `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${from})`,
  )
  const types = textsOf(columns, 1)
  return textsOf(columns, 0).map((name, index) => {
    const type = types[index]
    if (name === null || type === null || type === undefined) {
      throw new SluiceError('ENGINE_FAILED', 'the engine described a column without a name')
    }
    return normalizeColumn(name, type)
  })
}

function query(session: Session, sql: string) {
  return session.query({ sql, bindings: [] }, SCHEMA_LIMITS)
}
