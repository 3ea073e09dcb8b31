import { SluiceError } from '@sluice/core'
import {
  type AnonymizeConfig,
  type Hierarchy,
  type HierarchyTable,
  hierarchyFor,
  orderedColumn,
  type Records,
} from '@sluice/core/anonymize'
import { integersOf, textsOf, unsignedOf } from '../../duckdb/columns.js'
import type { Session } from '../../duckdb/session.js'
import type { Source } from '../source.js'
import {
  columnsOf,
  dictionaryQuery,
  dictionaryStatement,
  encodeStatements,
  type NamedColumn,
  peopleStatement,
  sourceStatement,
  tuplesQuery,
} from './statements.js'

/** A file as the engine sees it, its columns with their roles. */
export interface Table {
  readonly from: string
  readonly columns: readonly NamedColumn[]
}

/** Values of one column, and distinct tuples, that this process holds at most. */
const VALUES = { maximumRows: 5_000_000, maximumBytes: 2 ** 30 }
const TUPLES = { maximumRows: 100_000_000, maximumBytes: 2 ** 33 }

/**
 * Encodes a table in the engine: every row by the codes of its values, of which this process gets the dictionaries
 * and the distinct tuples with their counts.
 *
 * @param openPeople opens the population's file, once the engine has copied the table
 */
export async function readRecords(
  session: Session,
  { from, columns }: Table,
  openPeople: (() => Promise<Source>) | null,
  {
    config,
    hierarchies,
  }: { readonly config: AnonymizeConfig; readonly hierarchies: ReadonlyMap<string, HierarchyTable> },
): Promise<Records> {
  const quasi = columnsOf(columns, 'quasi')
  const sensitive = columnsOf(columns, 'sensitive')
  const kept = columnsOf(columns, 'attribute')
  await execute(session, sourceStatement(from, columns))
  // both files may go by these names
  for (const table of ['csv_text', 'arrow_rows']) await execute(session, `DROP TABLE IF EXISTS ${table}`)
  if (openPeople !== null) {
    const people = await openPeople()
    await execute(session, peopleStatement(people.from, sameColumns(people, quasi)))
  }
  const dictionary = async (name: string, column: NamedColumn, withPeople: boolean): Promise<Dictionary> => {
    await execute(session, dictionaryStatement(name, withPeople))
    const found = await session.query({ sql: dictionaryQuery(name), bindings: [] }, VALUES)
    const [values, rows] = [textsOf(found, 0), integersOf(found, 1)]
    const firstRow = (code: number) => (rows[code] === 0 ? null : rows[code]!)
    const { hierarchy } = config.columns[column.name]!
    const file = hierarchies.get(column.name) ?? null
    const needed = column.role === 'quasi' || hierarchy !== null
    return {
      cardinality: values.length,
      hierarchy: needed ? hierarchyFor(column.name, { values, firstRow }, hierarchy, file) : null,
    }
  }
  const withPeople = openPeople !== null
  const ofQuasi: Dictionary[] = []
  for (const [at, column] of quasi.entries()) ofQuasi.push(await dictionary(`q${at}`, column, withPeople))
  const ofSensitive: Dictionary[] = []
  for (const [at, column] of sensitive.entries()) ofSensitive.push(await dictionary(`s${at}`, column, false))
  for (const sql of encodeStatements(quasi.length, sensitive.length, kept.length, withPeople))
    await execute(session, sql)
  const tuples = await session.query(
    { sql: tuplesQuery(quasi.length, sensitive.length), bindings: [] },
    TUPLES,
  )
  const width = quasi.length + sensitive.length
  return {
    quasi: quasi.map(({ name }, at) => orderedColumn(name, ofQuasi[at]!.hierarchy!, unsignedOf(tuples, at))),
    sensitive: sensitive.map(({ name }, at) => ({
      name,
      ...ofSensitive[at]!,
      codes: unsignedOf(tuples, quasi.length + at),
    })),
    weights: unsignedOf(tuples, width),
    population: withPeople ? unsignedOf(tuples, width + 1) : null,
  }
}

interface Dictionary {
  readonly cardinality: number
  readonly hierarchy: Hierarchy | null
}

/** The population's columns that are the table's quasi-identifiers. */
function sameColumns(people: Source, quasi: readonly NamedColumn[]): Source['columns'] {
  return quasi.map(({ name }) => {
    const column = people.columns.find(candidate => candidate.name === name)
    if (column !== undefined) return column
    throw new SluiceError('NAME_UNKNOWN', `the population’s file has no column "${name}"`, {
      rule: 'presence.population',
      remedy: 'Give a file with every quasi-identifier of the table, under the same names.',
    })
  })
}

async function execute(session: Session, sql: string): Promise<void> {
  await session.execute({ sql, bindings: [] })
}
