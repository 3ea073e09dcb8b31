import type { RawContents } from '@sluice/core/disclosure'
import {
  definitionOf,
  definitionsOf,
  type ExecuteOptions,
  type Plan,
  type ReleaseShape,
  type ReviewedPlan,
} from '@sluice/core/plan'
import type { Child } from '../isolation/child.js'
import type { ChildPool } from '../isolation/pool.js'
import { ATTACH_STATEMENTS } from '../sql/emit/names.js'
import { emitPlan } from '../sql/emit/plan.js'
import { aboveAggregate } from './above.js'
import type { TableColumn } from './arrow-table.js'
import { bytesOf, malformed, unsignedOf } from './columns.js'
import { rowsOf } from './evidence/cells.js'
import { type Bounds, chooseBounds } from './evidence/estimate.js'
import { evidenceColumns, gatherEvidence, makeCells } from './evidence/gather.js'
import { readStatistics } from './evidence/statistics.js'
import {
  type DuckDbInputs,
  FOOTERS_STATEMENT,
  lookupStatements,
  stagedDatasets,
  stagedTables,
  viewStatements,
} from './inputs.js'
import { type Binding, type RawColumns, Session } from './session.js'

export interface DuckDbLimits {
  /** wall-clock time of a run */
  readonly milliseconds: number
  /** values of a result: rows times released columns */
  readonly cells: number
  /** bytes of a result, and of its evidence */
  readonly bytes: number
  /** bytes that the engine may spill to disk */
  readonly temporaryBytes: number
}

const MIB = 2 ** 20

export const DEFAULT_LIMITS: DuckDbLimits = {
  milliseconds: 300_000,
  cells: 2_000_000,
  bytes: 512 * MIB,
  temporaryBytes: 16 * 1024 * MIB,
}

/** One run of a reviewed plan. Whether it may run is decided before: see `DuckDbExecutor`. */
export interface RunInput {
  readonly reviewed: ReviewedPlan
  readonly bindings: readonly Binding[]
  readonly inputs: DuckDbInputs
  readonly limits: DuckDbLimits
  readonly options: ExecuteOptions
  /** how closely to bound evidence, instead of what a guess from a slice of the file says */
  readonly bounds?: Bounds
  /** what a pass that counts exactly may hold of entities, instead of a share of the engine's memory */
  readonly passBytes?: number
}

export type Contents = Omit<RawContents, 'approved' | 'isolation' | 'milliseconds'>

/** What the engine says, unchecked: for the executor alone, which seals it. No package entry exports it. */
export async function computeContents(
  child: Child,
  pool: Pick<ChildPool, 'threads' | 'engineMemoryBytes'>,
  run: RunInput,
): Promise<Contents> {
  const { reviewed, bindings, limits, options } = run
  options.onProgress?.({ stage: 'open' })
  const session = await openSession(child, pool, run)
  options.onProgress?.({ stage: 'compute' })
  if (reviewed.release.mode === 'aggregate') {
    // a quarter: the engine holds as much again while it merges what its threads found
    const passBytes = run.passBytes ?? pool.engineMemoryBytes / 4
    return computeCells(session, reviewed.release, { ...run, passBytes })
  }
  const columns = releasedColumns(reviewed.plan)
  const statement = { sql: emitPlan(reviewed.plan), bindings }
  const result = await session.query(statement, resultLimits(limits, columns.length))
  return {
    table: await tableOf(columns, result),
    keep: null,
    keepDependsOn: [],
    rank: null,
    rankDependsOn: [],
    keyRank: null,
    limit: null,
    evidence: [],
  }
}

async function openSession(
  child: Child,
  pool: Pick<ChildPool, 'threads' | 'engineMemoryBytes'>,
  { reviewed, inputs, limits }: RunInput,
): Promise<Session> {
  const datasets = stagedDatasets(reviewed, inputs)
  const tables = stagedTables(reviewed, inputs)
  for (const { file, name } of datasets) await child.staging.link(file.path, name)
  for (const { path, name } of tables) await child.staging.link(path, name)
  const inside = (name: string) => `${child.inside.in}/${name}`
  return Session.open(child, {
    threads: pool.threads,
    memoryBytes: pool.engineMemoryBytes,
    temporaryBytes: limits.temporaryBytes,
    files: [...datasets, ...tables].map(({ name }) => inside(name)),
    statements: [
      ...ATTACH_STATEMENTS,
      FOOTERS_STATEMENT,
      ...datasets.flatMap(({ dataset, name, file }) => viewStatements(dataset, inside(name), file.rows)),
      ...lookupStatements(tables.map(({ fingerprint, name }) => ({ fingerprint, path: inside(name) }))),
    ],
  })
}

async function computeCells(
  session: Session,
  release: Extract<ReleaseShape, { mode: 'aggregate' }>,
  run: RunInput & { readonly passBytes: number },
): Promise<Contents> {
  const { reviewed, bindings, inputs, limits, options, passBytes } = run
  const columns = releasedColumns(reviewed.plan)
  const width = columns.length
  const statistics = await readStatistics(session, reviewed, release)
  const bounds = run.bounds ?? (await chooseBounds(session, reviewed, release, { statistics, bindings }))
  const rows = rowsOf(reviewed, release, inputs, { bounds, statistics })
  const cells = await makeCells(session, rows, release, bindings)
  const above = aboveAggregate(reviewed.plan, cells.columns)
  const result = await session.query({ sql: above.sql, bindings }, resultLimits(limits, width))
  if (!unsignedOf(result, result.columns.length - 1).every((cell, row) => cell === row)) throw malformed()
  options.onProgress?.({ stage: 'evidence' })
  const found = evidenceColumns(result, cells, above.width)
  const made = { query: cells, columns: found, count: result.rows }
  const evidence = await gatherEvidence(session, rows, made, bindings, {
    ...resultLimits(limits, 1),
    passBytes,
  })
  return {
    table: await tableOf(columns, { ...result, columns: result.columns.slice(0, width) }),
    keep: above.keeps ? bytesOf(result, width) : null,
    keepDependsOn: above.keepDependsOn,
    rank: above.ranks ? unsignedOf(result, width + (above.keeps ? 1 : 0)) : null,
    rankDependsOn: above.rankDependsOn,
    // cells come in the order of their keys
    keyRank: Uint32Array.from({ length: result.rows }, (_, row) => row),
    limit: above.limit,
    evidence,
  }
}

function resultLimits(limits: DuckDbLimits, columns: number): { maximumRows: number; maximumBytes: number } {
  return { maximumRows: Math.floor(limits.cells / Math.max(1, columns)), maximumBytes: limits.bytes }
}

function releasedColumns(plan: Plan): TableColumn[] {
  const definitions = definitionsOf(plan.root)
  return plan.output.map(({ name, id }) => ({ name, type: definitionOf(definitions, id).type }))
}

/** Arrow is loaded when a result has come: it weighs a tenth of a second. */
async function tableOf(columns: readonly TableColumn[], result: RawColumns): Promise<RawContents['table']> {
  const { arrowTable } = await import('./arrow-table.js')
  return arrowTable(columns, result.columns, result.rows)
}
