import { randomBytes } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import { NumericIdentityWatch } from '@sluice/core/classify'
import { arrowSchemaOf } from '@sluice/core/columns'
import {
  type Column,
  type ColumnReport,
  columnOfVector,
  Desensitizer,
  dataOfColumn,
  definitionOf,
  keyedText,
  needsText,
  type Rule,
  type Treatment,
} from '@sluice/core/desensitize'
import type { ColumnSchema, Progress, ScalarType } from '@sluice/core/plan'
import { makeData, RecordBatch, Struct, Table, Vector } from 'apache-arrow'
import type { Encoding } from '../io/encoding.js'
import type { FileFormat } from '../io/format.js'
import { readTable, type TableFile } from '../io/table-reader.js'
import { writeTable } from '../io/table-writer.js'
import { writeStatement } from './statement.js'

export interface DesensitizeFileOptions {
  readonly from: string
  readonly to: string
  /** by column; one that is not named is dropped */
  readonly treatments: ReadonlyMap<string, Treatment>
  /** rules that the zone's scans will apply to columns which are kept: these have the type that their rule needs */
  readonly scanRules?: ReadonlyMap<string, Rule>
  /** the dataset's name, which some rules bind their results to */
  readonly dataset: string
  /** as in `Binding` */
  readonly key: (name: string) => Uint8Array
  /** as in `Binding` */
  readonly table: (name: string) => ReadonlyMap<string, readonly string[]>
  /** of the file that is written; that of the file which is read where absent */
  readonly format?: FileFormat
  readonly encoding?: Encoding
  readonly force?: boolean
  /** the file enters a zone: states beside it what was applied, for `dataset add` to look at */
  readonly forZone?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

export interface DesensitizedFile {
  readonly path: string
  readonly format: FileFormat
  readonly rows: number
  readonly columns: readonly ColumnSchema[]
  /** what was done to each column that came out, in order */
  readonly report: readonly ColumnReport[]
  /** path of the statement beside the file, where it is for a zone */
  readonly statement?: string
  /** columns that were left out, because a rule says so or because nothing is said of them */
  readonly dropped: readonly { readonly column: string; readonly said: boolean }[]
}

const TEXT: ScalarType = { kind: 'text' }

/**
 * Applies rules to a Parquet, CSV or Arrow file, batch by batch: memory is bounded, but for rules of scope `column`.
 *
 * In a CSV file, where types are guessed, a column is read as the text that stands there if its rule needs text or a
 * key: `13800138000` is a phone number, not a number.
 *
 * @throws SluiceError what `readTable`, `writeTable` and the rules throw; SCHEMA_INVALID where a numeric column holds
 * identity numbers, of which digits are lost
 */
export async function desensitizeFile(options: DesensitizeFileOptions): Promise<DesensitizedFile> {
  const written = await writeDesensitized(options)
  if (options.forZone !== true) return written
  const { to, dataset, treatments, signal } = options
  return { ...written, statement: await writeStatement(to, dataset, treatments, signal) }
}

function writeDesensitized(options: DesensitizeFileOptions): Promise<DesensitizedFile> {
  const { from, to, treatments, encoding, signal, onProgress } = options
  return writeTable(to, (directory, begin) =>
    readTable(
      from,
      { staging: directory, ...(encoding && { encoding }), ...(signal && { signal }) },
      async table => {
        requireRows(table)
        const asText = table.format === 'csv' ? textColumns(table.columns, options) : new Set<string>()
        const read = neededColumns(table.columns, treatments).map(column =>
          asText.has(column.name) ? { ...column, type: TEXT } : column,
        )
        // what is dropped is not even read
        const kept = new Map(
          [...treatments].filter(([, treatment]) => treatment === 'keep' || treatment.kind !== 'drop'),
        )
        const desensitizer = await Desensitizer.open(read, kept, {
          dataset: options.dataset,
          key: options.key,
          table: options.table,
          random: size => randomBytes(size),
          whole: name => wholeColumn(table, name, asText),
        })
        const { columns } = desensitizer
        const format = options.format ?? table.format
        const writer = await begin({
          format,
          columns,
          ...(options.force === true && { force: true }),
          ...(signal && { signal }),
        })
        let rows = 0
        const names = read.map(({ name }) => name)
        // a CSV file's fields are digits as they stand there: nothing is lost to a number
        const watches =
          table.format === 'csv'
            ? []
            : read.map(({ name, type }) => new NumericIdentityWatch(name, type, true))
        for await (const batch of names.length === 0 ? [] : table.batches(names, asText)) {
          const chunk = names.map((_, index) => columnOfVector(batch.getChildAt(index)!))
          for (const [index, watch] of watches.entries()) watch.add(chunk[index]!, rows + 1)
          await writer.write(tableOf(columns, desensitizer.apply(chunk), batch.numRows))
          rows += batch.numRows
          onProgress?.({ stage: 'desensitize', fraction: Math.min(1, rows / Math.max(1, table.rows)) })
        }
        for (const watch of watches) watch.check()
        await writer.finish()
        const out = new Set(columns.map(({ name }) => name))
        return {
          path: to,
          format,
          rows: table.rows,
          columns,
          report: desensitizer.report().filter(({ column }) => out.has(column)),
          dropped: table.columns
            .filter(({ name }) => !out.has(name))
            .map(({ name }) => ({ column: name, said: treatments.has(name) })),
        }
      },
    ),
  )
}

/** What a text file's fields are is told by its rows: without any, rules for numbers and dates would not know theirs. */
function requireRows({ format, rows }: TableFile): void {
  if (format !== 'csv' || rows > 0) return
  throw new SluiceError('FILE_FORMAT', 'the text file has a header line and no rows', {
    rule: 'rows',
    remedy: 'Give a file with at least one row below its header line.',
  })
}

/** Columns that have to be looked at: what comes out, and what says whose a value is. */
function neededColumns(
  columns: readonly ColumnSchema[],
  treatments: ReadonlyMap<string, Treatment>,
): ColumnSchema[] {
  const needed = new Set<string>()
  for (const [name, treatment] of treatments) {
    if (treatment === 'keep') needed.add(name)
    else if (treatment.kind !== 'drop') {
      needed.add(name)
      const entity = definitionOf(treatment).entityColumn?.(treatment)
      if (entity !== undefined) needed.add(entity)
    }
  }
  return columns.filter(({ name }) => needed.has(name))
}

function textColumns(
  columns: readonly ColumnSchema[],
  { treatments, scanRules }: DesensitizeFileOptions,
): Set<string> {
  return new Set(
    columns.flatMap(({ name, type }) => {
      const treatment = treatments.get(name)
      const rule = treatment === 'keep' ? scanRules?.get(name) : treatment
      return rule !== undefined && (keyedText(rule) || needsText(rule, type)) ? [name] : []
    }),
  )
}

async function wholeColumn(table: TableFile, name: string, asText: ReadonlySet<string>): Promise<Column> {
  const chunks: Vector[] = []
  for await (const batch of table.batches([name], asText)) chunks.push(batch.getChildAt(0)!)
  return columnOfVector(
    chunks.length === 0
      ? new Vector([makeData({ type: arrowSchemaOf(columnNamed(table, name, asText)).fields[0]!.type })])
      : new Vector(chunks.flatMap(chunk => chunk.data)),
  )
}

function columnNamed(table: TableFile, name: string, asText: ReadonlySet<string>): ColumnSchema[] {
  return table.columns
    .filter(column => column.name === name)
    .map(column => (asText.has(name) ? { name, type: TEXT } : column))
}

function tableOf(columns: readonly ColumnSchema[], values: readonly Column[], rows: number): Table {
  const schema = arrowSchemaOf(columns)
  const data = makeData({
    type: new Struct(schema.fields),
    length: rows,
    nullCount: 0,
    children: values.map(dataOfColumn),
  })
  return new Table(schema, [new RecordBatch(schema, data)])
}
