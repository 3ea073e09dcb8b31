import type { InputForm, Statistic } from '@sluice/mpc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { queryOf } from '../../dist/job/query.js'
import { type Row, totalsOf } from './locally.js'
import { makeJob } from './parties.js'
import { columnsOf } from './plans.js'
import { statisticJobs } from './statistic-job.js'

/** So many that a few runs are of thousands of groups. */
const CATEGORIES = Array.from({ length: 500 }, (_, i) => `c${i}`)
const number = (name: string, nullable: boolean, scale: number, bound: string) =>
  ({ name, nullable, type: { kind: 'number', scale, bound } }) as const
const forms: InputForm[] = [
  {
    name: 'loans',
    owner: 'bank',
    entity: 'firm',
    columns: [
      number('debt', true, 2, '1000'),
      number('large', false, 0, '1000000000000'),
      { name: 'k', nullable: true, type: { kind: 'category', categories: CATEGORIES } },
    ],
  },
  {
    name: 'taxpayers',
    owner: 'bureau',
    entity: 'id',
    columns: [number('tax', true, 1, '1000'), number('staff', false, 0, '10')],
  },
]
const c = columnsOf(forms)
const jobOf = statisticJobs(await makeJob(), forms)

const rowOf: fc.Arbitrary<Row> = fc.record({
  debt: fc.option(fc.bigInt({ min: -100_000n, max: 100_000n }), { freq: 5 }),
  large: fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
  k: fc.option(fc.constantFrom(...CATEGORIES, 'other'), { freq: 6 }),
  tax: fc.option(fc.bigInt({ min: -30n, max: 30n }), { freq: 5 }),
  staff: fc.bigInt({ min: -2n, max: 2n }),
})
const given = fc.record({
  rows: fc.array(rowOf, { maxLength: 600 }),
  grouped: fc.integer({ min: 0, max: 9 }).map(drawn => drawn > 0),
  chosen: fc.boolean(),
  minimum: fc.integer({ min: 1, max: 4 }),
  digits: fc.integer({ min: 0, max: 4 }),
  size: fc.constantFrom(250, 256),
})
type Given = typeof given extends fc.Arbitrary<infer T> ? T : never
const where = c.less('staff', 'tax')

/** What is opened, by group, and the rows behind it that have a value in every column. */
function asked(statistic: Statistic, names: readonly string[], { rows, ...how }: Given) {
  const columns = [...(how.grouped ? ['k'] : []), ...names]
  const wanted = { columns, minimum: how.minimum, ...(how.chosen && { where }) }
  const { job, operation } = jobOf(statistic, { ...wanted, rows: rows.length })
  const { table, outputs } = totalsOf(job, operation, rows, { size: how.size })
  expect(outputs[1]).toBeUndefined()
  expect(table.columns.map(({ name }) => name)).toEqual([...(how.grouped ? ['k'] : []), statistic.kind])
  // 'staff' has no digits after the point, 'tax' one
  const inside = rows.filter(
    ({ staff, tax }) => !how.chosen || (tax !== null && 10n * (staff as bigint) < (tax as bigint)),
  )
  const groups = how.grouped ? CATEGORIES : [undefined]
  return groups.map((group, cell) => {
    const found = inside
      .filter(({ k }) => group === undefined || k === group)
      .map(row => names.map(name => row[name] as bigint | null))
      .filter((values): values is bigint[] => !values.includes(null))
    expect(table.rows[cell]!.slice(0, -1)).toEqual(group === undefined ? [] : [group])
    return { opened: table.rows[cell]!.at(-1)!, found, enough: found.length >= how.minimum }
  })
}

const sumOf = (values: readonly bigint[]) => values.reduce((a, b) => a + b, 0n)
const raw = (text: string) => BigInt(text.replace('.', ''))
const distance = (a: bigint, b: bigint) => (a < b ? b - a : a - b)

