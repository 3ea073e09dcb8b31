import { isSluiceError } from '@sluice/core'
import type { Plan } from '@sluice/core/plan'
import { type CatalogueTable, Gate } from '@sluice/sandbox/sql'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { queries, tables } from './queries.js'

let gate: Gate
beforeAll(async () => {
  gate = await Gate.start()
})
afterAll(() => gate.close())

const compile = (sql: string) => gate.compile({ sql, catalogue: tables })

describe('what the gate gives', () => {
  it('a plan, the text that would run, and the original', async () => {
    const sql =
      'SELECT "group", count(*) AS n FROM T WHERE n > 5 GROUP BY ALL HAVING count(*) > 1 ORDER BY n DESC LIMIT 3'
    expect(await compile(sql)).toEqual({
      original: sql,
      emitted: [
        'SELECT "t"."Group" AS "Group", system.main.count(*) AS "n"',
        'FROM "zone"."main"."t" AS "t"',
        'WHERE "t"."n" > 5',
        'GROUP BY "t"."Group"',
        'HAVING system.main.count(*) > 1',
        'ORDER BY 2 DESC NULLS LAST, 1 ASC NULLS LAST',
        'LIMIT 3',
      ].join('\n'),
      plan: expect.objectContaining({ kind: 'plan', language: 'sluice-plan/1' }),
      positionOf: expect.any(Function),
    })
  })

  it('reads only the columns that reach something', async () => {
    const { plan } = await compile('SELECT count(*) AS n FROM (SELECT k, s, m FROM t WHERE m > 1) AS q')
    expect(JSON.stringify(plan)).toContain('"m"')
    expect(JSON.stringify(plan)).not.toContain('"s"')
  })

  it('writes each use of a WITH query out with ids of its own', async () => {
    const { plan } = await compile(
      'WITH q AS (SELECT k FROM t) SELECT a.k FROM q AS a JOIN q AS b ON a.k = b.k',
    )
    const ids = [...JSON.stringify(plan.root).matchAll(/"columns":\[\{"id":(\d+)/g)].map(match => match[1])
    expect(ids.length).toBe(2)
    expect(new Set(ids).size).toBe(2)
  })

  it('SELECT DISTINCT of rows is an aggregate of keys; of cells it is a Distinct', async () => {
    const rows = (await compile('SELECT DISTINCT s FROM t')).plan.root
    const cells = (await compile('SELECT DISTINCT count(*) AS n FROM t GROUP BY s')).plan.root
    expect([rows.kind, cells.kind]).toEqual(['aggregate', 'distinct'])
  })
})

describe('parameters', () => {
  const year = { name: 'year', type: { kind: 'integer', bits: 32, signed: true } } as const
  const withYear = (sql: string, parameters = [year]) => gate.compile({ sql, catalogue: tables, parameters })

  it('are typed, and in the plan as they were declared', async () => {
    const { plan, emitted } = await withYear('SELECT count(*) AS n FROM t WHERE year(d) = $YEAR')
    expect(plan.parameters).toEqual([year])
    expect(emitted).toContain('CAST($year AS INTEGER)')
  })

  it('that nobody declared are refused', () =>
    expect(compile('SELECT count(*) AS n FROM t WHERE n = $year')).toThrowWithCode(
      'SQL_REFUSED',
      'sql.parameter',
    ))

  it('that the query does not use are refused, also where pruning removed the use', async () => {
    await expect(withYear('SELECT count(*) AS n FROM t')).toThrowWithCode(
      'PARAMETER_INVALID',
      'sql.parameter',
    )
    await expect(withYear('SELECT count(*) AS n FROM (SELECT n + $year AS x FROM t) AS q')).toThrowWithCode(
      'PARAMETER_INVALID',
    )
  })

  it('are declared once, under a name', async () => {
    const sql = 'SELECT count(*) AS n FROM t WHERE n = $year'
    await expect(withYear(sql, [year, { ...year, name: 'YEAR' as 'year' }])).toThrowWithCode(
      'PARAMETER_INVALID',
    )
    await expect(withYear(sql, [{ ...year, name: '1' as 'year' }])).toThrowWithCode('PARAMETER_INVALID')
  })

  it('of another type are refused where they stand', () =>
    expect(withYear('SELECT count(*) AS n FROM t WHERE s = $year')).toThrowWithCode(
      'SQL_REFUSED',
      'sql.type',
    ))
})

describe('the catalogue', () => {
  it('has each name once, whatever its case', async () => {
    const column = { name: 'a', type: { kind: 'boolean' } } as const
    const wrong: readonly (readonly CatalogueTable[])[] = [
      [
        { name: 'x', columns: [column] },
        { name: 'X', columns: [column] },
      ],
      [{ name: 'x', columns: [column, { ...column, name: 'A' }] }],
      [{ name: 'x', columns: [] }],
    ]
    for (const catalogue of wrong) {
      await expect(gate.compile({ sql: 'SELECT a FROM x', catalogue })).toThrowWithCode('SCHEMA_INVALID')
    }
  })

  it('may use any visible name', async () => {
    const name = `o'dd "na;me" 数据`
    const catalogue = [{ name, columns: [{ name: 'a "b" c', type: { kind: 'text' } }] }] as const
    const { emitted } = await gate.compile({
      sql: 'SELECT "A ""b"" c" AS x FROM "O\'DD ""na;me"" 数据"',
      catalogue,
    })
    expect(emitted).toContain(`"zone"."main"."o'dd ""na;me"" 数据"`)
  })

  it('can change from query to query', async () => {
    for (let i = 0; i < 8; i++) {
      const catalogue = [{ name: `x${i}`, columns: [{ name: 'a', type: { kind: 'date' } }] }] as const
      await gate.compile({ sql: `SELECT a FROM x${i}`, catalogue })
    }
    await expect(compile('SELECT k FROM x0')).toThrowWithCode('NAME_UNKNOWN')
    await compile('SELECT k FROM t')
  })
})

describe('binding', () => {
  it('a stored plan gives the same text', async () => {
    const { plan, emitted } = await compile('SELECT s, avg(f) AS mean FROM t JOIN u USING (k) GROUP BY s')
    expect(await gate.bind(plan, tables)).toBe(emitted)
  })

  it('a plan whose types are not the engine’s is stopped', async () => {
    const { plan } = await compile('SELECT n + 1 AS x FROM t')
    const wrong = JSON.parse(JSON.stringify(plan).replaceAll('"bits":16', '"bits":64')) as Plan
    await expect(gate.bind(wrong, tables)).toThrowWithCode('INTERNAL', 'bind.type')
  })

  it('a plan over another schema is stopped', async () => {
    const { plan } = await compile('SELECT s FROM t')
    const other = [{ name: 't', columns: [{ name: 'z', type: { kind: 'text' } }] }] as const
    await expect(gate.bind(plan, other)).toThrowWithCode('SQL_REFUSED', 'bind.engine')
  })
})

describe('the child', () => {
  it('is replaced when it overruns', async () => {
    const hasty = await Gate.start({ timeout: 1 })
    const heavy = `SELECT ${Array(900).fill('(k + 1) * (k + 2) * (k + 3) * (k + 4)').join(', ')} FROM t`
    await expect(hasty.compile({ sql: heavy, catalogue: tables })).toThrowWithCode(
      'TIME_EXCEEDED',
      'sql.time',
    )
    await hasty.close()
    await compile('SELECT k FROM t')
  })

  it('serves what waits when a query before it is abandoned', async () => {
    const abort = new AbortController()
    const abandoned = gate.compile({ sql: 'SELECT k FROM t', catalogue: tables, signal: abort.signal })
    const waiting = compile('SELECT k FROM t')
    abort.abort()
    await expect(abandoned).toThrowWithCode('INTERRUPTED')
    expect((await waiting).original).toBe('SELECT k FROM t')
  })

  it('is replaced when a query that it works on is abandoned', async () => {
    const abort = new AbortController()
    const abandoned = gate.compile({ sql: 'SELECT k FROM t', catalogue: tables, signal: abort.signal })
    setImmediate(() => abort.abort())
    await expect(abandoned).toThrowWithCode('INTERRUPTED')
    expect((await compile('SELECT k FROM t')).original).toBe('SELECT k FROM t')
  })

  it('is gone after close, and nothing more is answered', async () => {
    const other = await Gate.start()
    await other.close()
    await expect(other.compile({ sql: 'SELECT k FROM t', catalogue: tables })).toThrowWithCode(
      'ENGINE_FAILED',
    )
  })

  it('answers many at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 30 }, (_, i) => compile(`SELECT k + ${i} AS x FROM t`)),
    )
    for (const [i, { emitted }] of all.entries()) expect(emitted).toContain(`+ ${i} AS "x"`)
  })
})

