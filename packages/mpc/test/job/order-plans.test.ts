import { isSluiceError, type SluiceError } from '@sluice/core'
import { type AggregateColumn, leastEntities } from '@sluice/core/plan'
import { type InputForm, type JointOperation, parseJob } from '@sluice/mpc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkPickedMemory } from '../../dist/job/ordered.js'
import { running } from '../../dist/job/protocol.js'
import { type Query, queryOf } from '../../dist/job/query.js'
import { type Row, totalsOf } from './locally.js'
import { makeJob } from './parties.js'
import { columnsOf, query } from './plans.js'

const CATEGORIES = { k: ['a', 'b'], h: ['s', 't'] }
const number = (name: string, nullable: boolean, orderStatistics = true) => {
  const type = { kind: 'number', scale: 2, bound: '1000' } as const
  return { name, nullable, type: orderStatistics ? { ...type, orderStatistics } : type } as const
}
const category = (name: 'k' | 'h', nullable: boolean) =>
  ({ name, nullable, type: { kind: 'category', categories: CATEGORIES[name] } }) as const

/** Values of two owners, a group of each, conditions over both. */
const forms: InputForm[] = [
  {
    name: 'loans',
    owner: 'bank',
    entity: 'firm',
    columns: [number('debt', true), number('shy', false, false), category('h', false)],
  },
  {
    name: 'taxpayers',
    owner: 'bureau',
    entity: 'id',
    columns: [number('tax', false), category('k', true)],
  },
]
const c = columnsOf(forms)
const base = await makeJob()

type Aggregates = Parameters<typeof query>[0]['aggregates']
interface Wanted {
  readonly by?: readonly string[]
  readonly where?: ReturnType<typeof c.less>
  readonly minimum?: number
}

function asked(aggregates: Aggregates, rows: readonly Row[], { by = [], where, minimum = 2 }: Wanted = {}) {
  const plan = query({ inputs: forms, ...(where && { where }), groupBy: by, aggregates })
  const operation: JointOperation = { name: 'asked', plan, receivers: ['bureau', 'operator'] }
  const inputs = forms.map(form => ({ ...form, rows: rows.length, fingerprint: '0'.repeat(64) }))
  const job = parseJob({ ...base, inputs, operations: [operation], minimumEntities: minimum })
  return totalsOf(job, operation, rows, { size: Math.max(64, rows.length) })
}

function failure(work: () => unknown): SluiceError {
  try {
    work()
  } catch (error) {
    if (isSluiceError(error)) return error
    throw error
  }
  throw new Error('it did not fail')
}

const money = (value: bigint) => {
  const digits = (value < 0n ? -value : value).toString().padStart(3, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}
const ascending = (values: bigint[]) => values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))

/** What is asked of one column, and where in n values it stands. */
interface Statistic {
  readonly called: AggregateColumn['function']
  readonly more?: Pick<AggregateColumn, 'rank' | 'fraction'>
  readonly place?: { readonly millionths: number; readonly offset: number }
  at(n: number): number
}
const minimum: Statistic = { called: 'minimum', at: () => 1 }
const maximum: Statistic = { called: 'maximum', at: n => n }
const ranks: Statistic[] = [
  ...[0.5, 0.25, 0.9, 0.333333].map(
    (part): Statistic => ({
      called: 'quantile',
      more: { fraction: String(part) },
      place: { millionths: Math.round(part * 1e6), offset: 0 },
      at: n => Math.ceil((n * Math.round(part * 1e6)) / 1e6),
    }),
  ),
  ...[2, 3, 5].flatMap((rank): Statistic[] => [
    { called: 'minimum', more: { rank }, place: { millionths: 0, offset: rank }, at: () => rank },
    {
      called: 'maximum',
      more: { rank },
      place: { millionths: 1e6, offset: 1 - rank },
      at: n => n + 1 - rank,
    },
  ]),
]

const rowOf: fc.Arbitrary<Row> = fc.record({
  debt: fc.option(
    fc.oneof(fc.bigInt({ min: -100_000n, max: 100_000n }), fc.constantFrom(0n, 5n, 100_000n, -100_000n)),
    { freq: 5 },
  ),
  shy: fc.bigInt({ min: -60_000n, max: 90_000n }),
  h: fc.constantFrom(...CATEGORIES.h),
  tax: fc.bigInt({ min: -3n, max: 3n }),
  k: fc.option(fc.constantFrom(...CATEGORIES.k, 'other'), { freq: 6 }),
})
const scenario = fc.record({
  rows: fc.array(rowOf, { maxLength: 48 }),
  by: fc.subarray(['h', 'k'] as const),
  value: fc.constantFrom('debt' as const, 'tax' as const),
  chosen: fc.boolean(),
  minimum: fc.integer({ min: 1, max: 4 }),
  statistics: fc.subarray([minimum, maximum, ...ranks], { minLength: 1, maxLength: 3 }),
})
const where = c.less('shy', 'debt')
const isChosen = (row: Row) => row['debt'] !== null && (row['shy'] as bigint) < (row['debt'] as bigint)