describe('of each group, on shares', () => {
  it('a mean is the exact quotient, rounded towards zero', () => {
    fc.assert(
      fc.property(given, asking => {
        const digits = asking.digits
        for (const { opened, found, enough } of asked({ kind: 'mean', digits }, ['debt'], asking)) {
          if (!enough) expect(opened).toBeNull()
          else {
            const sum = sumOf(found.map(([debt]) => debt!))
            expect(raw(opened)).toBe((sum * 10n ** BigInt(digits)) / BigInt(found.length))
          }
        }
      }),
      { numRuns: 5, seed: 20261121 },
    )
  })

  it('variance and standard deviation are those of a sample, to the last digit but one', () => {
    fc.assert(
      fc.property(given, asking => {
        const digits = Math.min(asking.digits, 3)
        for (const kind of ['variance', 'deviation'] as const) {
          for (const { opened, found, enough } of asked({ kind, digits }, ['debt'], asking)) {
            if (!enough) {
              expect(opened).toBeNull()
              continue
            }
            const values = found.map(([debt]) => debt!)
            const n = BigInt(values.length)
            const deviations = n * sumOf(values.map(x => x * x)) - sumOf(values) ** 2n
            const power = 10n ** BigInt(kind === 'deviation' ? 2 * digits : digits)
            const variance = n === 1n ? 0n : (deviations * power) / (n * (n - 1n))
            if (kind === 'variance') expect(distance(raw(opened), variance)).toBeLessThanOrEqual(1n)
            else {
              const root = raw(opened)
              expect((root - 1n) ** 2n).toBeLessThanOrEqual(variance === 0n ? 1n : variance)
              expect((root + 2n) ** 2n).toBeGreaterThan(variance)
            }
          }
        }
      }),
      { numRuns: 5, seed: 20261122 },
    )
  })

  it('a ratio is the exact quotient of the sums; by zero, and where it does not fit, nothing', () => {
    const digits = 9
    fc.assert(
      fc.property(given, fc.constantFrom('tax', 'staff'), (asking, divisor) => {
        for (const [name, places] of [
          ['debt', asking.digits],
          ['large', digits],
        ] as const) {
          const statistic: Statistic = { kind: 'ratio', digits: places }
          for (const { opened, found, enough } of asked(statistic, [name, divisor], asking)) {
            const [a, b] = [0, 1].map(i => sumOf(found.map(values => values[i]!))) as [bigint, bigint]
            const limit = 2n ** 61n / 10n ** BigInt(places)
            const fits = b !== 0n && distance(a, 0n) < limit * distance(b, 0n)
            if (!enough || !fits) expect(opened).toBeNull()
            else {
              const scale = places + (name === 'debt' ? 2 : 0) - (divisor === 'tax' ? 1 : 0)
              const quotient = (a * 10n ** BigInt(places)) / b
              expect(raw(opened)).toBe(scale < 0 ? quotient * 10n ** BigInt(-scale) : quotient)
            }
          }
        }
      }),
      { numRuns: 3, seed: 20261123 },
    )
  })

  // two more or fewer, as groups and owners are
  it('takes as many rounds as the documentation says', () => {
    const rows: Row[] = [{ debt: 5n, large: 1n, k: 'c0', tax: 1n, staff: 2n }]
    const rounds = (kind: 'mean' | 'ratio' | 'variance' | 'deviation') => {
      const columns = kind === 'ratio' ? ['large', 'staff'] : ['staff']
      const { job, operation } = jobOf({ kind, digits: 1 }, { columns, rows: 1 })
      return totalsOf(job, operation, rows).rounds
    }
    expect(Math.abs(rounds('mean') - 366 - 11)).toBeLessThanOrEqual(2)
    expect(Math.abs(rounds('ratio') - 399 - 11)).toBeLessThanOrEqual(2)
    expect(Math.abs(rounds('variance') - 1073 - 11)).toBeLessThanOrEqual(2)
    expect(Math.abs(rounds('deviation') - 1413 - 22)).toBeLessThanOrEqual(2)
  })

  const refusals: [string, Statistic, readonly string[], number, string][] = [
    ['two columns', { kind: 'mean', digits: 2 }, ['debt', 'tax'], 10, 'JOB_INVALID'],
    ['one column', { kind: 'ratio', digits: 2 }, ['debt'], 10, 'JOB_INVALID'],
    ['no column', { kind: 'variance', digits: 2 }, ['k'], 10, 'JOB_INVALID'],
    ['too many digits', { kind: 'mean', digits: 9 }, ['large'], 10, 'PARAMETER_INVALID'],
    ['too many digits', { kind: 'deviation', digits: 9 }, ['debt'], 10, 'PARAMETER_INVALID'],
    ['too large squares', { kind: 'variance', digits: 0 }, ['large'], 10, 'PARAMETER_INVALID'],
    ['too large sums', { kind: 'ratio', digits: 0 }, ['large', 'debt'], 1_000_000, 'SQL_REFUSED'],
  ]
  it.each(refusals)('is refused of %s', async (_, statistic, columns, rows, code) => {
    const { job, operation } = jobOf(statistic, { columns, rows })
    await expect(() => queryOf(job, operation)).toThrowWithCode(code)
  })
})
