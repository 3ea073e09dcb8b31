import { checkDisclosure, type RowsReport, sealRawResult } from '@sluice/core/disclosure'
import { openCheckedResult } from '@sluice/core/disclosure/open'
import { type PlanNode, reviewPlan } from '@sluice/core/plan'
import { Table, tableFromArrays, Utf8, vectorFromArray } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.ts'
import { approved } from '../plan/approved.ts'
import { call, column, dataset, int, Plans, planOf, test } from '../plan/plans.ts'

const POLICY = `version: 1
owner: clinic
grade: 1
entity: row
release: rows
disclosure: {anonymity: {k: 3, l: 2}}
purposes: [credit-risk]
consumers: [insurer]
columns:
  person_id: {role: identifier, uses: [join, output]}
  age: {role: quasi, uses: [output, filter]}
  state: {role: quasi, uses: [output, filter]}
  illness: {role: sensitive, uses: [output, filter]}
  open: {role: attribute, uses: [output, filter]}
`
const NAMES = ['person_id', 'age', 'state', 'illness', 'open']
const PEOPLE = dataset('people', NAMES, POLICY)
const CONTEXT = { purpose: 'credit-risk', consumer: 'insurer', now: new Date('2026-01-01T00:00:00Z') }

const plans = new Plans()
const people = plans.scan('people', ...NAMES)
const of = (name: string) => column(people, name)
const SIMPLE = planOf(
  plans.project(people, { decade: call('divide', of('age'), int(10)), illness: of('illness') }),
)

const review = (plan: ReturnType<typeof planOf>, policy = POLICY, keys: string[][] = []) =>
  reviewPlan(plan, [{ ...dataset('people', NAMES, policy), uniqueKeys: keys }], CONTEXT).release

/** What becomes of rows of [decade, illness]. */
async function check(rows: readonly (readonly [number | null, string])[], facts = PEOPLE) {
  const table = new Table({
    decade: vectorFromArray(rows.map(([decade]) => (decade === null ? null : BigInt(decade)))),
    illness: vectorFromArray(
      rows.map(([, illness]) => illness),
      new Utf8(),
    ),
  })
  const raw = sealRawResult({
    approved: approved(SIMPLE, [facts]),
    table:
      rows.length === 0 ? tableFromArrays({ decade: new BigInt64Array(0), illness: [] as string[] }) : table,
    keep: null,
    keepDependsOn: [],
    rank: null,
    rankDependsOn: [],
    keyRank: null,
    limit: null,
    evidence: [],
    isolation: 'process',
    milliseconds: 1,
  })
  return openCheckedResult(await checkDisclosure(raw)).table
}

const SAFE = [
  [3, 'flu'],
  [2, 'flu'],
  [3, 'cold'],
  [2, 'gout'],
  [2, 'flu'],
  [3, 'flu'],
] as const

