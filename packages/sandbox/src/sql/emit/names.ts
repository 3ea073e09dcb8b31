import { SluiceError } from '@sluice/core'
import type { ColumnId } from '@sluice/core/plan'

/** Where the executor makes the tables that an emitted text reads: `"zone"."main"."dataset"`. */
export const ZONE_CATALOG = 'zone'
export const ZONE_SCHEMA = 'main'
/** Statements that make the catalogue of the tables, empty, on a fresh instance. */
export const ATTACH_STATEMENTS: readonly string[] = [`ATTACH ':memory:' AS ${ZONE_CATALOG}`]

/** An identifier in quotes. The engine compares identifiers without regard to case, quoted or not. */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0') || !name.isWellFormed()) {
    throw new SluiceError('INTERNAL', 'a name cannot be written as an identifier')
  }
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(value: string): string {
  if (value.includes('\0') || !value.isWellFormed()) {
    throw new SluiceError('INTERNAL', 'a text cannot be written as a literal')
  }
  return `'${value.replaceAll("'", "''")}'`
}

/** The fully qualified table of a dataset. */
export function tableName(dataset: string): string {
  return [ZONE_CATALOG, ZONE_SCHEMA, dataset].map(quoteIdentifier).join('.')
}

/** Where the executor makes the tables that masks look values up in, each under its fingerprint. */
export const LOOKUP_SCHEMA = 'tables'
export const LOOKUP_STATEMENT = `CREATE SCHEMA ${ZONE_CATALOG}.${LOOKUP_SCHEMA}`

/** The fully qualified table that masks look values up in. */
export function lookupName(fingerprint: string): string {
  return [ZONE_CATALOG, LOOKUP_SCHEMA, fingerprint].map(quoteIdentifier).join('.')
}

/** Columns of such a table at most: the values that are looked up, and sixteen levels above them. */
export const LOOKUP_WIDTH = 17

/** A column of such a table: 0 has the values that are looked up. */
export function lookupColumn(index: number): string {
  return `c${index}`
}

/** The name of a column in the text of `emitNode`. */
export function columnName(id: ColumnId): string {
  return `c${id}`
}
