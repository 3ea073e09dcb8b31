import { isSluiceError } from '@sluice/core'
import { type CatalogueTable, Gate, sqlType } from '@sluice/sandbox/sql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BareEngine, openBareEngine } from './bare-engine.js'
import { everyType, outputTypes } from './types.js'

/**
 * The oracle is the engine's own binder on the original text: for every operator and function and every combination
 * of column types and literals, the plan's type is the engine's, or the query is refused for its types.
 */
const columns = everyType()
const catalogue: readonly CatalogueTable[] = [{ name: 't', columns }]
const LITERALS = ['1', '-1', '200', '3000000000', '1.5', '0.001', '1e0', 'NULL']

let gate: Gate
let engine: BareEngine
beforeAll(async () => {
  gate = await Gate.start()
  engine = await openBareEngine(catalogue)
})
afterAll(async () => {
  await gate.close()
  engine.close()
})

async function check(expressions: readonly string[]): Promise<{ agreed: number; wrong: string[] }> {
  let agreed = 0
  const wrong: string[] = []
  for (const expression of expressions) {
    const sql = `SELECT ${expression} AS r FROM t`
    try {
      const { plan } = await gate.compile({ sql, catalogue })
      const ours = outputTypes(plan).map(sqlType).join()
      const theirs = (await engine.types(sql)).join()
      if (ours === theirs) agreed++
      else wrong.push(`${expression}: ${ours}, not ${theirs}`)
    } catch (error) {
      if (!isSluiceError(error) || error.code !== 'SQL_REFUSED' || error.rule === 'bind.engine') {
        wrong.push(`${expression}: ${explain(error)}`)
      }
    }
  }
  return { agreed, wrong }
}

function explain(error: unknown): string {
  if (!isSluiceError(error)) return String(error).split('\n')[0]!
  const cause = String(error.cause).split('\n')[0]
  return `${error.code} ${error.rule} ${JSON.stringify(error.facts ?? {})} ${cause}`
}

const names = columns.map(({ name }) => name)
/** Each pair in one order; which order, alternates. */
const pairs = names.flatMap((a, i) =>
  [...names.slice(i), ...LITERALS].map((b, j) => (j % 2 === 0 ? ([a, b] as const) : ([b, a] as const))),
)

describe('types agree with the engine', () => {
  for (const [operator, least] of [
    ['+', 100],
    ['-', 100],
    ['*', 100],
    ['/', 100],
    ['//', 50],
    ['%', 100],
  ] as const) {
    it(`a ${operator} b`, async () => {
      const { agreed, wrong } = await check(pairs.map(([a, b]) => `${a} ${operator} ${b}`))
      expect(wrong).toEqual([])
      expect(agreed).toBeGreaterThan(least)
    })
  }

  for (const [form, least] of [
    ['coalesce(a, b)', 120],
    ['nullif(a, greatest(b, b))', 120],
    ['CASE WHEN bool THEN a ELSE b END', 120],
  ] as const) {
    it(form, async () => {
      const { agreed, wrong } = await check(
        pairs.map(([a, b]) => form.replace(/\ba\b/g, a).replace(/\bb\b/g, b)),
      )
      expect(wrong).toEqual([])
      expect(agreed).toBeGreaterThan(least)
    })
  }

  it('functions of one argument', async () => {
    const forms = [
      'abs(x)',
      '-x',
      '+x',
      'sign(x)',
      'round(x)',
      'round(x, 1)',
      'round(x, 5)',
      'round(x, -1)',
      'floor(x)',
      'ceil(x)',
      'sqrt(x)',
      'sum(x)',
      'avg(x)',
      'count(x)',
      'count(DISTINCT x)',
      'lower(x)',
      'length(x)',
      'x + 1',
      'x - 1',
      'x || x',
      'year(x)',
      'hour(x)',
      'second(x)',
      "date_trunc('month', x)",
      "date_trunc('hour', x)",
      "date_diff('day', x, x)",
      'x + INTERVAL 1 DAY',
      "x - INTERVAL '2 months'",
      'x + INTERVAL 1 SECOND',
      'x IN (x)',
      'x IN (1, 2)',
      'x BETWEEN 1 AND 2',
    ]
    const { agreed, wrong } = await check(
      forms.flatMap(form => names.map(name => form.replace(/\bx\b/g, name))),
    )
    expect(wrong).toEqual([])
    expect(agreed).toBeGreaterThan(200)
  })

  it('casts', async () => {
    const types = [...columns.map(({ type }) => sqlType(type)), 'DECIMAL', 'DECIMAL(38, 10)', 'INT', 'TEXT']
    const { agreed, wrong } = await check(
      names.flatMap(name => types.map(type => `CAST(${name} AS ${type})`)),
    )
    expect(wrong).toEqual([])
    expect(agreed).toBeGreaterThan(200)
  })

  it('literals', async () => {
    const { wrong } = await check([
      ...LITERALS,
      "'x'",
      'TRUE',
      "DATE '2001-02-03'",
      "TIME '10:00:00'",
      "TIMESTAMP '2001-02-03 10:00:00'",
      '170141183460469231731687303715884105727',
      '99999999999999999999999999999999999.999',
      '1 + 1',
      '1 + 3000000000',
      '1.5 + 1',
      'coalesce(NULL, 1)',
      "coalesce(NULL, 'a')",
    ])
    expect(wrong).toEqual([])
  })
})