describe('rows that leave', () => {
  it('pass where every class has k rows and l sensitive values, in the order of their contents, with a report', async () => {
    const table = await check(SAFE)
    const report = JSON.parse(table.schema.metadata.get('sluice.anonymity')!) as RowsReport
    expect(report).toMatchObject({
      format: 'sluice-rows-report/1',
      dataset: 'people',
      quasi: ['decade'],
      sensitive: ['illness'],
      k: 3,
      l: 2,
      rows: 6,
      classes: { count: 2, smallest: 3, largest: 3 },
      risk: { prosecutor: { highest: 1 / 3 } },
    })
    const rows = table.toArray().map(row => Object.values(row.toJSON()).join(' '))
    expect(rows).toEqual(['2 flu', '2 flu', '2 gout', '3 cold', '3 flu', '3 flu'])
    const turned = (await check(SAFE.toReversed()))
      .toArray()
      .map(row => Object.values(row.toJSON()).join(' '))
    expect(turned).toEqual(rows)
  })

  it.each<[string, readonly (readonly [number | null, string])[], string]>([
    ['a class that is too small', [...SAFE, [4, 'flu'], [4, 'cold']], 'k-anonymity'],
    ['a missing value, which is a value', [...SAFE, [null, 'flu']], 'k-anonymity'],
    ['a class with one sensitive value', [...SAFE, [4, 'flu'], [4, 'flu'], [4, 'flu']], 'l-diversity'],
    ['fewer rows than k', SAFE.slice(0, 2), 'k-anonymity'],
    ['no rows, which is fewer than k too', [], 'k-anonymity'],
  ])('are refused: %s', async (_, rows, rule) => {
    const thrown = await check(rows).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code: 'DISCLOSURE_REFUSED', rule })
    // nothing of how many there are
    expect((thrown as { facts?: unknown }).facts).toBeUndefined()
  })

  it('are held to the policy’s minimum of entities and two values where it says nothing of anonymity', () => {
    const plain = POLICY.replace('disclosure: {anonymity: {k: 3, l: 2}}', 'disclosure: {minimumEntities: 7}')
    expect(review(SIMPLE, plain)).toMatchObject({ mode: 'rows', anonymity: { k: 7, l: 2 } })
    const least = plain.replace('minimumEntities: 7', 'minimumEntities: 1')
    expect(review(SIMPLE, least)).toMatchObject({ anonymity: { k: 2, l: 2 } })
  })

  it('are one class where no quasi-identifier leaves but one is asked about', () => {
    const filtered = plans.filter(people, test('greater', of('age'), int(80)))
    const plan = planOf(plans.project(filtered, { open: of('open') }))
    expect(review(plan)).toMatchObject({ anonymity: { quasi: [], sensitive: [], k: 3 } })
  })

  it('are held to nothing where no column about a person is touched', () => {
    expect(review(planOf(plans.project(people, { open: of('open') })))).toEqual({
      mode: 'rows',
      anonymity: null,
    })
  })

  it('do not leave by a sensitive value that does not leave with them: nothing could be held to ℓ-diversity', () => {
    const ill = plans.filter(people, test('equal', of('illness'), int(3)))
    const bySickness: PlanNode = {
      kind: 'sort',
      input: people,
      keys: [{ expression: of('illness'), descending: true, nullsFirst: false }],
    }
    for (const chosen of [ill, bySickness]) {
      expect(failure(() => review(planOf(plans.project(chosen, { state: of('state') }))))).toMatchObject({
        code: 'EVIDENCE_UNDEFINED',
        rule: 'evidence.rows-sensitive',
      })
      const shown = planOf(plans.project(chosen, { state: of('state'), illness: of('illness') }))
      expect(review(shown)).toMatchObject({ anonymity: { sensitive: ['illness'] } })
    }
  })

  it('show no sensitive value mixed with another column, which would make one look like many', () => {
    for (const other of ['open', 'age']) {
      const mixed = call('divide', of('illness'), of(other))
      const plan = planOf(plans.project(people, { state: of('state'), illness: mixed }))
      expect(failure(() => review(plan))).toMatchObject({
        code: 'EVIDENCE_UNDEFINED',
        rule: 'evidence.rows-mixed',
      })
    }
    const coarser = planOf(
      plans.project(people, { state: of('state'), chapter: call('divide', of('illness'), int(10)) }),
    )
    expect(review(coarser)).toMatchObject({ anonymity: { sensitive: ['chapter'] } })
  })

  it('count an identifier among what tells people apart', () => {
    const plan = planOf(plans.project(people, { who: of('person_id') }))
    expect(review(plan)).toMatchObject({ anonymity: { quasi: ['who'] } })
  })

  it('are not defined where a row may not be an entity of its own', () => {
    const twice = new Plans()
    const [left, right] = [twice.scan('people', ...NAMES), twice.scan('people', ...NAMES)]
    const joined = twice.join(
      left,
      right,
      test('equal', column(left, 'person_id'), column(right, 'person_id')),
    )
    const plan = planOf(twice.project(joined, { age: column(left, 'age') }))
    expect(failure(() => review(plan))).toMatchObject({
      code: 'EVIDENCE_UNDEFINED',
      rule: 'evidence.rows-join',
    })
    const byColumn = POLICY.replace('entity: row', 'entity: {column: person_id}')
    expect(failure(() => review(SIMPLE, byColumn))).toMatchObject({
      code: 'EVIDENCE_UNDEFINED',
      rule: 'evidence.rows-entity',
    })
    expect(review(SIMPLE, byColumn, [['person_id']])).toMatchObject({ mode: 'rows', anonymity: { k: 3 } })
  })
})
