import { createHmac } from 'node:crypto'
import { makeData, RecordBatch, Schema, Struct, Table, type Vector, vectorFromArray } from 'apache-arrow'
import { gather } from '../columns/gather.js'
import { arrowSchemaOf } from '../columns/types.js'
import { columnOfVector, dataOfColumn } from '../desensitize/arrow.js'
import { keyStream } from '../desensitize/cipher/key-stream.js'
import { randomPermutation } from '../desensitize/rules/shuffle.js'
import type { ColumnSchema } from '../plan/types.js'
import type { Next } from './values.js'

/** Key of the mark in a stand-in's metadata, in Arrow and in Parquet. */
export const SAMPLE_MARK = 'sluice.sample'

/** What a stand-in says of itself, in its metadata and in the file beside it. */
export interface SampleMark {
  readonly format: 'sluice-sample/1'
  readonly dataset: string
  readonly version: number
  readonly mode: 'rows' | 'synthetic'
  readonly rows: number
}

/** Random numbers for one part of a stand-in: the same for the same seed, and telling nothing of another part's. */
export function partStream(seed: Uint8Array, part: string): Next {
  return keyStream(partSeed(seed, part))
}

function partSeed(seed: Uint8Array, part: string): Uint8Array {
  return createHmac('sha256', seed).update(`sluice-sample/1\n${part}`).digest()
}

/** Which rows of a dataset are drawn: distinct numbers below `of`, in order. */
export function drawnRows(of: number, rows: number, seed: Uint8Array): Uint32Array {
  return randomPermutation(of, partSeed(seed, 'drawn rows')).slice(0, rows).sort()
}

/** The drawn rows in a random order, so that the first of them are as good a sample as all. */
export function mixed(table: Table, seed: Uint8Array): Table {
  return gather(table, randomPermutation(table.numRows, partSeed(seed, 'order')))
}

/**
 * Puts a stand-in together: the dataset's columns as plans see them, in their order.
 *
 * @param values by column; one that is not there is null
 * @param rows of `values`, of which the first `wanted` are taken
 */
export function standIn(
  columns: readonly ColumnSchema[],
  values: ReadonlyMap<string, Vector>,
  { rows, wanted, mark }: { readonly rows: number; readonly wanted: number; readonly mark: SampleMark },
): Table {
  const fields = arrowSchemaOf(columns).fields
  const schema = new Schema(fields, new Map([[SAMPLE_MARK, JSON.stringify(mark)]]))
  const children = columns.map(({ name }, index) => {
    const vector = values.get(name)
    const { type } = fields[index]!
    return dataOfColumn(columnOfVector(vector ?? vectorFromArray(new Array(rows).fill(null), type)))
  })
  const data = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children })
  const table = new Table(schema, [new RecordBatch(schema, data)])
  return wanted >= rows ? table : table.slice(0, wanted)
}
