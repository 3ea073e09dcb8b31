import { cellsOf, layoutOf } from '@sluice/core/he'
import { type Expression, mapPlan, maskedColumn, type Plan, type ScalarType } from '@sluice/core/plan'
import {
  Field,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.ts'
import { reviewed } from '../plan/approved.ts'
import { call, cast, column, dataset, int, Plans, planOf, test, text, when } from '../plan/plans.ts'
import { begin, DISTRICTS, draft, PROGRAMMES, rowsOf, run, runsOf, SUBSIDIES } from './fixture.ts'

interface Grant {
  readonly programme: string
  readonly amount: number | null
  readonly age: number
}

const HUGE: ScalarType = { kind: 'integer', bits: 128, signed: true }
const DOUBLE: ScalarType = { kind: 'float', bits: 64 }

const grant: fc.Arbitrary<Grant> = fc.record({
  programme: fc.constantFrom(...PROGRAMMES),
  amount: fc.option(fc.integer({ min: 0, max: 1_000_000 }), { freq: 8 }),
  age: fc.integer({ min: 0, max: 120 }),
})

/** Enough rows in every group that no cell is suppressed. */
const offices = fc
  .array(fc.array(grant, { minLength: 0, maxLength: 60 }), { minLength: 3, maxLength: 3 })
  .map(list =>
    list.map(grants => [
      ...grants,
      ...PROGRAMMES.flatMap(programme =>
        [10, 40, 70].flatMap(age => [
          { programme, amount: 5, age },
          { programme, amount: 1200, age },
        ]),
      ),
    ]),
  )

function batchOf(grants: readonly Grant[]): RecordBatch {
  const integers = (values: readonly (number | null)[]) =>
    vectorFromArray(
      values.map(value => (value === null ? null : BigInt(value))),
      new Int64(),
    ).data[0]!
  const columns = {
    programme_name: vectorFromArray(
      grants.map(({ programme }) => programme),
      new Utf8(),
    ).data[0]!,
    amount: integers(grants.map(({ amount }) => amount)),
    age: integers(grants.map(({ age }) => age)),
  }
  const fields = Object.entries(columns).map(([name, data]) => new Field(name, data.type, true))
  const type = new Struct(fields)
  const data = makeData({ type, length: grants.length, nullCount: 0, children: Object.values(columns) })
  return new RecordBatch(new Schema(fields), data)
}

/** The plan's table over all offices' rows, through encryption and back. */
async function encrypted(plan: Plan, rows: readonly (readonly Grant[])[], more = {}) {
  const round = await begin(plan, { auditor: null, ...more })
  const cells = await Promise.all(
    // two batches, as a file would come
    rows.map(grants =>
      runsOf(cellsOf(round.aggregation, [batchOf(grants.slice(0, 7)), batchOf(grants.slice(7))])),
    ),
  )
  return rowsOf((await run(round, cells, DISTRICTS)).table)
}

type Cell = (grants: readonly Grant[]) => number | bigint | null

const paid = (grants: readonly Grant[]) => grants.flatMap(({ amount }) => (amount === null ? [] : [amount]))
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + BigInt(value), 0n)

interface Operation {
  readonly name: string
  readonly plan: () => Plan
  readonly cell: Cell
}

/** One output named `cell`, by programme. */
function byProgramme(
  aggregates: (inside: {
    amount: Expression
    age: Expression
    programme: Expression
  }) => Parameters<Plans['aggregate']>[2],
  above?: (plans: Plans, aggregate: ReturnType<Plans['aggregate']>) => ReturnType<Plans['project']>,
): Plan {
  const plans = new Plans()
  const scan = plans.scan('subsidies', 'programme_name', 'amount', 'age')
  const [amount, age, programme] = ['amount', 'age', 'programme_name'].map(name => column(scan, name))
  const aggregate = plans.aggregate(
    scan,
    { programme: programme! },
    aggregates({ amount: amount!, age: age!, programme: programme! }),
  )
  return planOf(above ? above(plans, aggregate) : aggregate)
}

const double = (value: Expression) => cast(value, DOUBLE)
const float = (name: 'subtract' | 'divide' | 'multiply', ...operands: Expression[]): Expression => ({
  ...(call(name, ...operands) as Extract<Expression, { kind: 'call' }>),
  type: DOUBLE,
})

