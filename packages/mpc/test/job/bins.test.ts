import type { InputForm, Statistic } from '@sluice/mpc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkRows, running } from '../../dist/job/protocol.js'
import { queryOf } from '../../dist/job/query.js'
import { type Row, totalsOf } from './locally.js'
import { makeJob } from './parties.js'
import { columnsOf } from './plans.js'
import { statisticJobs, type Wanted } from './statistic-job.js'

const CATEGORIES = ['a', 'b']
const number = (name: string, nullable: boolean, scale = 2, bound = '1000') =>
  ({ name, nullable, type: { kind: 'number', scale, bound } }) as const

/** Two owners' columns, and the model of a third. */
const forms: InputForm[] = [
  {
    name: 'loans',
    owner: 'bank',
    entity: 'firm',
    columns: [
      number('debt', true),
      number('days', false, 0),
      { name: 'k', nullable: true, type: { kind: 'category', categories: CATEGORIES } },
    ],
  },
  {
    name: 'taxpayers',
    owner: 'bureau',
    entity: 'id',
    columns: [number('tax', true), number('staff', false, 0)],
  },
]
const card: InputForm = {
  name: 'card',
  owner: 'operator',
  entity: 'version',
  columns: [
    number('wd', false, 3, '10'),
    number('wt', false, 1, '10'),
    number('w0', false, 0),
    number('lost', true, 0),
    { name: 'kind', nullable: false, type: { kind: 'category', categories: ['x'] } },
  ],
}
const c = columnsOf(forms)
const jobOf = statisticJobs(await makeJob(), forms, card)

