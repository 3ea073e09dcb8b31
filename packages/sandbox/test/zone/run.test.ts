import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunOptions, t } from '@sluice/sandbox'
import { beforeAll, describe, expect, it } from 'vitest'
import { BY_TOWN, type Keys, makeKeys, makeZone, temporary } from './fixture.js'

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})

describe('a run', () => {
  it('releases the cells that pass, and says which did not and why', async () => {
    const { zone, approved } = await makeZone(keys)
    const release = await zone.run(await approved(), keys.operator, { parameters: { since: '2000' } })
    expect(release.table.toArray().map(row => [row.town, Number(row.payments)])).toEqual([
      ['north', 60],
      ['south', 20],
    ])
    expect(Number(release.table.getChild('total')!.get(0))).toBe(2 * (30 * 100 + (29 * 30) / 2))
    expect(release.table.getChild('total')!.get(1)).toBeNull()
    expect(release.suppressions).toEqual([
      { row: 1, column: 'total', rule: 'dominance', dataset: 'payments' },
    ])
  })

  it('can be had again without a run, and erased', async () => {
    const { zone, approved } = await makeZone(keys)
    const release = await zone.run(await approved(), keys.operator, { parameters: { since: '2000' } })
    const again = await zone.releases.get(release.run)
    expect(again.table.toString()).toBe(release.table.toString())
    expect(again.suppressions).toEqual(release.suppressions)
    await zone.releases.erase(release.run)
    await expect(zone.releases.get(release.run)).toThrowWithCode('RESULT_ERASED')
  })

  it('is taken from the allowance before it executes, also when it fails', async () => {
    const { zone, approved } = await makeZone(keys)
    const id = await approved(BY_TOWN, { maxRuns: 2 })
    await expect(
      zone.run(id, keys.operator, { parameters: { since: '2000' }, signal: AbortSignal.timeout(1) }),
    ).rejects.toThrow()
    await zone.run(id, keys.operator, { parameters: { since: '2001' } })
    const runs = zone.requests.show(id).runs
    expect(runs).toBeGreaterThan(0)
    if (runs < 2) await zone.run(id, keys.operator, { parameters: { since: '2001' } })
    await expect(zone.run(id, keys.operator, { parameters: { since: '2001' } })).toThrowWithCode(
      'APPROVAL_EXHAUSTED',
    )
  })

  it('takes parameters as numbers, declared in one line', async () => {
    const { zone, approved } = await makeZone(keys)
    const parameters = {
      since: t.int({ min: 1990, max: 2002, default: 2001 }),
      town: t.text({ values: ['north'] }),
    }
    const sql = 'SELECT count(*) AS n FROM payments WHERE year >= $since AND town = $town'
    const id = await approved({ sql, purpose: 'credit-risk', parameters, maxRuns: 3 })
    const count = async (given: RunOptions['parameters']) =>
      Number((await zone.run(id, keys.operator, { parameters: given! })).table.getChild('n')!.get(0))
    expect(await count({ since: 2000, town: 'north' })).toBe(60)
    expect(await count({ town: 'north' })).toBe(30)
    await expect(count({ since: 2000, town: 'south' })).toThrowWithCode('PARAMETER_INVALID')
  })

  it('refuses a parameter outside its range, of another type, or that nobody declared', async () => {
    const { zone, approved } = await makeZone(keys)
    const id = await approved()
    for (const parameters of [{ since: '1989' }, { since: 'x' }, {}, { since: '2000', until: '2001' }]) {
      await expect(zone.run(id, keys.operator, { parameters })).toThrowWithCode('PARAMETER_INVALID')
    }
  })

  it('brings a long result whole, in the order that was asked for', async () => {
    const { zone, approved } = await makeZone(keys)
    const from = join(await temporary(), 'towns.csv')
    const names = Array.from({ length: 9_000 }, (_, index) => `town number ${String(index).padStart(5, '0')}`)
    await writeFile(
      from,
      `name,place\n${names.map((name, index) => `${name},${9_000 - index}`).join('\n')}\n`,
    )
    const column = '{ role: attribute, grade: "1", uses: [output, filter] }'
    const policy = `version: 1
owner: bureau
standard: GB/T 43697-2024
grade: '1'
entity: none
release: rows
purposes: [credit-risk]
consumers: [bank]
columns: { name: ${column}, place: ${column} }
`
    await zone.datasets.add({ name: 'towns', from, policy }, keys.provider)
    const sql = 'SELECT name, place FROM towns ORDER BY place'
    const { table } = await zone.run(await approved({ sql, purpose: 'credit-risk' }), keys.operator)
    expect(table.getChild('name')!.toJSON()).toEqual(names.toReversed())
  })

  it('stands beside others at the same time, in one process', async () => {
    const { zone, approved } = await makeZone(keys)
    const id = await approved()
    const asked = Array.from({ length: 4 }, () => zone.requests.submit(BY_TOWN, keys.consumer))
    const runs = Array.from({ length: 3 }, () =>
      zone.run(id, keys.operator, { parameters: { since: '2000' } }),
    )
    expect(new Set((await Promise.all(asked)).map(request => request.id)).size).toBe(4)
    expect(new Set((await Promise.all(runs)).map(release => release.run)).size).toBe(3)
    expect(zone.requests.show(id).runs).toBe(3)
  })

  it('is ended when it takes longer than it may', async () => {
    const { zone, approved } = await makeZone(keys)
    const id = await approved()
    const options = { parameters: { since: '2000' }, timeout: 1 }
    await expect(zone.run(id, keys.operator, options)).toThrowWithCode('TIME_EXCEEDED')
  })

  it('is the operator’s: no other key starts one', async () => {
    const { zone, approved } = await makeZone(keys)
    const id = await approved()
    await expect(zone.run(id, keys.provider, { parameters: { since: '2000' } })).toThrowWithCode(
      'ROLE_DENIED',
    )
    await expect(zone.run(id, keys.stranger, { parameters: { since: '2000' } })).toThrowWithCode(
      'KEY_UNKNOWN',
    )
  })
})
