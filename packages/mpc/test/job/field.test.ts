import type { AggregateFunction } from '@sluice/core/plan'
import { type JointJob, type JointOperation, type Protocol, parseJob, runLocally } from '@sluice/mpc'
import { ORDER } from '@sluice/mpc/field'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  fieldChunkRows,
  fieldRunning,
  formOf,
  openFieldTotals,
  startField,
  totalFieldRows,
} from '../../dist/job/field.js'
import { queryOf } from '../../dist/job/query.js'
import { person } from '../session/parties.js'
import { CATEGORIES, c, forms, numeric, ownCondition, rowOf } from './asked.js'
import { columnsFor, type Row } from './locally.js'
import { makeJob } from './parties.js'
import { query } from './plans.js'

const base = await makeJob()

const parties = (roles: Readonly<Record<string, 'computing' | 'dealer' | 'provider'>>) =>
  Object.entries(roles).map(([name, role], i) => ({
    name,
    role,
    key: person(name).publicKey,
    ...(role === 'computing' && { host: '127.0.0.1', port: 7000 + i }),
  }))

const three = { bureau: 'computing', bank: 'computing', operator: 'computing' } as const
const more = { hospital: 'computing', university: 'computing' } as const
/** Owners are the bureau, the bank and the operator; results go to the bureau and the operator. */
const JOBS: [string, object][] = [
  ['Shamir, 2 of 3', { sharing: { kind: 'shamir', threshold: 2 }, parties: parties(three) }],
  ['Shamir, 3 of 5', { sharing: { kind: 'shamir', threshold: 3 }, parties: parties({ ...three, ...more }) }],
  [
    'Shamir, 2 of 3 and a provider',
    {
      sharing: { kind: 'shamir', threshold: 2 },
      parties: parties({
        bureau: 'computing',
        hospital: 'computing',
        bank: 'computing',
        operator: 'provider',
      }),
    },
  ],
  [
    'two, a dealer and a provider',
    {
      sharing: { kind: 'dealer' },
      parties: parties({ bureau: 'computing', bank: 'computing', court: 'dealer', operator: 'provider' }),
    },
  ],
  [
    'four and a dealer',
    { sharing: { kind: 'dealer' }, parties: parties({ ...three, hospital: 'computing', court: 'dealer' }) },
  ],
]

function jobOf(change: object, plan: unknown, rows: number, minimum = 1): JointJob {
  const operations = [{ name: 'asked', plan, receivers: ['bureau', 'operator'] }] as JointOperation[]
  const inputs = forms.map(form => ({ ...form, rows, fingerprint: '0'.repeat(64) }))
  return parseJob({ ...base, inputs, operations, minimumEntities: minimum, ...change })
}

type Opened = ReturnType<typeof openFieldTotals> extends Protocol<infer T> ? T : never

/** What every participant opens, without a network. */
function opened(job: JointJob, rows: readonly Row[], size: number) {
  const operation = job.operations[0]!
  const found = queryOf(job, operation)
  function* participant(self: number): Protocol<Opened> {
    const side = yield* startField(job, self, '00'.repeat(32), [formOf(found)])
    const run = fieldRunning(job, operation, found, self, side)
    let cells: { counts: BigUint64Array<ArrayBuffer>; sums: BigUint64Array<ArrayBuffer> } | undefined
    for (let start = 0; start === 0 || start < rows.length; start += size) {
      const part = rows.slice(start, start + size)
      const own = { rows: part.length, columns: columnsFor(found, part) }
      const next = yield* totalFieldRows(run, part.length, own)
      if (next === undefined) continue
      const plus = (a: BigUint64Array, b: BigUint64Array) =>
        BigUint64Array.from(a, (x, i) => (x + b[i]!) % ORDER)
      cells =
        cells === undefined
          ? next
          : { counts: plus(cells.counts, next.counts), sums: plus(cells.sums, next.sums) }
    }
    if ('settled' in side) cells = yield* side.settled(cells!, formOf(found))
    return yield* openFieldTotals(run, cells)
  }
  const run = runLocally(job.parties.map((_, self) => participant(self)))
  return { found, ...run, of: (name: string) => run.outputs[job.parties.findIndex(p => p.name === name)] }
}

const groupsOf = (keys: readonly string[]) =>
  keys.reduce<string[][]>(all => all.flatMap(group => CATEGORIES.map(key => [...group, key])), [[]])

