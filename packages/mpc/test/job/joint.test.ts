import { createServer } from 'node:net'
import {
  type JointCell,
  type JointJob,
  jobDigest,
  type MeetEvent,
  parseJob,
  type RunJointOptions,
  runJoint,
} from '@sluice/mpc'
import { Bool, Decimal, Int32, Int64, makeData, Table, Utf8, Vector, vectorFromArray } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { people, person } from '../session/parties.js'

const ROWS = 400
const INDUSTRIES = ['农业', '制造', '服务']
const BANDS = ['low', 'high']

interface Row {
  readonly id: string
  readonly industry: string | null
  readonly band: string
  readonly tax: bigint
  readonly debt: bigint | null
  readonly days: number
}

/** Deterministic, with nulls, negative amounts, a rare category and one that no list has. */
const rows: Row[] = Array.from({ length: ROWS }, (_, i) => ({
  id: `E${String(i).padStart(4, '0')}`,
  industry: i % 50 === 0 ? null : i % 97 === 0 ? '采矿' : i % 131 < 4 ? '服务' : INDUSTRIES[i % 2]!,
  band: BANDS[i % 3 === 0 ? 1 : 0]!,
  tax: BigInt((i * 7919) % 100_000) - 20_000n,
  debt: i % 11 === 0 ? null : BigInt((i * 104_729) % 90_000),
  days: i % 120,
}))

const bureau = (given = rows): Table =>
  new Table({
    id: vectorFromArray(
      given.map(row => row.id),
      new Utf8(),
    ),
    industry: vectorFromArray(given.map(row => row.industry)),
    tax: decimals(given.map(row => row.tax)),
  })
const bank = (given = rows): Table =>
  new Table({
    id: vectorFromArray(
      given.map(row => row.id),
      new Utf8(),
    ),
    band: vectorFromArray(
      given.map(row => row.band),
      new Utf8(),
    ),
    debt: vectorFromArray(
      given.map(row => row.debt),
      new Int64(),
    ),
    days: vectorFromArray(
      given.map(row => row.days),
      new Int32(),
    ),
  })

function decimals(values: readonly bigint[]): Vector {
  const words = new Uint32Array(values.length * 4)
  values.forEach((value, row) => {
    for (let k = 0; k < 4; k++) words[row * 4 + k] = Number(BigInt.asUintN(32, value >> BigInt(32 * k)))
  })
  return new Vector([makeData({ type: new Decimal(2, 18, 128), length: values.length, data: words })])
}

async function ports(): Promise<number[]> {
  const servers = [0, 1, 2].map(() => createServer())
  const found = await Promise.all(
    servers.map(async server => {
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      return (server.address() as { port: number }).port
    }),
  )
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return found
}

async function job(change: Partial<JointJob> = {}): Promise<JointJob> {
  const free = await ports()
  return parseJob({
    version: 'sluice-joint/1',
    purpose: 'loans in arrears by industry and tax band',
    nonce: '0'.repeat(32),
    parties: people.map(({ name, publicKey }, i) => ({
      name,
      key: publicKey,
      host: '127.0.0.1',
      port: free[i],
    })),
    rows: ROWS,
    columns: [
      {
        name: 'industry',
        owner: 'bureau',
        type: { kind: 'category', categories: INDUSTRIES },
        nullable: true,
      },
      { name: 'tax', owner: 'bureau', type: { kind: 'number', scale: 2, bound: '1000' }, nullable: false },
      { name: 'band', owner: 'bank', type: { kind: 'category', categories: BANDS }, nullable: false },
      { name: 'debt', owner: 'bank', type: { kind: 'number', scale: 2, bound: '100000' }, nullable: true },
      { name: 'days', owner: 'bank', type: { kind: 'number', scale: 0, bound: '1000' }, nullable: false },
    ],
    where: [
      { column: 'days', is: '>=', than: { value: '30' } },
      { column: 'tax', is: '<', than: { column: 'debt' } },
    ],
    groupBy: ['industry', 'band'],
    totals: ['debt', 'tax'],
    minimumEntities: 10,
    receivers: ['bureau', 'bank'],
    seconds: 60,
    ...change,
  })
}

