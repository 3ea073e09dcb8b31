import { checkDisclosure } from '@sluice/core/disclosure'
import { openCheckedResult } from '@sluice/core/disclosure/open'
import type { ApprovedPlan } from '@sluice/core/plan'
import { DuckDbExecutor } from '@sluice/sandbox/duckdb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Harness } from './harness.js'

let harness: Harness
beforeAll(async () => {
  harness = await Harness.start()
  await harness.register('visits', {
    rows: `SELECT (i * 7919) % 5 AS town, 'p' || ((i * 31) % 300) AS person, CAST((i * 13) % 101 AS INTEGER) - 20 AS cost FROM range(2000) t(i)`,
    entity: { column: 'person' },
    disclosure: { minimumEntities: 10, dominance: { n: 2, percent: 85 }, pPercent: 10 },
  })
  await harness.register('towns', {
    rows: `SELECT i AS town, 'town ' || i AS name FROM range(4) t(i)`,
    entity: 'none',
    release: 'rows',
  })
})
afterAll(() => harness.stop())

describe('DuckDbExecutor', () => {
  it('gives the groups that bare DuckDB gives, whole before the check', async () => {
    const columns =
      'town, count(*) AS n, sum(cost) AS total, avg(cost) AS mean, count(DISTINCT person) AS people, ' +
      'count(DISTINCT cost) AS costs, count(*) FILTER (WHERE cost > 50) AS high'
    const approved = await harness.approve(
      `SELECT ${columns} FROM visits GROUP BY town HAVING count(*) > 3 ORDER BY total DESC LIMIT 3`,
    )
    const { table, keep, rank, limit } = await harness.contents(approved)
    const bare = await harness.bare(`SELECT ${columns} FROM visits GROUP BY town ORDER BY town`)
    expect(table.toArray().map(row => plain(row.toJSON()))).toEqual(bare.map(plain))
    expect(keep).toEqual(new Uint8Array(5).fill(1))
    expect(limit).toEqual({ count: 3, offset: 0 })
    const totals = bare.map(row => Number(row['total']))
    expect([...(rank ?? [])]).toEqual(totals.map(total => totals.filter(other => other > total).length))
  })

  it('seals what only the check can read, for nothing but an approved plan', async () => {
    const executor = new DuckDbExecutor(harness.pool)
    const sql =
      'SELECT town, sum(cost) AS total FROM visits GROUP BY town HAVING count(*) > 3 ORDER BY total DESC LIMIT 3'
    const approved = await harness.approve(sql)
    const raw = await executor.execute(approved, harness.inputs)
    expect(JSON.stringify(raw)).toBe('"[RawResult]"')
    expect(Object.keys(raw)).toEqual([])
    await checkDisclosure(raw)
    await expect(checkDisclosure({ ...raw } as typeof raw)).toThrowWithCode('BRAND_INVALID')
    await expect(executor.execute({ ...approved } as ApprovedPlan, harness.inputs)).toThrowWithCode(
      'BRAND_INVALID',
    )
  })

  it('binds parameters as values', async () => {
    const approved = await harness.approve(
      'SELECT count(*) AS n FROM visits WHERE cost > $least',
      { least: '50' },
      [{ name: 'least', type: { kind: 'integer', bits: 64, signed: true } }],
    )
    const { table } = await harness.contents(approved)
    const [bare] = await harness.bare('SELECT count(*) AS n FROM visits WHERE cost > 50')
    expect(table.get(0)?.toJSON()).toEqual(bare)
  })

  it('releases public rows as they stand', async () => {
    const { table, evidence } = await harness.contents(
      await harness.approve('SELECT name, town FROM towns ORDER BY town DESC'),
    )
    expect(table.toArray().map(row => row.toJSON())).toEqual(
      await harness.bare('SELECT name, town FROM towns ORDER BY town DESC'),
    )
    expect(evidence).toEqual([])
  })

  it('refuses a file that it was not given', async () => {
    const approved = await harness.approve('SELECT count(*) AS n FROM visits')
    const executor = new DuckDbExecutor(harness.pool)
    await expect(executor.execute(approved, { datasets: {} })).toThrowWithCode('FILE_MISSING')
  })
})

/** Totals are 128-bit integers: a decimal of scale 0 in Arrow, a bigint in the engine's own client. */
function plain(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint32Array ? BigInt(value[0] ?? 0) : value,
    ]),
  )
}

