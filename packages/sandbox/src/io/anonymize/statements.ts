import type { AnonymizeConfig, Anonymized, Role } from '@sluice/core/anonymize'
import { quoteIdentifier, quoteText } from '../../sql/emit/names.js'
import { sqlType } from '../../sql/emit/types.js'
import type { FileFormat } from '../format.js'
import type { NormalizedColumn } from '../schema.js'
import { FORMULA, harmlessText } from '../write.js'

/**
 * The statements of an anonymization, in the order in which they run. In the engine, quasi-identifiers go by q0, q1 …
 * and sensitive columns by s0, s1 …, their dictionaries by dict_q0 …, and what is kept as it is by its own name.
 */
export interface NamedColumn extends NormalizedColumn {
  readonly role: Role
}

/** Columns of a role, in the order of the file. */
export function columnsOf(columns: readonly NamedColumn[], role: Role): NamedColumn[] {
  return columns.filter(column => column.role === role)
}

/** Copies what is looked at: quasi-identifiers as text, the others as they are; identifiers are not read. */
export function sourceStatement(from: string, columns: readonly NamedColumn[]): string {
  const quasi = columnsOf(columns, 'quasi').map(
    ({ expression }, at) => `CAST(${expression} AS VARCHAR) AS q${at}`,
  )
  const sensitive = columnsOf(columns, 'sensitive').map(({ expression }, at) => `${expression} AS s${at}`)
  const kept = columnsOf(columns, 'attribute').map(({ expression }, at) => `${expression} AS a${at}`)
  return `CREATE TEMP TABLE rows_read AS SELECT ${[...quasi, ...sensitive, ...kept].join(', ')} FROM ${from}`
}

export function peopleStatement(from: string, quasi: readonly NormalizedColumn[]): string {
  const list = quasi.map(({ expression }, at) => `CAST(${expression} AS VARCHAR) AS q${at}`)
  return `CREATE TEMP TABLE people AS SELECT ${list.join(', ')} FROM ${from}`
}

/** Numbers the distinct values of a column; `first` is the row that a value first stands in. */
export function dictionaryStatement(column: string, withPeople: boolean): string {
  const ofRows = `SELECT CAST(${column} AS VARCHAR) AS value, min(rowid) + 1 AS first FROM rows_read GROUP BY 1`
  const values = withPeople
    ? `SELECT value, min(first) AS first FROM (${ofRows} UNION ALL SELECT DISTINCT ${column}, NULL FROM people) GROUP BY 1`
    : ofRows
  return (
    `CREATE TEMP TABLE dict_${column} AS SELECT value, first, ` +
    `CAST(row_number() OVER (ORDER BY value NULLS FIRST) - 1 AS UINTEGER) AS code FROM (${values})`
  )
}

export function dictionaryQuery(column: string): string {
  return `SELECT value, CAST(coalesce(first, 0) AS BIGINT) FROM dict_${column} ORDER BY code`
}

/** Every row by codes, with what is written as it is; then the distinct tuples and how many rows each has. */
export function encodeStatements(
  quasi: number,
  sensitive: number,
  kept: number,
  withPeople: boolean,
): string[] {
  const [q, s, a] = [names('q', quasi), names('s', sensitive), names('a', kept)]
  const coded = [...q, ...s].map(name => `dict_${name}.code AS c_${name}`)
  const joins = (columns: readonly string[], table: string) =>
    columns
      .map(
        name =>
          `JOIN dict_${name} ON CAST(${table}.${name} AS VARCHAR) IS NOT DISTINCT FROM dict_${name}.value`,
      )
      .join(' ')
  const codes = [...q, ...s].map(name => `c_${name}`)
  const encoded = `CREATE TEMP TABLE encoded AS SELECT ${[...coded, ...s, ...a].join(', ')} FROM rows_read ${joins([...q, ...s], 'rows_read')}`
  const ofRows = `SELECT ${codes.join(', ')}, 1 AS own, 0 AS others FROM encoded`
  const ofPeople = `SELECT ${[...q.map(name => `dict_${name}.code`), ...s.map(() => '0')].join(', ')}, 0, 1 FROM people ${joins(q, 'people')}`
  const all = withPeople ? `(${ofRows} UNION ALL ${ofPeople})` : `(${ofRows})`
  return [
    encoded,
    'DROP TABLE rows_read',
    `CREATE TEMP TABLE tuples AS SELECT ${codes.map(code => `CAST(${code} AS UINTEGER) AS ${code}`).join(', ')}, ` +
      `CAST(sum(own) AS UINTEGER) AS own, CAST(sum(others) AS UINTEGER) AS others FROM ${all} GROUP BY ALL`,
  ]
}

