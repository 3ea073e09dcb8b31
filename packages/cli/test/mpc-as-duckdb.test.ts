import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KeyFile } from '@sluice/ledger/keys'
import {
  examine,
  fingerprintKey,
  freshJob,
  type InputForm,
  inOrder,
  jobDigest,
  MPC_ENGINE,
  MpcExecutor,
  parseJob,
  reservePort,
  runJoint,
} from '@sluice/mpc'
import { Approver, Zone } from '@sluice/sandbox'
import { Int32, Table, Utf8, vectorFromArray } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

type Name = 'operator' | 'bureau' | 'bank' | 'auditor' | 'research'
type Release = Awaited<ReturnType<Zone['run']>>
type Value = string | number | null
type Row = Readonly<Record<string, Value>>

const code = { kind: 'code', alphabet: '0123456789C', length: 4 } as const
const number = (bound: string) => ({ kind: 'number', scale: 0, bound }) as const
const ordered = (bound: string) => ({ ...number(bound), orderStatistics: true }) as const
const column = <T>(name: string, type: T, nullable = false) => ({ name, nullable, type })

/** By its name: the form of a table, its rows, and what its policy lets be done with each column and protects. */
const TABLES: Readonly<
  Record<
    string,
    {
      readonly form: InputForm
      readonly rows: readonly Row[]
      readonly uses: Readonly<Record<string, string>>
      readonly protects?: string
    }
  >
> = {
  loans: {
    form: {
      name: 'loans',
      owner: 'bank',
      entity: 'firm',
      columns: [
        column('band', { kind: 'category', categories: ['low', 'middle', 'high'] }),
        column('debt', ordered('10000'), true),
        column('days', number('200')),
      ],
    },
    rows: Array.from({ length: 150 }, (_, i) => ({
      firm: `E${1000 + i}`,
      band: i % 37 === 5 ? 'middle' : i % 3 === 0 ? 'high' : 'low',
      debt: i % 11 === 0 ? null : ((i * 7919) % 6000) - 900,
      days: 1 + ((i * 13) % 120),
    })),
    uses: { firm: 'join', band: 'group', debt: 'aggregate, filter, order', days: 'aggregate, filter' },
  },
  taxpayers: {
    form: {
      name: 'taxpayers',
      owner: 'bureau',
      entity: 'id',
      columns: [column('tax', ordered('10000'))],
    },
    rows: Array.from({ length: 150 }, (_, i) => ({
      id: `E${1000 + i}`,
      tax: ((i * 104_729) % 5000) - 1200 || 1,
    })),
    uses: { id: 'join', tax: 'aggregate, filter, order, extreme' },
  },
  accounts: {
    form: {
      name: 'accounts',
      owner: 'bank',
      entity: 'borrower',
      columns: [
        column('borrower', code),
        column('amount', number('100000'), true),
        column('overdue', number('1000')),
      ],
    },
    rows: Array.from({ length: 130 }, (_, i) => ({
      borrower: `C${100 + (i % 65)}`,
      amount: i % 9 === 0 ? null : ((i * 31) % 400) - 60,
      overdue: (i * 7) % 120,
    })),
    uses: { borrower: 'join', amount: 'aggregate, filter', overdue: 'filter' },
  },
  companies: {
    form: {
      name: 'companies',
      owner: 'bureau',
      entity: 'company',
      columns: [column('company', code), column('district', number('999')), column('size', number('1000'))],
    },
    rows: Array.from({ length: 65 }, (_, i) => ({
      company: `C${100 + i}`,
      district: i < 4 ? 30 : i % 2 === 0 ? 5 : 12,
      size: (i * 17) % 300,
    })),
    uses: { company: 'join', district: 'group', size: 'filter' },
  },
  permits: {
    form: {
      name: 'permits',
      owner: 'bank',
      entity: 'permit',
      columns: [
        column('band', { kind: 'category', categories: ['low', 'high'] }),
        column('fee', ordered('1000'), true),
      ],
    },
    rows: Array.from({ length: 120 }, (_, i) => ({
      permit: `P${1000 + i}`,
      band: i < 80 ? 'low' : 'high',
      fee: i < 3 ? null : 7 * i,
    })),
    uses: { permit: 'join', band: 'group', fee: 'aggregate, filter, order, extreme' },
    protects: 'row',
  },
}

