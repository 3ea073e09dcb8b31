import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JointEnd } from '@sluice/ledger'
import { Ledger } from '@sluice/ledger'
import { parseTrust, verifyLedger } from '@sluice/ledger/verify'
import {
  type JointEvent,
  type JointJob,
  PartyLedger,
  parseJob,
  type RunJointOptions,
  reservePort,
  runJoint,
} from '@sluice/mpc'
import type { Table } from 'apache-arrow'
import { describe, expect, it, onTestFinished } from 'vitest'
import { person } from '../session/parties.js'
import { BANDS, bank, bureau, c, draft, forms, INDUSTRIES, rows } from './parties.js'
import { query } from './plans.js'

type Roles = Readonly<Record<string, 'computing' | 'dealer' | 'provider'>>

/** By two keys: rows are multiplied. */
const debts = () =>
  query({
    inputs: forms,
    groupBy: ['industry', 'band'],
    aggregates: { firms: ['count'], debt: ['sum', 'debt'], tax: ['sum', 'tax'] },
  })
const difference = () =>
  query({ inputs: forms, aggregates: { difference: ['sum', c.subtract('debt', 'tax')], n: ['count'] } })

/** Sums of rows and of cells by one key: rows are not multiplied. */
const sums = () => query({ inputs: forms, aggregates: { both: ['sum', c.add('tax', 'days')], n: ['count'] } })
const taxes = () =>
  query({ inputs: forms, groupBy: ['band'], aggregates: { tax: ['sum', 'tax'], n: ['count'] } })

async function jobOf(roles: Roles, sharing: object, change: object = {}): Promise<JointJob> {
  const ports = await Promise.all(Object.keys(roles).map(() => reservePort()))
  const parties = Object.entries(roles).map(([name, role], i) => ({
    name,
    role,
    key: person(name).publicKey,
    ...(role === 'computing' && { host: '127.0.0.1', port: ports[i] }),
  }))
  const operations = [
    { name: 'debts', plan: debts(), receivers: ['bureau', Object.keys(roles).at(-1)] },
    { name: 'difference', plan: difference(), receivers: ['bureau'] },
  ]
  return parseJob({ ...(await draft()), sharing, parties, operations, ...change })
}

const tablesFor: Readonly<Record<string, Record<string, Table>>> = {
  bureau: { taxpayers: bureau() },
  bank: { loans: bank() },
}

/** Every party runs the job over TLS, each with what is particular to it. */
const everybody = (job: JointJob, particular: Readonly<Record<string, Partial<RunJointOptions>>> = {}) =>
  Promise.allSettled(
    job.parties.map(({ name }) =>
      runJoint(job, { signer: person(name), wait: 30, inputs: tablesFor[name] ?? {}, ...particular[name] }),
    ),
  )
const reasons = (results: PromiseSettledResult<unknown>[]) =>
  results.map(result => (result.status === 'rejected' ? result.reason : undefined))
const fulfilled = <T>(result: PromiseSettledResult<T> | undefined): T => {
  if (result?.status !== 'fulfilled') throw result?.reason
  return result.value
}

const money = (cents: bigint) => {
  const text = (cents < 0n ? -cents : cents).toString().padStart(3, '0')
  return `${cents < 0n ? '-' : ''}${text.slice(0, -2)}.${text.slice(-2)}`
}
const total = (values: readonly (bigint | null)[]) => values.reduce<bigint>((sum, x) => sum + (x ?? 0n), 0n)

function expected(minimum = 10): (string | null)[][] {
  return INDUSTRIES.flatMap(industry =>
    BANDS.map(band => {
      const inside = rows.filter(row => row.industry === industry && row.band === band)
      const owing = inside.filter(row => row.debt !== null)
      const cell = (count: number, text: string) => (count < minimum ? null : text)
      return [
        industry,
        band,
        cell(inside.length, String(inside.length)),
        cell(owing.length, money(total(owing.map(row => row.debt! * 100n)))),
        cell(inside.length, money(total(inside.map(row => row.tax)))),
      ]
    }),
  )
}
const owing = rows.filter(row => row.debt !== null)
const differences = [[money(total(owing.map(row => row.debt! * 100n - row.tax))), String(rows.length)]]

/** What is opened of these two, and how few have to be there. */
const light = [
  { name: 'sums', plan: sums(), receivers: ['bureau'] },
  { name: 'taxes', plan: taxes(), receivers: ['bureau', 'hospital'] },
]
const expectedSums = [[money(total(rows.map(row => row.tax + BigInt(row.days) * 100n))), String(rows.length)]]
const expectedTaxes = BANDS.map(band => {
  const inside = rows.filter(row => row.band === band)
  return [band, money(total(inside.map(row => row.tax))), String(inside.length)]
})

const FIVE: Roles = {
  operator: 'computing',
  bureau: 'computing',
  bank: 'computing',
  hospital: 'computing',
  university: 'computing',
}