const decimal = (value: bigint, scale: number) => {
  if (scale === 0) return value.toString()
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

const rowOf: fc.Arbitrary<Row> = fc.record({
  debt: fc.option(fc.bigInt({ min: -300n, max: 300n }), { freq: 5 }),
  days: fc.bigInt({ min: -3n, max: 3n }),
  k: fc.option(fc.constantFrom(...CATEGORIES, 'other'), { freq: 6 }),
  tax: fc.option(fc.bigInt({ min: -300n, max: 300n }), { freq: 5 }),
  staff: fc.bigInt({ min: 0n, max: 9n }),
})
const given = fc.record({
  rows: fc.array(rowOf, { maxLength: 40 }),
  grouped: fc.boolean(),
  chosen: fc.boolean(),
  minimum: fc.integer({ min: 1, max: 4 }),
  size: fc.constantFrom(3, 64),
})
const where = c.lessOrEqual('days', 'staff')

/** An ordinary loop: by group and bin, how many and what their totals are. */
function expected(
  rows: readonly Row[],
  { grouped, chosen, minimum }: { grouped: boolean; chosen: boolean; minimum: number },
  valueIn: (row: Row) => bigint | null,
  bins: readonly { labels: string[]; from: bigint; below?: bigint }[],
  totals: readonly { name: string; scale: number }[],
) {
  const inside = rows.filter(row => !chosen || (row['days'] as bigint) <= (row['staff'] as bigint))
  return (grouped ? CATEGORIES : [null]).flatMap(group =>
    bins.map(({ labels, from, below }) => {
      const found = inside.filter(row => {
        const value = valueIn(row)
        if (value === null || (group !== null && row['k'] !== group)) return false
        return value >= from && (below === undefined || value < below)
      })
      const sums = totals.map(({ name, scale }) => {
        const values = found.map(row => row[name] as bigint | null).filter(value => value !== null)
        return values.length < minimum
          ? null
          : decimal(
              values.reduce((a, b) => a + b, 0n),
              scale,
            )
      })
      const count = found.length < minimum ? null : String(found.length)
      return [...(group === null ? [] : [group]), ...labels, count, ...sums]
    }),
  )
}

describe('a histogram', () => {
  it('is that of an ordinary loop, by group, chunk by chunk, with totals of other columns', () => {
    const edges = ['-2', '-0.5', '0', '1.25']
    const scaledEdges = [-200n, -50n, 0n, 125n]
    const bins = edges.slice(1).map((below, i) => ({
      labels: [edges[i]!, below],
      from: scaledEdges[i]!,
      below: scaledEdges[i + 1]!,
    }))
    fc.assert(
      fc.property(given, asked => {
        const columns = [...(asked.grouped ? ['k'] : []), 'debt', 'tax', 'staff']
        const statistic: Statistic = { kind: 'histogram', edges, totals: ['tax', 'staff'] }
        const wanted = { columns, minimum: asked.minimum, ...(asked.chosen && { where }) }
        const { job, operation } = jobOf(statistic, { ...wanted, rows: asked.rows.length })
        const { table, outputs } = totalsOf(job, operation, asked.rows, { size: asked.size })
        expect(outputs[1]).toBeUndefined()
        expect(table.columns.map(({ name }) => name)).toEqual([
          ...(asked.grouped ? ['k'] : []),
          'from',
          'below',
          'count',
          'tax',
          'staff',
        ])
        const totals = [
          { name: 'tax', scale: 2 },
          { name: 'staff', scale: 0 },
        ]
        const found = expected(asked.rows, asked, row => row['debt'] as bigint | null, bins, totals)
        expect(table.rows).toEqual(found)
      }),
      { numRuns: 40, seed: 20261121 },
    )
  })
})

describe('scores under secret weights', () => {
  const weights = { debt: 'wd', tax: 'wt' }
  const model = fc.record({
    wd: fc.bigInt({ min: -10_000n, max: 10_000n }),
    wt: fc.bigInt({ min: -100n, max: 100n }),
    w0: fc.bigInt({ min: -1000n, max: 1000n }),
    lost: fc.constant(null),
    kind: fc.constant('x'),
  })
  /** Scaled by 10^5: three digits of the one weight, two of its column. */
  const scoreOf = (row: Row, card: Row, intercept: boolean) => {
    const [debt, tax] = [row['debt'], row['tax']] as (bigint | null)[]
    if (debt === null || tax === null) return null
    const [wd, wt, w0] = [card['wd'], card['wt'], card['w0']] as bigint[]
    return wd! * debt! + wt! * tax! * 100n + (intercept ? w0! * 100_000n : 0n)
  }

  it('are counted and their rows totalled, by bin and group, as an ordinary loop does', () => {
    fc.assert(
      fc.property(given, model, fc.boolean(), fc.boolean(), (asked, card, intercept, edged) => {
        const edges = ['-100', '-0.00001', '3.5']
        const scaledEdges = [-10_000_000n, -1n, 350_000n]
        const statistic: Statistic = {
          kind: 'score',
          model: 'card',
          weights,
          ...(intercept && { intercept: 'w0' }),
          ...(edged ? { edges } : { threshold: '-0.00001' }),
          totals: ['debt', 'staff'],
        }
        const columns = [...(asked.grouped ? ['k'] : []), 'tax', 'debt', 'staff']
        const wanted = { columns, minimum: asked.minimum, ...(asked.chosen && { where }) }
        const { job, operation } = jobOf(statistic, { ...wanted, rows: asked.rows.length })
        const { table } = totalsOf(job, operation, asked.rows, { size: asked.size, model: card })
        const bins = edged
          ? edges.slice(1).map((below, i) => ({
              labels: [edges[i]!, below],
              from: scaledEdges[i]!,
              below: scaledEdges[i + 1]!,
            }))
          : [{ labels: ['-0.00001'], from: -1n }]
        const totals = [
          { name: 'debt', scale: 2 },
          { name: 'staff', scale: 0 },
        ]
        const found = expected(asked.rows, asked, row => scoreOf(row, card, intercept), bins, totals)
        expect(table.rows).toEqual(found)
      }),
      { numRuns: 60, seed: 20261122 },
    )
  })

  it('do not depend on the order in which the job’s file names the weights', () => {
    const rows: Row[] = [{ debt: 100n, tax: 100n, days: 0n, staff: 0n, k: 'a' }]
    const card: Row = { wd: 1000n, wt: -20n, w0: 0n, lost: null, kind: 'x' }
    for (const named of [weights, { tax: 'wt', debt: 'wd' }]) {
      const statistic: Statistic = {
        kind: 'score',
        model: 'card',
        weights: named,
        edges: ['-1.5', '-1', '0'],
      }
      const { job, operation } = jobOf(statistic, { columns: ['debt', 'tax'], rows: 1 })
      const { table } = totalsOf(job, operation, rows, { model: card })
      expect(table.rows.map(row => row[2])).toEqual([null, '1'])
    }
  })

  const score = { kind: 'score', model: 'card', weights, threshold: '0' } as const
  const refusals: [string, Statistic, Wanted, string][] = [
    ['a model that is not there', { ...score, model: 'other' }, { columns: ['debt', 'tax'] }, 'JOB_INVALID'],
    ['a model of many rows', { ...score, model: 'loans' }, { columns: ['debt', 'tax'] }, 'JOB_INVALID'],
    [
      'a weight that is not there',
      { ...score, weights: { debt: 'w9' } },
      { columns: ['debt'] },
      'JOB_INVALID',
    ],
    [
      'a weight that can be null',
      { ...score, weights: { debt: 'lost' } },
      { columns: ['debt'] },
      'JOB_INVALID',
    ],
    [
      'a weight that is no number',
      { ...score, weights: { debt: 'kind' } },
      { columns: ['debt'] },
      'JOB_INVALID',
    ],
    ['no weights', { ...score, weights: {} }, { columns: ['k'] }, 'JOB_INVALID'],
    ['a weight of no column', score, { columns: ['debt'] }, 'JOB_INVALID'],
    ['a column without a weight', score, { columns: ['debt', 'tax', 'days'] }, 'JOB_INVALID'],
    ['a total of no column', { ...score, totals: ['days'] }, { columns: ['debt', 'tax'] }, 'JOB_INVALID'],
    ['edges and a threshold', { ...score, edges: ['0', '1'] }, { columns: ['debt', 'tax'] }, 'JOB_INVALID'],
    [
      'neither edges nor a threshold',
      { kind: 'score', model: 'card', weights },
      { columns: ['debt', 'tax'] },
      'JOB_INVALID',
    ],
    [
      'a threshold of more digits',
      { ...score, threshold: '0.000001' },
      { columns: ['debt', 'tax'] },
      'JOB_INVALID',
    ],
    [
      'an edge too far',
      { kind: 'histogram', edges: ['0', '9200000000000000000'] },
      { columns: ['debt'] },
      'SQL_REFUSED',
    ],
    [
      'edges that do not rise',
      { kind: 'histogram', edges: ['1', '1'] },
      { columns: ['debt'] },
      'JOB_INVALID',
    ],
    [
      'a histogram of two',
      { kind: 'histogram', edges: ['0', '1'] },
      { columns: ['debt', 'tax'] },
      'JOB_INVALID',
    ],
  ]
  it.each(refusals)('refuse %s', async (_, statistic, wanted, code) => {
    const { job, operation } = jobOf(statistic, { ...wanted, rows: 20 })
    await expect(() => queryOf(job, operation)).toThrowWithCode(code)
  })

  it('take 10^8 rows chunk by chunk, and are refused where no chunk fits', async () => {
    const { job, operation } = jobOf(score, { columns: ['debt', 'tax'], rows: 100_000_000 })
    const run = running(job, operation, queryOf(job, operation), 0, undefined)
    expect(chunkRows(run)).toBeGreaterThan(10_000)
    const edges = Array.from({ length: 200 }, (_, i) => String(i))
    const fine = jobOf({ kind: 'histogram', edges }, { columns: ['debt'], rows: 1000 })
    const small = { ...fine.job, limits: { ...fine.job.limits, memory: 2 ** 20 } }
    const needy = running(small, fine.operation, queryOf(small, fine.operation), 0, undefined)
    await expect(() => chunkRows(needy)).toThrowWithCode('MEMORY_EXCEEDED', 'job.limits')
  })
})
