import { canonicalDigest, SluiceError } from '@sluice/core'
import type { MaskedColumn } from '@sluice/core/plan'
import {
  ATTACH_STATEMENTS,
  LOOKUP_STATEMENT,
  LOOKUP_WIDTH,
  lookupColumn,
  lookupName,
  quoteIdentifier,
  tableName,
} from './emit/names.js'
import { sqlType } from './emit/types.js'

/** A dataset as queries see it. */
export interface CatalogueTable {
  readonly name: string
  /** as plans see them: of the type that the policy's rule makes of them, where there is one */
  readonly columns: readonly MaskedColumn[]
}

/** What a query's names are resolved against: names differ in more than case, as the engine compares them without. */
export interface Catalogue {
  readonly tables: ReadonlyMap<string, CatalogueTable>
  /** tells catalogues apart */
  readonly digest: string
  /** statements that make the tables, without rows, on a fresh instance */
  readonly schema: readonly string[]
}

/** @throws SluiceError SCHEMA_INVALID where names are doubled or cannot be written */
export function readCatalogue(tables: readonly CatalogueTable[]): Catalogue {
  const byName = new Map<string, CatalogueTable>()
  for (const table of tables) {
    const key = fold(table.name)
    if (byName.has(key)) throw doubled(`two datasets are named ${quoteIdentifier(table.name)}`)
    byName.set(key, table)
    const columns = new Set(table.columns.map(({ name }) => fold(name)))
    if (columns.size < table.columns.length) {
      throw doubled(`the dataset ${quoteIdentifier(table.name)} has two columns of one name`)
    }
    if (columns.size === 0) {
      throw new SluiceError('SCHEMA_INVALID', `the dataset ${quoteIdentifier(table.name)} has no columns`)
    }
  }
  const datasets = [...byName.values()]
  const schema = [...ATTACH_STATEMENTS, ...datasets.map(createStatement), ...lookupStatements(datasets)]
  return { tables: byName, digest: canonicalDigest(schema), schema }
}

/** Names as the engine compares them. */
export function fold(name: string): string {
  return name.replace(/[A-Z]/g, letter => letter.toLowerCase())
}

function createStatement({ name, columns }: CatalogueTable): string {
  const list = columns.map(
    column => `${quoteIdentifier(column.name)} ${sqlType(column.mask?.from ?? column.type)}`,
  )
  return `CREATE TABLE ${tableName(name)} (${list.join(', ')})`
}

/** The tables that masks look values up in, as wide as they can be. */
function lookupStatements(tables: readonly CatalogueTable[]): string[] {
  const fingerprints = new Set(
    tables.flatMap(({ columns }) => columns.flatMap(({ mask }) => mask?.table ?? [])),
  )
  if (fingerprints.size === 0) return []
  const columns = Array.from({ length: LOOKUP_WIDTH }, (_, index) => `${lookupColumn(index)} VARCHAR`)
  return [
    LOOKUP_STATEMENT,
    ...[...fingerprints].map(table => `CREATE TABLE ${lookupName(table)} (${columns.join(', ')})`),
  ]
}

function doubled(message: string): SluiceError {
  return new SluiceError('SCHEMA_INVALID', message, {
    rule: 'schema.names',
    remedy: 'Give them names that differ in more than case.',
  })
}
