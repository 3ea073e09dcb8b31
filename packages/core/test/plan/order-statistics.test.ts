import { isSluiceError } from '@sluice/core'
import {
  type CellSpecification,
  decodePlan,
  type Expression,
  encodePlan,
  HIGHEST_RANK,
  leastEntities,
  printPlan,
  reviewPlan,
} from '@sluice/core/plan'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.ts'
import { BOOLEAN, call, column, dataset, INTEGER, int, Plans, planOf, test, text } from './plans.ts'

const policy = (entity: string, limits: string, uses: string) => `version: 1
owner: bank
grade: 2
entity: ${entity}
disclosure: {minimumEntities: ${limits}, dominance: {n: 1, percent: 70}}
purposes: [credit-risk]
consumers: [insurer]
columns:
  person_id: {role: identifier, uses: [join]}
  state: {role: quasi, uses: [group, filter, join], values: public}
  amount: {role: measure, uses: [${uses}]}
  score: {role: measure, uses: [order]}
`
const COLUMNS = ['person_id', 'state', 'amount', 'score']
const unique = (name: string, text: string) => ({
  ...dataset(name, COLUMNS, text),
  uniqueKeys: [['person_id']],
})
const DATASETS = [
  dataset('loans', COLUMNS, policy('row', '10', 'aggregate, order, extreme, filter')),
  dataset('shy', COLUMNS, policy('row', '10', 'aggregate')),
  dataset('visits', COLUMNS, policy('{column: person_id}', '10', 'order, extreme')),
  unique('people', policy('{column: person_id}', '4', 'order')),
  unique('others', policy('{column: person_id, not: [x]}', '4', 'order')),
]
const CONTEXT = { purpose: 'credit-risk', consumer: 'insurer', now: new Date('2026-01-01T00:00:00Z') }
type Aggregates = Parameters<Plans['aggregate']>[2]

/** The plan of a table's aggregates by state. */
function planFor(name: string, aggregates: (amount: ReturnType<typeof column>) => Aggregates) {
  const plans = new Plans()
  const rows = plans.scan(name, ...COLUMNS)
  const found = plans.aggregate(rows, { state: column(rows, 'state') }, aggregates(column(rows, 'amount')))
  return planOf(found)
}
const review = (...asked: Parameters<typeof planFor>) => reviewPlan(planFor(...asked), DATASETS, CONTEXT)
const refusal = (...asked: Parameters<typeof planFor>) => failure(() => review(...asked))

function cellsOf(...asked: Parameters<typeof planFor>): readonly CellSpecification[] {
  const { release } = review(...asked)
  if (release.mode !== 'aggregate') throw new Error('not an aggregate')
  return release.cells
}

