// A governed run (child ready, evidence, disclosure check) beside the same SQL in bare DuckDB over the same registered
// files, in this process, warm: what checking costs, on 3 M flights of vega-datasets. The child is single-use and
// started ahead; starting its successor is not part of a run.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { checkDisclosure } from '@sluice/core/disclosure'
import { approvePlan, planDigest, reviewPlan } from '@sluice/core/plan'
import { parsePolicy, policyDigest } from '@sluice/core/policy'
import { createEnginePool, DuckDbExecutor } from '@sluice/sandbox/duckdb'
import { registerFile } from '@sluice/sandbox/io'
import { Gate } from '@sluice/sandbox/sql'

const FLIGHTS = fileURLToPath(new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')))

// a passenger flies about a hundred times; some often, most seldom
const PEOPLE = `SELECT *, CAST(floor(pow((hash(row_number() OVER ()) % 1000003) / 1000003, 1.5) * 30000) AS INTEGER) AS passenger
  FROM read_parquet('${FLIGHTS}')`

const MEASURES = 'count(*) AS flights, sum(delay) AS delay, avg(distance) AS distance'
const GROUPS = {
  origin: 'origin',
  route: 'origin, destination',
  'route and month': "origin, destination, date_trunc('month', date) AS month",
  'origin and hour': "origin, date_trunc('hour', date) AS hour",
}
const SUBJECTS = [
  { name: 'entity is the row', dataset: 'flights', entity: 'row' },
  { name: 'many rows an entity', dataset: 'trips', entity: { column: 'passenger' } },
]

/**
 * @param {{ runs?: number, warmup?: number }} [options]
 * @returns {Promise<{ bench: string, case: string, metric: string, value: number, unit: string, peer: string, peerValue: number, ratio: number }[]>}
 */
export async function bench({ runs = 5, warmup = 1 } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
  const pool = createEnginePool({ stagingRoot: join(folder, 'staging'), minimum: 'process', warm: 1 })
  const gate = await Gate.start()
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`COPY (${PEOPLE}) TO '${join(folder, 'people.parquet')}' (FORMAT parquet)`)
    const executor = new DuckDbExecutor(pool, { cells: 10_000_000 })
    const cases = []
    for (const { name, dataset, entity } of SUBJECTS) {
      const { facts, file } = await register(folder, pool, dataset, entity)
      await connection.run(`CREATE VIEW ${dataset} AS SELECT * FROM read_parquet('${file.path}')`)
      for (const [groups, columns] of Object.entries(GROUPS)) {
        const sql = `SELECT ${columns}, ${MEASURES} FROM ${dataset} GROUP BY ALL`
        const approved = await approve(gate, facts, sql)
        const inputs = { datasets: { [dataset]: file } }
        const governed = async () => checkDisclosure(await executor.execute(approved, inputs))
        const bare = async () => (await connection.run(sql)).fetchAllChunks()
        const [ours, theirs] = [[], []]
        for (let run = -warmup; run < runs; run++) {
          await pool.ready()
          const [a, b] = [await milliseconds(governed), await milliseconds(bare)]
          if (run < 0) continue
          ours.push(a)
          theirs.push(b)
        }
        const cells = await count(connection, `SELECT count(*) FROM (${sql})`)
        cases.push(...measured(`${name}, by ${groups} (${cells} cells)`, median(ours), median(theirs)))
      }
    }
    return cases
  } finally {
    await pool.close()
    await gate.close()
    connection.closeSync()
    instance.closeSync()
    await rm(folder, { recursive: true, force: true })
  }
}

function measured(name, value, peerValue) {
  const common = {
    bench: 'governed',
    case: name,
    unit: 'ms',
    peer: 'bare DuckDB',
    peerValue: round(peerValue),
  }
  return [
    { ...common, metric: 'median', value: round(value), ratio: round(value / peerValue) },
    // what is over 1.3 times the peer: the fixed cost, where there is a margin of 150 ms for it
    { ...common, metric: 'over 1.3 times', value: round(value - 1.3 * peerValue), ratio: null },
  ]
}

async function register(folder, pool, name, entity) {
  const file = await registerFile({
    pool,
    from: entity === 'row' ? FLIGHTS : join(folder, 'people.parquet'),
    directory: join(folder, 'data'),
    entity: entity === 'row' ? { kind: 'row' } : { kind: 'column', ...entity },
    grade: '1',
  })
  const columns = file.columns.map(column => [
    column.name,
    { role: 'attribute', uses: ['group', 'filter', 'aggregate'] },
  ])
  const policy = parsePolicy(
    JSON.stringify({
      version: 1,
      owner: 'provider',
      grade: 1,
      entity,
      disclosure: { minimumEntities: 10, dominance: { n: 2, percent: 85 }, pPercent: 10 },
      purposes: ['benchmark'],
      consumers: ['consumer'],
      columns: Object.fromEntries(columns),
    }),
  )
  const facts = {
    name,
    version: 1,
    fingerprint: file.fingerprint,
    owner: 'provider',
    columns: file.columns,
    uniqueKeys: file.uniqueKeys,
    policy,
    policyDigest: policyDigest(policy),
  }
  return { facts, file }
}

async function approve(gate, facts, sql) {
  const now = new Date()
  const { plan } = await gate.compile({ sql, catalogue: [facts] })
  const reviewed = reviewPlan(plan, [facts], { purpose: 'benchmark', consumer: 'consumer', now })
  const digest = planDigest(plan)
  const engine = 'duckdb/1'
  const request = {
    digest,
    consumer: 'consumer',
    planDigest: digest,
    engine,
    datasets: [facts],
    maxRuns: null,
  }
  const approval = {
    approver: 'provider',
    role: 'provider',
    requestDigest: digest,
    expires: new Date(now.getTime() + 86_400_000).toISOString(),
    maxRuns: 1_000,
    runsUsed: 0,
    datasetVersions: 'exact',
    parameters: {},
    revoked: false,
    nonce: '0'.repeat(32),
  }
  return approvePlan({ request, reviewed, approvals: [approval], parameters: {}, engine, runsSoFar: 0, now })
}

async function milliseconds(task) {
  const start = performance.now()
  await task()
  return performance.now() - start
}

async function count(connection, sql) {
  return Number((await (await connection.run(sql)).getRows())[0][0])
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

function round(value) {
  return Math.round(value * 100) / 100
}
