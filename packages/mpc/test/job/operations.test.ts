import type { AggregateFunction, ScalarType } from '@sluice/core/plan'
import type { JointJob, JointOperation, Statistic } from '@sluice/mpc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkRows, running } from '../../dist/job/protocol.js'
import { queryOf } from '../../dist/job/query.js'
import { checkMemory, checkStatistic } from '../../dist/job/statistics/statistic.js'
import { CATEGORIES, c, condition, forms, numeric, rowOf } from './asked.js'
import { type Row, statisticOf as statisticLocally, totalsOf } from './locally.js'
import { leftOverOf } from './meaning.js'
import { makeJob } from './parties.js'
import { query } from './plans.js'

const base = await makeJob()

function jobOf(plan: unknown, rows: number, minimum: number): { job: JointJob; operation: JointOperation } {
  const operation = { name: 'asked', plan, receivers: ['bureau', 'operator'] } as JointOperation
  const inputs = forms.map(form => ({ ...form, rows, fingerprint: '0'.repeat(64) }))
  return { job: { ...base, inputs, operations: [operation], minimumEntities: minimum }, operation }
}

const someRows: Row[] = Array.from({ length: 120 }, (_, i) => ({
  x0: BigInt((i * 37) % 400) - 150n,
  y0: i % 9 === 0 ? null : BigInt((i * 53) % 300),
  k0: 'a',
  x1: i % 7 === 0 ? null : BigInt((i * 37) % 400) * 2n + BigInt((i * 11) % 30),
  y1: BigInt((i * 29) % 250),
  k1: 'b',
  x2: null,
  y2: BigInt(i),
  k2: null,
}))

/** Rows of the first two tables with a condition across both, and what stands of them by an ordinary loop. */
function statisticOf(statistic: Statistic, names: readonly string[], minimum = 10) {
  const plan = query({ inputs: forms.slice(0, 2), where: c.less('y1', 'x1'), aggregates: { n: ['count'] } })
  const root = plan.root.kind === 'aggregate' ? plan.root.input : plan.root
  const output = names.map(name => ({ name, id: (c.expression(name) as { id: number }).id }))
  const { job, operation: drafted } = jobOf({ ...plan, root, output }, someRows.length, minimum)
  const { rows, opened } = statisticLocally(job, { ...drafted, statistic }, someRows)
  expect(opened[1]).toBeUndefined()
  expect(opened[2]).toEqual(opened[0])
  const inside = someRows
    .filter(row => row['x1'] !== null && (row['y1'] as bigint) < (row['x1'] as bigint))
    .map(row => names.map(name => (row[name] === null ? null : Number(row[name]) / 100)))
    .filter(row => !row.includes(null)) as number[][]
  return { rows, inside }
}

