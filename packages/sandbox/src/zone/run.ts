import { randomBytes } from 'node:crypto'
import { canonicalBytes, isSluiceError, SluiceError } from '@sluice/core'
import { type CheckedResult, checkDisclosure, type RawResult } from '@sluice/core/disclosure'
import { type ApprovedPlan, type ExecuteOptions, type Progress, parseParameters } from '@sluice/core/plan'
import { type Refusal, type Run, release } from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import { decide } from '../approval/decide.js'
import { assertFingerprints, datasetFiles } from '../catalogue/files.js'
import { DUCKDB_ENGINE, DuckDbExecutor } from '../duckdb/executor.js'
import { assertPrincipal } from '../principal/check.js'
import { requestToJson } from '../request/document.js'
import { type ParameterInput, parameterTexts } from '../request/parameters.js'
import { findRequest } from '../request/requests.js'
import type { Transaction, ZoneContext } from './context.js'
import { storeParameters } from './parameters.js'
import type { ReleasedResult } from './releases.js'

export interface RunOptions {
  /** values by parameter */
  readonly parameters?: Readonly<Record<string, ParameterInput>>
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  /** wall-clock limit in milliseconds; five minutes where it is not given */
  readonly timeout?: number
  /** the engine that the request names, where that is not the zone's own DuckDB */
  readonly engine?: ExternalEngine
}

/** An engine that works outside the zone's data: homomorphic aggregation, multi-party computation. */
export interface ExternalEngine {
  /** name and semantics version, as the request binds it */
  readonly engine: string
  /** @param request the canonical bytes of the approved request, whose SHA-256 is its digest */
  execute(approved: ApprovedPlan, request: Uint8Array, options: ExecuteOptions): Promise<RawResult>
}

interface StartedRun {
  readonly run: Omit<Run, 'time'>
  readonly approved: ApprovedPlan
}

/**
 * Runs an approved request once. The run is taken from its allowance, durably, before anything executes; the lock
 * is not held while the engine works; all conditions are checked again before the release.
 */
export async function runRequest(
  zone: ZoneContext,
  reference: string,
  operator: Signer,
  options: RunOptions = {},
): Promise<ReleasedResult> {
  options.signal?.throwIfAborted()
  const started = await start(zone, reference, operator, options)
  try {
    const checked = await execute(zone, started, options)
    return await zone.change(transaction => finish(zone, transaction, started, checked, operator))
  } catch (error) {
    // where the release is an entry already, what failed came after it, and the result can be had from the zone
    if (!zone.state().releases.has(started.run.run)) {
      await recordRefusal(zone, operator, started.run.requestDigest, started.run.run, error)
    }
    throw error
  }
}

async function start(
  zone: ZoneContext,
  reference: string,
  operator: Signer,
  options: RunOptions,
): Promise<StartedRun> {
  const pool = options.engine ? undefined : await zone.engine()
  await pool?.isolation()
  const engine = options.engine?.engine ?? DUCKDB_ENGINE
  return zone.change(
    async transaction => {
      const { state } = transaction
      assertPrincipal(state, operator, ['operator'])
      const request = findRequest(state, reference)
      try {
        const parameters = parseParameters(
          request.document.plan.parameters,
          parameterTexts(options.parameters),
        )
        const { approved, approvals } = decide(state, request, parameters, zone.now(), { engine })
        // what this machine cannot give any run takes none from the allowance
        await pool?.admit(approved.reviewed.grade)
        const { commitment } = await storeParameters(zone.layout, parameters)
        const run = randomBytes(16).toString('hex')
        const taken: Omit<Run, 'time'> = {
          kind: 'run',
          run,
          requestDigest: request.digest,
          approvals,
          parametersCommitment: commitment,
          datasets: approved.reviewed.datasets.map(({ name, version, fingerprint }) => ({
            name,
            version,
            fingerprint,
          })),
          engine,
        }
        await transaction.record(taken, operator)
        return { run: taken, approved }
      } catch (error) {
        if (refusesRun(error))
          await transaction.record(refusalOf(operator, request.digest, null, error), operator)
        throw error
      }
    },
    { signal: options.signal },
  )
}

