import { decodePlan, encodePlan, type Plan } from '@sluice/core/plan'
import { beforeAll, describe, expect, it } from 'vitest'
import { BY_TOWN, type Keys, makeKeys, makeZone, POLICY } from './fixture.js'

/** The fixture's payments, of which the persons' numbers are masked and the amounts are in bands. */
const MASKED = POLICY.replace(
  "person: { role: identifier, grade: '2', uses: [] }",
  "person: { role: identifier, grade: '2', uses: [group, filter], rule: { kind: mask, keep: { first: 2 }, width: 1 } }",
)
  .replace(
    "amount: { role: measure, grade: '2', uses: [aggregate] }",
    "amount: { role: measure, grade: '2', uses: [aggregate], rule: { kind: limit, top: 110 } }",
  )
  .replace(
    "town: { role: quasi, grade: '1'",
    "town: { role: quasi, grade: '1', rule: { kind: replace, values: { north: N, south: S } }",
  )

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})

describe('a run over masked columns', () => {
  it('sees nothing but what the rules hand on, and counts the entities behind it', async () => {
    const { zone, approved } = await makeZone(keys)
    await zone.datasets.setPolicy('payments', MASKED, keys.provider)
    const sql =
      'SELECT town, person, count(*) AS payments, sum(amount) AS total FROM payments WHERE year >= $since GROUP BY town, person ORDER BY town, person'
    const release = await zone.run(await approved({ ...BY_TOWN, sql }), keys.operator, {
      parameters: { since: '2000' },
    })
    // p0 to p9 are too short for something to be hidden behind two characters: nobody is told apart by them
    const rows = release.table
      .toArray()
      .map(row => [row.town, row.person, Number(row.payments), Number(row.total)])
    const amounts = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, i) => Math.min(110, 100 + from + i)).reduce(
        (a, b) => a + 2 * b,
        0,
      )
    expect(rows).toEqual([
      ['N', 'p1*', 20, amounts(10, 19)],
      ['N', 'p2*', 20, amounts(20, 29)],
      ['N', null, 20, amounts(0, 9)],
      // without its top the largest payment of person 39 does not dominate any more
      ['S', 'p3*', 20, amounts(30, 39)],
    ])
    expect(release.suppressions).toEqual([])
  })

  it('cannot find by a filter what the mask hides', async () => {
    const { zone, approved } = await makeZone(keys)
    await zone.datasets.setPolicy('payments', MASKED, keys.provider)
    const sql = "SELECT count(*) AS n FROM payments WHERE person = 'p12'"
    const release = await zone.run(await approved({ sql, purpose: 'credit-risk' }), keys.operator, {})
    expect(
      release.table
        .toArray()
        .map(row => row.n)
        .filter(n => n !== null && Number(n) !== 0),
    ).toEqual([])
  })

  it('is void under another rule, and refused where a plan leaves the rule out', async () => {
    const { zone, approved } = await makeZone(keys)
    await zone.datasets.setPolicy('payments', MASKED, keys.provider)
    const id = await approved()
    await zone.datasets.setPolicy('payments', MASKED.replace('first: 2', 'first: 1'), keys.provider)
    await expect(zone.run(id, keys.operator, { parameters: { since: '2000' } })).toThrowWithCode(
      'APPROVAL_MISMATCH',
    )
  })
})

describe('a plan that reads otherwise than the policy says', () => {
  it('is not reviewed', async () => {
    const [{ reviewPlan, maskedColumn }, { parsePolicy, policyDigest }] = await Promise.all([
      import('@sluice/core/plan'),
      import('@sluice/core/policy'),
    ])
    const policy = parsePolicy(MASKED)
    const types = {
      person: { kind: 'text' },
      town: { kind: 'text' },
      year: { kind: 'integer', bits: 64, signed: true },
      amount: { kind: 'integer', bits: 64, signed: true },
    } as const
    const columns = Object.entries(types).map(([name, type]) => ({ name, type }))
    const facts = {
      name: 'payments',
      version: 1,
      fingerprint: '00',
      owner: 'bureau',
      columns,
      uniqueKeys: [],
      policy,
      policyDigest: policyDigest(policy),
    }
    const context = { purpose: 'credit-risk', consumer: 'bank', now: new Date() }
    const plan = (rule: unknown): Plan =>
      decodePlan(
        encodePlan({
          kind: 'plan',
          language: 'sluice-plan/1',
          root: {
            kind: 'aggregate',
            input: {
              kind: 'scan',
              dataset: 'payments',
              columns: [{ id: 0, ...maskedColumn(columns[0]!, rule as never) }],
            },
            keys: [
              {
                id: 1,
                name: 'person',
                type: types.person,
                expression: { kind: 'column', type: types.person, id: 0 },
              },
            ],
            aggregates: [
              {
                id: 2,
                name: 'n',
                type: { kind: 'integer', bits: 64, signed: true },
                function: 'count',
                argument: null,
                distinct: false,
                filter: null,
              },
            ],
          },
          output: [{ name: 'n', id: 2 }],
          parameters: [],
        }),
      )
    const own = policy.columns['person']!.rule
    expect(reviewPlan(plan(own), [facts], context).release.mode).toBe('aggregate')
    for (const rule of [undefined, { kind: 'mask', keep: { first: 3 }, width: 1 }, { kind: 'nullify' }]) {
      await expect(() => reviewPlan(plan(rule), [facts], context)).toThrowWithCode(
        'POLICY_DENIED',
        'scan.rule',
      )
    }
  })
})
