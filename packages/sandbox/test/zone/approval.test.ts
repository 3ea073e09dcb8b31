import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sign } from '@sluice/ledger'
import { beforeAll, describe, expect, it } from 'vitest'
import { BY_TOWN, type Keys, makeKeys, makeZone, POLICY, paymentsCsv, signed, temporary } from './fixture.js'

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})
const SINCE = { parameters: { since: '2000' } }

describe('an approval', () => {
  it('of the owner alone is not enough where the policy asks for a reviewer', async () => {
    const { zone } = await makeZone(keys)
    const { id } = await zone.requests.submit(BY_TOWN, keys.consumer)
    await expect(zone.run(id, keys.operator, SINCE)).toThrowWithCode('NOT_APPROVED')
    await zone.approvals.import(await signed(zone, id, keys.provider))
    await expect(zone.run(id, keys.operator, SINCE)).toThrowWithCode('NOT_APPROVED')
    await zone.approvals.import(await signed(zone, id, keys.reviewer))
    await zone.run(id, keys.operator, SINCE)
  })

  it('counts once', async () => {
    const { zone } = await makeZone(keys)
    const { id } = await zone.requests.submit(BY_TOWN, keys.consumer)
    const signature = await signed(zone, id, keys.provider)
    await zone.approvals.import(signature)
    await expect(zone.approvals.import(signature)).toThrowWithCode('APPROVAL_DUPLICATE')
  })

  it('of another zone is refused', async () => {
    const one = await makeZone(keys)
    const other = await makeZone(keys)
    const there = await other.zone.requests.submit(BY_TOWN, keys.consumer)
    await one.zone.requests.submit(BY_TOWN, keys.consumer)
    const signature = await signed(other.zone, there.id, keys.provider)
    await expect(one.zone.approvals.import(signature)).toThrowWithCode('APPROVAL_MISMATCH')
  })

  it('ends when it expires', async () => {
    let now = new Date('2030-01-01T00:00:00Z')
    const options = { now: () => now }
    const { zone, approved } = await makeZone(keys, options)
    const id = await approved(BY_TOWN, { expires: '1d' })
    now = new Date('2030-01-03T00:00:00Z')
    await expect(zone.run(id, keys.operator, SINCE)).toThrowWithCode('APPROVAL_EXPIRED')
  })

  it('is void once it is revoked', async () => {
    const { zone, approved } = await makeZone(keys)
    const id = await approved()
    await zone.approvals.revoke(id, keys.provider, 'a mistake')
    await expect(zone.run(id, keys.operator, SINCE)).toThrowWithCode('APPROVAL_REVOKED')
  })

  it('is never given by the consumer, the operator in a provider’s place, or a stranger', async () => {
    const { zone } = await makeZone(keys)
    const { id } = await zone.requests.submit(BY_TOWN, keys.consumer)
    await expect(signed(zone, id, keys.consumer)).toThrowWithCode('SELF_APPROVAL')
    await expect(signed(zone, id, keys.operator).then(bytes => zone.approvals.import(bytes))).toThrowWithCode(
      'ROLE_DENIED',
    )
    await expect(signed(zone, id, keys.stranger).then(bytes => zone.approvals.import(bytes))).toThrowWithCode(
      'KEY_UNKNOWN',
    )
  })

  it('that was forged or altered is refused', async () => {
    const { zone } = await makeZone(keys)
    const { id, digest } = await zone.requests.submit(BY_TOWN, keys.consumer)
    const envelope = JSON.parse(new TextDecoder().decode(await signed(zone, id, keys.provider)))
    const payload = JSON.parse(Buffer.from(envelope.payload, 'base64').toString())
    payload.predicate.maxRuns = 1_000
    envelope.payload = Buffer.from(JSON.stringify(payload)).toString('base64')
    const altered = new TextEncoder().encode(JSON.stringify(envelope))
    await expect(zone.approvals.import(altered)).rejects.toMatchObject({ exitCode: 5 })
    const approval = {
      kind: 'approval',
      time: new Date().toISOString(),
      zone: zone.id,
      requestDigest: digest,
      approver: 'bureau',
      expires: new Date(Date.now() + 1e7).toISOString(),
      maxRuns: 1,
      datasetVersions: 'exact',
      parameters: {},
      nonce: '00'.repeat(16),
    } as const
    const forged = (await sign(approval, keys.reviewer)).bytes
    await expect(zone.approvals.import(forged)).toThrowWithCode('SIGNATURE_INVALID')
  })

  it('is void for another version of the data or another policy', async () => {
    const { zone, approved } = await makeZone(keys)
    const id = await approved()
    const from = join(await temporary(), 'more.csv')
    await writeFile(from, `${paymentsCsv()}p50,north,2001,70\n`)
    await zone.datasets.update({ name: 'payments', from, policy: POLICY }, keys.provider)
    await expect(zone.run(id, keys.operator, SINCE)).toThrowWithCode('APPROVAL_MISMATCH')
    const next = await approved()
    await zone.datasets.setPolicy(
      'payments',
      POLICY.replace('minimumEntities: 5', 'minimumEntities: 6'),
      keys.provider,
    )
    await expect(zone.run(next, keys.operator, SINCE)).toThrowWithCode('APPROVAL_MISMATCH')
  })

  it('can stand for later versions with the same schema where the owner’s policy allows that', async () => {
    const { zone, approved } = await makeZone(keys)
    const policy = `${POLICY}laterVersions: true\n`
    await zone.datasets.setPolicy('payments', policy, keys.provider)
    const standing = await approved(BY_TOWN, { datasetVersions: 'same-schema' })
    const exact = await approved()
    const from = join(await temporary(), 'more.csv')
    await writeFile(from, `${paymentsCsv()}p50,north,2001,70\n`)
    await zone.datasets.update({ name: 'payments', from, policy }, keys.provider)
    const release = await zone.run(standing, keys.operator, SINCE)
    expect(Number(release.table.getChild('payments')!.get(0))).toBe(61)
    await expect(zone.run(exact, keys.operator, SINCE)).toThrowWithCode('APPROVAL_MISMATCH')
  })
})
