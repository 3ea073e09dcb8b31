import { isSluiceError } from '@sluice/core'
import { decodePlan, encodePlan, type ScalarType } from '@sluice/core/plan'
import { Gate, sqlType } from '@sluice/sandbox/sql'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BareEngine, openBareEngine } from './bare-engine.js'
import { inserts, queries, tables } from './queries.js'
import { outputTypes } from './types.js'

/**
 * The oracle is DuckDB by itself, given the original text: the emitted text gives the same rows, exactly for
 * integers, decimals, dates and text, and within 1e-9 of the value (at least of 1) for floating point, whose sums depend on the order of
 * addition.
 */
const RELATIVE_BOUND = 1e-9
const RUNS = 400
const INT: ScalarType = { kind: 'integer', bits: 32, signed: true }
const TEXT: ScalarType = { kind: 'text' }

let gate: Gate
let engine: BareEngine
beforeAll(async () => {
  gate = await Gate.start()
  engine = await openBareEngine(tables)
  for (const insert of inserts) await engine.connection.run(insert)
})
afterAll(async () => {
  await gate.close()
  engine.close()
})

describe('emitted text gives what the original gives', () => {
  it(`on ${RUNS} generated queries`, async () => {
    const counts = { compared: 0, failed: 0, rows: 0 }
    await fc.assert(
      fc.asyncProperty(queries, async ({ sql, ordered }) => {
        const { plan, emitted } = await gate.compile({ sql, catalogue: tables })
        expect(decodePlan(encodePlan(plan))).toEqual(plan)
        const ours = await rowsOf(emitted, ordered)
        const theirs = await rowsOf(sql, ordered)
        if (ours === null || theirs === null) {
          expect({ ours: ours === null, theirs: theirs === null, emitted }).toMatchObject({
            ours: true,
            theirs: true,
          })
          counts.failed++
          return
        }
        counts.compared++
        counts.rows += ours.length
        expect(outputTypes(plan).map(sqlType)).toEqual(await engine.types(sql))
        const difference = differs(ours, theirs)
        if (difference !== null) throw new Error(`${difference}\n${emitted}`)
      }),
      { seed: 20_261_121, numRuns: RUNS },
    )
    // Most queries run; those that overflow do so in both.
    expect(counts.compared).toBeGreaterThan(RUNS * 0.8)
    expect(counts.rows).toBeGreaterThan(RUNS)
  })

  it.each([
    ['SELECT s, sum(m * $p) AS x FROM t WHERE n > $p GROUP BY s ORDER BY s', { p: 3 }],
    ['SELECT n + $p AS x, count(*) AS c FROM t GROUP BY n + $p ORDER BY 1', { p: -2 }],
    ['SELECT k, if(n > $p, s, NULL) AS x, ifnull(s, $q) AS y FROM t ORDER BY 1, 2, 3', { p: 0, q: '无' }],
    ["SELECT count(*) AS c FROM t WHERE s IN ($q, 'Zebra') OR s LIKE $q || '%'", { q: 'a%' }],
  ])('with parameters: %s', async (sql, values) => {
    const parameters = Object.entries(values).map(([name, value]) => ({
      name,
      type: typeof value === 'number' ? INT : TEXT,
    }))
    const { emitted } = await gate.compile({ sql, catalogue: tables, parameters })
    const rows = async (text: string) => (await engine.connection.runAndReadAll(text, values)).getRowsJson()
    expect(await rows(emitted)).toEqual(await rows(sql))
    expect((await rows(sql)).length).toBeGreaterThan(0)
  })

  it('and the comparison can fail', () => {
    expect(differs([['a', 1]], [['a', 1 + 1e-12]])).toBeNull()
    expect(differs([['a', 1]], [['a', 1.001]])).not.toBeNull()
    expect(differs([['a']], [['b']])).not.toBeNull()
    expect(differs([['a'], ['b']], [['b'], ['a']])).not.toBeNull()
    expect(differs([[null]], [['null']])).not.toBeNull()
    expect(differs([], [['a']])).not.toBeNull()
  })
})

describe('rows in a stated order', () => {
  it('ties follow the keys of the groups, nulls last', async () => {
    const sql = 'SELECT "Group", k, count(*) AS n FROM t GROUP BY 1, 2 ORDER BY n DESC'
    const { emitted } = await gate.compile({ sql, catalogue: tables })
    const rows = (await rowsOf(emitted, true))!
    const expected = await rowsOf(`${sql}, "Group" NULLS LAST, k NULLS LAST`, true)
    expect(rows).toEqual(expected)
    expect(rows.length).toBeGreaterThan(20)
  })

  it('a LIMIT without ORDER BY keeps the same rows every time', async () => {
    const { emitted } = await gate.compile({ sql: 'SELECT s, n FROM t LIMIT 5', catalogue: tables })
    expect(await rowsOf(emitted, true)).toEqual(
      await rowsOf('SELECT s, n FROM t ORDER BY 1 NULLS LAST, 2 NULLS LAST LIMIT 5', true),
    )
  })
})

type Value = string | number | null

/** Floating point as numbers, everything else as the engine writes it; null where the engine fails. */
async function rowsOf(sql: string, ordered: boolean): Promise<Value[][] | null> {
  try {
    const reader = await engine.connection.runAndReadAll(sql)
    const rows = reader
      .getRows()
      .map(row =>
        row.map((value): Value => (typeof value === 'number' || value === null ? value : String(value))),
      )
    const float = reader.columnTypes().map(type => /DOUBLE|FLOAT/.test(type.toString()))
    const texts = rows.map(row => row.map((value, i) => (value === null || float[i] ? value : String(value))))
    return ordered ? texts : texts.sort((a, b) => (sortText(a) < sortText(b) ? -1 : 1))
  } catch (error) {
    if (isSluiceError(error)) throw error
    return null
  }
}

/** Floating point values are left out of what rows are sorted by, unless they are all that there is. */
function sortText(row: readonly Value[]): string {
  return JSON.stringify(row.map(value => (typeof value === 'number' ? value.toPrecision(6) : value)))
}

function differs(ours: readonly Value[][], theirs: readonly Value[][]): string | null {
  if (ours.length !== theirs.length) return `${ours.length} rows, not ${theirs.length}`
  for (const [index, row] of ours.entries()) {
    for (const [column, value] of row.entries()) {
      const other = theirs[index]![column]!
      const near =
        typeof value === 'number' && typeof other === 'number'
          ? Object.is(value, other) ||
            Math.abs(value - other) <= RELATIVE_BOUND * Math.max(1, Math.abs(other)) ||
            value === other
          : value === other
      if (!near) return `row ${index}, column ${column}: ${value}, not ${other}`
    }
  }
  return null
}
