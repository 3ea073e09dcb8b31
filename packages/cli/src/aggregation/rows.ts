import { dirname } from 'node:path'
import type { Aggregation } from '@sluice/core/he'
import { scansOf } from '@sluice/core/plan'
import type { RecordBatch } from 'apache-arrow'
import type { Context } from '../context.js'

/** The columns of a contributor's file that the aggregation's plan reads, batch by batch, as often as they are asked for. */
export async function recordBatches<T>(
  context: Context,
  file: string,
  aggregation: Aggregation,
  use: (rows: () => AsyncIterable<RecordBatch>) => Promise<T>,
): Promise<T> {
  const { readTable } = await import('@sluice/sandbox/io')
  const path = context.path(file)
  const wanted = scansOf(aggregation.local.root).flatMap(scan => scan.columns.map(({ name }) => name))
  return readTable(path, { staging: dirname(path), signal: context.signal }, table => {
    // a column that is not there is refused, by name, where it is read
    const present = wanted.filter(name => table.columns.some(column => column.name === name))
    return use(() => batchesOf(table.batches(present)))
  })
}

async function* batchesOf(
  tables: AsyncIterable<{ readonly batches: readonly RecordBatch[] }>,
): AsyncGenerator<RecordBatch> {
  for await (const table of tables) yield* table.batches
}
