import { columnsIn, type Expression, outputColumns, type PlanNode, reviewPlan } from '@sluice/core/plan'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.ts'
import { call, cast, column, dataset, int, nothing, Plans, planOf, test, text, when } from './plans.ts'

const LOANS = dataset(
  'loans',
  ['person_id', 'state', 'amount', 'rate', 'score', 'name'],
  `version: 1
owner: bank
grade: 4
approvals: {named: {count: 2, of: [zhao, qian, sun]}}
entity: {column: person_id}
purposes: [credit-risk]
consumers: [insurer]
columns:
  person_id: {role: identifier, grade: 3, uses: [join], rule: {kind: token, key: bank, domain: credit}}
  state: {role: quasi, grade: 2, uses: [group, filter], values: public}
  amount: {role: measure, grade: 3, uses: [aggregate]}
  rate: {role: measure, grade: 3, uses: [aggregate]}
  score: {role: sensitive, grade: 3, uses: [filter]}
  name: {role: identifier, grade: 4}
`,
)

const PEOPLE = dataset(
  'people',
  ['person_id', 'age', 'state'],
  `version: 1
owner: police
grade: 2
entity: row
release: rows
disclosure: {minimumEntities: 5, step: {rows: 1000}}
purposes: [credit-risk]
consumers: [insurer]
columns:
  person_id: {role: identifier, uses: [join]}
  age: {role: quasi, grade: 1, uses: [output, filter, group]}
  state: {role: quasi, grade: 1, uses: [output]}
`,
)

const REGIONS = dataset(
  'regions',
  ['state', 'area'],
  `version: 1
owner: bureau
grade: 1
entity: none
purposes: [credit-risk]
consumers: [insurer]
columns:
  state: {role: attribute, uses: [join, group, output, filter]}
  area: {role: measure, uses: [output, aggregate, filter]}
`,
)

const DATASETS = [LOANS, PEOPLE, REGIONS]
const CONTEXT = { purpose: 'credit-risk', consumer: 'insurer', now: new Date('2026-01-01T00:00:00Z') }