export function tuplesQuery(quasi: number, sensitive: number): string {
  const codes = [...names('q', quasi), ...names('s', sensitive)].map(name => `c_${name}`)
  return `SELECT ${codes.join(', ')}, own, others FROM tuples ORDER BY rowid`
}

/**
 * Joins every row to its class and writes it. The rows stand in the order of all that is written, so that nothing of
 * the order in which they were read is left.
 */
export function outputStatements(
  { columns }: { readonly columns: readonly NamedColumn[] },
  config: AnonymizeConfig,
  { levels, sizes }: Pick<Anonymized, 'levels' | 'sizes'>,
  output: string,
  format: FileFormat,
): string[] {
  const quasi = columnsOf(columns, 'quasi')
  const sensitive = columnsOf(columns, 'sensitive')
  const kept = columnsOf(columns, 'attribute')
  const codes = [...names('q', quasi.length), ...names('s', sensitive.length)].map(name => `c_${name}`)
  const shown = columns
    .filter(({ name }) => config.columns[name]!.role !== 'identifier')
    .map(column => {
      const value = shownAs(column, { quasi, sensitive, kept }, levels)
      return format === 'csv'
        ? `${harmless(value)} AS ${quoteIdentifier(harmlessText(column.name))}`
        : `${value.sql} AS ${quoteIdentifier(column.name)}`
    })
  const raw = [...names('s', sensitive.length), ...names('a', kept.length)].map(name => `, encoded.${name}`)
  const select = `SELECT ${shown.join(', ')} FROM classed JOIN classes USING (class) ORDER BY ALL NULLS FIRST`
  const options = format === 'csv' ? 'FORMAT csv, HEADER' : 'FORMAT parquet, COMPRESSION zstd'
  // a step at a time, and what is done with dropped: the engine holds one of them, not all
  return [
    `CREATE TEMP TABLE named AS SELECT ${codes.join(', ')}, assigned.value AS class FROM tuples POSITIONAL JOIN assigned`,
    'DROP TABLE tuples',
    'DROP TABLE assigned',
    `CREATE TEMP TABLE classed AS SELECT named.class${raw.join('')} FROM encoded JOIN named USING (${codes.join(', ')}) WHERE named.class < ${sizes.length}`,
    'DROP TABLE encoded',
    'DROP TABLE named',
    `COPY (${select}) TO ${quoteText(output)} (${options})`,
  ]
}

interface Shown {
  readonly sql: string
  readonly isText: boolean
}

function shownAs(
  column: NamedColumn,
  { quasi, sensitive, kept }: Readonly<Record<'quasi' | 'sensitive' | 'kept', readonly NamedColumn[]>>,
  levels: readonly number[] | null,
): Shown {
  const isText = column.type.kind === 'text'
  if (column.role === 'sensitive') return { sql: `classed.s${sensitive.indexOf(column)}`, isText }
  if (column.role === 'attribute') return { sql: `classed.a${kept.indexOf(column)}`, isText }
  const at = quasi.indexOf(column)
  // what was not generalized keeps its type
  const own = levels !== null && levels[at] === 0 && !isText
  return own
    ? { sql: `CAST(classes.l${at} AS ${sqlType(column.type)})`, isText }
    : { sql: `classes.l${at}`, isText: true }
}

/** Text that a spreadsheet would take for a formula gets an apostrophe before it, as in every CSV that is released. */
function harmless({ sql, isText }: Shown): string {
  if (!isText) return sql
  return `CASE WHEN regexp_matches(${sql}, ${quoteText(FORMULA)}) THEN '''' || ${sql} ELSE ${sql} END`
}

function names(kind: 'q' | 's' | 'a', count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${kind}${at}`)
}
