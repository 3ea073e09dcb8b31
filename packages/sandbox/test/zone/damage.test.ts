import { copyFile, mkdir, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cosign, openEnvelope } from '@sluice/ledger'
import { Zone } from '@sluice/sandbox'
import { beforeAll, describe, expect, it } from 'vitest'
import { BY_TOWN, type Keys, makeKeys, makeZone, POLICY, paymentsCsv, signed, temporary } from './fixture.js'

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})
const SINCE = { parameters: { since: '2000' } }

async function refusals(zone: Zone) {
  const found = []
  for await (const { envelope } of zone.ledger.entries()) {
    const { predicate } = openEnvelope(envelope.bytes)
    if (predicate.kind === 'refusal') found.push(predicate)
  }
  return found
}

describe('a zone that is not there, or not as it should be', () => {
  it('is told from one of another version, and from a damaged one', async () => {
    const directory = await temporary()
    await expect(Zone.open(directory)).toThrowWithCode('ZONE_MISSING')
    await writeFile(join(directory, 'zone.json'), '{"format":"sluice-zone/2"}')
    await expect(Zone.open(directory)).toThrowWithCode('ZONE_VERSION')
    await writeFile(join(directory, 'zone.json'), '{"for')
    await expect(Zone.open(directory)).toThrowWithCode('ZONE_DAMAGED')
  })

  it('is not made in a directory that holds something, or without its founders', async () => {
    const directory = await temporary()
    await writeFile(join(directory, 'something'), '')
    const founders = [
      { role: 'operator', signer: keys.operator },
      { role: 'provider', signer: keys.provider },
      { role: 'auditor', signer: keys.auditor },
    ] as const
    await expect(Zone.init(directory, founders)).toThrowWithCode('EXISTS')
    await expect(Zone.init(join(directory, 'zone'), founders.slice(0, 2))).toThrowWithCode(
      'USAGE',
      'founding.roles',
    )
  })

  it('is founded by keys on several machines, once all of them have signed', async () => {
    const directory = join(await temporary(), 'zone')
    const named = (['operator', 'provider', 'auditor'] as const).map(role => ({
      role,
      name: keys[role].name,
      key: keys[role].publicKey,
    }))
    const begun = await Zone.propose(directory, named, [keys.operator])
    await expect(Zone.open(directory)).toThrowWithCode('ZONE_MISSING')
    await expect(Zone.found(directory, begun)).toThrowWithCode('NOT_APPROVED', 'founding.signers')
    const byProvider = await cosign(openEnvelope(begun), keys.provider)
    const byAll = await cosign(byProvider, keys.auditor)
    const elsewhere = join(await temporary(), 'zone')
    await Zone.propose(elsewhere, named, [keys.operator])
    await expect(Zone.found(elsewhere, byAll.bytes)).toThrowWithCode('KEY_UNKNOWN')
    const zone = await Zone.found(directory, byAll.bytes)
    expect(zone.principals.list().map(({ name }) => name)).toEqual(['operator', 'bureau', 'auditor'])
    await zone.close()
  })

  it('refuses to open with a ledger whose published entry was cut', async () => {
    const { zone, directory } = await makeZone(keys)
    await zone.close()
    const folder = join(directory, 'ledger', 'tile', 'entries')
    const [bundle] = (await readdir(folder, { recursive: true }))
      .filter(name => /\d$/.test(name))
      .sort()
      .slice(-1)
    await truncate(join(folder, bundle!), 100)
    await expect(Zone.open(directory)).rejects.toMatchObject({ exitCode: 5 })
  })

  it('refuses to write behind a clock that was set back', async () => {
    let now = new Date('2030-06-01T00:00:00Z')
    const { zone, approved } = await makeZone(keys, { now: () => now })
    const id = await approved()
    await zone.run(id, keys.operator, SINCE)
    now = new Date('2030-05-01T00:00:00Z')
    await expect(zone.run(id, keys.operator, SINCE)).toThrowWithCode('CLOCK_BEHIND')
  })
})

