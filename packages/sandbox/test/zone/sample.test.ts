import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { columnSchemasOf } from '@sluice/core/columns'
import { SAMPLE_MARK } from '@sluice/core/sample'
import { openCommitment } from '@sluice/ledger'
import { verifyLedger } from '@sluice/ledger/verify'
import { type DatasetSample, sampleStatement, type Zone } from '@sluice/sandbox'
import { readTable } from '@sluice/sandbox/io'
import { type Table, tableFromIPC } from 'apache-arrow'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Keys, makeKeys, makeZone, signed, temporary } from './fixture.js'

/** 2000 people of three towns, one of them with three people only, and what a stand-in may say of them. */
function peopleCsv(): string {
  const lines = ['id,name,town,born,income,wealth,secret,score']
  for (let i = 0; i < 2000; i++) {
    const town = i < 3 ? 'hamlet' : i % 3 === 0 ? 'south' : 'north'
    const born = `19${50 + (i % 40)}-0${1 + (i % 9)}-15`
    const income = i === 7 ? 987_654_321 : 1000 + ((i * 37) % 900)
    lines.push(`id-${i},name${i},${town},${born},${income},${i % 2 === 0 ? 10 : ''},s${i % 5},${i % 4}`)
  }
  return `${lines.join('\n')}\n`
}

const PEOPLE = `version: 1
owner: bureau
grade: 2
entity: { column: id }
approvals: { reviewer: true }
purposes: [credit-risk]
consumers: [bank]
sample: { mode: synthetic, rows: 1500 }
columns:
  id: { role: identifier, uses: [join] }
  name: { role: identifier, uses: [group], rule: { kind: preset, preset: name } }
  town: { role: quasi, uses: [group, filter] }
  born: { role: quasi, uses: [group, filter] }
  income: { role: measure, uses: [group, aggregate] }
  wealth: { role: measure, uses: [aggregate] }
  secret: { role: sensitive }
  score: { role: attribute, uses: [filter] }
`

/** The same with fewer columns that are drawn, each of which takes runs of its own. */
const FEW = PEOPLE.replace(/income: .*/, 'income: { role: measure }').replace(
  /born: .*/,
  'born: { role: quasi }',
)

/** Public columns of a register, of which rows may leave. */
const ROWS = `version: 1
owner: bureau
grade: 1
entity: row
release: rows
disclosure: { minimumEntities: 5, anonymity: { k: 5, l: 1 } }
purposes: [credit-risk]
consumers: [bank]
sample: { mode: rows, rows: 400 }
columns:
  id: { role: identifier, uses: [output] }
  town: { role: quasi, uses: [output, group], rule: { kind: replace, values: { north: N, south: S, hamlet: S } } }
  born: { role: attribute, uses: [output], rule: { kind: date-part, to: year } }
  score: { role: attribute, uses: [output] }
  income: { role: measure, uses: [aggregate] }
`

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})

async function withPeople(policy: string): Promise<{ zone: Zone; directory: string; from: string }> {
  const { zone, directory } = await makeZone(keys)
  const from = join(await temporary(), 'people.csv')
  await writeFile(from, peopleCsv())
  await zone.datasets.add({ name: 'people', from, policy }, keys.provider)
  return { zone, directory, from }
}

const tableOf = ({ bytes }: DatasetSample): Table => tableFromIPC(bytes)
const column = (table: Table, name: string) => Array.from(table.getChild(name)!, value => value as unknown)

