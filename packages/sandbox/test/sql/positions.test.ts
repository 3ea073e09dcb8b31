import { isSluiceError, type SluiceError } from '@sluice/core'
import { type DatasetFacts, encodePlan, reviewPlan } from '@sluice/core/plan'
import { parsePolicy } from '@sluice/core/policy'
import { Gate } from '@sluice/sandbox/sql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const text = { kind: 'text' } as const
const integer = { kind: 'integer', bits: 64, signed: true } as const

const POLICY = `version: 1
owner: bureau
grade: 3
entity: { column: person }
purposes: [credit-risk]
consumers: [bank]
columns:
  person: { role: identifier, grade: 2, uses: [join] }
  town: { role: quasi, grade: 2, uses: [group] }
  name: { role: sensitive, grade: 3 }
  amount: { role: measure, grade: 2, uses: [aggregate] }
`
const columns = [
  { name: 'person', type: text },
  { name: 'town', type: text },
  { name: 'name', type: text },
  { name: 'amount', type: integer },
]
const policy = parsePolicy(POLICY)
const dataset = (name: string): DatasetFacts => ({
  name,
  version: 1,
  fingerprint: '0'.repeat(64),
  owner: 'bureau',
  columns,
  uniqueKeys: [],
  policy,
  policyDigest: '0'.repeat(64),
})
const datasets = [dataset('loans'), dataset('homes')]
const catalogue = datasets.map(({ name }) => ({ name, columns }))

let gate: Gate
beforeAll(async () => {
  gate = await Gate.start()
})
afterAll(() => gate.close())

/** The refusal of the review; the mark ‸ says where in the query it has to point. */
async function refusal(sql: string, context = {}): Promise<SluiceError> {
  const { plan, positionOf } = await gate.compile({ sql, catalogue })
  try {
    const asked = { purpose: 'credit-risk', consumer: 'bank', now: new Date(0), positionOf, ...context }
    reviewPlan(plan, datasets, asked)
  } catch (error) {
    if (isSluiceError(error)) return error
  }
  throw new Error('this passed')
}

function place(sql: string): { line: number; column: number } {
  const lines = sql.slice(0, sql.indexOf('‸')).split('\n')
  return { line: lines.length, column: [...lines.at(-1)!].length + 1 }
}