/** Ends this party's run, as a signal does, once it has computed its first rows. */
function leaving(): Partial<RunJointOptions> {
  const controller = new AbortController()
  const onEvent = (event: JointEvent) => {
    if (event.kind === 'computing') controller.abort()
  }
  return { signal: controller.signal, onEvent }
}

describe('a joint job by Shamir’s sharing, over TLS', () => {
  it('opens to its receivers what an ordinary loop finds, a provider beside', async () => {
    const job = await jobOf({ ...FIVE, registry: 'provider' }, { kind: 'shamir', threshold: 3 })
    const results = await everybody(job)
    expect(reasons(results)).toEqual(Array(6).fill(undefined))
    const [operator, first, , , , last] = results.map(fulfilled)
    expect(first!.tables.map(table => table.rows)).toEqual([expected(), differences])
    expect(first!.tables[0]!.rows.flat()).toContain(null)
    expect(last!.tables.map(table => table.rows)).toEqual([expected()])
    expect(operator!.tables).toEqual([])
    expect(results.map(result => fulfilled(result).left)).toEqual(Array(6).fill([]))
  })

  it('is finished by the others where parties leave, who are named at every terminal and in every ledger', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-many-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const job = await jobOf(FIVE, { kind: 'shamir', threshold: 2 }, { operations: light })
    const ledgers = Object.fromEntries(
      await Promise.all(
        job.parties.map(async ({ name }) => {
          const ledger = await PartyLedger.open(join(folder, name), person(name))
          return [name, { ledger }] as const
        }),
      ),
    )
    const results = await everybody(job, {
      ...ledgers,
      operator: { ...ledgers['operator'], ...leaving() },
      university: { ...ledgers['university'], ...leaving() },
    })
    const gone = ['operator', 'university']
    expect(fulfilled(results[1]).tables.map(table => table.rows)).toEqual([expectedSums, expectedTaxes])
    expect(fulfilled(results[3]).tables.map(table => table.rows)).toEqual([expectedTaxes])
    for (const [index, { name }] of job.parties.entries()) {
      const trust = parseTrust(await readFile(join(folder, name, 'trust.json')))
      const { size } = await verifyLedger(join(folder, name, 'ledger'), { trust, threads: 0 })
      const ledger = await Ledger.open(join(folder, name, 'ledger'), { logKey: trust.logKey })
      const { predicate } = await ledger.entry(size - 1)
      if (gone.includes(name)) {
        expect(reasons(results)[index].code).toBe('INTERRUPTED')
        expect(predicate).toMatchObject({ kind: 'joint-break', code: 'INTERRUPTED' })
      } else {
        expect([...fulfilled(results[index]).left].sort()).toEqual(gone)
        expect([...(predicate as JointEnd).left!].sort()).toEqual(gone)
      }
    }
  })

  it('ends where an owner leaves before its rows are shared, and names it', async () => {
    const job = await jobOf(FIVE, { kind: 'shamir', threshold: 2 })
    const found = reasons(await everybody(job, { bank: leaving() }))
    for (const [index, { name }] of job.parties.entries()) {
      if (name === 'bank') continue
      expect(found[index].code).toMatch(/^PEER_/)
    }
    expect(
      found.filter(error => error.facts?.party === 'bank' || error.facts?.about === 'bank').length,
    ).toBeGreaterThan(0)
  })

  it('ends where fewer than the threshold are left', async () => {
    const job = await jobOf(FIVE, { kind: 'shamir', threshold: 3 })
    const gone = ['operator', 'hospital', 'university']
    const found = reasons(await everybody(job, Object.fromEntries(gone.map(name => [name, leaving()]))))
    expect(found[1].code).toBe('PEER_LOST')
    expect(found[2].code).toMatch(/^PEER_/)
  })
})

describe('a joint job with a dealer, over TLS', () => {
  const roles: Roles = { bureau: 'computing', bank: 'computing', court: 'dealer', registry: 'provider' }

  it('opens to its receivers what an ordinary loop finds; the dealer receives nothing', async () => {
    const job = await jobOf(roles, { kind: 'dealer' })
    const results = await everybody(job)
    expect(reasons(results)).toEqual(Array(4).fill(undefined))
    const [first, second, dealer, last] = results.map(fulfilled)
    expect(first!.tables.map(table => table.rows)).toEqual([expected(), differences])
    expect(last!.tables.map(table => table.rows)).toEqual([expected()])
    expect([second!.tables, dealer!.tables]).toEqual([[], []])
    // greetings, heartbeats and ends alone: no message of the protocol
    expect(dealer!.traffic.bytesReceived).toBeLessThan(2000)
  })

  it.each(['bank', 'court'])('ends for everybody where the %s stops, and names it', async name => {
    const job = await jobOf(roles, { kind: 'dealer' })
    const found = reasons(await everybody(job, { [name]: leaving() }))
    for (const [index, party] of job.parties.entries()) {
      if (party.name === name) continue
      expect(found[index].code).toMatch(/^PEER_(LOST|STOPPED)$/)
      expect([found[index].facts.party, found[index].facts.about]).toContain(name)
    }
  })
})
