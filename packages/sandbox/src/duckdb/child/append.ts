import { type DuckDBConnection, DuckDBDataChunk, type DuckDBType, UINTEGER } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'

const CHUNK_ROWS = 2048

/** Creates a temporary table with one column `value` of 32-bit unsigned integers. */
export async function appendNumbers(
  connection: DuckDBConnection,
  table: string,
  numbers: Uint32Array<ArrayBuffer>,
): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${table} (value UINTEGER)`)
  await appendChunks(connection, table, [UINTEGER], numbers.length, (vector, start, count) => {
    duckdb.copy_data_to_vector(vector, 0, numbers.buffer, numbers.byteOffset + start * 4, count * 4)
  })
}

/** Appends rows in chunks of the engine's vector size; `fill` writes one column of one chunk. */
export async function appendChunks(
  connection: DuckDBConnection,
  table: string,
  types: readonly DuckDBType[],
  rows: number,
  fill: (vector: duckdb.Vector, start: number, count: number, column: number) => void,
): Promise<void> {
  const appender = await connection.createAppender(table, null, 'temp')
  for (let start = 0; start < rows; start += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows - start)
    const chunk = DuckDBDataChunk.create(types, count)
    for (let column = 0; column < types.length; column++) {
      fill(duckdb.data_chunk_get_vector(chunk.chunk, column), start, count, column)
    }
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
}
