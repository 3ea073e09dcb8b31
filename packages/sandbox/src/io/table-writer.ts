import { type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import { arrowSchemaOf } from '@sluice/core/columns'
import type { ColumnSchema } from '@sluice/core/plan'
import {
  AsyncByteQueue,
  RecordBatch,
  RecordBatchStreamWriter,
  type Schema,
  type Table,
  util,
} from 'apache-arrow'
import type { FileFormat } from './format.js'
import { inScratch, place, requireFree, writeError } from './place-table.js'
import { csvHeader, csvRows, parquetOfArrow } from './write.js'

export interface WriteTableOptions {
  readonly format: FileFormat
  readonly columns: readonly ColumnSchema[]
  /** replace a file that is there */
  readonly force?: boolean
  readonly signal?: AbortSignal
}

const DAY = 86_400_000

/**
 * Writes a table batch by batch into a file of mode 600 that is whole or not there: it is made in a directory of its
 * own beside its place, synced and renamed. Arrow is written as an IPC stream, Parquet from one by DuckDB, CSV as
 * `encodeTable` says, formulas made harmless.
 *
 * @param work gets a directory for other working files, and `write`; whatever it throws, nothing is left behind
 * @throws SluiceError EXISTS, FILE_MISSING (no such directory), DISK_FULL, ENGINE_FAILED, INTERRUPTED
 */
export async function writeTable<T>(
  path: string,
  work: (directory: string, begin: (options: WriteTableOptions) => Promise<TableWriter>) => Promise<T>,
): Promise<T> {
  const writers: TableWriter[] = []
  return inScratch(path, async directory => {
    try {
      return await work(directory, async options => {
        if (options.force !== true) await requireFree(path)
        const writer = await TableWriter.open(path, directory, options)
        writers.push(writer)
        return writer
      })
    } finally {
      for (const writer of writers) await writer.close()
    }
  })
}

/** Collects the bytes that Arrow's writer makes, until they are written. */
class Chunks extends AsyncByteQueue {
  readonly list: Uint8Array[] = []

  override write(chunk: Uint8Array): void {
    this.list.push(chunk)
  }
}

export class TableWriter {
  readonly #path: string
  readonly #directory: string
  readonly #file: FileHandle
  readonly #partial: string
  readonly #options: WriteTableOptions
  readonly #chunks = new Chunks()
  readonly #arrow: RecordBatchStreamWriter | null
  readonly #schema: Schema
  #closed = false

  private constructor(
    path: string,
    directory: string,
    file: FileHandle,
    partial: string,
    options: WriteTableOptions,
  ) {
    this.#path = path
    this.#directory = directory
    this.#file = file
    this.#partial = partial
    this.#options = options
    this.#arrow = options.format === 'csv' ? null : new RecordBatchStreamWriter()
    this.#schema = arrowSchemaOf(options.columns)
  }

  /** @internal */
  static async open(path: string, directory: string, options: WriteTableOptions): Promise<TableWriter> {
    const partial = join(directory, 'written')
    const file = await open(partial, 'wx', 0o600)
    const writer = new TableWriter(path, directory, file, partial, options)
    const names = options.columns.map(({ name }) => name)
    if (writer.#arrow === null) await writer.#put([new TextEncoder().encode(csvHeader(names))])
    else writer.#arrow.reset(writer.#chunks, writer.#schema)
    return writer
  }

  /** @param batch the next rows, of the columns that were named */
  async write(batch: Table): Promise<void> {
    if (this.#arrow === null) return this.#put([new TextEncoder().encode(csvRows(batch))])
    for (const part of batch.batches) this.#arrow.write(ofSchema(part, this.#schema))
    await this.#put(this.#chunks.list.splice(0))
  }

  /** Puts the file in its place. Without this call there is none. */
  async finish(): Promise<void> {
    if (this.#arrow !== null) {
      this.#arrow.finish()
      await this.#put(this.#chunks.list.splice(0))
    }
    await this.#file.sync()
    await this.close()
    const { format, signal, force } = this.#options
    if (format !== 'parquet') return place(this.#partial, this.#path, force === true)
    await parquetOfArrow(
      { staging: this.#directory, milliseconds: DAY, signal },
      async path => rename(this.#partial, path),
      async path => {
        const file = await open(path, 'r')
        await file.chmod(0o600)
        await file.sync().finally(() => file.close())
        return place(path, this.#path, force === true)
      },
    )
  }

  /** @internal */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#file.close()
  }

  async #put(parts: readonly Uint8Array[]): Promise<void> {
    try {
      for (const part of parts) {
        for (let at = 0; at < part.length; ) {
          at += (await this.#file.write(part, at, part.length - at)).bytesWritten
        }
      }
    } catch (cause) {
      throw writeError(cause)
    }
  }
}

/**
 * The same columns under the schema of the file: Arrow's writer ends its stream without a word where a batch's schema
 * differs in as little as a field's nullability.
 */
function ofSchema(batch: RecordBatch, schema: Schema): RecordBatch {
  const same = batch.schema.fields.every(({ name, type }, index) => {
    const field = schema.fields[index]
    return field !== undefined && field.name === name && util.compareTypes(field.type, type)
  })
  if (!same || batch.schema.fields.length !== schema.fields.length) {
    throw new SluiceError('INTERNAL', 'a batch is written whose columns are not those of the file')
  }
  return new RecordBatch(schema, batch.data)
}