const policyOf = ({
  form: { owner, entity },
  uses,
  protects = `{column: ${entity}}`,
}: (typeof TABLES)[string]) => `version: 1
owner: ${owner}
grade: 1
entity: ${protects}
disclosure: {minimumEntities: 10}
purposes: [statistics]
consumers: [research]
columns:
${Object.entries(uses)
  .map(
    ([name, allowed]) =>
      `  ${name}: {role: ${name === entity ? 'identifier' : 'attribute'}, uses: [${allowed}]}`,
  )
  .join('\n')}
`

let root = ''
let keys: Record<Name, KeyFile>
/** One has all rows, the other a specimen of each table. */
let whole: Zone
let apart: Zone

async function zoneOf(name: string, rowsOf: (rows: readonly Row[]) => readonly Row[]): Promise<Zone> {
  const zone = await Zone.init(
    join(root, name),
    [
      { role: 'operator', signer: keys.operator },
      { role: 'provider', signer: keys.bureau },
      { role: 'auditor', signer: keys.auditor },
    ],
    { engine: { mode: 'process', warm: 0 } },
  )
  for (const [party, role] of [
    ['bank', 'provider'],
    ['research', 'consumer'],
  ] as const) {
    const principal = { name: party, role, key: keys[party].publicKey }
    await zone.principals.change({ action: 'enrol', principal }, [keys.bureau, keys.auditor])
  }
  for (const [table, given] of Object.entries(TABLES)) {
    const from = join(root, `${name}-${table}.csv`)
    const names = Object.keys(given.uses)
    const lines = rowsOf(given.rows).map(row => names.map(column => row[column] ?? '').join())
    await writeFile(from, `${[names.join(), ...lines].join('\n')}\n`)
    await zone.datasets.add(
      { name: table, from, policy: policyOf(given) },
      keys[given.form.owner as 'bank' | 'bureau'],
    )
  }
  return zone
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-mpc-as-duckdb-'))
  const names: Name[] = ['operator', 'bureau', 'bank', 'auditor', 'research']
  const made = names.map(async name => [name, await KeyFile.generate(join(root, `${name}.key`), { name })])
  keys = Object.fromEntries(await Promise.all(made))
  whole = await zoneOf('whole', rows => rows)
  apart = await zoneOf('apart', rows => [rows.find(row => !Object.values(row).includes(null))!])
})

afterAll(async () => {
  await whole?.close()
  await apart?.close()
  await rm(root, { recursive: true, force: true })
})

const arrowTable = ({ form, rows, uses }: (typeof TABLES)[string]): Table => {
  const texts = new Set([form.entity, 'band'])
  const table = new Table(
    Object.fromEntries(
      Object.keys(uses).map(name => [
        name,
        vectorFromArray(
          rows.map(row => row[name]!),
          texts.has(name) ? new Utf8() : new Int32(),
        ),
      ]),
    ),
  )
  return inOrder(table, form)
}

/** The owners of the tables in it sign what the consumer asks. */
async function approved(zone: Zone, asked: Parameters<Zone['requests']['submit']>[0]): Promise<string> {
  const { id } = await zone.requests.submit(asked, keys.research)
  const asksFor = Object.values(TABLES).filter(({ form }) => asked.sql.includes(form.name))
  for (const owner of new Set(asksFor.map(({ form }) => form.owner as Name))) {
    const approver = new Approver(keys[owner])
    const request = approver.review(zone.requests.export(id))
    await zone.approvals.import(await approver.approve(request, { digest: request.digest }))
  }
  return id
}

async function byDuckDb(sql: string): Promise<Release> {
  return whole.run(await approved(whole, { sql, purpose: 'statistics' }), keys.operator)
}

