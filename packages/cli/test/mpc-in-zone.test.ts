import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KeyFile } from '@sluice/ledger/keys'
import { verifyReceipt } from '@sluice/ledger/verify'
import {
  examine,
  fingerprintKey,
  freshJob,
  type InputForm,
  type JointJob,
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
let root = ''
let keys: Record<Name, KeyFile>
let zone: Zone

const code = { kind: 'code', alphabet: '0123456789C', length: 4 } as const
const column = <T>(name: string, type: T) => ({ name, nullable: false, type })
const number = (bound: string) => ({ kind: 'number', scale: 0, bound }) as const
const companies: InputForm = {
  name: 'companies',
  owner: 'bureau',
  entity: 'company',
  columns: [column('company', code), column('district', number('999'))],
}
const loans: InputForm = {
  name: 'loans',
  owner: 'bank',
  entity: 'borrower',
  columns: [column('borrower', code), column('amount', number('100000')), column('days', number('1000'))],
}

/** Two loans each of sixty companies, of which the third district has four. */
const firms = Array.from({ length: 60 }, (_, i) => ({
  id: `C${100 + i}`,
  district: i < 4 ? 3 : 1 + (i % 2),
}))
const granted = firms.flatMap(({ id }, i) => [
  { id, amount: 100 + i, days: (i * 7) % 120 },
  { id, amount: 1000 - i, days: 90 },
])
const integers = (values: number[]) => vectorFromArray(values, new Int32())
const texts = (values: string[]) => vectorFromArray(values, new Utf8())
const tables = {
  companies: new Table({
    company: texts(firms.map(({ id }) => id)),
    district: integers(firms.map(({ district }) => district)),
  }),
  loans: new Table({
    borrower: texts(granted.map(({ id }) => id)),
    amount: integers(granted.map(({ amount }) => amount)),
    days: integers(granted.map(({ days }) => days)),
  }),
}

const policy = (owner: string, entity: string, columns: string, more = '') => `version: 1
owner: ${owner}
grade: 1
entity: {column: ${entity}}
disclosure: {minimumEntities: 10${more}}
purposes: [statistics]
consumers: [research]
columns:
  ${entity}: {role: identifier, uses: [join]}
${columns}`
const DISTRICT = '  district: {role: attribute, uses: [group]}\n'
const AMOUNT = '  amount: {role: measure, uses: [aggregate]}\n  days: {role: attribute, uses: [filter]}\n'

const SQL = `SELECT district, count(*) AS loans, sum(amount) AS owed FROM loans
JOIN companies ON borrower = company WHERE days > 60 GROUP BY district`

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-mpc-zone-'))
  const names: Name[] = ['operator', 'bureau', 'bank', 'auditor', 'research']
  const made = names.map(async name => [name, await KeyFile.generate(join(root, `${name}.key`), { name })])
  keys = Object.fromEntries(await Promise.all(made))
  zone = await Zone.init(
    join(root, 'zone'),
    [
      { role: 'operator', signer: keys.operator },
      { role: 'provider', signer: keys.bureau },
      { role: 'auditor', signer: keys.auditor },
    ],
    { engine: { mode: 'process', warm: 0 } },
  )
  for (const [name, role] of [
    ['bank', 'provider'],
    ['research', 'consumer'],
  ] as const) {
    const principal = { name, role, key: keys[name].publicKey }
    await zone.principals.change({ action: 'enrol', principal }, [keys.bureau, keys.auditor])
  }
  // a specimen of the form: the zone holds schema and policy, and the rows stay with their owners
  for (const [name, owner, rows, rules] of [
    ['companies', 'bureau', 'company,district\nspecimen,1\n', policy('bureau', 'company', DISTRICT)],
    ['loans', 'bank', 'borrower,amount,days\nspecimen,1,1\n', policy('bank', 'borrower', AMOUNT)],
  ] as const) {
    const from = join(root, `${name}.csv`)
    await writeFile(from, rows)
    await zone.datasets.add({ name, from, policy: rules }, keys[owner])
  }
})

afterAll(async () => {
  await zone?.close()
  await rm(root, { recursive: true, force: true })
})

