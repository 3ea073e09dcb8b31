import type { Table } from 'apache-arrow'
import { SluiceError } from '../errors.js'
import type { ApprovedPlan } from '../plan/approved.js'
import type { ColumnId } from '../plan/expression.js'
import type { Evidence } from './evidence.js'

/**
 * The values that only one stage can make. Each is a class with a private brand and a constructor key that this
 * module keeps: a copy, a cast or a spread fails at run time. This stops mistakes, not attackers.
 */
const KEY = Symbol('made by its own stage')

/** What an executor's adapter wraps: for `aggregate` one row a group, with evidence; else plain rows. */
export interface RawContents {
  readonly approved: ApprovedPlan
  /** the released columns, in the plan's order and under the plan's names */
  readonly table: Table
  /** 1 where the row passes what stands above the aggregate (HAVING); null where nothing does */
  readonly keep: Uint8Array | null
  /** aggregate columns that `keep` was computed from: a row is dropped where one of them is unsafe */
  readonly keepDependsOn: readonly ColumnId[]
  /** position of the row in the wanted order, ties broken by the group keys; null: as they stand */
  readonly rank: Uint32Array | null
  readonly rankDependsOn: readonly ColumnId[]
  /**
   * Position of the row by the group keys alone. It orders the rows whose place in `rank` would tell of an unsafe
   * cell, and all rows where `rank` is null; required where `rankDependsOn` is not empty.
   */
  readonly keyRank: Uint32Array | null
  readonly limit: { readonly count: number | null; readonly offset: number } | null
  readonly evidence: readonly Evidence[]
  /** organizations whose contributions the engine added without seeing them; absent where it saw the rows */
  readonly contributors?: number
  /** which isolation the engine ran under, and how long it took */
  readonly isolation: 'bubblewrap' | 'namespaces' | 'process'
  readonly milliseconds: number
}

/** For `disclosure/check` alone; no package entry exports it. */
export let openRawResult: (value: unknown) => RawContents

/** ◆ Unreadable outside the disclosure check. */
export class RawResult {
  readonly #brand: RawContents
  constructor(key: typeof KEY, contents: RawContents) {
    if (key !== KEY)
      throw new SluiceError('BRAND_INVALID', 'a RawResult is made by an executor’s adapter only')
    this.#brand = contents
    Object.freeze(this)
  }
  static {
    openRawResult = value => {
      if (typeof value !== 'object' || value === null || !(#brand in value)) {
        throw new SluiceError('BRAND_INVALID', 'this is not a RawResult')
      }
      return value.#brand
    }
  }
  toJSON(): string {
    return '[RawResult]'
  }
}

/** For executors' adapters: checks the form of what came from an engine and seals it. */
export function sealRawResult(contents: RawContents): RawResult {
  return new RawResult(KEY, contents)
}

/** A cell or a row that did not pass. */
export interface Suppression {
  /** row of the released table; null where the whole row was left out because its key would name somebody */
  readonly row: number | null
  /** name of the released column; null for the whole row */
  readonly column: string | null
  readonly rule: 'minimum-entities' | 'dominance' | 'p-percent' | 'complement'
  readonly dataset: string
}

export interface CheckedContents {
  readonly approved: ApprovedPlan
  /** suppressed cells are null */
  readonly table: Table
  /** rows that were left out stand here once a rule and dataset, so that their number is not told */
  readonly suppressions: readonly Suppression[]
  /** for the ledger: suppressed cells and left-out rows by rule, rounded up to the plan's step */
  readonly suppressed: Readonly<Partial<Record<Suppression['rule'], number>>>
  readonly isolation: RawContents['isolation']
  readonly milliseconds: number
}

/** For `disclosure/open` alone. */
export let openCheckedResult: (value: unknown) => CheckedContents

/** ◆ Cells that passed. Only `ledger/release` opens it, once the release's entry is durable. */
export class CheckedResult {
  readonly #brand: CheckedContents
  constructor(key: typeof KEY, contents: CheckedContents) {
    if (key !== KEY)
      throw new SluiceError('BRAND_INVALID', 'a CheckedResult is made by the disclosure check only')
    this.#brand = contents
    Object.freeze(this)
  }
  static {
    openCheckedResult = value => {
      if (typeof value !== 'object' || value === null || !(#brand in value)) {
        throw new SluiceError('BRAND_INVALID', 'this is not a CheckedResult')
      }
      return value.#brand
    }
  }
  toJSON(): string {
    return '[CheckedResult]'
  }
}

/** For `disclosure/check` alone; no package entry exports it. */
export function sealCheckedResult(contents: CheckedContents): CheckedResult {
  return new CheckedResult(KEY, contents)
}