describe('order statistics, checked', () => {
  beforeAll(() =>
    // of town t there are 9, 18, 27, … people
    harness.register('wages', {
      rows: `SELECT t AS town, i AS wage FROM range(1, 6) a(t), range(1, 100) b(i) WHERE i <= 9 * t`,
      entity: 'row',
      disclosure: { minimumEntities: 10, dominance: 'none', pPercent: 'none' },
    }),
  )
  const released = async (columns: string) => {
    const approved = await harness.approve(`SELECT town, ${columns} FROM wages GROUP BY town ORDER BY town`)
    const raw = await new DuckDbExecutor(harness.pool).execute(approved, harness.inputs)
    const { table } = openCheckedResult(await checkDisclosure(raw))
    return table.toArray().map(row => Object.values(row.toJSON()).map(value => value && Number(value)))
  }

  it('leave where the minimum of entities stands on both sides', async () => {
    // nine people are too few for anything, and their town is not told
    expect(await released('quantile_disc(wage, 0.5) AS half')).toEqual([
      [2, null],
      [3, 14],
      [4, 18],
      [5, 23],
    ])
    expect(await released('max(wage, 10)[10] AS tenth')).toEqual([
      [2, null],
      [3, 18],
      [4, 27],
      [5, 36],
    ])
    // the policy allows extremes in so many words
    expect(await released('min(wage) AS low, max(wage) AS high')).toEqual([
      [2, 1, 18],
      [3, 1, 27],
      [4, 1, 36],
      [5, 1, 45],
    ])
  })

  it('keep their distance from each other', async () => {
    expect(await released('quantile_disc(wage, 0.5) AS half, quantile_disc(wage, 0.75) AS upper')).toEqual([
      [2, null, null],
      [3, null, null],
      [4, null, null],
      [5, 23, 34],
    ])
    expect(await released('max(wage, 10)[10] AS tenth, min(wage, 18)[18] AS low')).toEqual([
      [2, null, null],
      [3, null, null],
      [4, null, null],
      [5, 36, 18],
    ])
  })

  it('are not read one by one through conditions that say nothing, second scans or public tables', async () => {
    const disclosure = { minimumEntities: 10, dominance: 'none', pPercent: 'none' } as const
    await harness.register('people', {
      rows: 'SELECT i AS id, i AS wage, i % 3 AS illness FROM range(1, 100) b(i)',
      entity: { column: 'id' },
      keys: [['id']],
      disclosure,
    })
    await harness.register('illnesses', {
      rows: 'SELECT i AS code, i AS chapter FROM range(3) b(i)',
      entity: 'none',
      keys: [['code']],
      coded: null,
    })
    const parameter = { name: 'p', type: { kind: 'integer', bits: 64, signed: true } } as const
    const overlapping = [
      'max(wage, 20)[20], (max(wage, 21) FILTER (WHERE 1 = 1))[21] FROM people',
      '(max(wage, 20) FILTER (WHERE 1 = 1))[20], (max(wage, 21) FILTER (WHERE 2 = 2))[21] FROM people',
      'max(wage, 20)[20], (max(wage, 21) FILTER (WHERE $p = $p))[21] FROM people',
      'max(wage, 20)[20], (max(wage, 21) FILTER (WHERE id > 11))[21] FROM people',
      'max(a.wage, 20)[20], max(b.wage, 21)[21] FROM people a JOIN people b ON a.id = b.id',
    ]
    for (const columns of overlapping) {
      const asked = columns.includes('$p')
        ? harness.approve(`SELECT ${columns}`, { p: '1' }, [parameter])
        : harness.approve(`SELECT ${columns}`)
      await expect(asked).toThrowWithCode('EVIDENCE_UNDEFINED', 'evidence.order-overlap')
    }
    for (const statistic of ['min(chapter)', 'max(code)', 'quantile_disc(chapter, 0.5)'])
      await expect(
        harness.approve(`SELECT ${statistic} FROM people JOIN illnesses ON illness = code`),
      ).toThrowWithCode('EVIDENCE_UNDEFINED', 'evidence.order-public')
  })

  it('are of the highest rank that the engine has', async () => {
    expect(await released('max(wage, 999999)[999999] AS none')).toEqual(
      [2, 3, 4, 5].map(town => [town, null]),
    )
    await expect(harness.approve('SELECT max(wage, 1000000)[1000000] FROM wages')).toThrowWithCode(
      'SQL_REFUSED',
      'sql.arguments',
    )
  })
})
