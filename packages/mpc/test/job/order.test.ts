import type { InputForm, Statistic } from '@sluice/mpc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { running } from '../../dist/job/protocol.js'
import { queryOf } from '../../dist/job/query.js'
import { checkMemory } from '../../dist/job/statistics/statistic.js'
import { type Row, statisticOf } from './locally.js'
import { makeJob } from './parties.js'
import { columnsOf } from './plans.js'
import { statisticJobs, type Wanted } from './statistic-job.js'

const CATEGORIES = { k: ['a', 'b', 'c'], h: ['s', 't'] }
const number = (name: string, nullable: boolean, bound = '1000') =>
  ({ name, nullable, type: { kind: 'number', scale: 2, bound, orderStatistics: true } }) as const

/** Values of one owner, groups of two, a condition over both. */
const forms: InputForm[] = [
  {
    name: 'loans',
    owner: 'bank',
    entity: 'firm',
    columns: [
      number('debt', true),
      number('paid', false),
      { name: 'h', nullable: false, type: { kind: 'category', categories: CATEGORIES.h } },
      { name: 'days', nullable: false, type: { kind: 'number', scale: 0, bound: '100' } },
    ],
  },
  {
    name: 'taxpayers',
    owner: 'bureau',
    entity: 'id',
    columns: [
      number('tax', true, '10000000000000000'),
      { name: 'k', nullable: true, type: { kind: 'category', categories: CATEGORIES.k } },
    ],
  },
]
const c = columnsOf(forms)
const jobOf = statisticJobs(await makeJob(), forms)

function asked(statistic: Statistic, wanted: Wanted, rows: readonly Row[]) {
  const { job, operation } = jobOf(statistic, { ...wanted, rows: rows.length })
  return statisticOf(job, operation, rows)
}

const money = (value: bigint) => {
  const digits = (value < 0n ? -value : value).toString().padStart(3, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}
const ascending = (values: bigint[]) => values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))

/** An ordinary loop over the rows: by group of the lists' product, the values of a column in ascending order. */
function groupsIn(rows: readonly Row[], by: readonly ('h' | 'k')[], value: string) {
  const groups = by.reduce<string[][]>(
    (before, key) => before.flatMap(group => CATEGORIES[key].map(category => [...group, category])),
    [[]],
  )
  return groups.map(group => {
    const inside = rows.filter(row => by.every((key, i) => row[key] === group[i]))
    return { group, values: ascending(inside.map(row => row[value] as bigint).filter(x => x !== null)) }
  })
}

const edge = 10n ** 18n
const rowOf: fc.Arbitrary<Row> = fc.record({
  debt: fc.option(fc.bigInt({ min: -100_000n, max: 100_000n }), { freq: 4 }),
  paid: fc.bigInt({ min: -3n, max: 3n }),
  h: fc.constantFrom(...CATEGORIES.h, 'other'),
  days: fc.bigInt({ min: 0n, max: 10n }),
  tax: fc.option(fc.oneof(fc.bigInt({ min: -edge, max: edge }), fc.constantFrom(edge, -edge)), { freq: 5 }),
  k: fc.option(fc.constantFrom(...CATEGORIES.k, 'other'), { freq: 6 }),
})

const scenario = fc.record({
  rows: fc.array(rowOf, { maxLength: 40 }),
  by: fc.subarray(['h', 'k'] as const),
  value: fc.constantFrom('debt', 'paid', 'tax'),
  chosen: fc.boolean(),
  minimum: fc.integer({ min: 1, max: 4 }),
})
const where = c.less('paid', 'tax')
const inside = (rows: readonly Row[], chosen: boolean) =>
  chosen ? rows.filter(row => row['tax'] !== null && (row['paid'] as bigint) < (row['tax'] as bigint)) : rows
const wantedOf = ({
  by,
  value,
  chosen,
  minimum,
}: {
  by: string[]
  value: string
  chosen: boolean
  minimum: number
}) => ({
  columns: [...by, value],
  ...(chosen && { where }),
  minimum,
})

