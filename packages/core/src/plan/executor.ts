import type { RawResult } from '../disclosure/results.js'
import type { ApprovedPlan } from './approved.js'

/** What an engine may be told while it works; `fraction` is from 0 to 1 where the engine knows it. */
export interface Progress {
  readonly stage: string
  readonly fraction?: number
}

/** One interface for every engine: DuckDB, homomorphic aggregation, multi-party computation, a distributed engine. */
export interface Executor<Inputs> {
  /** name and semantics version, as approvals bind it, such as `duckdb/1` */
  readonly engine: string
  execute(approved: ApprovedPlan, inputs: Inputs, options: ExecuteOptions): Promise<RawResult>
}

export interface ExecuteOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}