describe('order statistics as aggregates of a plan', () => {
  it('are those of an ordinary loop, where the minimum stands on both sides and between them', () => {
    const counts = { shown: 0, held: 0, refused: 0 }
    fc.assert(
      fc.property(scenario, ({ rows, by, value, chosen, minimum, statistics }) => {
        const least = statistics.map(({ place }) =>
          place === undefined
            ? minimum
            : leastEntities(
                {
                  place,
                  others: statistics.flatMap(other =>
                    other.place && other.place !== place ? [other.place] : [],
                  ),
                },
                minimum,
              ),
        )
        const aggregates: Aggregates = {
          ...Object.fromEntries(
            statistics.map(({ called, more }, i) => [`s${i}`, [called, value, null, more] as const]),
          ),
          total: ['sum', value],
        }
        const run = () => asked(aggregates, rows, { by, minimum, ...(chosen && { where }) })
        if (!least.every(Number.isFinite)) {
          expect(failure(run)).toMatchObject({ code: 'SQL_REFUSED', rule: 'mpc.order' })
          counts.refused++
          return
        }
        const { table, outputs } = run()
        const inside = chosen ? rows.filter(isChosen) : rows
        const groups = by.reduce<string[][]>(
          (before, key) => before.flatMap(group => CATEGORIES[key].map(category => [...group, category])),
          [[]],
        )
        for (const [cell, group] of groups.entries()) {
          const own = inside.filter(row => by.every((key, i) => row[key] === group[i]))
          const values = ascending(own.map(row => row[value] as bigint).filter(x => x !== null))
          const n = values.length
          const found = table.rows[cell]!.slice(group.length)
          statistics.forEach((statistic, i) => {
            const place = statistic.at(n)
            expect(found[i]).toBe(n >= least[i]! ? money(values[place - 1]!) : null)
            // how many there are is not opened beside it
            expect(outputs[0]!.counts[i]![cell]).toBe(n >= least[i]! ? BigInt(minimum) : 0n)
            counts[found[i] === null ? 'held' : 'shown']++
            if (found[i] === null || statistic.place === undefined) return
            expect(Math.min(place, n - place + 1)).toBeGreaterThanOrEqual(minimum)
            for (const other of statistics.slice(0, i))
              if (other.place !== undefined)
                expect(Math.abs(other.at(n) - place)).toBeGreaterThanOrEqual(minimum)
          })
          expect(found.at(-1)).toBe(n >= minimum ? money(values.reduce((a, b) => a + b, 0n)) : null)
        }
      }),
      { numRuns: 60, seed: 20261122 },
    )
    expect(Math.min(counts.shown, counts.held, counts.refused)).toBeGreaterThan(5)
  })

  it('of what a condition picks, where what it leaves is nobody’s or enough', () => {
    const rowsOf = (left: number): Row[] =>
      Array.from({ length: 12 }, (_, i) => ({
        debt: BigInt(100 * i),
        shy: i < left ? 100_000n : -1n,
        h: 's',
        tax: 0n,
        k: 'a',
      }))
    const found = (left: number) =>
      asked({ half: ['quantile', 'debt', where, { fraction: '0.5' }] }, rowsOf(left)).table.rows
    expect(found(0)).toEqual([['5.00']])
    expect(found(1)).toEqual([[null]])
    expect(found(2)).toEqual([['6.00']])
  })

  it('are refused where an owner does not allow them, over expressions, and by secret keys', () => {
    const rows: Row[] = Array.from({ length: 8 }, (_, i) => ({
      debt: 1n,
      shy: BigInt(i),
      h: 's',
      tax: 2n,
      k: 'a',
    }))
    const ruleOf = (aggregates: Aggregates, wanted?: Wanted) =>
      failure(() => asked(aggregates, rows, wanted)).rule
    expect(ruleOf({ m: ['minimum', 'shy'] })).toBe('mpc.order')
    expect(ruleOf({ m: ['maximum', c.add('debt', 'tax')] })).toBe('mpc.order')
    expect(ruleOf({ m: ['maximum', 'debt', null, { rank: 3 }] }, { minimum: 4 })).toBe('mpc.order')
    expect(ruleOf({ m: ['maximum', 'debt'] }, { by: ['shy'] })).toBe('mpc.order')
    expect(asked({ m: ['maximum', 'debt', null, { rank: 2 }] }, rows).table.rows).toEqual([['0.01']])
  })

  it('are kept apart whatever conditions pick their rows, and in whichever operations', () => {
    const rows: Row[] = Array.from({ length: 60 }, (_, i) => ({
      debt: BigInt(100 * (i + 1)),
      shy: -1n,
      h: 's',
      tax: 0n,
      k: 'a',
    }))
    const rank = (rank: number, filter: ReturnType<typeof c.less> | null = null) =>
      ['maximum', 'debt', filter, { rank }] as const
    const found = (aggregates: Aggregates) => {
      try {
        return asked(aggregates, rows, { minimum: 10 }).table.rows
      } catch (error) {
        if (isSluiceError(error)) return `${error.rule} ${error.message}`
        throw error
      }
    }
    const few = c.less('shy', 50)
    expect(found({ a: rank(10), b: rank(20) })).toEqual([['51.00', '41.00']])
    expect(found({ a: rank(10, few), b: rank(20, few) })).toEqual([['51.00', '41.00']])
    expect(found({ a: rank(10, few), b: rank(11, few) })).toContain('below the minimum of entities')
    for (const other of [c.less('shy', 50.01), c.less(1, 2), c.isNotNull('tax')])
      for (const asking of [
        { a: rank(10), b: rank(11, other) },
        { a: rank(10, few), b: rank(11, other) },
      ])
        expect(found(asking)).toMatch(/^mpc.order .* that may be the same but for a few/)

    const jobOf = (...all: Aggregates[]) => {
      const inputs = forms.map(form => ({ ...form, rows: 60, fingerprint: '0'.repeat(64) }))
      const operations = all.map((aggregates, i) => ({
        name: `asked${i}`,
        plan: query({ inputs: forms, aggregates }),
        receivers: ['bureau'],
      }))
      return parseJob({ ...base, inputs, operations, minimumEntities: 10 })
    }
    for (const other of [rank(11), rank(30), rank(10, few)])
      expect(failure(() => jobOf({ a: rank(10) }, { n: ['count'] }, { a: other }))).toMatchObject({
        code: 'SQL_REFUSED',
        rule: 'mpc.order',
        message: expect.stringContaining('"asked0" and "asked2"'),
      })
    const others: Aggregates = { t: ['maximum', 'tax', null, { rank: 11 }], m: ['maximum', 'debt'] }
    expect(jobOf({ a: rank(10) }, others, { b: rank(10) }).operations).toHaveLength(3)
  })

  it('are of no reference table, where people are joined with it', () => {
    const [loans, taxpayers] = forms as [InputForm, InputForm]
    const listed = [loans, { ...taxpayers, reference: true } as const]
    const run = (column: string, of: InputForm[]) => {
      const inputs = of.map(form => ({ ...form, rows: 60, fingerprint: '0'.repeat(64) }))
      const plan = query({ inputs: of, of: forms, aggregates: { m: ['maximum', column] } })
      return parseJob({ ...base, inputs, operations: [{ name: 'asked', plan, receivers: ['bureau'] }] })
    }
    expect(failure(() => run('tax', listed))).toMatchObject({ rule: 'mpc.order' })
    expect(failure(() => run('tax', listed)).message).toContain('reference table')
    expect(run('debt', listed).operations).toHaveLength(1)
    expect(run('tax', [listed[1]!]).operations).toHaveLength(1)
  })

  it('state the memory that they need, what guards them included', () => {
    const inputs = forms.map(form => ({ ...form, rows: 1000, fingerprint: '0'.repeat(64) }))
    const filter = c.less('shy', 'debt')
    const plan = query({ inputs: forms, aggregates: { a: ['maximum', 'debt', filter] } })
    const operation = { name: 'asked', plan, receivers: ['bureau'] }
    const job = parseJob({ ...base, inputs, operations: [operation] })
    const asking = queryOf(job, operation)
    const needed = (guards: Query['guards']) => {
      const limits = { ...job.limits, memory: 1 }
      const run = running(
        { ...job, limits },
        operation,
        { ...asking, ...(guards && { guards }) },
        0,
        undefined,
      )
      return failure(() => checkPickedMemory(run)).facts?.['needed']
    }
    // eight elements of 32 bytes in each row for a condition that is counted beside, and two shares of its outcome
    expect(asking.guards![0]!.noneOrEnough).toHaveLength(1)
    const without = needed([{ enough: [], noneOrEnough: [] }]) as number
    expect(needed(asking.guards)).toBe(without + 1000 * (8 + 2) * 32)
  })

  it('of no rows at all nothing is opened', () => {
    const none = asked({ m: ['minimum', 'debt'], q: ['quantile', 'tax', null, { fraction: '0.5' }] }, [])
    expect(none.table.rows).toEqual([[null, null]])
  })
})