describe('statistics of the order, by groups or of all rows', () => {
  it('extremes are those of an ordinary loop', () => {
    fc.assert(
      fc.property(scenario, given => {
        const { columns, rows } = asked({ kind: 'extremes' }, wantedOf(given), given.rows)
        expect(columns).toEqual([...given.by, 'smallest', 'largest'])
        expect(rows).toEqual(
          groupsIn(inside(given.rows, given.chosen), given.by, given.value).map(({ group, values }) =>
            values.length < given.minimum
              ? [...group, null, null]
              : [...group, money(values[0]!), money(values.at(-1)!)],
          ),
        )
      }),
      { numRuns: 80, seed: 20261121 },
    )
  })

  it('quantiles are the smallest value to which so much is at most equal', () => {
    const fractions = ['0', '0.25', '0.5', '0.333333', '1']
    fc.assert(
      fc.property(scenario, given => {
        const { columns, rows } = asked({ kind: 'quantiles', fractions }, wantedOf(given), given.rows)
        expect(columns).toEqual([...given.by, 'fraction', 'value'])
        expect(rows).toEqual(
          groupsIn(inside(given.rows, given.chosen), given.by, given.value).flatMap(({ group, values }) =>
            fractions.map(fraction => {
              const need = BigInt(Math.round(Number(fraction) * 1e6)) * BigInt(values.length)
              const found = values.find((_, i) => BigInt(i + 1) * 1_000_000n >= need)
              return [...group, fraction, values.length < given.minimum ? null : money(found!)]
            }),
          ),
        )
      }),
      { numRuns: 50, seed: 20261122 },
    )
  })

  it('a threshold is the k-th largest, where there are k', () => {
    const k = fc.integer({ min: 4, max: 8 })
    const enough = scenario.filter(({ rows }) => rows.length >= 8)
    fc.assert(
      fc.property(enough, k, (given, k) => {
        const { columns, rows } = asked({ kind: 'threshold', k }, wantedOf(given), given.rows)
        expect(columns).toEqual([...given.by, 'value'])
        expect(rows).toEqual(
          groupsIn(inside(given.rows, given.chosen), given.by, given.value).map(({ group, values }) => [
            ...group,
            values.length < k ? null : money(values.at(-k)!),
          ]),
        )
      }),
      { numRuns: 40, seed: 20261123 },
    )
  })

  it('are opened to the receivers alone', () => {
    const rows = Array.from({ length: 5 }, (_, i) => ({
      debt: BigInt(i),
      paid: 0n,
      h: 's',
      days: 1n,
      tax: 1n,
      k: 'a',
    }))
    const { opened } = asked({ kind: 'extremes' }, { columns: ['debt'] }, rows)
    expect(opened[1]).toBeUndefined()
    expect(opened[2]).toEqual(opened[0])
    expect(opened[0]!.passed).toEqual(new BigUint64Array([1n]))
  })

  it('of the widest columns and no rows open nothing', () => {
    for (const statistic of [
      { kind: 'extremes' },
      { kind: 'quantiles', fractions: ['0.5'] },
    ] satisfies Statistic[]) {
      const { rows } = asked(statistic, { columns: ['tax'] }, [])
      expect(rows.map(row => row.at(-1))).toEqual([null])
    }
  })

  it('are refused where an owner did not allow them, in a part of a value too', async () => {
    const plain = { columns: ['days'], rows: 20 }
    for (const statistic of [
      { kind: 'extremes' },
      { kind: 'quantiles', fractions: ['0.5'] },
      { kind: 'threshold', k: 10 },
    ] satisfies Statistic[]) {
      const { job, operation } = jobOf(statistic, plain)
      await expect(() => statisticOf(job, operation, [])).toThrowWithCode('SQL_REFUSED', 'mpc.order')
    }
  })

  it('refuse what they are not over', async () => {
    const refused = async (statistic: Statistic, wanted: Wanted, code: string, rule?: string) => {
      const { job, operation } = jobOf(statistic, { rows: 20, ...wanted })
      await expect(() => statisticOf(job, operation, [])).toThrowWithCode(code, rule)
    }
    const debt = { columns: ['debt'] }
    await refused({ kind: 'extremes' }, { columns: ['debt', 'paid'] }, 'JOB_INVALID')
    await refused({ kind: 'extremes' }, { columns: ['k'] }, 'JOB_INVALID')
    await refused({ kind: 'quantiles', fractions: ['0.5', '1.1'] }, debt, 'JOB_INVALID')
    await refused({ kind: 'quantiles', fractions: ['half'] }, debt, 'JOB_INVALID')
    await refused({ kind: 'threshold', k: 9 }, { ...debt, minimum: 10 }, 'JOB_INVALID')
    await refused({ kind: 'threshold', k: 21 }, debt, 'JOB_INVALID')
    await refused({ kind: 'covariance', digits: 2 }, { columns: ['k', 'debt'] }, 'SQL_REFUSED', 'mpc.key')
    const many = { ...debt, rows: 2 ** 24 + 1 }
    await refused({ kind: 'quantiles', fractions: ['0.5'] }, many, 'PARAMETER_INVALID', 'mpc.order')
  })

  it('state the memory that they need, and are refused beyond it', async () => {
    const statistic: Statistic = { kind: 'extremes' }
    const memoryFor = (columns: string[]) => {
      const { job, operation } = jobOf(statistic, { columns, rows: 1_000_000 })
      const limits = { ...job.limits, memory: 2 ** 31 }
      return () => checkMemory(running({ ...job, limits }, operation, queryOf(job, operation), 0, undefined))
    }
    expect(memoryFor(['debt'])).not.toThrow()
    await expect(memoryFor(['k', 'debt'])).toThrowWithCode('MEMORY_EXCEEDED', 'job.limits')
  })
})