const OPERATIONS: readonly Operation[] = [
  {
    name: 'sum',
    plan: () => byProgramme(({ amount }) => ({ cell: ['sum', amount, { type: HUGE }] })),
    cell: grants => total(paid(grants)),
  },
  {
    name: 'count of values',
    plan: () => byProgramme(({ amount }) => ({ cell: ['count', amount] })),
    cell: grants => BigInt(paid(grants).length),
  },
  {
    name: 'mean',
    plan: () => byProgramme(({ amount }) => ({ cell: ['average', amount, { type: DOUBLE }] })),
    cell: grants => Number(total(paid(grants))) / paid(grants).length,
  },
  {
    name: 'weighted sum with public weights',
    plan: () =>
      byProgramme(({ amount, age }) => ({
        cell: [
          'sum',
          call('add', call('multiply', int(3), amount), call('multiply', int(2), age)),
          { type: HUGE },
        ],
      })),
    cell: grants =>
      grants.reduce(
        (sum, { amount, age }) => (amount === null ? sum : sum + BigInt(3 * amount + 2 * age)),
        0n,
      ),
  },
  {
    name: 'linear score, a public coefficient by condition',
    plan: () =>
      byProgramme(({ amount, age }) => ({
        cell: [
          'sum',
          call('multiply', int(5), when(test('less', age, int(18)), amount, int(0))),
          { type: HUGE },
        ],
      })),
    cell: grants =>
      grants.reduce((sum, { amount, age }) => sum + BigInt((amount ?? 0) * (age < 18 ? 5 : 0)), 0n),
  },
  {
    name: 'sum under a public mask',
    plan: () =>
      byProgramme(({ amount, age }) => ({
        cell: [
          'sum',
          amount,
          {
            type: HUGE,
            filter: test('and', test('greaterOrEqual', age, int(30)), test('less', age, int(60))),
          },
        ],
      })),
    cell: grants => total(paid(grants.filter(({ age }) => age >= 30 && age < 60))),
  },
]

describe('an aggregate over ciphertexts', () => {
  it.each(OPERATIONS.map(operation => [operation.name, operation] as const))(
    '%s is what it is over the rows',
    async (_, { plan, cell }) => {
      const check = async (rows: readonly (readonly Grant[])[]) => {
        const all = rows.flat()
        const found = new Map((await encrypted(plan(), rows)).map(row => [row['programme'], row['cell']]))
        for (const programme of PROGRAMMES) {
          const expected = cell(all.filter(one => one.programme === programme))
          const got = found.get(programme)
          if (typeof expected === 'bigint') expect(BigInt(String(got))).toBe(expected)
          else expect(got).toBeCloseTo(expected!, 9)
        }
      }
      await fc.assert(fc.asyncProperty(offices, check), { numRuns: 1, seed: 4, endOnFailure: true })
    },
  )

  it('variance and covariance, from squares and products, exact until they are rounded once', async () => {
    const plan = byProgramme(
      ({ amount, age }) => ({
        squares: ['sum', call('multiply', age, age), { type: HUGE }],
        sum: ['sum', age, { type: HUGE }],
        products: ['sum', call('multiply', age, amount), { type: HUGE }],
        amounts: ['sum', amount, { type: HUGE }],
        n: ['count', null],
      }),
      (plans, below) => {
        const of = (name: string) => double(column(below, name))
        const moment = (product: string, a: string, b: string) =>
          float(
            'subtract',
            float('divide', of(product), of('n')),
            float('multiply', float('divide', of(a), of('n')), float('divide', of(b), of('n'))),
          )
        return plans.project(below, {
          programme: column(below, 'programme'),
          variance: moment('squares', 'sum', 'sum'),
          covariance: moment('products', 'sum', 'amounts'),
        })
      },
    )
    const check = async (offices: readonly (readonly Grant[])[]) => {
      // a factor of zero would leave its row out, and what few rows leave out is suppressed
      const rows = offices.map(grants =>
        grants.map(({ programme, amount, age }) => ({ programme, amount: amount || 7, age: age || 1 })),
      )
      const found = await encrypted(plan, rows)
      for (const programme of PROGRAMMES) {
        const all = rows.flat().filter(one => one.programme === programme)
        const n = BigInt(all.length)
        const sum = (of: (one: (typeof all)[number]) => number) =>
          all.reduce((a, one) => a + BigInt(of(one)), 0n)
        const ages = sum(one => one.age)
        const variance = sum(one => one.age ** 2) * n - ages * ages
        const covariance = sum(one => one.age * one.amount) * n - ages * sum(one => one.amount)
        const row = found.find(one => one['programme'] === programme)!
        // rounded once: the exact quotient, to the last places of a double
        const close = (got: unknown, exact: bigint) =>
          expect(Math.abs(Number(got) - Number(exact) / Number(n * n))).toBeLessThanOrEqual(
            Math.abs(Number(got)) * 4e-15,
          )
        close(row['variance'], variance)
        close(row['covariance'], covariance)
      }
    }
    await fc.assert(fc.asyncProperty(offices, check), { numRuns: 1, seed: 5, endOnFailure: true })
  })

  it('histogram over a public range of integers, and a condition on the rows', async () => {
    const plans = new Plans()
    const scan = plans.scan('subsidies', 'programme_name', 'age')
    const rows = plans.filter(scan, test('equal', column(scan, 'programme_name'), text('school')))
    const plan = planOf(plans.aggregate(rows, { age: column(scan, 'age') }, { n: ['count', null] }))
    const data = DISTRICTS.slice(0, 4).map((_, office) =>
      Array.from({ length: 200 }, (_, i) => ({
        programme: PROGRAMMES[i % 3]!,
        amount: 1,
        age: (i * (office + 7)) % 121,
      })),
    )
    const found = await encrypted(plan, data, { groups: { kind: 'range', first: 0, count: 121 } })
    const expected = new Map<number, number>()
    for (const { programme, age } of data.flat()) {
      if (programme === 'school') expected.set(age, (expected.get(age) ?? 0) + 1)
    }
    // groups below the policy's least number of entities are not there, as in any other release
    const shown = [...expected].filter(([, n]) => n >= 3).sort(([a], [b]) => a - b)
    expect(shown.length).toBeGreaterThan(5)
    expect(expected.size).toBeGreaterThan(shown.length)
    expect(found.map(row => [Number(row['age']), Number(row['n'])])).toEqual(shown)
  })

  it('groups by an integer whose range nobody declared', async () => {
    const plans = new Plans()
    const scan = plans.scan('subsidies', 'age')
    const plan = planOf(plans.aggregate(scan, { age: column(scan, 'age') }, { n: ['count', null] }))
    const data = [1, 2, 3].map(() => [
      { programme: 'school', amount: 1, age: 0 },
      { programme: 'school', amount: 1, age: 2 },
    ])
    const found = await encrypted(plan, data, { groups: { kind: 'range', first: 0, count: 3 }, columns: {} })
    expect(found.map(row => [row['age'], row['n']])).toEqual([
      [0n, 3n],
      [2n, 3n],
    ])
  })

  it('one row without keys', async () => {
    const plans = new Plans()
    const scan = plans.scan('subsidies', 'amount')
    const plan = planOf(plans.aggregate(scan, {}, { total: ['sum', column(scan, 'amount'), { type: HUGE }] }))
    const data = [1, 2, 3].map(amount => [{ programme: 'school', amount, age: 1 }])
    const [row] = await encrypted(plan, data, { groups: { kind: 'list', keys: [[]] } })
    expect(String(row!['total'])).toBe('6')
  })
})