describe.each(JOBS)('a job by %s', (_, change) => {
  it('opens what an ordinary evaluation of the same plan finds', () => {
    const asked = fc.record({
      rows: fc.array(rowOf, { maxLength: 24 }),
      where: fc.option(ownCondition, { freq: 3 }),
      groupBy: fc.subarray(['k0', 'k1', 'k2'], { maxLength: 2 }),
      aggregates: fc.array(
        fc.oneof(
          { weight: 1, arbitrary: fc.constant(['count', null] as const) },
          { weight: 4, arbitrary: fc.tuple(fc.constantFrom<AggregateFunction>('count', 'sum'), numeric) },
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
            aggregates.map(([of, value], i) => [`a${i}`, value === null ? [of] : [of, value.expression]]),
          ),
        })
        const { found, outputs, of } = opened(jobOf(change, plan, rows.length, minimum), rows, chunk)
        const result = of('bureau')!
        expect(of('operator')).toEqual(result)
        expect(outputs.filter(output => output !== undefined)).toHaveLength(2)
        const chosen = rows.filter(row => where === null || where.of(row) === true)
        groupsOf(groupBy).forEach((group, cell) => {
          const inside = chosen.filter(row => groupBy.every((key, i) => row[key] === group[i]))
          aggregates.forEach(([called, value], i) => {
            const { at } = found.outputs[groupBy.length + i]!
            const values = inside.map(row => (value === null ? 0n : value.of(row))).filter(v => v !== null)
            const passed = values.length >= minimum
            expect(result.passed[at]![cell]).toBe(passed ? 1n : 0n)
            expect(result.counts[at]![cell]).toBe(passed ? BigInt(values.length) : 0n)
            if (called === 'count') return
            const { scale } = (found.measures[at] as { value: { scale: number } }).value
            const sum = values.reduce((a, b) => a + b, 0n) * 10n ** BigInt(scale - 2)
            expect(result.sums[at]![cell]).toBe(passed ? sum : 0n)
          })
        })
      }),
      { numRuns: 80, seed: 20261121 },
    )
  })

  it('takes products of several owners’ values, to the edge of the field', () => {
    const edge = 2n ** 60n - 1n
    const product = c.multiply(c.multiply('y0', 'x1'), 'x2')
    const wide = forms.map(form => ({
      ...form,
      columns: form.columns.map(column =>
        column.type.kind === 'number'
          ? { ...column, type: { ...column.type, scale: 0, bound: '1048575' } }
          : column,
      ),
    }))
    const plan = query({ inputs: forms, aggregates: { p: ['sum', product], n: ['count', product] } })
    const inputs = wide.map(form => ({ ...form, rows: 1, fingerprint: '0'.repeat(64) }))
    const at = (y0: bigint, x1: bigint | null, x2: bigint): Row => ({
      ...Object.fromEntries(forms.flatMap(({ columns }) => columns.map(({ name }) => [name, null]))),
      y0,
      x1,
      x2,
    })
    const largest = 1_048_575n
    for (const [x, y, z] of [
      [largest, largest, largest],
      [largest, -largest, largest],
      [0n, -largest, largest],
      [1n, -1n, 1n],
    ] as const) {
      const result = opened(jobOf({ ...change, inputs }, plan, 1), [at(x, y, z)], 64).of('bureau')!
      expect(result.sums[0]![0]).toBe(x * y * z)
      expect(result.counts[0]![0]).toBe(1n)
    }
    expect(largest ** 3n).toBeLessThan(edge)
    expect(largest ** 3n * 2n).toBeGreaterThan(edge)
    expect(opened(jobOf({ ...change, inputs }, plan, 1), [at(1n, null, 1n)], 64).of('bureau')).toEqual({
      passed: [new BigUint64Array(1), new BigUint64Array(1)],
      counts: [new BigUint64Array(1), new BigUint64Array(1)],
      sums: [new BigInt64Array(1), new BigInt64Array(1)],
    })
  })

  it('takes 10^8 rows in chunks', () => {
    const plan = query({ inputs: forms, groupBy: ['k0', 'k1'], aggregates: { s: ['sum', 'x1'] } })
    const job = jobOf(change, plan, 100_000_000, 10)
    const [operation] = job.operations
    const run = fieldRunning(job, operation!, queryOf(job, operation!), 0, undefined as never)
    expect(fieldChunkRows(run)).toBeGreaterThan(10_000)
  })

  const refusals: [string, string, object, () => unknown][] = [
    [
      'a comparison across owners',
      'mpc.comparison',
      {},
      () => query({ inputs: forms, where: c.less('x0', 'x1'), aggregates: { n: ['count'] } }),
    ],
    [
      'the same below another condition',
      'mpc.comparison',
      {},
      () =>
        query({
          inputs: forms,
          where: c.or(c.isNull('x1'), c.not(c.equal('x0', 'x1'))),
          aggregates: { n: ['count'] },
        }),
    ],
    [
      'a total that could wrap',
      'mpc.bound',
      { rows: 2 ** 26 },
      () => query({ inputs: forms, aggregates: { s: ['sum', c.multiply('x0', 'x1')] } }),
    ],
    [
      'a minimum that has no test',
      'mpc.minimum',
      { minimum: 100_001 },
      () => query({ inputs: forms, aggregates: { n: ['count'] } }),
    ],
  ]
  it.each(refusals)(
    'refuses %s',
    async (_name, rule, { rows = 10, minimum = 10 }: { rows?: number; minimum?: number }, plan) => {
      await expect(() => jobOf(change, plan(), rows, minimum)).toThrowWithCode('SQL_REFUSED', rule)
    },
  )

  it('refuses a statistic, and a test that takes more memory than the job allows', async () => {
    const plan = query({ inputs: forms, aggregates: { n: ['count'] } })
    const root = plan.root.kind === 'aggregate' ? plan.root.input : plan.root
    const output = [{ name: 'x0', id: (c.expression('x0') as { id: number }).id }]
    const statistic = { kind: 'covariance', digits: 2 }
    const operations = [{ name: 'asked', plan: { ...plan, root, output }, statistic, receivers: ['bureau'] }]
    await expect(() => jobOf({ ...change, operations }, plan, 10)).toThrowWithCode(
      'SQL_REFUSED',
      'mpc.statistic',
    )
    const limits = { ...base.limits, memory: 2 ** 20 }
    await expect(() => jobOf({ ...change, limits }, plan, 10, 100_000)).toThrowWithCode(
      'MEMORY_EXCEEDED',
      'job.limits',
    )
  })
})