describe('an order statistic in a plan', () => {
  it('is reviewed by uses of its own, and an extreme by a stricter one', () => {
    const { uses, release } = review('loans', x => ({
      low: ['minimum', x],
      half: ['quantile', x, { fraction: '0.5' }],
    }))
    expect(uses).toContainEqual({ dataset: 'loans', column: 'amount', uses: ['order', 'extreme'] })
    expect(release).toMatchObject({ cells: [{ contributions: [] }, { contributions: [] }] })
    expect(refusal('shy', x => ({ m: ['quantile', x, { fraction: '0.5' }] }))).toMatchObject({
      code: 'POLICY_DENIED',
      rule: 'use.order',
    })
    expect(refusal('shy', x => ({ m: ['maximum', x, { rank: 10 }] }))).toMatchObject({ rule: 'use.order' })
    expect(refusal('shy', x => ({ m: ['maximum', x] }))).toMatchObject({ rule: 'use.extreme' })
    expect(refusal('people', x => ({ m: ['minimum', x] }))).toMatchObject({ rule: 'use.extreme' })
  })

  it('is of a column as it stands', () => {
    for (const of of [(x: ReturnType<typeof column>) => call('multiply', x, int(10)), () => int(1)])
      expect(refusal('loans', x => ({ m: ['maximum', of(x)] }))).toMatchObject({
        code: 'EVIDENCE_UNDEFINED',
        rule: 'evidence.order-argument',
      })
    const plans = new Plans()
    const rows = plans.scan('loans', ...COLUMNS)
    const renamed = plans.project(rows, { y: column(rows, 'amount') })
    const plan = planOf(plans.aggregate(renamed, {}, { m: ['maximum', column(renamed, 'y')] }))
    expect(reviewPlan(plan, DATASETS, CONTEXT).release.mode).toBe('aggregate')
  })

  it('has a rank only where every row is another entity’s, and an extreme anywhere', () => {
    expect(refusal('visits', x => ({ m: ['quantile', x, { fraction: '0.5' }] }))).toMatchObject({
      rule: 'evidence.order-entity',
    })
    expect(refusal('others', x => ({ m: ['quantile', x, { fraction: '0.5' }] }))).toMatchObject({
      rule: 'evidence.order-entity',
    })
    expect(cellsOf('visits', x => ({ m: ['minimum', x] }))[0]).not.toHaveProperty('order')
    expect(cellsOf('people', x => ({ m: ['quantile', x, { fraction: '0.5' }] }))[0]).toHaveProperty('order')
  })

  it.each([
    ['inner', ['person_id'], 'aggregate'],
    ['inner', ['state'], 'evidence.order-entity'],
    ['left', ['person_id'], 'evidence.order-entity'],
  ] as const)('%s join by %s: %s', (type, [by], expected) => {
    const plans = new Plans()
    const people = plans.scan('people', ...COLUMNS)
    const same = plans.scan('people', ...COLUMNS)
    const joined = plans.join(people, same, test('equal', column(people, by), column(same, by)), type)
    const plan = planOf(
      plans.aggregate(joined, {}, { m: ['quantile', column(people, 'score'), { fraction: '0.5' }] }),
    )
    const found = () => reviewPlan(plan, DATASETS, CONTEXT).release.mode
    if (expected === 'aggregate') expect(found()).toBe(expected)
    else expect(failure(found).rule).toBe(expected)
  })

  it('is refused where no number of entities is enough', () => {
    expect(refusal('loans', x => ({ m: ['maximum', x, { rank: 9 }] }))).toMatchObject({
      code: 'EVIDENCE_UNDEFINED',
      rule: 'evidence.order-rank',
    })
    expect(cellsOf('loans', x => ({ m: ['maximum', x, { rank: 10 }] }))).toHaveLength(1)
    expect(
      refusal('loans', x => ({ m: ['maximum', x, { rank: 10 }], n: ['maximum', x, { rank: 19 }] })).rule,
    ).toBe('evidence.order-rank')
    expect(
      cellsOf('loans', x => ({ m: ['maximum', x, { rank: 10 }], n: ['maximum', x, { rank: 20 }] })),
    ).toHaveLength(2)
  })

  it('keeps its distance to others of the same rows alone', () => {
    const least = (aggregates: Parameters<typeof planFor>[1]) =>
      cellsOf('loans', aggregates).map(({ order }) => leastEntities(order!, 10))
    expect(least(x => ({ q: ['quantile', x, { fraction: '0.5' }] }))).toEqual([19])
    expect(
      least(x => ({
        q: ['quantile', x, { fraction: '0.5' }],
        r: ['quantile', x, { fraction: '0.51' }],
      })),
    ).toEqual([1000, 1000])
    const plans = new Plans()
    const rows = plans.scan('loans', ...COLUMNS)
    const of = (state: string) => test('equal', column(rows, 'state'), text(state))
    const other = plans.aggregate(
      rows,
      {},
      {
        q: ['quantile', column(rows, 'score'), { fraction: '0.6' }],
        r: ['quantile', column(rows, 'amount'), { fraction: '0.5', filter: of('a') }],
        s: ['quantile', column(rows, 'amount'), { fraction: '0.7', filter: of('b') }],
      },
    )
    const { release } = reviewPlan(planOf(other), DATASETS, CONTEXT)
    if (release.mode !== 'aggregate') throw new Error('not an aggregate')
    expect(release.cells.map(({ order }) => leastEntities(order!, 10))).toEqual([23, 19, 30])
    // what the condition leaves out, and the difference to the whole, are held to the minimum as for sums
    expect(release.cells[2]!.complement).not.toBeNull()
  })

  it('is encoded with what makes it one, and nothing else is', () => {
    const plan = planFor('loans', x => ({
      a: ['maximum', x, { rank: 12 }],
      b: ['quantile', x, { fraction: '0.25' }],
      c: ['count', null],
    }))
    expect(decodePlan(encodePlan(plan))).toEqual(plan)
    const beyond = encodePlan(planFor('loans', x => ({ a: ['maximum', x, { rank: HIGHEST_RANK + 1 }] })))
    expect(failure(() => decodePlan(beyond)).code).toBe('SCHEMA_INVALID')
    expect(review('loans', x => ({ a: ['maximum', x, { rank: HIGHEST_RANK }] })).kind).toBe('reviewed-plan')
    expect(printPlan(plan)).toContain('12. maximum(amount)')
    expect(printPlan(plan)).toContain('0.25 quantile(amount)')
    for (const [of, more] of [
      ['quantile', {}],
      ['quantile', { fraction: '0.50' }],
      ['quantile', { fraction: '1' }],
      ['quantile', { fraction: '0.1234567' }],
      ['quantile', { fraction: '0.5', rank: 2 }],
      ['quantile', { fraction: '0.5', distinct: true }],
      ['quantile', { fraction: '0.5', type: { kind: 'text' } }],
      ['maximum', { rank: 1 }],
      ['maximum', { rank: HIGHEST_RANK + 1 }],
      ['maximum', { fraction: '0.5' }],
      ['sum', { rank: 2 }],
    ] as const)
      expect(failure(() => review('loans', x => ({ m: [of, x, more] }))).code).toBe('SCHEMA_INVALID')
  })
})

