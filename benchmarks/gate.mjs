// The gate, warm: SQL text to bound plan, beside DuckDB preparing the same text on the same tables.
import { DuckDBInstance } from '@duckdb/node-api'
import { Gate, sqlType } from '@sluice/sandbox/sql'

const integer = bits => ({ kind: 'integer', bits, signed: true })
const CATALOGUE = [
  {
    name: 'birdstrikes',
    columns: [
      { name: 'Airport Name', type: { kind: 'text' } },
      { name: 'Operator', type: { kind: 'text' } },
      { name: 'Origin State', type: { kind: 'text' } },
      { name: 'Time of day', type: { kind: 'text' } },
      { name: 'Wildlife Size', type: { kind: 'text' } },
      { name: 'Damage', type: { kind: 'text' } },
      { name: 'Flight Date', type: { kind: 'date' } },
      { name: 'Cost', type: { kind: 'decimal', precision: 12, scale: 2 } },
      { name: 'Speed', type: { kind: 'float', bits: 64 } },
    ],
  },
  {
    name: 'operators',
    columns: [
      { name: 'Operator', type: { kind: 'text' } },
      { name: 'country', type: { kind: 'text' } },
      { name: 'fleet', type: integer(32) },
    ],
  },
]

const QUERIES = {
  count: 'SELECT count(*) AS n FROM birdstrikes',
  group: `SELECT "Damage", "Wildlife Size", count(*) AS strikes, sum("Cost") AS cost FROM birdstrikes
    WHERE "Flight Date" >= DATE '2000-01-01' GROUP BY ALL HAVING count(*) >= 10 ORDER BY cost DESC`,
  join: `SELECT o.country, date_trunc('month', b."Flight Date") AS month, avg(b."Cost") AS mean,
      count(DISTINCT b."Operator") AS operators, count(*) FILTER (WHERE b."Speed" > 140) AS fast
    FROM birdstrikes AS b LEFT JOIN operators AS o USING ("Operator")
    WHERE b."Time of day" IN ('Night', 'Dusk') AND b."Airport Name" LIKE 'A%' GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 100`,
  nested: `WITH monthly AS (SELECT "Origin State" AS state, month("Flight Date") AS month, sum("Cost") AS cost
      FROM birdstrikes GROUP BY ALL)
    SELECT state, CASE WHEN month BETWEEN 4 AND 9 THEN 'summer' ELSE 'winter' END AS season, avg(cost) AS mean
    FROM monthly GROUP BY 1, 2 ORDER BY mean DESC LIMIT 10`,
}

/**
 * @param {{ runs?: number, warmup?: number }} [options]
 * @returns {Promise<{ bench: string, case: string, metric: string, value: number, unit: string, peer: string, peerValue: number, ratio: number }[]>}
 */
export async function bench({ runs = 200, warmup = 30 } = {}) {
  const gate = await Gate.start()
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  for (const { name, columns } of CATALOGUE) {
    const list = columns.map(column => `"${column.name}" ${sqlType(column.type)}`)
    await connection.run(`CREATE TABLE ${name} (${list.join(', ')})`)
  }
  try {
    const cases = []
    for (const [name, sql] of Object.entries(QUERIES)) {
      const compile = () => gate.compile({ sql, catalogue: CATALOGUE })
      const prepare = async () => (await connection.prepare(sql)).destroySync()
      const ours = []
      const theirs = []
      for (let run = -warmup; run < runs; run++) {
        // Turn about, so that both see the same machine.
        const [a, b] = [await milliseconds(compile), await milliseconds(prepare)]
        if (run < 0) continue
        ours.push(a)
        theirs.push(b)
      }
      for (const [metric, part] of [
        ['median', 0.5],
        ['p95', 0.95],
      ]) {
        const [value, peerValue] = [quantile(ours, part), quantile(theirs, part)]
        cases.push({
          bench: 'gate',
          case: name,
          metric,
          value,
          unit: 'ms',
          peer: 'DuckDB prepare',
          peerValue,
          ratio: round(value / peerValue),
        })
      }
    }
    return cases
  } finally {
    await gate.close()
    connection.closeSync()
    instance.closeSync()
  }
}

async function milliseconds(task) {
  const start = performance.now()
  await task()
  return performance.now() - start
}

function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b)
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))])
}

function round(value) {
  return Math.round(value * 1000) / 1000
}
