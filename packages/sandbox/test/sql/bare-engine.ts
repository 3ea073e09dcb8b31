import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import {
  ATTACH_STATEMENTS,
  type CatalogueTable,
  quoteIdentifier,
  sqlType,
  tableName,
} from '@sluice/sandbox/sql'

/** DuckDB by itself, with the tables twice: under their bare names, and where emitted text looks for them. */
export interface BareEngine {
  readonly connection: DuckDBConnection
  /** types of a query's columns, as DuckDB writes them */
  types(sql: string): Promise<readonly string[]>
  close(): void
}

export async function openBareEngine(catalogue: readonly CatalogueTable[]): Promise<BareEngine> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  for (const statement of ATTACH_STATEMENTS) await connection.run(statement)
  for (const { name, columns } of catalogue) {
    const list = columns.map(column => `${quoteIdentifier(column.name)} ${sqlType(column.type)}`)
    await connection.run(`CREATE TABLE ${tableName(name)} (${list.join(', ')})`)
    await connection.run(`CREATE VIEW ${quoteIdentifier(name)} AS SELECT * FROM ${tableName(name)}`)
  }
  return {
    connection,
    async types(sql) {
      const prepared = await connection.prepare(sql)
      return Array.from({ length: prepared.columnCount }, (_, index) =>
        prepared
          .columnType(index)
          .toString()
          .replace(/,(?=\d)/g, ', '),
      )
    },
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}