describe('a cell below the minimum', () => {
  it('is suppressed like in any other engine', async () => {
    const plan = OPERATIONS[0]!.plan()
    const data = DISTRICTS.slice(0, 3).map((_, index) => [
      { programme: 'school', amount: 10, age: 5 },
      ...(index < 2 ? [{ programme: 'farming', amount: 10, age: 5 }] : []),
    ])
    const shown = (await encrypted(plan, data)).map(row => [row['programme'], row['cell'] === null])
    expect(shown).toEqual([
      ['farming', true],
      ['school', false],
    ])
  })
})

describe('a contributor’s rows', () => {
  const plan = OPERATIONS[0]!.plan()
  const cells = async (grants: readonly Grant[], more = {}) =>
    runsOf(cellsOf((await begin(plan, more)).aggregation, [batchOf(grants)]))
  const one = { programme: 'school', amount: 1, age: 1 }

  it('are held to the declared range', async () => {
    await expect(cells([{ ...one, amount: 1_000_001 }])).toThrowWithCode('PARAMETER_INVALID', 'he.range')
    await expect(cells([{ ...one, amount: -1 }])).toThrowWithCode('PARAMETER_INVALID', 'he.range')
    await expect(cells([one, one, one], { rowsPerGroup: 2 })).toThrowWithCode('PARAMETER_INVALID', 'he.range')
    expect((await cells([one, one], { rowsPerGroup: 2 }))[0]).toHaveLength(3)
  })

  it('are held to the public list of groups, without telling what they hold', async () => {
    const error = await cells([{ ...one, programme: 'secret' }]).catch(thrown => thrown as Error)
    expect(error).toMatchObject({ code: 'PARAMETER_INVALID', rule: 'he.group' })
    expect(String(error)).not.toContain('secret')
  })

  it('need the columns', async () => {
    const { aggregation } = await begin(plan)
    const other = new Table({ amount: vectorFromArray(['a'], new Utf8()) }).batches
    await expect(runsOf(cellsOf(aggregation, other))).toThrowWithCode('SCHEMA_CHANGED', 'he.schema')
  })
})