describe('two ranks of one column', () => {
  const ask = (first: Conditions, second: Conditions) => {
    const plans = new Plans()
    const rows = plans.scan('loans', ...COLUMNS)
    const filter = (conditions: Conditions) => {
      const all = conditions(name => column(rows, name))
      return { filter: all.length > 1 ? test('and', ...all) : (all[0] ?? null) }
    }
    const x = column(rows, 'amount')
    const plan = planOf(
      plans.aggregate(
        rows,
        {},
        {
          a: ['maximum', x, { rank: 20, ...filter(first) }],
          b: ['maximum', x, { rank: 21, ...filter(second) }],
        },
      ),
      { parameters: [{ name: 'p', type: INTEGER }] },
    )
    try {
      reviewPlan(plan, DATASETS, CONTEXT)
    } catch (error) {
      if (isSluiceError(error)) return error.rule
      throw error
    }
    return 'released'
  }
  type Conditions = (of: (name: string) => Expression) => Expression[]
  const all: Conditions = () => []
  const parameter = { kind: 'parameter', name: 'p', type: INTEGER } as const
  const below =
    (value: number): Conditions =>
    of => [test('less', of('amount'), int(value))]
  const inState =
    (...states: string[]): Conditions =>
    of => [{ kind: 'in', type: BOOLEAN, argument: of('state'), list: states.map(text) }]
  const oneOf = (of: (name: string) => Expression, ...list: Expression[]): Expression => ({
    ...{ kind: 'in', type: BOOLEAN, argument: of('amount'), list },
  })
  const whole = (value: string): Expression => ({ kind: 'literal', type: INTEGER, value })
  const amounts =
    (...values: string[]): Conditions =>
    of => [oneOf(of, ...values.map(whole))]
  const equals =
    (value: string): Conditions =>
    of => [test('equal', of('amount'), whole(value))]
  const DECIMAL = { kind: 'literal', type: { kind: 'decimal', precision: 2, scale: 1 } } as const
  const both =
    (a: Conditions, b: Conditions): Conditions =>
    of => [...a(of), ...b(of)]

  it.each<[string, Conditions, Conditions, string]>([
    ['a constant truth', all, () => [test('equal', int(1), int(1))], 'overlap'],
    [
      'two constant truths',
      () => [test('equal', int(1), int(1))],
      () => [test('equal', int(2), int(2))],
      'overlap',
    ],
    ['a parameter that equals itself', all, () => [test('equal', parameter, parameter)], 'overlap'],
    ['what is true of all who have a value', all, of => [test('isNotNull', of('amount'))], 'overlap'],
    ['a bound that drops a few', all, below(9_000), 'overlap'],
    ['bounds next to each other', below(9_000), below(9_001), 'overlap'],
    ['states of which one is in both', inState('a', 'b'), inState('b', 'c'), 'overlap'],
    ['a state and a bound', inState('a'), below(9_000), 'overlap'],
    ['the same conditions', below(9_000), below(9_000), 'rank'],
    ['in another order', both(inState('a'), below(9)), both(below(9), inState('a')), 'rank'],
    ['one of them twice', below(9), both(below(9), below(9)), 'rank'],
    ['other states', inState('a', 'b'), inState('c'), 'released'],
    ['other numbers', amounts('0', '7'), amounts('8'), 'released'],
    ['zero, written twice', amounts('0', '7'), amounts('-0'), 'overlap'],
    ['zero, equal to either', equals('0'), equals('-0'), 'overlap'],
    [
      'one, as a decimal number too',
      amounts('1'),
      of => [oneOf(of, { ...DECIMAL, value: '1.0' })],
      'overlap',
    ],
    ['other states below a bound', both(inState('a'), below(9)), both(inState('b'), below(8)), 'released'],
  ])('%s', (_, first, second, expected) => {
    const rule = expected === 'released' ? expected : `evidence.order-${expected}`
    expect(ask(first, second)).toBe(rule)
    expect(ask(second, first)).toBe(rule)
  })

  it('are refused over two scans of the dataset, and the later one is named', () => {
    const plans = new Plans()
    const [a, b] = [plans.scan('people', ...COLUMNS), plans.scan('people', ...COLUMNS)]
    const joined = plans.join(a, b, test('equal', column(a, 'person_id'), column(b, 'person_id')))
    const copy = plans.project(joined, { x: column(a, 'score'), y: column(b, 'score') })
    const plan = planOf(
      plans.aggregate(
        copy,
        {},
        {
          first: ['maximum', column(copy, 'x'), { rank: 20 }],
          second: ['maximum', column(copy, 'y'), { rank: 30 }],
        },
      ),
    )
    const positionOf = (part: object) =>
      'name' in part && part.name === 'second' ? { line: 3, column: 7 } : undefined
    expect(failure(() => reviewPlan(plan, DATASETS, { ...CONTEXT, positionOf }))).toMatchObject({
      code: 'EVIDENCE_UNDEFINED',
      rule: 'evidence.order-overlap',
      position: { line: 3, column: 7 },
    })
  })

  it('keep their distance though a projection names the column and the condition twice', () => {
    const plans = new Plans()
    const rows = plans.scan('loans', ...COLUMNS)
    const x = column(rows, 'amount')
    const copy = plans.project(rows, { y: x, z: x })
    const [y, z] = [column(copy, 'y'), column(copy, 'z')]
    const plan = planOf(
      plans.aggregate(
        copy,
        {},
        {
          a: ['maximum', y, { rank: 20, filter: test('less', y, int(9)) }],
          b: ['maximum', z, { rank: 29, filter: test('less', z, int(9)) }],
        },
      ),
    )
    expect(failure(() => reviewPlan(plan, DATASETS, CONTEXT)).rule).toBe('evidence.order-rank')
  })

  it('are not had as maxima under conditions, unless single values may leave', () => {
    const plans = new Plans()
    const rows = plans.scan('people', ...COLUMNS)
    const x = column(rows, 'score')
    const state = column(rows, 'state')
    const maxima = ['a', 'b', 'c'].map(
      other => [other, ['maximum', x, { filter: test('notEqual', state, text(other)) }]] as const,
    )
    const plan = planOf(plans.aggregate(rows, {}, Object.fromEntries(maxima) as unknown as Aggregates))
    expect(failure(() => reviewPlan(plan, DATASETS, CONTEXT)).rule).toBe('use.extreme')
  })
})

