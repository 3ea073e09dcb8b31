import { copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parsePolicy, rulesOf, treatmentsOf } from '@sluice/core/policy'
import { desensitizeFile } from '@sluice/sandbox/desensitize'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Keys, makeKeys, makeZone, POLICY, paymentsCsv, temporary } from './fixture.js'

const KEYED = POLICY.replace(
  "person: { role: identifier, grade: '2', uses: [] }",
  "person: { role: identifier, grade: '2', uses: [join], rule: { kind: token, key: tax, domain: credit } }",
)

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})

async function desensitized(policy = KEYED): Promise<{ raw: string; tokens: string }> {
  const folder = await temporary()
  const [raw, tokens] = [join(folder, 'raw.csv'), join(folder, 'tokens.csv')]
  await writeFile(raw, paymentsCsv())
  const done = await desensitizeFile({
    from: raw,
    to: tokens,
    treatments: treatmentsOf(parsePolicy(policy), 'zone'),
    dataset: 'tokened',
    key: () => new Uint8Array(32).fill(7),
    table: () => new Map(),
    forZone: true,
  })
  expect(done.statement).toBe(`${tokens}.desensitized.json`)
  return { raw, tokens }
}

describe('a policy whose rules are applied before a file enters', () => {
  it('takes the file beside which it stands that they were, and no other', async () => {
    const { zone } = await makeZone(keys)
    const { raw, tokens } = await desensitized()
    const add = (from: string, policy = KEYED) =>
      zone.datasets.add({ name: 'tokened', from, policy }, keys.provider)
    await expect(add(raw)).toThrowWithCode('FILE_MISSING', 'desensitized.statement')
    await copyFile(`${tokens}.desensitized.json`, `${raw}.desensitized.json`)
    await expect(add(raw)).toThrowWithCode('FINGERPRINT_MISMATCH', 'desensitized.file')
    await expect(add(tokens, KEYED.replace('domain: credit', 'domain: other'))).toThrowWithCode(
      'POLICY_INVALID',
      'columns.person.rule',
    )
    await add(tokens)
    const recorded = async () => {
      const entry = await zone.ledger.entry((await zone.ledger.size()) - 1)
      return entry.predicate as { desensitized?: string }
    }
    expect((await recorded()).desensitized).toBe('stated')
    // another key's tokens, or none at all: the data would have to be desensitized again
    await expect(zone.datasets.setPolicy('payments', KEYED, keys.provider)).toThrowWithCode(
      'POLICY_INVALID',
      'columns.person.rule',
    )
    await zone.datasets.setPolicy('tokened', KEYED.replace('suppress', 'refuse'), keys.provider)
    await zone.datasets.setPolicy('payments', KEYED, keys.provider, undefined, { unstated: true })
    expect((await recorded()).desensitized).toBe('unstated')
    await writeFile(`${tokens}.desensitized.json`, '{}')
    const draft = { name: 'tokened', from: tokens }
    await expect(zone.datasets.update(draft, keys.provider)).toThrowWithCode('FILE_FORMAT')
    await rm(`${tokens}.desensitized.json`)
    await zone.datasets.update({ ...draft, unstated: true }, keys.provider)
    expect((await recorded()).desensitized).toBe('unstated')
  })

  it('has no key and no value in its statement', async () => {
    const { tokens } = await desensitized()
    const statement = JSON.parse(await readFile(`${tokens}.desensitized.json`, 'utf8'))
    expect(Object.keys(statement)).toEqual(['format', 'dataset', 'sha256', 'rules'])
    expect(Object.keys(statement.rules)).toEqual(['person'])
    expect(JSON.stringify(statement)).not.toContain('0707')
  })
})

it('registers numbers in a text file as the text that their rule needs', async () => {
  const { zone } = await makeZone(keys)
  const folder = await temporary()
  const [from, to] = [join(folder, 'phones.csv'), join(folder, 'phones.arrow')]
  await writeFile(from, 'phone,card,n\n13800138000,6222021234567890,1\n13900139001,6222029876543210,2\n')
  const policy = `version: 1
owner: bureau
grade: 2
entity: row
columns:
  phone: { role: quasi, uses: [group], rule: { kind: preset, preset: mobile } }
  card: { role: identifier, uses: [join], rule: { kind: fpe, key: tax, domain: cards, length: { min: 16, max: 16 } } }
  n: { role: measure, uses: [aggregate] }
`
  const parsed = parsePolicy(policy)
  const kinds = (columns: readonly { name: string; type: { kind: string } }[]) =>
    Object.fromEntries(columns.map(({ name, type }) => [name, type.kind]))
  const expected = { phone: 'text', card: 'text', n: 'integer' }
  for (const path of [to, join(folder, 'tokens.csv')]) {
    const done = await desensitizeFile({
      from,
      to: path,
      treatments: treatmentsOf(parsed, 'zone'),
      scanRules: rulesOf(parsed),
      dataset: 'phones',
      key: () => new Uint8Array(32).fill(7),
      table: () => new Map(),
      forZone: true,
      ...(path === to && { format: 'arrow' as const }),
    })
    expect(kinds(done.columns)).toEqual(expected)
    const name = path === to ? 'phones' : 'written'
    const added = await zone.datasets.add({ name, from: path, policy }, keys.provider)
    expect(kinds(added.columns)).toEqual(expected)
  }
})

it('a GBK file is registered when told so', async () => {
  const { zone } = await makeZone(keys)
  const from = join(await temporary(), 'gbk.csv')
  // 姓名,市 / 张三,杭州
  const bytes = 'd0d5c3fb2ccad00ad5c5c8fd2cbabcd6dd0a'
  await writeFile(from, Buffer.from(bytes, 'hex'))
  const policy = `version: 1\nowner: bureau\ngrade: 2\nentity: row\ncolumns:\n  市: {role: quasi, uses: [group]}\n`
  const draft = { name: 'cities', from, policy }
  await expect(zone.datasets.add(draft, keys.provider)).toThrowWithCode('FILE_FORMAT')
  const added = await zone.datasets.add({ ...draft, encoding: 'gbk' }, keys.provider)
  expect(added.columns.map(({ name }) => name)).toEqual(['姓名', '市'])
})
