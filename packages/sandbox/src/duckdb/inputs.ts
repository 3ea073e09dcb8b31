import { SluiceError } from '@sluice/core'
import type { ReviewedPlan } from '@sluice/core/plan'
import { quoteText, tableName } from '../sql/emit/names.js'

/** A registered file, as `registerFile` made it. */
export interface DatasetFile {
  /** absolute path */
  readonly path: string
  /** the column whose entity codes the file has, and how many entities there are */
  readonly entity: { readonly column: string; readonly count: number } | null
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

/**
 * A view over a staged file, under the name that emitted SQL reads. It has the registered columns, the entity codes
 * beside them, and the number of each row in the file.
 */
export function viewStatement(dataset: string, path: string): string {
  return `CREATE VIEW ${tableName(dataset)} AS SELECT * FROM read_parquet(${quoteText(path)}, file_row_number = true)`
}
