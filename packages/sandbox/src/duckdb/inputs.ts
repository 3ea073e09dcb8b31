import { SluiceError } from '@sluice/core'
import type { ReviewedPlan } from '@sluice/core/plan'
import {
  LOOKUP_STATEMENT,
  lookupName,
  quoteIdentifier,
  quoteText,
  tableName,
  ZONE_CATALOG,
} from '../sql/emit/names.js'

const FOOTERS = 'footers'

/** A registered file, as `registerFile` made it. */
export interface DatasetFile {
  /** absolute path */
  readonly path: string
  /** the column whose entity codes the file has, and how many entities there are */
  readonly entity: { readonly column: string; readonly count: number } | null
  /** paths of the registered tables that masks look values up in, by fingerprint; absent: none */
  readonly tables?: Readonly<Record<string, string>>
  /** only these rows of the file, counted from 0; absent: all */
  readonly rows?: Uint32Array
}

/** The files of a plan's datasets, by dataset. */
export interface DuckDbInputs {
  readonly datasets: Readonly<Record<string, DatasetFile>>
}

export interface StagedDataset {
  readonly dataset: string
  readonly file: DatasetFile
  /** its name in the child's staging directory */
  readonly name: string
}

/** The files that a plan scans, each once. */
export function stagedDatasets(reviewed: ReviewedPlan, inputs: DuckDbInputs): StagedDataset[] {
  const names = [...new Set(reviewed.scans.map(scan => scan.dataset))]
  return names.map((dataset, index) => {
    const file = Object.hasOwn(inputs.datasets, dataset) ? inputs.datasets[dataset] : undefined
    if (file === undefined) {
      throw new SluiceError('FILE_MISSING', `the engine was given no file for dataset "${dataset}"`, {
        facts: { dataset },
      })
    }
    return { dataset, file, name: `${index}.parquet` }
  })
}

export interface StagedTable {
  readonly fingerprint: string
  readonly path: string
  /** its name in the child's staging directory */
  readonly name: string
}

/** The tables that the masks of a plan look values up in, each once. */
export function stagedTables(reviewed: ReviewedPlan, inputs: DuckDbInputs): StagedTable[] {
  const paths = new Map<string, string>()
  for (const { dataset, columns } of reviewed.scans) {
    for (const { mask } of columns) {
      if (mask?.table === undefined) continue
      const path = inputs.datasets[dataset]?.tables?.[mask.table]
      if (path === undefined) {
        throw new SluiceError('FILE_MISSING', `the engine was given no table for a rule of "${dataset}"`, {
          facts: { dataset },
        })
      }
      paths.set(mask.table, path)
    }
  }
  return [...paths].map(([fingerprint, path], index) => ({
    fingerprint,
    path,
    name: `table-${index}.parquet`,
  }))
}

/** Makes the tables of masks, as emitted SQL reads them. */
export function lookupStatements(tables: readonly { fingerprint: string; path: string }[]): string[] {
  if (tables.length === 0) return []
  return [
    LOOKUP_STATEMENT,
    ...tables.map(
      ({ fingerprint, path }) =>
        `CREATE VIEW ${lookupName(fingerprint)} AS SELECT * FROM read_parquet(${quoteText(path)})`,
    ),
  ]
}

/**
 * Views over a staged file. Under the name that emitted SQL reads: the registered columns, the entity codes beside
 * them, and the number of each row in the file. Under `footerName`: what the file's footer says of its chunks.
 */
export function viewStatements(dataset: string, path: string, rows?: Uint32Array): string[] {
  const file = quoteText(path)
  const chosen =
    rows === undefined ? '' : ` WHERE file_row_number IN (${rows.length === 0 ? -1 : rows.join(', ')})`
  return [
    `CREATE VIEW ${tableName(dataset)} AS SELECT * FROM read_parquet(${file}, file_row_number = true)${chosen}`,
    `CREATE VIEW ${footerName(dataset)} AS SELECT * FROM parquet_metadata(${file})`,
  ]
}

/** Makes the place of the views over footers. */
export const FOOTERS_STATEMENT = `CREATE SCHEMA ${ZONE_CATALOG}.${FOOTERS}`

export function footerName(dataset: string): string {
  return [ZONE_CATALOG, FOOTERS, dataset].map(quoteIdentifier).join('.')
}