describe('a statistic of rows on shares', () => {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  const covariance = (rows: readonly number[][], i: number, j: number) => {
    const [a, b] = [mean(rows.map(row => row[i]!)), mean(rows.map(row => row[j]!))]
    return rows.reduce((sum, row) => sum + (row[i]! - a) * (row[j]! - b), 0) / (rows.length - 1)
  }

  it('covariances and correlations are those of an ordinary computation', () => {
    const names = ['x0', 'y0', 'x1']
    const one = statisticOf({ kind: 'covariance', digits: 2 }, names)
    expect(one.inside.length).toBeGreaterThan(50)
    const pairs = [0, 1, 2].flatMap(i => [0, 1, 2].filter(j => j >= i).map(j => [i, j] as const))
    expect(one.rows.map(row => row.slice(0, 2))).toEqual(pairs.map(([i, j]) => [names[i], names[j]]))
    one.rows.forEach((row, place) => {
      expect(Number(row[2])).toBeCloseTo(covariance(one.inside, ...pairs[place]!), 4)
    })
    const other = statisticOf({ kind: 'correlation', digits: 6 }, names)
    const different = pairs.filter(([i, j]) => i !== j)
    other.rows.forEach((row, place) => {
      const [i, j] = different[place]!
      const of = (a: number, b: number) => covariance(other.inside, a, b)
      expect(Number(row[2])).toBeCloseTo(of(i, j) / Math.sqrt(of(i, i) * of(j, j)), 4)
    })
  })

  it('a regression finds the line', () => {
    const { rows, inside } = statisticOf({ kind: 'regression', digits: 6 }, ['x0', 'x1'])
    const slope = covariance(inside, 0, 1) / covariance(inside, 0, 0)
    expect(rows.map(([name]) => name)).toEqual(['x0', 'intercept'])
    expect(Number(rows[0]![1])).toBeCloseTo(slope, 3)
    const intercept = mean(inside.map(row => row[1]!)) - slope * mean(inside.map(row => row[0]!))
    expect(Number(rows[1]![1])).toBeCloseTo(intercept, 2)
  })

  it('of fewer than the minimum is not opened', () => {
    const few = statisticOf({ kind: 'covariance', digits: 2 }, ['x0'], 1000)
    expect(few.rows).toEqual([['x0', 'x0', null]])
  })

  it('refuses bounds and rows that are too many for it before anybody signs', async () => {
    const plan = query({ inputs: forms.slice(0, 2), aggregates: { n: ['count'] } })
    const root = plan.root.kind === 'aggregate' ? plan.root.input : plan.root
    const output = [{ name: 'x0', id: (c.expression('x0') as { id: number }).id }]
    const { job, operation } = jobOf({ ...plan, root, output }, someRows.length, 10)
    const covariance = { ...operation, statistic: { kind: 'covariance', digits: 2 } as const }
    const found = queryOf(job, covariance)
    expect(() => checkStatistic(job, covariance, found)).not.toThrow()
    await expect(() => checkStatistic(job, covariance, { ...found, rows: 2 ** 30 })).toThrowWithCode(
      'PARAMETER_INVALID',
      'mpc.moments',
    )
  })

  it('refuses what it is not over', async () => {
    await expect(() => statisticOf({ kind: 'regression', digits: 2 }, ['x0'])).toThrowWithCode('JOB_INVALID')
    await expect(() => statisticOf({ kind: 'covariance', digits: 2 }, ['k0'])).toThrowWithCode('SQL_REFUSED')
  })

  it('states the memory that it needs whole, and is refused beyond it', async () => {
    const plan = query({ inputs: forms.slice(0, 1), aggregates: { n: ['count'] } })
    const root = plan.root.kind === 'aggregate' ? plan.root.input : plan.root
    const { job, operation } = jobOf({ ...plan, root, output: [{ name: 'x0', id: 1 }] }, 50_000_000, 10)
    const asked = { ...operation, statistic: { kind: 'covariance', digits: 2 } as const }
    const run = running(job, asked, queryOf(job, asked), 0, undefined)
    await expect(() => checkMemory(run)).toThrowWithCode('MEMORY_EXCEEDED', 'job.limits')
  })
})