const everybody = (given: JointJob | readonly JointJob[], more: Partial<RunJointOptions>[] = []) =>
  Promise.allSettled(
    people.map((signer, self) => {
      const tables = [bureau(), bank(), undefined]
      const own = tables[self] === undefined ? {} : { input: tables[self], entity: 'id' }
      return runJoint(Array.isArray(given) ? given[self] : given, { signer, wait: 20, ...own, ...more[self] })
    }),
  )

/** By an ordinary loop over the joined table; Int64 debts are whole, so scaled by 100. */
function expected(minimum: number): JointCell[] {
  return INDUSTRIES.flatMap(industry =>
    BANDS.map(band => {
      const inside = rows.filter(
        row =>
          row.industry === industry &&
          row.band === band &&
          row.days >= 30 &&
          row.debt !== null &&
          row.tax < row.debt * 100n,
      )
      const group = [industry, band]
      if (inside.length < minimum) return { group, suppressed: true }
      const money = (cents: bigint) => {
        const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0')
        return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
      }
      const totals = [
        { count: inside.length, sum: money(inside.reduce((sum, row) => sum + row.debt! * 100n, 0n)) },
        { count: inside.length, sum: money(inside.reduce((sum, row) => sum + row.tax, 0n)) },
      ]
      return { group, suppressed: false, rows: inside.length, totals }
    }),
  )
}

const reasons = (results: PromiseSettledResult<unknown>[]) =>
  results.map(result => (result.status === 'rejected' ? result.reason : undefined))

describe('a joint job of a bureau, a bank and an operator', () => {
  it('opens to the receivers what an ordinary loop finds, and nothing below the minimum', async () => {
    const results = await everybody(await job())
    expect(reasons(results)).toEqual([undefined, undefined, undefined])
    const cells = results.map(result => (result.status === 'fulfilled' ? result.value.cells : undefined))
    expect(cells[0]).toEqual(expected(10))
    expect(cells[1]).toEqual(cells[0])
    expect(cells[2]).toBeUndefined()
    expect(cells[0]!.some(({ suppressed }) => suppressed)).toBe(true)
    expect(cells[0]!.some(({ suppressed }) => !suppressed)).toBe(true)
  })

  it.each(['<', '<=', '=', '!=', '>=', '>'] as const)('compares columns of two owners: %s', async is => {
    const where = [{ column: 'tax', is, than: { column: 'debt' } }]
    const results = await everybody(await job({ where, groupBy: [], totals: [], minimumEntities: 1 }))
    const test = { '<': (d: bigint) => d < 0n, '<=': (d: bigint) => d <= 0n, '=': (d: bigint) => d === 0n }
    const tests = {
      ...test,
      '!=': (d: bigint) => d !== 0n,
      '>=': (d: bigint) => d >= 0n,
      '>': (d: bigint) => d > 0n,
    }
    const count = rows.filter(row => row.debt !== null && tests[is](row.tax - row.debt * 100n)).length
    const [first] = results
    const [cell] = first?.status === 'fulfilled' ? first.value.cells! : []
    expect(cell).toEqual(
      count === 0
        ? { group: [], suppressed: true }
        : { group: [], suppressed: false, rows: count, totals: [] },
    )
  })

  it('a party with a changed job is named, and refused before any share leaves', async () => {
    const [theirs, changed] = await Promise.all([job(), job({ minimumEntities: 1 })])
    const same = { ...changed, parties: theirs.parties }
    const found = reasons(await everybody([theirs, same, theirs]))
    expect(found.map(error => error.code)).toEqual(['JOB_MISMATCH', 'JOB_MISMATCH', 'JOB_MISMATCH'])
    expect(found[0].facts.party).toBe('bank')
    expect(found[2].facts.party).toBe('bank')
  })

  it('rows in another order are refused before they are shared', async () => {
    const turned = bank([...rows].reverse())
    const found = reasons(await everybody(await job(), [{}, { input: turned }]))
    expect(found[0]).toMatchObject({ code: 'JOB_MISMATCH', rule: 'job.rows', facts: { party: 'bank' } })
    expect(found[1]).toMatchObject({ code: 'JOB_MISMATCH', rule: 'job.rows', facts: { party: 'bureau' } })
    expect(found[2].code).toBe('PEER_STOPPED')
  })

  it('a party that is interrupted ends the others’ sessions, and is named', async () => {
    const controller = new AbortController()
    let connected = 0
    const onEvent = (event: MeetEvent) => {
      // all three have met: before that, a party that is gone is one that never came
      if (event.kind === 'connected' && ++connected === 6) controller.abort()
    }
    const found = reasons(
      await everybody(await job(), [{ onEvent }, { signal: controller.signal, onEvent }, { onEvent }]),
    )
    expect(found[1].code).toBe('INTERRUPTED')
    for (const self of [0, 2]) {
      expect(['PEER_STOPPED', 'PEER_LOST']).toContain(found[self].code)
      expect(found[self].facts.party).toBe('bank')
    }
  })

  it('refuses inputs that are not the job’s, and shows no value', async () => {
    const signer = people[0]!
    const own = await job()
    const given = (input: Table, entity: string | undefined = 'id') =>
      runJoint(own, { signer, input, ...(entity !== undefined && { entity }), wait: 0.1 })
    await expect(given(bureau(rows.slice(1)))).toThrowWithCode('SCHEMA_INVALID', 'job.columns')
    await expect(given(bureau().select(['id', 'tax']))).toThrowWithCode('NAME_UNKNOWN')
    await expect(given(bureau(), 'tax')).toThrowWithCode('SCHEMA_INVALID', 'job.rows')
    await expect(given(bureau(rows.map(row => ({ ...row, id: 'E1' }))))).toThrowWithCode(
      'SCHEMA_INVALID',
      'job.rows',
    )
    const large = given(bureau(rows.map(row => ({ ...row, tax: 123_456_789n }))))
    await expect(large).toThrowWithCode('PARAMETER_INVALID', 'job.bound')
    await expect(large.catch(error => Promise.reject(new Error(JSON.stringify(error))))).rejects.not.toThrow(
      '123',
    )
    const flags = new Table({
      id: bureau().getChild('id')!,
      industry: bureau().getChild('industry')!,
      tax: vectorFromArray(
        rows.map(() => true),
        new Bool(),
      ),
    })
    await expect(given(flags)).toThrowWithCode('SCHEMA_INVALID', 'job.columns')
    await expect(runJoint(own, { signer: person('stranger') })).toThrowWithCode('JOB_INVALID')
  })
})