async function byParties(sql: string, names: readonly string[]): Promise<Release> {
  const { plan } = await apart.requests.preview({ sql, purpose: 'statistics' }, 'research')
  const given = names.map(name => TABLES[name]!)
  const tables = new Map(given.map(table => [table.form.name, arrowTable(table)]))
  const inputs = given.map(async ({ form }) => {
    const key = await fingerprintKey(keys[form.owner as Name])
    const { rows, fingerprint } = await examine(tables.get(form.name)!, form, key)
    return { ...form, rows, fingerprint }
  })
  const parties = (['operator', 'bureau', 'bank'] as const).map(async name => ({
    name,
    role: 'computing' as const,
    key: keys[name].publicKey,
    host: '127.0.0.1',
    port: await reservePort(),
  }))
  const job = parseJob({
    ...freshJob(),
    purpose: 'what the plan says',
    parties: await Promise.all(parties),
    inputs: await Promise.all(inputs),
    operations: [{ name: 'asked', plan, receivers: ['operator'] }],
    minimumEntities: 10,
    limits: { seconds: 120, bytes: 1e9, memory: 2 ** 30 },
  })
  const aggregation = { engine: MPC_ENGINE, digest: jobDigest(job) }
  const id = await approved(apart, { sql, purpose: 'statistics', aggregation })
  const executor = new MpcExecutor()
  const released = apart.run(id, keys.operator, {
    engine: {
      engine: executor.engine,
      execute: (of, request, options) =>
        executor.execute(of, { job, request, signer: keys.operator, wait: 60 }, options),
    },
  })
  const others = (['bureau', 'bank'] as const).map(name => {
    const own = given.filter(({ form }) => form.owner === name)
    return runJoint(job, {
      signer: keys[name],
      wait: 60,
      inputs: Object.fromEntries(own.map(({ form }) => [form.name, tables.get(form.name)!])),
    })
  })
  const [release] = await Promise.all([released, ...others])
  return release
}

/** Numbers as they are, whatever they lie in. */
const plain = (value: unknown): Value => {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'bigint') return Number(value)
  const words = [...(value as Uint32Array)]
  return Number(
    BigInt.asIntN(
      128,
      words.reduce((all, word, place) => all + (BigInt(word) << BigInt(32 * place)), 0n),
    ),
  )
}
const rowsOf = ({ table }: Release) =>
  table.toArray().map(row => Object.entries(row.toJSON()).map(([name, value]) => [name, plain(value)]))
const typesOf = ({ table }: Release) => table.schema.fields.map(({ name, type }) => [name, String(type)])

/** Doubles agree to so many parts; everything else is the same. */
function expectSame(found: Release, expected: Release): void {
  expect(typesOf(found)).toEqual(typesOf(expected))
  const [actual, wanted] = [rowsOf(found), rowsOf(expected)]
  expect(actual.map(row => row.map(([name]) => name))).toEqual(wanted.map(row => row.map(([name]) => name)))
  wanted.forEach((row, at) => {
    row.forEach(([name, value], place) => {
      const [, other] = actual[at]![place]!
      const where = `${name} of row ${at}: ${other}, and ${value}`
      if (typeof value !== 'number' || typeof other !== 'number') expect(other, where).toBe(value)
      else expect(Math.abs(other - value), where).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(value)))
    })
  })
}

const cells = (release: Release) => rowsOf(release).flatMap(row => row.map(([, value]) => value))

