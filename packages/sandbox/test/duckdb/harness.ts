import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

import type { RawContents } from '@sluice/core/disclosure'
import { type ApprovedPlan, approvePlan, type DatasetFacts, planDigest, reviewPlan } from '@sluice/core/plan'
import { parsePolicy, policyDigest } from '@sluice/core/policy'
import { type ChildPool, createEnginePool, type DatasetFile, type DuckDbInputs } from '@sluice/sandbox/duckdb'
import { registerFile } from '@sluice/sandbox/io'
import { Gate } from '@sluice/sandbox/sql'
// not an export of the package: the contents are sealed before anybody else sees them
import { computeContents, DEFAULT_LIMITS } from '../../dist/duckdb/contents.js'

export interface TestDataset {
  /** SQL of the rows */
  readonly rows: string
  readonly entity: 'row' | 'none' | { readonly column: string; readonly not?: readonly string[] }
  readonly disclosure?: object
  readonly keys?: readonly (readonly string[])[]
  /** whose codes are registered; the policy's entity if not given */
  readonly coded?: string | null
  readonly release?: 'aggregate' | 'rows'
}

/** A zone's worth of parts without the zone: files registered, queries compiled, reviewed, approved and run. */
export class Harness {
  readonly folder: string
  readonly pool: ChildPool
  readonly gate: Gate
  readonly facts: DatasetFacts[] = []
  readonly files: Record<string, DatasetFile> = {}
  readonly #engine: DuckDBInstance

  private constructor(folder: string, pool: ChildPool, gate: Gate, engine: DuckDBInstance) {
    this.folder = folder
    this.pool = pool
    this.gate = gate
    this.#engine = engine
  }

  static async start(options: { warm?: number; mode?: 'process' } = {}): Promise<Harness> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'))
    const pool = createEnginePool({
      stagingRoot: join(folder, 'staging'),
      minimum: 'process',
      warm: 0,
      memoryBytes: 2 ** 33,
      ...options,
    })
    return new Harness(folder, pool, await Gate.start(), await DuckDBInstance.create(':memory:'))
  }

  async stop(): Promise<void> {
    await this.pool.close()
    await this.gate.close()
    this.#engine.closeSync()
    await rm(this.folder, { recursive: true, force: true })
  }

  /** Bare DuckDB, over views of the registered files. */
  async bare(sql: string): Promise<Record<string, unknown>[]> {
    const connection = await this.#engine.connect()
    for (const [name, { path }] of Object.entries(this.files)) {
      await connection.run(`CREATE OR REPLACE TEMP VIEW ${name} AS SELECT * FROM read_parquet('${path}')`)
    }
    const result = await connection.run(sql)
    const rows = await result.getRowObjectsJS()
    connection.closeSync()
    return rows
  }

  async source(rows: string, name: string): Promise<string> {
    const file = join(this.folder, `${name}.source`)
    const connection = await this.#engine.connect()
    await connection.run(`COPY (${rows}) TO '${file}' (FORMAT parquet)`)
    connection.closeSync()
    return file
  }

  async register(name: string, dataset: TestDataset): Promise<void> {
    const from = await this.source(dataset.rows, name)
    const { entity } = dataset
    const coded =
      dataset.coded === undefined ? (typeof entity === 'string' ? null : entity.column) : dataset.coded
    const registered = await registerFile({
      pool: this.pool,
      from,
      directory: join(this.folder, 'data'),
      entity: coded === null ? { kind: 'row' } : { kind: 'column', column: coded },
      grade: '1',
      keyCandidates: dataset.keys ?? [],
    })
    const policy = parsePolicy(
      JSON.stringify({
        version: 1,
        owner: 'provider',
        grade: 1,
        entity,
        release: dataset.release ?? 'aggregate',
        disclosure: dataset.disclosure ?? { minimumEntities: 1, dominance: 'none', pPercent: 'none' },
        purposes: ['test'],
        consumers: ['consumer'],
        columns: Object.fromEntries(
          registered.columns.map(column => [
            column.name,
            {
              role: 'attribute',
              grade: 1,
              uses: [
                'join',
                'group',
                'filter',
                'aggregate',
                'order',
                'extreme',
                ...(dataset.release === 'rows' ? ['output'] : []),
              ],
            },
          ]),
        ),
      }),
    )
    this.files[name] = { path: registered.path, entity: registered.entity }
    this.facts.push({
      name,
      version: 1,
      fingerprint: registered.fingerprint,
      owner: 'provider',
      columns: registered.columns,
      uniqueKeys: registered.uniqueKeys,
      policy,
      policyDigest: policyDigest(policy),
    })
  }

  get inputs(): DuckDbInputs {
    return { datasets: this.files }
  }

  async approve(
    sql: string,
    parameters: Readonly<Record<string, string>> = {},
    schemas: readonly { name: string; type: { kind: 'integer'; bits: 64; signed: true } }[] = [],
  ): Promise<ApprovedPlan> {
    const { plan } = await this.gate.compile({
      sql,
      catalogue: this.facts.map(({ name, columns }) => ({ name, columns })),
      parameters: schemas,
    })
    const now = new Date('2026-01-01T00:00:00Z')
    const reviewed = reviewPlan(plan, this.facts, { purpose: 'test', consumer: 'consumer', now })
    const digest = planDigest(plan)
    return approvePlan({
      request: {
        digest,
        consumer: 'consumer',
        planDigest: digest,
        engine: 'duckdb/1',
        datasets: reviewed.datasets,
        maxRuns: null,
      },
      reviewed,
      approvals: [
        {
          approver: 'provider',
          role: 'provider',
          requestDigest: digest,
          expires: '2027-01-01T00:00:00Z',
          maxRuns: 10,
          runsUsed: 0,
          datasetVersions: 'exact',
          parameters: {},
          revoked: false,
          nonce: '0'.repeat(32),
        },
      ],
      parameters,
      engine: 'duckdb/1',
      runsSoFar: 0,
      now,
    })
  }

  /** What the executor would seal. */
  async contents(
    approved: ApprovedPlan,
    buckets?: number,
    passBytes?: number,
  ): Promise<Omit<RawContents, 'approved' | 'isolation' | 'milliseconds'>> {
    const { reviewed, parameters } = approved
    const bindings = Object.entries(parameters).map(([name, value]) => ({ name, value }))
    return this.pool.run({ grade: '1', milliseconds: 60_000 }, child =>
      computeContents(child, this.pool, {
        reviewed,
        bindings,
        inputs: this.inputs,
        limits: DEFAULT_LIMITS,
        options: {},
        ...(buckets !== undefined && { bounds: { buckets, ranked: buckets > 4 } }),
        ...(passBytes !== undefined && { passBytes }),
      }),
    )
  }
}