describe('an order statistic of a public table', () => {
  const codes = dataset(
    'codes',
    ['state', 'title'],
    `version: 1
owner: office
grade: 1
entity: none
purposes: [credit-risk]
consumers: [insurer]
columns:
  state: {role: attribute, grade: 1, uses: [join, order, extreme, output]}
  title: {role: attribute, grade: 1, uses: [order, extreme, group]}
`,
  )
  const statistics: Aggregates[string][] = [
    ['minimum', null],
    ['maximum', null, { rank: 20 }],
    ['quantile', null, { fraction: '0.5' }],
  ]

  it('tells what somebody is joined by, and is refused over rows of people', () => {
    for (const [of, , more] of statistics) {
      const plans = new Plans()
      const [people, list] = [plans.scan('loans', ...COLUMNS), plans.scan('codes', 'state', 'title')]
      const joined = plans.join(people, list, test('equal', column(people, 'state'), column(list, 'state')))
      const m = (node: typeof joined, name: string) =>
        planOf(
          plans.aggregate(
            node,
            {},
            { m: [of, column(list, name), { ...more, type: column(list, name).type }] },
          ),
        )
      for (const name of ['title', ...(of === 'quantile' ? [] : ['state'])])
        expect(failure(() => reviewPlan(m(joined, name), [...DATASETS, codes], CONTEXT))).toMatchObject({
          code: 'EVIDENCE_UNDEFINED',
          rule: 'evidence.order-public',
        })
      expect(reviewPlan(m(list, 'title'), [codes], CONTEXT).release.mode).toBe('public')
    }
  })
})