/** The job for a plan as the zone understands its text. */
async function jobFor(sql: string, change: Partial<JointJob> = {}): Promise<JointJob> {
  const { plan } = await zone.requests.preview({ sql, purpose: 'statistics' }, 'research')
  const inputs = [companies, loans].map(async form => {
    const key = await fingerprintKey(keys[form.owner as Name])
    const { rows, fingerprint } = await examine(tables[form.name as keyof typeof tables], form, key)
    return { ...form, rows, fingerprint }
  })
  const parties = (['operator', 'bureau', 'bank'] as const).map(async name => ({
    name,
    role: 'computing' as const,
    key: keys[name].publicKey,
    host: '127.0.0.1',
    port: await reservePort(),
  }))
  return parseJob({
    ...freshJob(),
    purpose: 'loans by district',
    parties: await Promise.all(parties),
    inputs: await Promise.all(inputs),
    operations: [{ name: 'owed', plan, receivers: ['operator'] }],
    minimumEntities: 10,
    limits: { seconds: 60, bytes: 1e9, memory: 2 ** 30 },
    ...change,
  })
}

/** The consumer asks for the job's result, and both owners sign. */
async function approved(sql: string, job: JointJob): Promise<string> {
  const aggregation = { engine: MPC_ENGINE, digest: jobDigest(job) }
  const { id } = await zone.requests.submit({ sql, purpose: 'statistics', aggregation }, keys.research)
  for (const owner of ['bureau', 'bank'] as const) {
    const approver = new Approver(keys[owner])
    const request = approver.review(zone.requests.export(id))
    await zone.approvals.import(await approver.approve(request, { digest: request.digest }))
  }
  return id
}

/** What the operator does, and beside it the owners in their own processes. */
function run(id: string, job: JointJob) {
  const executor = new MpcExecutor()
  const released = zone.run(id, keys.operator, {
    engine: {
      engine: executor.engine,
      execute: (plan, request, options) =>
        executor.execute(plan, { job, request, signer: keys.operator, wait: 20 }, options),
    },
  })
  const others = (['bureau', 'bank'] as const).map(name =>
    runJoint(job, {
      signer: keys[name],
      wait: 20,
      inputs: name === 'bureau' ? { companies: tables.companies } : { loans: tables.loans },
    }),
  )
  return { released, others: Promise.allSettled(others) }
}

const unexpected = () => Promise.reject(new Error('the engine was called'))

describe('an approved plan that runs by multi-party computation', () => {
  it('is released by the zone, through the disclosure check and the ledger', async () => {
    const job = await jobFor(SQL)
    const id = await approved(SQL, job)
    const { released, others } = run(id, job)
    const { table, suppressions, receipt } = await released
    expect((await others).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    const districts = new Map(firms.map(firm => [firm.id, firm.district]))
    const expected = [1, 2].map(district => {
      const inside = granted.filter(loan => districts.get(loan.id) === district && loan.days > 60)
      return { district, loans: inside.length, owed: inside.reduce((sum, { amount }) => sum + amount, 0) }
    })
    const found = table.toArray().map(row => {
      const { district, loans: counted, owed } = row.toJSON()
      return { district: Number(district), loans: Number(counted), owed: Number(owed[0] ?? owed) }
    })
    expect(found).toEqual(expected)
    // of the third district not even that it is there leaves the shares
    expect(suppressions).toEqual([])
    const trust = JSON.parse(await readFile(zone.layout.trust, 'utf8'))
    expect(await verifyReceipt(receipt, { trust })).toMatchObject({ predicate: { kind: 'release' } })
    expect(zone.releases.list()).toHaveLength(1)
    // the one run that was asked for is used up
    const again = zone.run(id, keys.operator, { engine: { engine: MPC_ENGINE, execute: unexpected } })
    await expect(again).toThrowWithCode('APPROVAL_EXHAUSTED')
  })

  it('is refused, and recorded, where the job is another than the approved one', async () => {
    const job = await jobFor(SQL)
    const id = await approved(SQL, job)
    const weaker = { ...job, minimumEntities: 1 }
    const executor = new MpcExecutor()
    const refused = zone.run(id, keys.operator, {
      engine: {
        engine: executor.engine,
        execute: (plan, request) => executor.execute(plan, { job: weaker, request, signer: keys.operator }),
      },
    })
    await expect(refused).toThrowWithCode('APPROVAL_MISMATCH', 'mpc.approved')
    const { predicate } = await zone.ledger.entry((await zone.ledger.size()) - 1)
    expect(predicate).toMatchObject({ kind: 'refusal', code: 'APPROVAL_MISMATCH', stage: 'run' })
  })
})