describe('a plan that ciphertexts cannot run', () => {
  const refusedPlans: [string, string, () => Plan][] = [
    [
      'distinct values',
      'he.distinct',
      () => byProgramme(({ age }) => ({ n: ['count', age, { distinct: true }] })),
    ],
    ['a maximum', 'he.order', () => byProgramme(({ age }) => ({ n: ['maximum', age, { type: age.type }] }))],
    [
      'HAVING',
      'he.above',
      () => {
        const plans = new Plans()
        const scan = plans.scan('subsidies', 'programme_name')
        const below = plans.aggregate(scan, { p: column(scan, 'programme_name') }, { n: ['count', null] })
        return planOf(plans.filter(below, test('greater', column(below, 'n'), int(3))))
      },
    ],
    [
      'floating point',
      'he.float',
      () => byProgramme(({ amount }) => ({ s: ['sum', double(amount), { type: DOUBLE }] })),
    ],
  ]
  it.each(refusedPlans)('%s: %s', (_, rule, plan) => {
    expect(failure(() => layoutOf(reviewed(plan(), [SUBSIDIES])))).toMatchObject({
      code: 'EVIDENCE_UNDEFINED',
      rule,
    })
  })

  it('demands of dominance, and entities that are not rows', () => {
    const policy = (entity: string, grade: number, limits: string) =>
      dataset(
        'subsidies',
        ['programme_name', 'amount', 'person_id', 'age'],
        `version: 1
owner: bureau
grade: ${grade}
entity: ${entity}
disclosure: {minimumEntities: 3${limits}}
purposes: [credit-risk]
consumers: [insurer]
columns:
  programme_name: {role: attribute, uses: [group], values: public}
  amount: {role: measure, uses: [aggregate]}
  age: {role: measure, uses: [aggregate]}
  person_id: {role: identifier}
`,
      )
    const plan = OPERATIONS[0]!.plan()
    const rule = (given: ReturnType<typeof dataset>) => failure(() => layoutOf(reviewed(plan, [given]))).rule
    expect(rule(policy('row', 2, ', dominance: {n: 1, percent: 80}'))).toBe('he.dominance')
    expect(rule(policy('row', 1, ', pPercent: 10'))).toBe('he.dominance')
    expect(rule(policy('{column: person_id}', 1, ''))).toBe('he.entity')
    expect(layoutOf(reviewed(plan, [policy('row', 1, '')])).groupCount).toBeGreaterThan(0)
  })

  it('rules of a policy, which contributors would have to apply to what they encrypt', () => {
    const given = (rule: string) =>
      dataset(
        'subsidies',
        ['programme_name', 'amount', 'person_id', 'age'],
        `version: 1
owner: bureau
grade: 1
entity: row
disclosure: {minimumEntities: 3}
purposes: [credit-risk]
consumers: [insurer]
columns:
  programme_name: {role: attribute, uses: [group], values: public}
  amount: {role: measure, uses: [aggregate]${rule}}
  age: {role: measure, uses: [aggregate]}
`,
      )
    const plan = OPERATIONS[0]!.plan()
    const masked = given(', rule: {kind: round, to: 100}')
    const amount = masked.columns.find(({ name }) => name === 'amount')!
    const { mask, type } = maskedColumn(amount, masked.policy.columns['amount']!.rule)
    const root = mapPlan(plan.root, node =>
      node.kind === 'scan'
        ? {
            ...node,
            columns: node.columns.map(column =>
              column.name === 'amount' ? { ...column, type, mask: mask! } : column,
            ),
          }
        : node,
    )
    expect(failure(() => layoutOf(reviewed({ ...plan, root }, [masked])))).toMatchObject({
      code: 'EVIDENCE_UNDEFINED',
      rule: 'he.mask',
    })
    expect(layoutOf(reviewed(plan, [given('')])).groupCount).toBeGreaterThan(0)
  })

  it('ranges that no parameters hold', async () => {
    const wide = {
      amount: { minimum: '0', maximum: '9000000000000000000' },
      age: { minimum: '0', maximum: '1' },
    }
    const plan = byProgramme(({ amount }) => ({
      s: ['sum', call('multiply', amount, amount), { type: HUGE }],
    }))
    const given = draft(reviewed(plan, [SUBSIDIES]), { columns: wide, rowsPerGroup: 1e12 })
    const { createAggregation } = await import('@sluice/core/he')
    await expect(createAggregation(given)).toThrowWithCode('PARAMETER_INVALID', 'he.range')
  })
})