/** Whatever the text: a compiled query or a coded error that the consumer can act on, and the gate goes on. */
describe('any text', () => {
  const CODES = ['SQL_SYNTAX', 'SQL_REFUSED', 'NAME_UNKNOWN']
  const noise = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes).toString('latin1')),
  )
  const piece = fc.constantFrom(
    ...'SELECT FROM WHERE ( ) , ; * :: [ ] { } . $1 $x ? \' " -- /* */ NULL CASE END OVER WITH AS UNION t u.k k s 1e999 0x1 :='.split(
      ' ',
    ),
    "COPY t TO 'x'",
    "read_csv('x')",
    'COLUMNS(*)',
    '(SELECT 1)',
  )
  const mutated = fc
    .tuple(
      queries,
      fc.array(fc.tuple(fc.nat(), fc.nat(12), fc.oneof(piece, noise)), { minLength: 1, maxLength: 3 }),
    )
    .map(([{ sql }, edits]) =>
      edits.reduce((text, [at, removed, added]) => {
        const place = at % (text.length + 1)
        return `${text.slice(0, place)} ${added} ${text.slice(place + removed)}`
      }, sql),
    )

  it('is compiled or refused', async () => {
    const outcomes = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 1, arbitrary: noise }, { weight: 3, arbitrary: mutated }),
        async sql => {
          const outcome = await compile(sql).then(
            () => 'compiled',
            (error: unknown) => {
              if (!isSluiceError(error) || !CODES.includes(error.code)) throw error
              expect(error.remedy).toMatch(/\w/)
              return error.code
            },
          )
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
        },
      ),
      { seed: 20_261_121, numRuns: 600 },
    )
    expect([...outcomes.keys()].sort()).toEqual([...CODES, 'compiled'].sort())
  })
})