describe('data', () => {
  it('that was changed on the zone’s disk is not run on', async () => {
    const { zone, directory, approved } = await makeZone(keys)
    const id = await approved()
    const { file } = zone.state.datasets.get('payments')!
    const path = join(directory, 'data', file)
    const bytes = await readFile(path)
    bytes[bytes.length >> 1]! ^= 1
    await writeFile(path, bytes)
    const error = await zone.run(id, keys.operator, SINCE).catch(error => error)
    expect(['FINGERPRINT_MISMATCH', 'ENGINE_FAILED']).toContain(error.code)
    await rm(path)
    await expect(zone.run(id, keys.operator, SINCE)).toThrowWithCode('FILE_MISSING')
    expect(zone.releases.list()).toEqual([])
  })

  it('whose schema changed is another dataset, unless the owner says so', async () => {
    const { zone } = await makeZone(keys)
    const from = join(await temporary(), 'wider.csv')
    await writeFile(from, paymentsCsv().replaceAll('\n', ',x\n').replace('amount,x', 'amount,note'))
    const draft = { name: 'payments', from, policy: POLICY }
    await expect(zone.datasets.update(draft, keys.provider)).toThrowWithCode('SCHEMA_CHANGED')
    expect((await zone.datasets.update(draft, keys.provider, { schemaMayChange: true })).version).toBe(2)
  })

  it('with a policy that names no such column, or another owner, is not registered', async () => {
    const { zone, directory } = await makeZone(keys)
    const before = await readdir(join(directory, 'data'))
    const from = join(await temporary(), 'payments.csv')
    await writeFile(from, paymentsCsv())
    const add = (policy: string, signer = keys.provider) =>
      zone.datasets.add({ name: 'more', from, policy }, signer)
    await expect(add(POLICY.replace('  town:', '  twon:'))).toThrowWithCode('NAME_UNKNOWN')
    await expect(add(POLICY.replace('owner: bureau', 'owner: someone'))).toThrowWithCode('POLICY_INVALID')
    await expect(add(POLICY.replace('version: 1', 'version: 7'))).toThrowWithCode('POLICY_INVALID')
    await expect(add(POLICY, keys.operator)).toThrowWithCode('ROLE_DENIED')
    expect(await readdir(join(directory, 'data'))).toEqual(before)
  })
})

describe('what is refused', () => {
  it('is an entry of the ledger, without the text of the query', async () => {
    const { zone } = await makeZone(keys)
    const ask = (sql: string, purpose = 'credit-risk') =>
      zone.requests.submit({ sql, purpose }, keys.consumer)
    await expect(ask('SELECT person, amount FROM payments')).toThrowWithCode('POLICY_DENIED')
    await expect(ask("SELECT * FROM read_csv('/etc/passwd')")).toThrowWithCode('SQL_REFUSED')
    await expect(ask('SELECT count(*) AS n FROM payments', 'marketing')).toThrowWithCode('PURPOSE_DENIED')
    await expect(ask('SELECT FROM WHERE')).toThrowWithCode('SQL_SYNTAX')
    const recorded = await refusals(zone)
    expect(recorded.map(({ stage, code }) => [stage, code])).toEqual([
      ['gate', 'POLICY_DENIED'],
      ['gate', 'SQL_REFUSED'],
      ['gate', 'PURPOSE_DENIED'],
    ])
    expect(JSON.stringify(recorded)).not.toContain('passwd')
  })

  it('by the disclosure check tells no number of the cells, and costs the run', async () => {
    const { zone, approved } = await makeZone(keys)
    await zone.datasets.setPolicy('payments', POLICY.replace('suppress', 'refuse'), keys.provider)
    const id = await approved()
    const error = await zone.run(id, keys.operator, SINCE).catch(error => error)
    expect(error.code).toBe('DISCLOSURE_REFUSED')
    expect(error.rule).toBe('dominance')
    expect(JSON.stringify(error)).not.toMatch(/100000|200000/)
    expect(zone.requests.show(id).runs).toBe(1)
    expect((await refusals(zone)).map(({ stage, rule }) => [stage, rule])).toEqual([
      ['disclosure', 'dominance'],
    ])
  })
})