describe('a refusal by a policy points into the query', () => {
  it.each([
    ['a condition', 'use.filter', 'SELECT count(*) AS n FROM loans\nWHERE amount > 1 AND ‸town = 1'],
    ['a comparison of the second of two', 'use.filter', "SELECT count(*) AS n FROM loans WHERE ‸town = 'a'"],
    ['a group key', 'use.group', 'SELECT count(*) AS n FROM loans GROUP BY ‸name'],
    ['a key by its ordinal', 'use.group', 'SELECT ‸name AS x, count(*) AS n FROM loans GROUP BY 1'],
    ['an argument', 'use.aggregate', 'SELECT town,\n  count(DISTINCT ‸person) AS n FROM loans GROUP BY town'],
    [
      'an argument after Chinese',
      'use.aggregate',
      'SELECT town AS 城市, count(‸town) AS 数 FROM loans GROUP BY town',
    ],
    ['a FILTER', 'use.filter', "SELECT count(*) FILTER (WHERE ‸town = 'a') AS n FROM loans"],
    ['a CASE', 'use.filter', "SELECT sum(CASE WHEN ‸town = 'a' THEN amount END) AS n FROM loans"],
    [
      'HAVING on a key',
      'use.filter',
      "SELECT town, count(*) AS n FROM loans GROUP BY town HAVING ‸town = 'a'",
    ],
    ['ON', 'use.join', 'SELECT count(*) AS n FROM loans l JOIN homes h ON ‸l.town = h.town'],
    ['USING', 'use.join', 'SELECT count(*) AS n FROM loans ‸JOIN homes USING (town)'],
    [
      'what a subquery hands on, where it is used',
      'use.filter',
      "SELECT count(*) AS n FROM (SELECT upper(town) AS t, amount FROM loans) q WHERE ‸q.t = 'A'",
    ],
    [
      'what a WITH query compares itself',
      'use.filter',
      "WITH q AS (SELECT amount FROM loans WHERE ‸town = 'a') SELECT sum(amount) AS n FROM q",
    ],
    ['rows', 'release.rows', 'SELECT ‸town FROM loans'],
    ['rows of an expression', 'release.rows', 'SELECT ‸upper(town) AS t FROM loans'],
    [
      'an aggregate of aggregates',
      'evidence.nested-aggregate',
      'SELECT sum(n) AS s FROM (SELECT ‸town, count(*) AS n FROM loans GROUP BY town) q',
    ],
    [
      'LIMIT below an aggregate',
      'evidence.limit-below',
      'SELECT count(*) AS n FROM (SELECT town FROM loans LIMIT ‸3) q',
    ],
    [
      'a sum that rounds',
      'evidence.rounded',
      'SELECT town, count(*) AS n, ‸sum(amount // 7) AS s FROM loans GROUP BY town',
    ],
    ['a sum of distinct values', 'evidence.distinct-sum', 'SELECT ‸sum(DISTINCT amount) AS s FROM loans'],
    [
      'a UNION of aggregates',
      'evidence.union-of-aggregates',
      'SELECT ‸count(*) AS n FROM loans UNION ALL SELECT count(*) AS n FROM homes',
    ],
  ])('%s', async (_, rule, marked) => {
    const error = await refusal(marked.replace('‸', '').replace('town = 1', "town = 'a'"))
    const wanted = place(marked)
    const found = error.facts?.['violations'] as readonly string[]
    expect(found).toContainEqual(
      expect.stringMatching(new RegExp(`^${wanted.line}:${wanted.column} ${rule.replace('.', '\\.')}: `)),
    )
  })

  it.each([
    ['purposes', { purpose: 'marketing' }],
    ['consumers', { consumer: 'insurer' }],
  ])('%s: at the dataset', async (rule, context) => {
    const error = await refusal('SELECT count(*) AS n\nFROM homes JOIN loans USING (person)', context)
    expect({ rule: error.rule, position: error.position }).toEqual({ rule, position: { line: 2, column: 6 } })
  })

  it('the first violation is the error, with its own position', async () => {
    const error = await refusal("SELECT count(*) AS n FROM loans\nWHERE town = 'a' AND name = 'b'")
    expect(error.position).toEqual({ line: 2, column: 7 })
  })
})

it('every refusal of a query has a position, whatever is refused', async () => {
  const parts = {
    item: [
      'town',
      'name',
      'sum(DISTINCT amount) AS x',
      'upper(name) AS x',
      'count(name) AS x',
      'sum(amount % 2) AS x',
    ],
    where: ['', "WHERE name = 'x'", 'WHERE person IS NULL', 'WHERE amount BETWEEN 1 AND 2'],
    from: [
      'loans',
      '(SELECT * REPLACE) q',
      '(SELECT town, name, amount, person FROM loans LIMIT 3) q',
      'loans l JOIN homes USING (name)',
      '(SELECT DISTINCT town, name, amount, person FROM loans) q',
    ],
  }
  let refused = 0
  for (const item of parts.item) {
    for (const where of parts.where) {
      for (const from of parts.from) {
        const sql = `SELECT ${item}, count(*) AS n FROM ${from} ${where} GROUP BY ALL`
        const error = await refusal(sql).catch((error: unknown) => error)
        if (!isSluiceError(error)) continue
        refused++
        expect(error.position, `${sql}: ${error.rule}`).toBeDefined()
      }
    }
  }
  expect(refused).toBeGreaterThan(80)
})

it('where a query is laid out otherwise, positions differ and the plan that is signed does not', async () => {
  const one = await gate.compile({ sql: 'SELECT town, count(*) AS n FROM loans GROUP BY town', catalogue })
  const other = await gate.compile({
    sql: '-- 注释\nSELECT town,\n  count(*) AS n\nFROM loans\nGROUP BY town',
    catalogue,
  })
  expect(Buffer.from(encodePlan(other.plan))).toEqual(Buffer.from(encodePlan(one.plan)))
  expect(one.positionOf(one.plan.output[0]!)).toEqual({ line: 1, column: 8 })
  expect(other.positionOf(other.plan.output[0]!)).toEqual({ line: 2, column: 8 })
  expect(one.positionOf(other.plan.output[0]!)).toBeUndefined()
})
