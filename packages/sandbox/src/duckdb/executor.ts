import { type RawResult, sealRawResult } from '@sluice/core/disclosure'
import { ApprovedPlan, type ExecuteOptions, type Executor } from '@sluice/core/plan'
import type { ChildPool } from '../isolation/pool.js'
import { computeContents, DEFAULT_LIMITS, type DuckDbLimits } from './contents.js'
import type { DuckDbInputs } from './inputs.js'
import { EngineFailure, failureError } from './session.js'

/** Name and semantics version, as approvals bind it. */
export const DUCKDB_ENGINE = 'duckdb/1'

/**
 * Runs approved plans in DuckDB, each in a child of its own that sees this plan's files and no others. The SQL is
 * emitted here, in the zone's own process, from the plan that was approved: the child gets statements and values, so
 * that it needs no code that could decide anything.
 */
export class DuckDbExecutor implements Executor<DuckDbInputs> {
  readonly engine = DUCKDB_ENGINE
  readonly #pool: ChildPool
  readonly #limits: DuckDbLimits

  constructor(pool: ChildPool, limits: Partial<DuckDbLimits> = {}) {
    this.#pool = pool
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
  }

  /**
   * @throws SluiceError BRAND_INVALID, ISOLATION_MISSING, FILE_MISSING, ENGINE_VERSION, ENGINE_FAILED, ENGINE_KILLED,
   *   MEMORY_EXCEEDED, TIME_EXCEEDED, RESULT_TOO_LARGE, DISK_FULL, EVIDENCE_UNDEFINED, INTERRUPTED
   */
  async execute(
    approved: ApprovedPlan,
    inputs: DuckDbInputs,
    options: ExecuteOptions = {},
  ): Promise<RawResult> {
    const { reviewed, parameters } = ApprovedPlan.check(approved)
    const bindings = Object.entries(parameters).map(([name, value]) => ({ name, value }))
    const started = performance.now()
    const job = { grade: reviewed.grade, milliseconds: this.#limits.milliseconds, signal: options.signal }
    const { contents, isolation } = await this.#pool.run(job, async child => {
      try {
        const run = { reviewed, bindings, inputs, limits: this.#limits, options }
        return { contents: await computeContents(child, this.#pool, run), isolation: child.mode }
      } catch (error) {
        throw error instanceof EngineFailure ? failureError(error) : error
      }
    })
    return sealRawResult({ approved, ...contents, isolation, milliseconds: performance.now() - started })
  }
}