describe('while a run computes', () => {
  it('a revocation voids it: nothing is released', async () => {
    const { zone, directory, approved } = await makeZone(keys)
    const id = await approved()
    const other = await Zone.open(directory, { engine: { warm: 0 } })
    let revoked: Promise<unknown> | undefined
    const run = zone.run(id, keys.operator, {
      ...SINCE,
      onProgress: () => {
        revoked ??= other.approvals.revoke(id, keys.provider, 'changed my mind')
      },
    })
    await expect(run).toThrowWithCode('APPROVAL_REVOKED')
    await revoked
    await other.close()
    expect(zone.releases.list()).toEqual([])
    expect((await refusals(zone)).map(({ stage, code }) => [stage, code])).toEqual([
      ['run', 'APPROVAL_REVOKED'],
    ])
  })

  it('its end by a signal leaves a refusal, and nothing in the staging directory', async () => {
    const { zone, directory, approved } = await makeZone(keys, { engine: { mode: 'process', warm: 0 } })
    const id = await approved()
    const controller = new AbortController()
    const run = zone.run(id, keys.operator, {
      ...SINCE,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    })
    await expect(run).toThrowWithCode('INTERRUPTED')
    expect((await refusals(zone)).map(({ stage, code }) => [stage, code])).toEqual([
      ['execution', 'INTERRUPTED'],
    ])
    const [own] = (await readdir(join(directory, 'staging'))).filter(name => name !== 'lock')
    expect((await readdir(join(directory, 'staging', own!))).filter(name => name !== 'lock')).toEqual([])
    await zone.run(id, keys.operator, SINCE)
  })
})

describe('leftovers', () => {
  it('of killed processes go when the zone is opened; what somebody may still need stays', async () => {
    const { zone, directory, approved } = await makeZone(keys)
    await zone.run(await approved(), keys.operator, SINCE)
    const registered = join(directory, 'data', zone.state.datasets.get('payments')!.file)
    const orphans = ['old', 'new'].map(name => join(directory, 'data', `${name}.parquet`))
    for (const path of orphans) await copyFile(registered, path)
    const longAgo = new Date(Date.now() - 3 * 24 * 60 * 60 * 1000)
    await utimes(orphans[0]!, longAgo, longAgo)
    await utimes(registered, longAgo, longAgo)
    const abandoned = join(directory, 'staging', 'abandoned')
    await mkdir(join(abandoned, 'run-1', 'in'), { recursive: true })
    await copyFile(registered, join(abandoned, 'run-1', 'in', '0.parquet'))
    const results = await readdir(join(directory, 'results'))
    const other = await Zone.open(directory, { engine: { warm: 0 } })
    await other.warm()
    expect(await readdir(join(directory, 'data'))).not.toContain('old.parquet')
    expect(await readdir(join(directory, 'data'))).toContain('new.parquet')
    expect(await readdir(join(directory, 'staging'))).not.toContain('abandoned')
    expect(await readdir(join(directory, 'results'))).toEqual(results)
    await zone.run(await approved(), keys.operator, SINCE)
    await other.close()
  })
})

describe('an exported request', () => {
  it('that was altered on its way is not what is signed', async () => {
    const { zone } = await makeZone(keys)
    const { id } = await zone.requests.submit(BY_TOWN, keys.consumer)
    const text = new TextDecoder().decode(zone.requests.export(id))
    const { Approver } = await import('@sluice/sandbox')
    const approver = new Approver(keys.provider)
    const read = (altered: string) => () => approver.review(new TextEncoder().encode(altered))
    await expect(read(text.replace('"minimumEntities":5', '"minimumEntities":3'))).toThrowWithCode(
      'FINGERPRINT_MISMATCH',
    )
    await expect(read(text.replace('"form":"sluice-request-export/1"', '"form":"x"'))).toThrowWithCode(
      'FILE_FORMAT',
    )
    await expect(read('not json')).toThrowWithCode('FILE_FORMAT')
    const other = approver.review(new TextEncoder().encode(text.replace('"maxRuns":5', '"maxRuns":500')))
    await expect(signed(zone, id, keys.provider, {}, { digest: other.digest })).toThrowWithCode(
      'APPROVAL_MISMATCH',
    )
    await expect(
      approver.approve(other, { digest: other.digest }).then(bytes => zone.approvals.import(bytes)),
    ).toThrowWithCode('APPROVAL_MISMATCH')
  })
})