describe('reviewPlan', () => {
  const plans = new Plans()
  const loans = plans.scan('loans', 'person_id', 'state', 'amount', 'rate', 'score', 'name')
  const people = plans.scan('people', 'person_id', 'age', 'state')
  const regions = plans.scan('regions', 'state', 'area')
  const of = (node: Parameters<typeof column>[0]) => (name: string) => column(node, name)
  const loan = of(loans)
  const person = of(people)
  const region = of(regions)
  const byState = (aggregates: Parameters<Plans['aggregate']>[2]) =>
    planOf(plans.aggregate(loans, { state: loan('state') }, aggregates))
  const review = (plan: ReturnType<typeof planOf>, context = {}) =>
    reviewPlan(plan, DATASETS, { ...CONTEXT, ...context })

  it('refuses plans that only a time limit would end', () => {
    const scans = (names: readonly string[]): PlanNode[] =>
      names.map(name => plans.scan(name, name === 'regions' ? 'state' : 'person_id'))
    const joinedAll = (names: readonly string[]) =>
      scans(names).reduce((left, right) => plans.join(left, right, test('equal', int(1), int(1))))
    const counted = (node: PlanNode) => planOf(plans.aggregate(node, {}, { n: ['count', null] }))
    const ruleOf = (node: PlanNode) => failure(() => review(counted(node))).rule
    const repeated = (name: string, times: number) => Array.from({ length: times }, () => name)

    expect(failure(() => review(counted(joinedAll(repeated('regions', 11)))))).toMatchObject({
      code: 'SQL_REFUSED',
      rule: 'plan.joins',
    })
    expect(ruleOf(joinedAll(repeated('regions', 5)))).toBe('plan.self-joins')
    const nine = [...repeated('regions', 4), ...repeated('people', 4), 'loans']
    expect(ruleOf(joinedAll([...nine, 'loans']))).toBe('plan.joins')
    expect(() => review(counted(joinedAll(nine)))).not.toThrow()
  })

  it('answers which uses, obligations, signatures and release', () => {
    const joined = plans.join(loans, people, test('equal', loan('person_id'), person('person_id')))
    const reviewed = review(
      planOf(
        plans.aggregate(
          plans.filter(joined, test('greater', person('age'), int(30))),
          { state: loan('state') },
          {
            total: ['sum', loan('amount')],
            many: ['count', null],
          },
        ),
      ),
    )
    expect(reviewed.uses).toEqual([
      { dataset: 'loans', column: 'amount', uses: ['aggregate'] },
      { dataset: 'loans', column: 'person_id', uses: ['join'] },
      { dataset: 'loans', column: 'state', uses: ['group'] },
      { dataset: 'people', column: 'age', uses: ['filter'] },
      { dataset: 'people', column: 'person_id', uses: ['join'] },
    ])
    expect(reviewed.obligations).toMatchObject([
      { source: 0, dataset: 'loans', entity: { kind: 'column', column: 'person_id' }, minimumEntities: 20 },
      { source: 1, dataset: 'people', entity: { kind: 'row' }, minimumEntities: 5 },
    ])
    expect(reviewed.approvals).toEqual([
      { reason: 'owner of loans', role: 'provider', principals: ['bank'], count: 1 },
      { reason: 'owner of people', role: 'provider', principals: ['police'], count: 1 },
      { reason: 'policy of loans', role: 'reviewer', principals: null, count: 1 },
      { reason: 'policy of loans', role: null, principals: ['qian', 'sun', 'zhao'], count: 2 },
    ])
    expect(reviewed).toMatchObject({ grade: '4', step: { rows: 1000, milliseconds: 100 } })
    expect(reviewed.release).toMatchObject({ mode: 'aggregate', publicKeys: false })
    expect(review(byState({ many: ['count', null] })).release).toMatchObject({ publicKeys: true })
  })

  it('gathers all violations', () => {
    const error = failure(() =>
      review(byState({ total: ['sum', loan('score')], names: ['count', loan('name')] }), {
        purpose: 'curiosity',
        consumer: 'nobody',
      }),
    )
    expect(error).toMatchObject({ code: 'PURPOSE_DENIED', rule: 'purposes' })
    expect(error.facts?.violations).toEqual([
      expect.stringMatching(/^purposes: /),
      expect.stringMatching(/^consumers: /),
      expect.stringMatching(/^use.aggregate: /),
      expect.stringMatching(/^grade.aggregate: /),
    ])
  })

  it.each<[string, string, string, () => ReturnType<typeof planOf>]>([
    [
      'a sum of a filter column',
      'POLICY_DENIED',
      'use.aggregate',
      () => byState({ x: ['sum', loan('score')] }),
    ],
    [
      'a constant compared with an identifier',
      'POLICY_DENIED',
      'use.filter',
      () => byState({ x: ['sum', loan('amount'), { filter: test('equal', loan('person_id'), text('p')) }] }),
    ],
    [
      'the same inside a sum',
      'POLICY_DENIED',
      'use.filter',
      () =>
        byState({ x: ['sum', when(test('equal', loan('person_id'), text('p')), loan('amount'), int(0))] }),
    ],
    [
      'the same inside a join',
      'POLICY_DENIED',
      'use.filter',
      () => {
        const same = test('equal', loan('person_id'), person('person_id'))
        const joined = plans.join(
          loans,
          people,
          test('and', same, test('equal', loan('person_id'), text('p'))),
        )
        return planOf(plans.aggregate(joined, {}, { n: ['count', null] }))
      },
    ],
    [
      'the same behind a subquery’s constant',
      'POLICY_DENIED',
      'use.filter',
      () => {
        const one = plans.project(regions, { wanted_name: text('p') })
        const joined = plans.join(loans, one, test('equal', loan('person_id'), column(one, 'wanted_name')))
        return planOf(plans.aggregate(joined, {}, { n: ['count', null] }))
      },
    ],
    [
      'grouping by an identifier through a subquery',
      'POLICY_DENIED',
      'use.group',
      () => {
        const renamed = plans.project(loans, { who: loan('person_id') })
        return planOf(plans.aggregate(renamed, { who: column(renamed, 'who') }, { n: ['count', null] }))
      },
    ],
    ['any use of level 4', 'GRADE_DENIED', 'grade.aggregate', () => byState({ x: ['count', loan('name')] })],
    ['rows of an aggregate-only dataset', 'POLICY_DENIED', 'release.rows', () => planOf(loans)],
    [
      'rows by a column of a higher grade',
      'GRADE_DENIED',
      'grade.rows',
      () => {
        const joined = plans.join(regions, people, test('equal', region('state'), person('person_id')))
        return planOf(plans.project(joined, { age: person('age') }))
      },
    ],
  ])('refuses %s', (_, code, rule, plan) => {
    expect(failure(() => review(plan()))).toMatchObject({ code, rule })
  })

  it('releases rows of grade 1 where the policy says so, and public data as it is', () => {
    expect(review(planOf(plans.project(people, { age: person('age') }))).release).toEqual({
      mode: 'rows',
      anonymity: { dataset: 'people', quasi: ['age'], sensitive: [], k: 5, l: 2 },
    })
    expect(review(planOf(regions))).toMatchObject({ release: { mode: 'public' }, obligations: [] })
  })

  it.each<[string, string, () => ReturnType<typeof planOf>]>([
    [
      'a nested aggregate',
      'evidence.nested-aggregate',
      () => {
        const inner = plans.aggregate(loans, { state: loan('state') }, { total: ['sum', loan('amount')] })
        return planOf(plans.aggregate(inner, {}, { x: ['sum', column(inner, 'total')] }))
      },
    ],
    [
      'a limit below',
      'evidence.limit-below',
      () => {
        const few: ReturnType<typeof plans.filter> = { kind: 'limit', input: loans, count: 3, offset: 0 }
        return planOf(plans.aggregate(few, {}, { x: ['sum', loan('amount')] }))
      },
    ],
    [
      'a union below',
      'evidence.union',
      () => {
        const a = plans.scan('loans', 'amount')
        const both = plans.union(a, plans.scan('loans', 'amount'))
        return planOf(plans.aggregate(both, {}, { x: ['sum', column(both, 'amount')] }))
      },
    ],
    [
      'an offset in the other branch of a conditional sum',
      'evidence.conditional',
      () =>
        byState({ x: ['sum', when(test('greater', loan('score'), int(5)), loan('amount'), int(1_000_000))] }),
    ],
    [
      'a conditional part of a sum',
      'evidence.conditional',
      () =>
        byState({
          x: [
            'sum',
            call('add', loan('rate'), when(test('greater', loan('score'), int(5)), loan('amount'), int(0))),
          ],
        }),
    ],
    [
      'several people packed into the digits of one sum',
      'evidence.conditional',
      () => {
        const [first, second] = [1, 2].map(rank => test('equal', loan('score'), int(rank))) as [
          Expression,
          Expression,
        ]
        const packed = when(second, call('multiply', loan('amount'), int(1_000_000)), int(0))
        return byState({ x: ['sum', when(first, loan('amount'), packed)] })
      },
    ],
    [
      'a distinct count of who meets a condition',
      'evidence.conditional',
      () =>
        byState({
          x: ['count', when(test('greater', loan('score'), int(5)), int(1), int(2)), { distinct: true }],
        }),
    ],
    [
      'a distinct count of those who meet a condition',
      'evidence.distinct-count',
      () =>
        byState({
          x: [
            'count',
            when(test('greater', loan('score'), int(5)), loan('amount'), nothing),
            { distinct: true },
          ],
        }),
    ],
    [
      'a condition that a left join can make null as a whole',
      'evidence.conditional',
      () => {
        const right = plans.project(people, {
          id: person('person_id'),
          y: when(test('isNull', person('age')), int(1), int(0)),
        })
        const joined = plans.join(loans, right, test('equal', loan('person_id'), column(right, 'id')), 'left')
        return planOf(plans.aggregate(joined, {}, { x: ['sum', column(joined, 'y')] }))
      },
    ],
    [
      'a condition over a limit',
      'evidence.limit',
      () => {
        const grouped = plans.aggregate(loans, { state: loan('state') }, { x: ['sum', loan('amount')] })
        const few = { kind: 'limit', input: grouped, count: 3, offset: 0 } as const
        return planOf(plans.filter(few, test('greater', column(grouped, 'x'), int(5))))
      },
    ],
    [
      'a clamped sum',
      'evidence.conditional',
      () => byState({ x: ['sum', call('least', loan('amount'), int(9))] }),
    ],
    [
      'a distinct sum',
      'evidence.distinct-sum',
      () => byState({ x: ['sum', loan('amount'), { distinct: true }] }),
    ],
    [
      'a count of OR NULL',
      'evidence.conditional',
      () => byState({ x: ['count', test('greater', loan('score'), int(5))] }),
    ],
  ])('finds no evidence for %s', (_, rule, plan) => {
    expect(failure(() => review(plan()))).toMatchObject({ code: 'EVIDENCE_UNDEFINED', rule })
  })

  it('states what a cell’s evidence is taken over', () => {
    const condition = test('greater', loan('score'), int(5))
    const { release } = review(
      byState({
        bare: ['sum', loan('amount')],
        offset: ['sum', call('add', loan('amount'), int(1_000_000))],
        chosen: ['sum', when(condition, loan('amount'), int(0))],
        flagged: ['sum', cast(condition)],
        filtered: ['count', null, { filter: condition }],
        counted: ['count', when(condition, int(1), nothing)],
        distinct: ['count', loan('amount'), { distinct: true }],
      }),
    )
    if (release.mode !== 'aggregate') throw new Error('not an aggregate')
    const [bare, offset, chosen, flagged, filtered, counted, distinct] = release.cells
    expect(bare).toMatchObject({ complement: null, contributions: [{ function: 'absolute' }] })
    expect(bare?.contributes).toEqual(test('isNotNull', loan('amount')))
    expect(offset?.contributions).toHaveLength(2)
    expect(chosen).toMatchObject({ contributions: [{ function: 'absolute' }] })
    expect(chosen?.complement).not.toBeNull()
    for (const count of [flagged, filtered, counted]) {
      expect(count?.complement).not.toBeNull()
      expect(count?.contributions).toMatchObject([{ kind: 'literal', value: '1' }])
    }
    expect(distinct).toMatchObject({ complement: null, contributions: [] })
  })

  it('counts for a product only those whose factors are not zero', () => {
    const { release } = review(byState({ x: ['sum', call('multiply', loan('amount'), loan('rate'))] }))
    if (release.mode !== 'aggregate') throw new Error('not an aggregate')
    const product = call('multiply', loan('amount'), loan('rate'))
    expect(release.cells[0]).toMatchObject({
      contributes: test('and', test('isNotNull', product), test('notEqual', product, int(0))),
      complement: null,
    })
    expect(release.cells[0]?.contributions).toHaveLength(3)
  })

  it('lets a part that reads public data alone be anything, and reaches into none of it', () => {
    const named = plans.project(regions, {
      state: region('state'),
      size: call('add', region('area'), int(1)),
    })
    const few = { kind: 'limit', input: { kind: 'distinct', input: named }, count: 3, offset: 0 } as const
    const size = column(named, 'size')
    const right = plans.project(few, { key: column(named, 'state'), size })
    const joined = plans.join(loans, right, test('equal', loan('state'), column(right, 'key')))
    const plan = planOf(
      plans.aggregate(joined, {}, { x: ['sum', call('multiply', loan('amount'), column(right, 'size'))] }),
    )
    const policy = { ...LOANS.policy, columns: { ...LOANS.policy.columns } }
    policy.columns.state = { ...policy.columns.state!, uses: ['join', 'group', 'filter'] }
    const groupable = { ...REGIONS.policy, columns: { ...REGIONS.policy.columns } }
    groupable.columns.area = { ...groupable.columns.area!, uses: ['aggregate', 'group'] }
    const { release } = reviewPlan(
      plan,
      [
        { ...LOANS, policy },
        { ...REGIONS, policy: groupable },
      ],
      CONTEXT,
    )
    if (release.mode !== 'aggregate') throw new Error('not an aggregate')
    const inScope = new Set(outputColumns(release.aggregate.input).map(({ id }) => id))
    for (const { contributes, contributions } of release.cells) {
      for (const part of [contributes!, ...contributions]) {
        for (const id of columnsIn(part)) expect(inScope.has(id)).toBe(true)
      }
    }
    // the public factor is nobody's measure
    expect(release.cells[0]?.contributions).toHaveLength(2)
  })

  it('brings a base measure into scope that a subquery hides behind an offset', () => {
    const hidden = plans.project(loans, {
      state: loan('state'),
      y: call('add', loan('amount'), int(1_000_000)),
    })
    const { release } = review(
      planOf(
        plans.aggregate(hidden, { state: column(hidden, 'state') }, { x: ['sum', column(hidden, 'y')] }),
      ),
    )
    if (release.mode !== 'aggregate') throw new Error('not an aggregate')
    expect(release.cells[0]?.contributions).toHaveLength(2)
    expect(release.aggregate.input).toMatchObject({
      kind: 'project',
      columns: [{}, {}, { expression: loan('amount') }],
    })
  })
})