describe('a synthetic stand-in', () => {
  it('says of every column what its uses allow, and nothing else', async () => {
    const { zone } = await withPeople(PEOPLE)
    await zone.datasets.consentToSample('people', keys.reviewer)
    const made = await zone.datasets.sample('people', keys.operator, { format: 'arrow' })
    const table = tableOf(made)
    expect(table.numRows).toBe(1500)
    expect(JSON.parse(table.schema.metadata.get(SAMPLE_MARK)!)).toEqual({
      format: 'sluice-sample/1',
      dataset: 'people',
      version: 1,
      mode: 'synthetic',
      rows: 1500,
    })
    // identifiers in form only, those that are unique too; what no use allows is not there
    expect(new Set(column(table, 'id')).size).toBe(1500)
    for (const name of ['id', 'name', 'score']) {
      for (const value of column(table, name)) {
        expect(typeof value === 'string' ? value : `SYN-${String(value).padStart(8, '0')}`).toMatch(
          /^SYN-\d{8}$/,
        )
      }
    }
    expect(new Set(column(table, 'secret'))).toEqual(new Set([null]))
    // three people are below the minimum of ten: their town is not among those drawn
    const towns = column(table, 'town')
    expect(new Set(towns)).toEqual(new Set(['north', 'south']))
    const north = towns.filter(town => town === 'north').length / towns.length
    expect(north).toBeGreaterThan(0.6)
    expect(north).toBeLessThan(0.73)
    // one income of a thousand times the others: in no band, and no day of birth of one person
    const incomes = column(table, 'income').map(Number)
    expect(Math.min(...incomes)).toBeGreaterThanOrEqual(1000)
    expect(Math.max(...incomes)).toBeLessThan(2000)
    expect(new Set(incomes).size).toBeGreaterThan(300)
    const days = column(table, 'born').map(day => new Date(day as number).toISOString().slice(0, 4))
    expect(days.every(year => year >= '1950' && year <= '1989')).toBe(true)
    expect(new Set(days).size).toBeGreaterThan(30)
    const wealth = column(table, 'wealth').map(Number)
    expect(Math.max(...wealth)).toBeLessThanOrEqual(20)
    // the catalogue's columns, as queries see them
    expect(columnSchemasOf(table.schema)).toEqual(zone.datasets.show('people').columns)
  })

  it('has the same rows however often, for whomever and how many of them are asked for', async () => {
    const { zone, from, directory } = await withPeople(
      FEW.replace('consumers: [bank]', 'consumers: [bank, shop]'),
    )
    const shop = { name: 'stranger', role: 'consumer' as const, key: keys.stranger.publicKey }
    await zone.principals.change({ action: 'enrol', principal: shop }, [keys.provider, keys.auditor])
    await zone.datasets.setPolicy(
      'people',
      FEW.replace('consumers: [bank]', 'consumers: [bank, stranger]'),
      keys.provider,
    )
    await zone.datasets.consentToSample('people', keys.reviewer)
    const rowsOf = async (rows: number, consumer: string) => {
      const made = await zone.datasets.sample('people', keys.operator, { rows, consumer, format: 'arrow' })
      return tableOf(made).toArray().map(String)
    }
    const first = await rowsOf(60, 'bank')
    expect(await rowsOf(20, 'stranger')).toEqual(first.slice(0, 20))
    await expect(zone.datasets.sample('people', keys.operator)).toThrowWithCode('USAGE', 'sample.consumer')
    // another version is another stand-in, which needs another consent
    await zone.datasets.update({ name: 'people', from }, keys.provider)
    await expect(rowsOf(20, 'bank')).toThrowWithCode('NOT_APPROVED', 'approval.reviewer')
    await zone.datasets.consentToSample('people', keys.reviewer)
    const second = await rowsOf(60, 'bank')
    expect(second).not.toEqual(first)
    await rm(join(directory, 'sample.key'))
    expect(await rowsOf(60, 'bank')).not.toEqual(second)
  })

  it('is recorded before it leaves, and the record verifies', async () => {
    const { zone, directory } = await withPeople(FEW)
    await zone.datasets.consentToSample('people', keys.reviewer)
    const made = await zone.datasets.sample('people', keys.operator, { rows: 10, format: 'csv' })
    expect(new TextDecoder().decode(made.bytes).split('\n')).toHaveLength(12)
    expect(made.sample).toMatchObject({
      kind: 'sample',
      consumer: 'bank',
      mode: 'synthetic',
      rows: 10,
      consents: [made.receipt.index - 1],
    })
    const { createHash } = await import('node:crypto')
    const statement = JSON.parse(new TextDecoder().decode(sampleStatement(made)))
    expect(statement).toMatchObject({ standIn: true, mode: 'synthetic', rows: 10, consumer: 'bank' })
    const digest = createHash('sha256').update(made.bytes).digest()
    expect(statement.file.sha256).toBe(digest.toString('hex'))
    openCommitment('result', { commitment: made.sample.resultCommitment, salt: statement.salt }, digest)
    const trust = JSON.parse(await readFile(join(directory, 'trust.json'), 'utf8'))
    const report = await verifyLedger(join(directory, 'ledger'), { trust })
    expect(report.entriesByKind).toMatchObject({ sample: 1, 'sample-consent': 1 })
  })

  it('is refused, and the refusal recorded, where the policy does not allow it', async () => {
    const { zone } = await withPeople(PEOPLE)
    const refused = async (code: string, rule: string, options = {}, signer = keys.operator) => {
      const before = (await zone.refresh()).size
      await expect(zone.datasets.sample('people', signer, options)).toThrowWithCode(code, rule)
      return (await zone.refresh()).size - before
    }
    expect(await refused('NOT_APPROVED', 'approval.reviewer')).toBe(1)
    await zone.datasets.consentToSample('people', keys.reviewer, { expires: '1h' })
    expect(await refused('POLICY_DENIED', 'sample.rows', { rows: 1501 })).toBe(1)
    expect(await refused('CONSUMER_DENIED', 'sample.consumer', { consumer: 'nobody' })).toBe(1)
    await expect(zone.datasets.sample('people', keys.provider)).toThrowWithCode('ROLE_DENIED')
    await expect(zone.datasets.consentToSample('people', keys.consumer)).toThrowWithCode('ROLE_DENIED')
    await expect(zone.datasets.consentToSample('payments', keys.reviewer)).toThrowWithCode(
      'POLICY_DENIED',
      'sample.mode',
    )
    await expect(zone.datasets.sample('payments', keys.operator)).toThrowWithCode(
      'POLICY_DENIED',
      'sample.mode',
    )
    const aborted = zone.datasets.sample('people', keys.operator, { signal: AbortSignal.timeout(50) })
    await expect(aborted).rejects.toThrow()
    await zone.datasets.setPolicy('people', PEOPLE.replace('[bank]', '[]'), keys.provider)
    expect(await refused('CONSUMER_DENIED', 'consumers', { consumer: 'bank' })).toBe(1)
    await zone.datasets.setPolicy('people', PEOPLE.replace('mode: synthetic', 'mode: none'), keys.provider)
    expect(await refused('POLICY_DENIED', 'sample.mode')).toBe(1)
  })
})