describe('a job file', () => {
  const broken: [string, (good: JointJob) => unknown][] = [
    ['an unknown key', good => ({ ...good, note: 'x' })],
    ['another version', good => ({ ...good, version: 'sluice-joint/2' })],
    ['two parties', good => ({ ...good, parties: good.parties.slice(0, 2) })],
    [
      'one key twice',
      good => ({
        ...good,
        parties: [good.parties[0], { ...good.parties[0], name: 'bank' }, good.parties[2]],
      }),
    ],
    [
      'an owner who takes no part',
      good => ({ ...good, columns: good.columns.map(c => ({ ...c, owner: 'x' })) }),
    ],
    ['a receiver who takes no part', good => ({ ...good, receivers: ['x'] })],
    ['a total of a category', good => ({ ...good, totals: ['industry'] })],
    ['a group by a number', good => ({ ...good, groupBy: ['tax'] })],
    ['a column that is not there', good => ({ ...good, totals: ['x'] })],
    [
      'a bound that lets a total wrap',
      good => ({
        ...good,
        columns: good.columns.map(c =>
          c.name === 'tax' ? { ...c, type: { kind: 'number', scale: 2, bound: '300000000000000' } } : c,
        ),
      }),
    ],
    [
      'a comparison of two scales',
      good => ({ ...good, where: [{ column: 'days', is: '<', than: { column: 'tax' } }] }),
    ],
    [
      'an order of categories',
      good => ({ ...good, where: [{ column: 'band', is: '<', than: { value: 'low' } }] }),
    ],
    [
      'a value with too many digits',
      good => ({ ...good, where: [{ column: 'tax', is: '<', than: { value: '1.234' } }] }),
    ],
    ['no minimum', good => ({ ...good, minimumEntities: 0 })],
    ['no object', () => null],
  ]

  it.each(broken)('with %s is refused', async (_, change) => {
    const good = await job()
    await expect(() => parseJob(change(good))).toThrowWithCode('JOB_INVALID')
    expect(parseJob(good)).toEqual(good)
  })

  it('has a digest that follows everything in it', async () => {
    const good = await job()
    expect(jobDigest(parseJob(JSON.parse(JSON.stringify(good))))).toBe(jobDigest(good))
    expect(jobDigest({ ...good, minimumEntities: 11 })).not.toBe(jobDigest(good))
  })
})
