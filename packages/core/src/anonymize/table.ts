import { SluiceError } from '../errors.js'
import type { Hierarchy } from './hierarchy/hierarchy.js'

/** Most rows of a table: class sizes are 32-bit. */
export const MAXIMUM_ROWS = 2 ** 32 - 1

/** What a table looks like to the search: distinct records by dense codes, and how many rows each stands for. */
export interface Records {
  readonly quasi: readonly QuasiColumn[]
  readonly sensitive: readonly SensitiveColumn[]
  /** rows of each record; 0 where only the population has it */
  readonly weights: Uint32Array
  /** people of the population in each record; null where the population is not known */
  readonly population: Uint32Array | null
}

export interface QuasiColumn {
  readonly name: string
  readonly hierarchy: Hierarchy
  /** base code of each record */
  readonly codes: Uint32Array
  /** where values have distances (numbers, dates): the position of each base code; else null */
  readonly positions: Float64Array | null
}

export interface SensitiveColumn {
  readonly name: string
  /** for the hierarchical distance; null for the equal one */
  readonly hierarchy: Hierarchy | null
  readonly cardinality: number
  readonly codes: Uint32Array
}

/** Rows of the table. @throws SluiceError FILE_TOO_LARGE, FILE_FORMAT where there is none */
export function countRows({ weights }: Records): number {
  let rows = 0
  for (let record = 0; record < weights.length; record++) rows += weights[record]!
  if (rows > MAXIMUM_ROWS) {
    throw new SluiceError('FILE_TOO_LARGE', `a table may have at most ${MAXIMUM_ROWS} rows`, {
      rule: 'limit.rows',
    })
  }
  if (rows === 0) {
    throw new SluiceError('FILE_FORMAT', 'the table has no rows', {
      rule: 'rows',
      remedy: 'Give a file with at least one row below its header line.',
    })
  }
  return rows
}