describe('a job’s roles', () => {
  const plan = query({ inputs: forms, aggregates: { n: ['count'] } })
  const broken: [string, string, object][] = [
    [
      'two that compute by replicated sharing',
      'parties',
      { parties: parties({ bureau: 'computing', bank: 'computing', operator: 'provider' }) },
    ],
    [
      'four that compute by replicated sharing',
      'parties',
      { parties: parties({ ...three, hospital: 'computing' }) },
    ],
    [
      'a dealer where none deals',
      'parties',
      { sharing: { kind: 'shamir', threshold: 2 }, parties: parties({ ...three, court: 'dealer' }) },
    ],
    ['no dealer where one deals', 'parties', { sharing: { kind: 'dealer' }, parties: parties(three) }],
    [
      'two dealers',
      'parties',
      { sharing: { kind: 'dealer' }, parties: parties({ ...three, court: 'dealer', notary: 'dealer' }) },
    ],
    [
      'a provider before the dealer',
      'parties',
      { sharing: { kind: 'dealer' }, parties: parties({ ...three, hospital: 'provider', court: 'dealer' }) },
    ],
    [
      'one that computes, and a dealer',
      'parties',
      {
        sharing: { kind: 'dealer' },
        parties: parties({ bureau: 'computing', court: 'dealer', bank: 'provider', operator: 'provider' }),
      },
    ],
    [
      'a threshold of which products have too few',
      'sharing.threshold',
      { sharing: { kind: 'shamir', threshold: 3 }, parties: parties(three) },
    ],
    [
      'a threshold of one',
      'sharing.threshold',
      { sharing: { kind: 'shamir', threshold: 1 }, parties: parties(three) },
    ],
    ['another sharing', 'sharing.kind', { sharing: { kind: 'other' } }],
    [
      'a dealer who gives an input',
      'inputs',
      {
        sharing: { kind: 'dealer' },
        parties: parties({ bureau: 'computing', bank: 'computing', operator: 'dealer' }),
      },
    ],
  ]
  it.each(broken)('with %s are refused', async (_, at, change) => {
    const made = () => jobOf(change, plan, 10)
    await expect(made).toThrowWithCode('JOB_INVALID', 'job')
    expect(made).toThrow(at)
  })

  it('let a dealer receive nothing', async () => {
    const roles = parties({ ...three, court: 'dealer' })
    const operations = [{ name: 'asked', plan, receivers: ['court'] }]
    const made = () => jobOf({ sharing: { kind: 'dealer' }, parties: roles, operations }, plan, 10)
    await expect(made).toThrowWithCode('JOB_INVALID', 'job')
  })
})