describe('how many entities a rank needs', () => {
  const fraction = fc
    .tuple(fc.integer({ min: 1, max: 99 }), fc.constantFrom(100, 1000))
    .map(([part, of]) => ({ millionths: (part * 1_000_000) / of, offset: 0 }))
  const place = fc.oneof(
    fraction,
    fc.integer({ min: 2, max: 30 }).map(rank => ({ millionths: 0, offset: rank })),
    fc.integer({ min: 2, max: 30 }).map(rank => ({ millionths: 1_000_000, offset: 1 - rank })),
  )
  const at = (n: number, { millionths, offset }: { millionths: number; offset: number }) =>
    Math.ceil((n * millionths) / 1_000_000) + offset

  it('is exactly what leaves the minimum on both sides', () => {
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 20 }), (own, minimum) => {
        const least = leastEntities({ place: own, others: [] }, minimum)
        const isEnough = (n: number) => n >= minimum && at(n, own) >= minimum && n - at(n, own) + 1 >= minimum
        const wrong = Array.from({ length: 2100 }, (_, n) => n).filter(n => isEnough(n) !== n >= least)
        expect(wrong).toEqual([])
      }),
      { seed: 7, numRuns: 100 },
    )
  })

  it('and is enough between two of them, for every number from it on', () => {
    fc.assert(
      fc.property(place, place, fc.integer({ min: 1, max: 12 }), (a, b, minimum) => {
        const least = leastEntities({ place: a, others: [b] }, minimum)
        expect(Math.max(least, leastEntities({ place: b, others: [] }, minimum))).toBe(
          Math.max(
            leastEntities({ place: b, others: [a] }, minimum),
            leastEntities({ place: a, others: [] }, minimum),
          ),
        )
        if (!Number.isFinite(least) || (a.millionths === b.millionths && a.offset === b.offset)) return
        const from = Array.from({ length: 300 }, (_, n) => least + n)
        expect(Math.min(...from.map(n => Math.abs(at(n, a) - at(n, b))))).toBeGreaterThanOrEqual(minimum)
      }),
      { seed: 8, numRuns: 200 },
    )
  })
})