describe('a stand-in of drawn rows', () => {
  it('has rows of the data, as the scan and the rows check let them pass', async () => {
    const { zone } = await withPeople(ROWS)
    const made = await zone.datasets.sample('people', keys.operator, { format: 'arrow' })
    const table = tableOf(made)
    expect(table.numRows).toBeGreaterThan(350)
    const real = new Set(
      peopleCsv()
        .split('\n')
        .map(line => line.split(','))
        .map(
          ([, , town, born, , , , score]) => `${town === 'north' ? 'N' : 'S'} ${born?.slice(0, 4)} ${score}`,
        ),
    )
    const seen = table
      .toArray()
      .map(row => `${row.town} ${new Date(row.born).toISOString().slice(0, 4)} ${row.score}`)
    expect(seen.every(row => real.has(row))).toBe(true)
    expect(new Set(column(table, 'income'))).toEqual(new Set([null]))
    for (const id of column(table, 'id')) expect(id).toMatch(/^SYN-/)
  })

  it('is refused where they would single people out', async () => {
    const { zone } = await withPeople(ROWS.replace('k: 5', 'k: 300'))
    await expect(zone.datasets.sample('people', keys.operator)).toThrowWithCode(
      'DISCLOSURE_REFUSED',
      'k-anonymity',
    )
  })
})

describe('a query written on the stand-in', () => {
  it('runs unchanged in the zone', async () => {
    const { zone } = await withPeople(PEOPLE)
    await zone.datasets.consentToSample('people', keys.reviewer)
    const made = await zone.datasets.sample('people', keys.operator)
    const from = join(await temporary(), 'people.parquet')
    await writeFile(from, made.bytes)
    const found = await readTable(from, { staging: await temporary() }, async ({ columns, rows }) => ({
      columns,
      rows,
    }))
    expect(found).toEqual({ columns: zone.datasets.show('people').columns, rows: 1500 })
    // the developer's own zone, under a policy of its own: what is made up may be looked at
    const own = await makeZone(keys)
    const open = PEOPLE.replace(/, rule: \{[^}]*\}/g, '')
    await own.zone.datasets.add({ name: 'people', from, policy: open }, keys.provider)
    const sql = `SELECT town, count(*) AS people, avg(income) AS mean FROM people
      WHERE born >= DATE '1955-01-01' AND score >= 0 GROUP BY town ORDER BY town`
    const draft = { sql, purpose: 'credit-risk' }
    const there = await own.zone.run(await own.approved(draft), keys.operator)
    const id = (await zone.requests.submit(draft, keys.consumer)).id
    for (const signer of [keys.provider, keys.reviewer]) {
      await zone.approvals.import(await signed(zone, id, signer))
    }
    const here = await zone.run(id, keys.operator)
    for (const { table } of [there, here]) {
      expect(table.toArray().map(row => row.town)).toEqual(expect.arrayContaining(['north', 'south']))
    }
    expect(here.table.schema.fields.map(String)).toEqual(there.table.schema.fields.map(String))
  })
})