describe('an operation on shares', () => {
  const settled = { opened: 0, few: 0, leftOver: 0 }

  it('opens what an ordinary evaluation of the same plan finds, whatever it asks', () => {
    const asked = fc.record({
      rows: fc.array(rowOf, { maxLength: 24 }),
      where: fc.option(condition, { freq: 6 }),
      groupBy: fc.subarray(['k0', 'k1', 'k2'], { maxLength: 2 }),
      aggregates: fc.array(
        fc.tuple(
          fc.constantFrom<AggregateFunction>('count', 'sum'),
          numeric,
          fc.option(condition, { freq: 2 }),
        ),
        { minLength: 1, maxLength: 3 },
      ),
      minimum: fc.integer({ min: 1, max: 4 }),
      chunk: fc.constantFrom(1, 5, 64),
    })
    fc.assert(
      fc.property(asked, ({ rows, where, groupBy, aggregates, minimum, chunk }) => {
        const plan = query({
          inputs: forms,
          ...(where !== null && { where: where.expression }),
          groupBy,
          aggregates: Object.fromEntries(
            aggregates.map(([of, value, filter], i) => [
              `a${i}`,
              [of, value.expression, filter?.expression ?? null],
            ]),
          ),
        })
        const leftOver = leftOverOf(plan, c, forms)
        const { job, operation } = jobOf(plan, rows.length, minimum)
        const { found, outputs } = totalsOf(job, operation, rows, { size: chunk })
        expect(outputs[1]).toBeUndefined()
        expect(outputs[2]).toEqual(outputs[0])
        const groups = groupBy.reduce<string[][]>(
          (all, _) => all.flatMap(g => CATEGORIES.map(k => [...g, k])),
          [[]],
        )
        const chosen = rows.filter(row => where === null || where.of(row) === true)
        groups.forEach((group, cell) => {
          const inside = chosen.filter(row => groupBy.every((key, i) => row[key] === group[i]))
          aggregates.forEach(([of, value, filter], i) => {
            const { at } = found.outputs[groupBy.length + i]!
            const picked = inside.filter(row => filter === null || filter.of(row) === true)
            const values = picked.map(row => value.of(row)).filter(v => v !== null)
            const nobodyOrEnough = leftOver[i]!.every(rows => {
              const { length } = inside.filter(row => rows(row))
              return length === 0 || length >= minimum
            })
            const passed = values.length >= minimum && nobodyOrEnough
            settled[passed ? 'opened' : nobodyOrEnough ? 'few' : 'leftOver']++
            expect(outputs[0]!.passed[at]![cell]).toBe(passed ? 1n : 0n)
            expect(outputs[0]!.counts[at]![cell]).toBe(passed ? BigInt(values.length) : 0n)
            if (of === 'sum') {
              const scale = found.measures[at]!.kind === 'values' ? found.measures[at]!.value.scale : 2
              const sum = values.reduce((a, b) => a + b, 0n) * 10n ** BigInt(scale - 2)
              expect(outputs[0]!.sums[at]![cell]).toBe(passed ? sum : 0n)
            }
          })
        })
      }),
      { numRuns: 120, seed: 20261121 },
    )
    for (const times of Object.values(settled)) expect(times).toBeGreaterThan(30)
  })

  it('takes 10^8 rows in chunks that fit the job’s memory, and refuses where none does', async () => {
    const plan = query({
      inputs: forms,
      groupBy: ['k0', 'k1', 'k2'],
      aggregates: { n: ['count'], s: ['sum', 'x1'] },
    })
    const { job, operation } = jobOf(plan, 100_000_000, 10)
    const run = running(job, operation, queryOf(job, operation), 0, undefined)
    const rows = chunkRows(run)
    expect(rows).toBeGreaterThan(10_000)
    const smaller = { ...run, job: { ...job, limits: { ...job.limits, memory: 2 ** 20 } } }
    expect(chunkRows(smaller)).toBeLessThan(rows)
    const wide = query({
      inputs: forms,
      groupBy: ['k0', 'k1', 'k2'],
      aggregates: Object.fromEntries(
        Array.from({ length: 40 }, (_, i) => [
          `s${i}`,
          ['sum', c.add(c.multiply('x0', 'x1'), c.multiply('y1', i + 2))],
        ]),
      ),
    })
    const other = jobOf(wide, 1000, 10)
    const needy = running(
      { ...other.job, limits: { ...job.limits, memory: 2 ** 20 } },
      other.operation,
      queryOf(other.job, other.operation),
      0,
      undefined,
    )
    await expect(() => chunkRows(needy)).toThrowWithCode('MEMORY_EXCEEDED', 'job.limits')
  })

  it('guards every aggregate whose evidence is defined, whatever stands beside it', () => {
    const product = c.multiply('x0', 'x1')
    const guardsOf = (more: Record<string, Parameters<typeof query>[0]['aggregates'][string]>) => {
      const defined = { p: ['sum', product], n: ['count'], valued: ['count', 'x1'] } as const
      const { job, operation } = jobOf(
        query({ inputs: forms, aggregates: { ...defined, ...more } }),
        1000,
        10,
      )
      return queryOf(job, operation).guards!
    }
    const guards = guardsOf({})
    expect(guards.map(({ enough, noneOrEnough }) => [enough.length, noneOrEnough.length])).toEqual([
      [1, 0],
      [0, 0],
      [0, 1],
    ])
    expect(guardsOf({ mixed: ['sum', c.add(product, 'y1')] })).toEqual([
      ...guards,
      { enough: [], noneOrEnough: [] },
    ])
  })

  const refusals: [string, string, () => unknown][] = [
    [
      'division',
      'mpc.expression',
      () => query({ inputs: forms, aggregates: { a: ['sum', c.divide('x0', 'x1')] } }),
    ],
    ['a total of text', 'mpc.expression', () => query({ inputs: forms, aggregates: { a: ['sum', 'k0'] } })],
    [
      'a total of a constant',
      'mpc.expression',
      () => query({ inputs: forms, aggregates: { a: ['sum', 3] } }),
    ],
    [
      'a group by the entity',
      'mpc.key',
      () => query({ inputs: forms, groupBy: ['e0'], aggregates: { a: ['count'] } }),
    ],
    [
      'a text that the list lacks',
      'mpc.category',
      () => query({ inputs: forms, where: c.equal('k0', c.text('z')), aggregates: { a: ['count'] } }),
    ],
    [
      'an order of texts',
      'mpc.expression',
      () => query({ inputs: forms, where: c.less('k0', c.text('a')), aggregates: { a: ['count'] } }),
    ],
    [
      'two texts compared',
      'mpc.expression',
      () => query({ inputs: forms, where: c.equal('k0', 'k1'), aggregates: { a: ['count'] } }),
    ],
    [
      'the entity compared',
      'mpc.entity',
      () => query({ inputs: forms, where: c.equal('e0', c.text('a')), aggregates: { a: ['count'] } }),
    ],
    ['the entity counted', 'mpc.entity', () => query({ inputs: forms, aggregates: { a: ['count', 'e0'] } })],
    [
      'products that could wrap',
      'mpc.bound',
      () =>
        query({
          inputs: forms,
          aggregates: { a: ['sum', c.multiply(c.multiply('x0', 'x1'), c.multiply('x2', 'y1'))] },
        }),
    ],
    [
      'an aggregate’s filter where no evidence is defined',
      'mpc.filter',
      () =>
        query({
          inputs: forms,
          aggregates: { a: ['sum', c.add(c.multiply('x0', 'x1'), 'y1'), c.isNotNull('x1')] },
        }),
    ],
    [
      'more differences between cells than are tested',
      'mpc.overlaps',
      () => {
        const counts = Array.from({ length: 7 }, (_, i) => [`n${i}`, ['count', c.multiply('x1', i + 2)]])
        return query({ inputs: forms, aggregates: Object.fromEntries(counts) })
      },
    ],
    [
      'an average that chooses in its argument',
      'mpc.conditional',
      () => query({ inputs: forms, aggregates: { a: ['average', c.either(c.less('x0', 'x1'), 'y1', 0)] } }),
    ],
    [
      'distinct values',
      'mpc.distinct',
      () =>
        changed(plan => ({
          ...plan,
          root: {
            ...plan.root,
            aggregates: [{ ...plan.root.aggregates[0], argument: c.expression('x0'), distinct: true }],
          },
        })),
    ],
    [
      'an order of the first cells',
      'mpc.shape',
      () =>
        changed(plan => {
          const input = { kind: 'limit', input: plan.root, count: 3, offset: 0 }
          return { ...plan, root: { kind: 'sort', input, keys: [] } }
        }),
    ],
    [
      'single rows',
      'mpc.shape',
      () => changed(plan => ({ ...plan, root: plan.root.input, output: [{ name: 'x', id: 1 }] })),
    ],
    [
      'inputs side by side',
      'mpc.join',
      () =>
        changed(plan => ({
          ...plan,
          root: { ...plan.root, input: { ...plan.root.input, condition: c.isNotNull('x0') } },
        })),
    ],
    [
      'an outer join',
      'mpc.join',
      () =>
        changed(plan => ({ ...plan, root: { ...plan.root, input: { ...plan.root.input, type: 'left' } } })),
    ],
    [
      'public lists alone',
      'mpc.shape',
      () => query({ inputs: forms.slice(0, 1), groupBy: ['k0'], aggregates: {} }),
    ],
    [
      'parameters',
      'mpc.parameters',
      () => changed(plan => ({ ...plan, parameters: [{ name: 'p', type: { kind: 'text' } }] })),
    ],
  ]

  it.each(refusals)('refuses %s, by rule %s', async (_, rule, make) => {
    const { job, operation } = jobOf(make(), 1_000_000, 10)
    await expect(() => queryOf(job, operation)).toThrowWithCode('SQL_REFUSED', rule)
  })

  it('refuses what is computed from numbers that have more digits than the plan takes them for', async () => {
    const plan = query({
      inputs: forms.slice(0, 1),
      aggregates: { product: ['sum', c.multiply('x0', 'y0')] },
    })
    const taken = (type: ScalarType) => {
      const sum = { kind: 'column', id: 2000, type } as const
      const predicate = { kind: 'call', type: { kind: 'boolean' }, function: 'isNotNull', arguments: [sum] }
      const { root } = plan
      if (root.kind !== 'aggregate') throw new TypeError('no aggregate')
      const aggregates = root.aggregates.map(column => ({ ...column, type }))
      const changed = { ...plan, root: { kind: 'filter', predicate, input: { ...root, aggregates } } }
      const { job, operation } = jobOf(changed, 100, 10)
      return () => queryOf(job, operation)
    }
    const decimal = (scale: number) => ({ kind: 'decimal', precision: 38, scale }) as const
    expect(taken(decimal(4))).not.toThrow()
    await expect(taken(decimal(3))).toThrowWithCode('PARAMETER_INVALID', 'mpc.scale')
    await expect(taken({ kind: 'integer', bits: 64, signed: true })).toThrowWithCode(
      'PARAMETER_INVALID',
      'mpc.scale',
    )
  })
})

// biome-ignore lint/suspicious/noExplicitAny: plans that are changed so as to be refused
function changed(change: (plan: any) => unknown): unknown {
  return change(query({ inputs: forms, aggregates: { a: ['count'] } }))
}