/** The engine works on the plan's files alone, while their fingerprints are computed beside it. */
async function execute(
  zone: ZoneContext,
  { approved, run }: StartedRun,
  options: RunOptions,
): Promise<CheckedResult> {
  if (options.engine) {
    const { document } = findRequest(zone.state(), run.requestDigest)
    const { signal, onProgress } = options
    const bytes = canonicalBytes(requestToJson(document))
    const raw = await options.engine.execute(approved, bytes, {
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    })
    return checkDisclosure(raw)
  }
  const files = datasetFiles(zone.layout, zone.state(), approved.reviewed.datasets)
  const work = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, work.signal]) : work.signal
  const inputs = { datasets: Object.fromEntries(files.map(file => [file.dataset, file])) }
  const limits = options.timeout === undefined ? {} : { milliseconds: options.timeout }
  const executor = new DuckDbExecutor(await zone.engine(), limits)
  const executing = executor.execute(approved, inputs, {
    signal,
    ...(options.onProgress && { onProgress: options.onProgress }),
  })
  try {
    const [raw] = await Promise.all([executing, ...files.map(file => assertFingerprints(file, signal))])
    return checkDisclosure(raw)
  } catch (error) {
    work.abort()
    await executing.catch(() => undefined)
    throw error
  }
}

/** Under the lock: everything that had to hold before the run has to hold still. */
async function finish(
  zone: ZoneContext,
  transaction: Transaction,
  { run, approved }: StartedRun,
  checked: CheckedResult,
  operator: Signer,
): Promise<ReleasedResult> {
  const request = findRequest(transaction.state, run.requestDigest)
  assertPrincipal(transaction.state, operator, ['operator'])
  const { engine } = run
  const { approved: still } = decide(transaction.state, request, approved.parameters, zone.now(), {
    taken: run,
    engine,
  })
  assertSameVersions(approved, still)
  const released = await release(checked, {
    writer: transaction,
    operator,
    run: run.run,
    results: zone.layout.results,
  })
  const { table, suppressions, bytes, receipt } = released
  const { isolation, milliseconds } = released.release
  return { run: run.run, request: request.id, table, suppressions, bytes, receipt, isolation, milliseconds }
}

/** An approval may stand for later versions; a result is of the version that it was computed from. */
function assertSameVersions(before: ApprovedPlan, now: ApprovedPlan): void {
  const versions = ({ reviewed }: ApprovedPlan) =>
    reviewed.datasets.map(({ name, version }) => `${name} ${version}`).join()
  if (versions(before) === versions(now)) return
  throw new SluiceError('APPROVAL_MISMATCH', 'a dataset was updated while the run computed', {
    rule: 'run.versions',
    remedy: 'Run it again: the result of the older version is not released.',
  })
}

async function recordRefusal(
  zone: ZoneContext,
  operator: Signer,
  requestDigest: string,
  run: string | null,
  error: unknown,
): Promise<void> {
  const refusal = refusalOf(operator, requestDigest, run, error)
  // a cancelled run is recorded like any other: what cancelled it does not cancel this
  await zone.change(transaction => transaction.record(refusal, operator), { signal: null })
}

function refusalOf(
  operator: Signer,
  requestDigest: string,
  run: string | null,
  error: unknown,
): Omit<Refusal, 'time'> {
  const { code, rule, exitCode } = isSluiceError(error)
    ? error
    : new SluiceError('INTERNAL', 'an unexpected failure')
  return {
    kind: 'refusal',
    stage: run === null ? 'approval' : exitCode === 3 ? 'disclosure' : exitCode === 4 ? 'run' : 'execution',
    code,
    rule: rule ?? null,
    requestDigest,
    run,
    principal: operator.name,
  }
}

/** Refusals by policy and for want of approval are recorded; a mistyped parameter is only an error. */
function refusesRun(error: unknown): boolean {
  return isSluiceError(error) && (error.exitCode === 3 || error.exitCode === 4)
}
