import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { SluiceError, visibleText } from '@sluice/core'
import { arrowSchemaOf } from '@sluice/core/columns'
import {
  type CellCipher,
  columnOfVector,
  dataOfColumn,
  type Revealed,
  revealCells,
  revealTokens,
  type TextColumn,
} from '@sluice/core/desensitize'
import type { Progress, ScalarType } from '@sluice/core/plan'
import { type Data, makeData, RecordBatch, Struct, Table } from 'apache-arrow'
import type { FileFormat } from '../io/format.js'
import { requireFile } from '../io/seal.js'
import { readTable, type TableFile } from '../io/table-reader.js'
import { writeTable } from '../io/table-writer.js'

/** Reversible tokens of a join domain, or the encrypted cells of a dataset. */
export type Sealed =
  | { readonly what: 'tokens'; readonly scope: string }
  | { readonly what: 'cells'; readonly scope: string; readonly cipher: CellCipher }

export interface RevealFileOptions {
  readonly from: string
  readonly to: string
  readonly column: string
  readonly sealed: Sealed
  readonly secret: Uint8Array
  /** records what is about to be opened; nothing is before this has returned */
  readonly record: (input: string) => Promise<void>
  /** of the file that is written; that of the file which is read where absent */
  readonly format?: FileFormat
  readonly force?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

export interface RevealedFile {
  readonly format: FileFormat
  readonly rows: number
  readonly opened: number
  /** what is no token or cell of this key, scope and place, or was changed; null in the new file */
  readonly refused: number
}

const TEXT: ScalarType = { kind: 'text' }

/**
 * Writes a copy of a file in which a column of reversible tokens or encrypted cells is opened, batch by batch. Cells are
 * opened in the row where they were encrypted and nowhere else.
 *
 * @throws SluiceError NAME_UNKNOWN, what `record` throws, and what `readTable` and `writeTable` throw
 */
export function revealFile(options: RevealFileOptions): Promise<RevealedFile> {
  const { from, to, column, signal, onProgress } = options
  return writeTable(to, async (directory, begin) => {
    await requireFile(from, Number.MAX_SAFE_INTEGER)
    return readTable(from, { staging: directory, ...(signal && { signal }) }, async table => {
      const at = table.columns.findIndex(({ name }) => name === column)
      requireText(table, at)
      const columns = table.columns.map((own, index) => (index === at ? { name: column, type: TEXT } : own))
      const format = options.format ?? table.format
      const writer = await begin({
        format,
        columns,
        ...(options.force === true && { force: true }),
        ...(signal && { signal }),
      })
      await options.record(await fileDigest(from))
      const schema = arrowSchemaOf(columns)
      let [rows, opened, refused] = [0, 0, 0]
      for await (const batch of table.batches(
        undefined,
        table.format === 'csv' ? new Set([column]) : undefined,
      )) {
        const sealed = columnOfVector(batch.getChildAt(at)!) as TextColumn
        const revealed = await reveal(options, sealed, rows)
        opened += revealed.opened
        refused += revealed.refused
        const children = columns.map(
          (_, index): Data =>
            index === at
              ? dataOfColumn(revealed.column)
              : dataOfColumn(columnOfVector(batch.getChildAt(index)!)),
        )
        const struct = makeData({
          type: new Struct(schema.fields),
          length: batch.numRows,
          nullCount: 0,
          children,
        })
        await writer.write(new Table([new RecordBatch(schema, struct)]))
        rows += batch.numRows
        onProgress?.({ stage: 'reveal', fraction: Math.min(1, rows / Math.max(1, table.rows)) })
      }
      await writer.finish()
      return { format, rows, opened, refused }
    })
  })
}

function reveal(
  { sealed, secret, column }: RevealFileOptions,
  values: TextColumn,
  row: number,
): Promise<Revealed> {
  return sealed.what === 'tokens'
    ? Promise.resolve(revealTokens(values, secret, sealed.scope))
    : revealCells(values, secret, { dataset: sealed.scope, column }, sealed.cipher, row)
}

function requireText(table: TableFile, at: number): void {
  const found = table.columns[at]
  if (found === undefined) {
    throw new SluiceError('NAME_UNKNOWN', 'there is no column of that name in the file', {
      rule: 'reveal.column',
      remedy: 'Name a column of the file.',
      facts: { columns: table.columns.map(({ name }) => visibleText(name)) },
    })
  }
  if (found.type.kind !== 'text' && table.format !== 'csv') {
    throw new SluiceError('SCHEMA_INVALID', 'tokens and encrypted cells are text, and this column is not', {
      rule: 'reveal.column',
    })
  }
}

async function fileDigest(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) digest.update(chunk as Buffer)
  return digest.digest('hex')
}