describe('a plan that parties compute on shares', () => {
  it('has the result that DuckDB has over all rows: totals, conditions of both owners, nulls', async () => {
    const sql = `SELECT band, count(*) AS firms, count(debt) AS owing, sum(debt) AS debt, avg(debt) AS mean,
      count(*) FILTER (WHERE debt > tax) AS strained,
      sum(CASE WHEN days > 30 AND tax < 0 THEN debt ELSE 0 END) AS late,
      sum(debt * tax) AS product, avg(tax) FILTER (WHERE days <= 100) AS prompt,
      count(*) FILTER (WHERE days < 118) AS most
      FROM loans JOIN taxpayers ON firm = id WHERE days < 120 GROUP BY band`
    const [expected, found] = [await byDuckDb(sql), await byParties(sql, ['loans', 'taxpayers'])]
    expectSame(found, expected)
    // there is something to hide, and something to show
    expect(cells(expected)).toContain(null)
    expect(cells(expected).filter(value => value !== null).length).toBeGreaterThan(10)
    expect(expected.table.numRows).toBe(2)
  })

  it('has it where secret keys bring rows together and make the groups', async () => {
    const sql = `SELECT district, count(*) AS accounts, sum(amount) AS owed, avg(amount) AS mean,
      count(*) FILTER (WHERE amount > size) AS large, sum(amount) FILTER (WHERE overdue > 60) AS late,
      count(*) FILTER (WHERE size < 290) AS most
      FROM accounts JOIN companies ON borrower = company WHERE overdue > 5 GROUP BY district`
    const [expected, found] = [await byDuckDb(sql), await byParties(sql, ['accounts', 'companies'])]
    expectSame(found, expected)
    expect(cells(expected)).toContain(null)
    expect(expected.table.numRows).toBe(2)
  })

  it('has it where more is made of the cells: variance, covariance, slope, ratio, HAVING, an order', async () => {
    const n = 'CAST(count(*) AS HUGEINT)'
    const sql = `SELECT band, count(*) AS firms,
      (sum(tax * tax) - sum(tax) * sum(tax) / count(tax)) / (count(tax) - 1) AS variance,
      sqrt((sum(days * days) - sum(days) * sum(days) / count(days)) / count(days)) AS deviation,
      (sum(days * tax) - sum(days) * sum(tax) / count(*)) / (count(*) - 1) AS covariance,
      (${n} * sum(days * tax) - sum(days) * sum(tax)) / (${n} * sum(days * days) - sum(days) * sum(days)) AS slope,
      round(sum(debt) / sum(days), 2) AS daily, avg(debt) - avg(tax) AS difference,
      CASE WHEN avg(debt) > 2000 THEN 'above' ELSE 'below' END AS level,
      sum(tax) > 0 AND NOT count(debt) IN (1, 2) AS pays
      FROM loans JOIN taxpayers ON firm = id WHERE days < 120 GROUP BY band
      HAVING count(*) > 20 ORDER BY sum(tax) DESC, band LIMIT 2`
    const [expected, found] = [await byDuckDb(sql), await byParties(sql, ['loans', 'taxpayers'])]
    expectSame(found, expected)
    expect(cells(expected).filter(value => value !== null).length).toBeGreaterThan(12)
    expect(expected.table.numRows).toBe(2)
  })

  it('holds back what is made of a count that tells, beside another, how few rows have no value', async () => {
    const sql = `SELECT band, count(fee) AS paid, coalesce(count(*), 0) AS permits,
      CASE WHEN count(*) > 50 THEN 'large' ELSE 'small' END AS size
      FROM permits GROUP BY band`
    const [expected, found] = [await byDuckDb(sql), await byParties(sql, ['permits'])]
    expectSame(found, expected)
    expect(cells(expected)).toEqual(expect.arrayContaining(['low', 77, null, 'high', 40, 'small']))
    expect(found.suppressions).toEqual(expected.suppressions)
    expect(found.suppressions).not.toEqual([])
  })

  it('has its minima, maxima, quantiles and ranks, and holds back those with too few on a side', async () => {
    const sql = `SELECT band, min(tax) AS low, max(tax) AS high, quantile_disc(tax, 0.5) AS half,
      quantile_disc(debt, 0.25) AS quarter, max(debt, 20)[20] AS top, min(tax, 15)[15] AS fifteenth,
      count(debt) AS owing, sum(debt) AS debt,
      quantile_disc(tax, 0.5) - avg(tax) AS skew
      FROM loans JOIN taxpayers ON firm = id WHERE tax < 3600 GROUP BY band`
    const [expected, found] = [await byDuckDb(sql), await byParties(sql, ['loans', 'taxpayers'])]
    expectSame(found, expected)
    expect(found.suppressions).toEqual(expected.suppressions)
    expect(cells(expected)).toContain(null)
    expect(cells(expected).filter(value => value !== null).length).toBeGreaterThan(8)
    expect(expected.table.numRows).toBe(2)
    const prompt = `SELECT band, quantile_disc(debt, 0.9) FILTER (WHERE days <= 60) AS prompt, count(debt) AS owing
      FROM loans JOIN taxpayers ON firm = id WHERE tax < 3600 GROUP BY band`
    expectSame(await byParties(prompt, ['loans', 'taxpayers']), await byDuckDb(prompt))
  })

  it('has them of rows that are entities, with nulls and an order by them', async () => {
    const sql = `SELECT band, quantile_disc(fee, 0.75) AS upper, quantile_disc(fee, 0.5) AS half, max(fee) AS most
      FROM permits GROUP BY band HAVING max(fee) > 1 ORDER BY quantile_disc(fee, 0.5) DESC LIMIT 2`
    const [expected, found] = [await byDuckDb(sql), await byParties(sql, ['permits'])]
    expectSame(found, expected)
    // 40 high ones are enough for the two together, and 77 low ones
    expect(cells(expected)).toEqual(['high', 763, 693, 833, 'low', 420, 287, 553])
  })

  it('shows a group of secret keys that is large enough, whatever is held back of it', async () => {
    const sql = `SELECT district, count(*) FILTER (WHERE overdue > 110) AS late
      FROM accounts JOIN companies ON borrower = company GROUP BY district`
    const [expected, found] = [await byDuckDb(sql), await byParties(sql, ['accounts', 'companies'])]
    expectSame(found, expected)
    expect(cells(expected)).toEqual([5, null, 12, null])
  })
})
