import type { Expression, Plan, PlanNode, ScalarType } from '@sluice/core/plan'
import { nodesOf } from '@sluice/core/plan'
import { emitExpression, emitNode, emitPlan, Gate, tableName } from '@sluice/sandbox/sql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BareEngine, openBareEngine } from './bare-engine.js'
import { inserts, tables } from './queries.js'

const INT: ScalarType = { kind: 'integer', bits: 32, signed: true }
const literal = (type: ScalarType, value: string | boolean | null): Expression => ({
  kind: 'literal',
  type,
  value,
})

describe('expressions', () => {
  const column = (id: number) => `"t"."c${id}"`
  const a: Expression = { kind: 'column', type: INT, id: 1 }
  const b: Expression = { kind: 'column', type: INT, id: 2 }
  const call = (name: string, ...parts: Expression[]) =>
    ({ kind: 'call', type: INT, function: name, arguments: parts }) as Expression

  it.each([
    [call('subtract', a, call('subtract', b, a)), '"t"."c1" - ("t"."c2" - "t"."c1")'],
    [call('subtract', call('subtract', a, b), a), '"t"."c1" - "t"."c2" - "t"."c1"'],
    [call('multiply', call('add', a, b), a), '("t"."c1" + "t"."c2") * "t"."c1"'],
    [call('add', a, call('add', b, a)), '"t"."c1" + ("t"."c2" + "t"."c1")'],
    [call('negate', call('negate', a)), '-(-"t"."c1")'],
    [call('negate', literal(INT, '-5')), '-(-5)'],
    [call('subtract', a, literal(INT, '-5')), '"t"."c1" - (-5)'],
    [call('and', call('or', a, b), call('not', a)), '("t"."c1" OR "t"."c2") AND NOT "t"."c1"'],
    [call('equal', call('equal', a, b), a), '("t"."c1" = "t"."c2") = "t"."c1"'],
    [call('isNull', call('equal', a, b)), '("t"."c1" = "t"."c2") IS NULL'],
    [literal({ kind: 'text' }, "it's -- '; DROP"), "'it''s -- ''; DROP'"],
    [literal({ kind: 'text' }, '\\'), "'\\'"],
    [literal({ kind: 'integer', bits: 8, signed: true }, '5'), 'CAST(5 AS TINYINT)'],
    [literal({ kind: 'integer', bits: 64, signed: true }, '5'), 'CAST(5 AS BIGINT)'],
    [literal({ kind: 'integer', bits: 64, signed: true }, '3000000000'), '3000000000'],
    [literal({ kind: 'decimal', precision: 3, scale: 2 }, '1.50'), '1.50'],
    [literal({ kind: 'decimal', precision: 10, scale: 2 }, '1.50'), 'CAST(1.50 AS DECIMAL(10, 2))'],
    [literal({ kind: 'float', bits: 64 }, '1.5'), '1.5e0'],
    [literal({ kind: 'boolean' }, true), 'TRUE'],
    [literal({ kind: 'date' }, null), 'CAST(NULL AS DATE)'],
    [literal({ kind: 'timestamp' }, '2001-02-03T10:20:30'), "TIMESTAMP '2001-02-03 10:20:30'"],
    [{ kind: 'parameter', type: INT, name: 'year' } as Expression, 'CAST($year AS INTEGER)'],
  ])('%#: %j', (expression, text) => {
    expect(emitExpression(expression, column)).toBe(text)
  })

  it.each([
    literal({ kind: 'text' }, 'a\0b'),
    literal({ kind: 'text' }, '\ud800'),
    literal(INT, '1; DROP TABLE t'),
    literal({ kind: 'decimal', precision: 3, scale: 2 }, '1e5'),
    literal({ kind: 'float', bits: 64 }, 'Infinity'),
    { kind: 'parameter', type: INT, name: 'a b' } as Expression,
    call('dateAdd', literal({ kind: 'text' }, "day') --"), a, b),
    call('datePart', literal({ kind: 'text' }, "x', 1) --"), a),
  ])('what is not what it says is not written: %j', expression => {
    expect(() => emitExpression(expression, column)).toThrowWithCode('INTERNAL')
  })
})

describe('nodes', () => {
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

  const planOf = async (sql: string): Promise<Plan> => (await gate.compile({ sql, catalogue: tables })).plan
  const bodyOf = (plan: Plan): PlanNode =>
    [...nodesOf(plan.root)].flatMap(node => (node.kind === 'aggregate' ? [node.input] : []))[0]!

  it('carries hidden columns of each scan through filters, projections and joins', async () => {
    const plan = await planOf(
      `SELECT x, count(*) AS n FROM
         (SELECT k, upper(s) AS x FROM t WHERE n > 0 AND m IS NOT NULL) AS q LEFT JOIN u ON q.k = u.k
       WHERE x <> '' GROUP BY x`,
    )
    const emitted = emitNode(bodyOf(plan), {
      carry: source => [{ column: source === 0 ? 'big' : 'name', as: `entity_${source}` }],
    })
    expect(emitted.carried).toEqual(['entity_0', 'entity_1'])
    expect(emitted.columns.map(({ id, name }) => name === `c${id}`)).not.toContain(false)
    const rows = (await engine.connection.runAndReadAll(emitted.sql)).getRowObjects()
    const expected = await engine.connection.runAndReadAll(
      `SELECT t.big AS entity_0, u.name AS entity_1 FROM t LEFT JOIN u ON t.k = u.k
       WHERE n > 0 AND m IS NOT NULL AND upper(s) <> ''`,
    )
    const pairs = (list: readonly Record<string, unknown>[]) =>
      list.map(row => `${row.entity_0} ${row.entity_1}`).sort()
    expect(rows.length).toBeGreaterThan(5)
    expect(pairs(rows)).toEqual(pairs(expected.getRowObjects()))
  })

  it('reads what it is told to in a scan’s place', async () => {
    const plan = await planOf('SELECT count(*) AS n FROM t WHERE n > 0')
    const { sql } = emitNode(plan.root, {
      table: (_, { dataset }) => `(SELECT * FROM ${tableName(dataset)} LIMIT 0)`,
    })
    expect((await engine.connection.runAndReadAll(sql)).getRows()).toEqual([[0n]])
  })

  it('numbers scans depth first, from where it is told to', async () => {
    const plan = await planOf('SELECT count(*) AS n FROM t JOIN u ON t.k = u.k JOIN u AS v ON v.k = t.k')
    const seen: string[] = []
    emitNode(plan.root, {
      firstSource: 4,
      table: (source, { dataset }) => {
        seen.push(`${source} ${dataset}`)
        return tableName(dataset)
      },
    })
    expect(seen).toEqual(['4 t', '5 u', '6 u'])
  })

  it.each([
    'SELECT s, count(*) AS n FROM t GROUP BY s',
    'SELECT s FROM t ORDER BY s LIMIT 2',
    'SELECT s FROM t UNION ALL SELECT name FROM u',
  ])('carries nothing through %s', async sql => {
    const plan = await planOf(sql)
    expect(() => emitNode(plan.root, { carry: () => [{ column: 'k', as: 'hidden' }] })).toThrowWithCode(
      'INTERNAL',
    )
  })

  it('writes the same text for the same plan', async () => {
    const plan = await planOf('SELECT s, sum(m) AS total FROM t GROUP BY s ORDER BY total')
    expect(emitPlan(structuredClone(plan))).toBe(emitPlan(plan))
  })
})
