import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Zone } from '@sluice/sandbox'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Keys, makeKeys, makeZone, POLICY, temporary } from './fixture.js'

/** The fixture's payments, whose towns are told by what stands above them in a registered table. */
const TABLED = POLICY.replace(
  "town: { role: quasi, grade: '1'",
  "town: { role: quasi, grade: '1', rule: { kind: hierarchy, table: towns.csv, level: 1 }",
)
const TOWNS = 'town,region,country\nnorth,uplands,X\nsouth,lowlands,X\n'
const SQL = 'SELECT town, count(*) AS payments FROM payments GROUP BY town ORDER BY town'

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})

async function tablesIn(files: Record<string, string>): Promise<(name: string) => string> {
  const folder = await temporary()
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return name => join(folder, name)
}

async function set(zone: Zone, policy: string, files: Record<string, string>) {
  return zone.datasets.setPolicy('payments', policy, keys.provider, undefined, {
    tables: await tablesIn(files),
  })
}

describe('a table that a rule looks values up in', () => {
  it('is applied by the scan, and a change of it voids approvals', async () => {
    const { zone, directory, approved } = await makeZone(keys)
    await set(zone, TABLED, { 'towns.csv': TOWNS })
    const draft = { sql: SQL, purpose: 'credit-risk', maxRuns: 5 }
    const id = await approved(draft)
    const release = await zone.run(id, keys.operator)
    const rows = release.table.toArray().map(row => [row.town, Number(row.payments)])
    expect(rows).toEqual([
      ['lowlands', 20],
      ['uplands', 60],
    ])
    // the same table again is no change: the plan names its contents
    const [first] = zone.state.datasets.get('payments')!.tables
    await set(zone, TABLED, { 'towns.csv': 'town,region,country\nsouth,lowlands,X\nnorth,uplands,X\n' })
    expect(zone.state.datasets.get('payments')!.tables[0]!.fingerprint).toBe(first!.fingerprint)
    await zone.run(id, keys.operator)
    await set(zone, TABLED, { 'towns.csv': TOWNS.replace('uplands', 'highlands') })
    await expect(zone.run(id, keys.operator)).toThrowWithCode('POLICY_DENIED', 'scan.rule')
    // a policy without new tables keeps those that are registered
    await zone.datasets.setPolicy('payments', TABLED.replace('suppress', 'refuse'), keys.provider)
    const renamed = await zone.run(await approved(draft), keys.operator)
    expect(renamed.table.toArray().map(row => row.town)).toEqual(['highlands', 'lowlands'])
    const [table] = zone.state.datasets.get('payments')!.tables
    await rm(join(directory, 'data', table!.file))
    await expect(zone.run(await approved(draft), keys.operator)).toThrowWithCode('FILE_MISSING')
    await writeFile(join(directory, 'data', table!.file), 'other')
    await expect(zone.run(await approved(draft), keys.operator)).rejects.toThrow()
    await zone.datasets.retire('payments', keys.provider)
    expect(await readdir(join(directory, 'data'))).not.toContain(table!.file)
  })

  it.each([
    ['a value for the second time', 'town,region\nnorth,a\nnorth,b\n', 'RULE_INVALID'],
    ['a missing value', 'town,region\nnorth,a\nsouth,\n', 'RULE_INVALID'],
    ['too few columns', 'town\nnorth\nsouth\n', 'RULE_INVALID'],
    ['no file', null, 'FILE_MISSING'],
    ['an empty file', '', 'FILE_FORMAT'],
  ] as const)('is refused with %s, and nothing stays', async (_, text, code) => {
    const { zone, directory } = await makeZone(keys)
    const before = await readdir(join(directory, 'data'))
    await expect(set(zone, TABLED, text === null ? {} : { 'towns.csv': text })).toThrowWithCode(code)
    expect(await readdir(join(directory, 'data'))).toEqual(before)
    expect(zone.datasets.show('payments').policy.columns['town']!.rule).toBeUndefined()
  })

  it('has to be registered with the dataset', async () => {
    const { zone } = await makeZone(keys)
    const from = join(await temporary(), 'more.csv')
    await writeFile(from, 'person,town,year,amount\np1,north,2000,1\n')
    const draft = { name: 'more', from, policy: TABLED }
    await expect(zone.datasets.add(draft, keys.provider)).toThrowWithCode('FILE_MISSING', 'rule.table')
    const tables = await tablesIn({ 'towns.csv': TOWNS })
    await zone.datasets.add({ ...draft, tables }, keys.provider)
    const [table] = zone.state.datasets.get('more')!.tables
    await zone.datasets.update({ name: 'more', from }, keys.provider)
    expect(zone.state.datasets.get('more')!.tables).toEqual([table])
  })
})
