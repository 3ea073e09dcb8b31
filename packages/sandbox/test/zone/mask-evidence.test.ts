import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Keys, makeKeys, makeZone, temporary } from './fixture.js'

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})

const POLICY = `version: 1
owner: bureau
grade: '2'
entity: {column: phone}
release: aggregate
disclosure: {minimumEntities: 5, dominance: {n: 1, percent: 90}, pPercent: none}
purposes: [credit-risk]
consumers: [bank]
approvals: { reviewer: true }
columns:
  phone: { role: identifier, uses: [group, filter, aggregate], rule: {kind: preset, preset: mobile} }
  code: { role: identifier, uses: [join, filter], rule: {kind: band, width: 1000} }
  town: { role: quasi, uses: [group, filter] }
  kind: { role: quasi, uses: [group, filter], values: public, rule: {kind: replace, values: {a: A, b: B}} }
`

/** Sixty rows of as many people, all of whose phones look alike but for one that fits no phone; one lives in the west. */
const ROWS = Array.from({ length: 60 }, (_, at) =>
  [
    at === 9 ? 'none' : `138${1000 + at}8000`,
    at,
    at === 7 ? 'west' : 'north',
    at < 3 ? 'c' : 'ab'[at % 2],
  ].join(','),
)

describe('evidence over masked columns', () => {
  it('counts registered entities, and believes of masked values nothing that was registered of them', async () => {
    const { zone, approved } = await makeZone(keys)
    const from = join(await temporary(), 'people.csv')
    await writeFile(from, `phone,code,town,kind\n${ROWS.join('\n')}\n`)
    await zone.datasets.add({ name: 'people', from, policy: POLICY }, keys.provider)
    // each row an entity: only what is known of keys tells that a join repeats it
    const byRow = POLICY.replace('{column: phone}', 'row')
    await zone.datasets.add({ name: 'rows', from, policy: byRow }, keys.provider)
    const run = async (sql: string) => {
      const { table } = await zone.run(await approved({ sql, purpose: 'credit-risk' }), keys.operator)
      return table.toArray().map(row => Object.values(row.toJSON()).map(cell => cell && String(cell)))
    }

    // one masked value, and 59 entities behind it
    expect(await run('SELECT phone, count(*) AS n FROM people GROUP BY phone')).toEqual([
      ['138****8000', '59'],
    ])
    // none is null in the file; one is hidden by its mask
    expect(await run('SELECT count(phone) AS n, count(DISTINCT phone) AS d FROM people')).toEqual([
      ['59', '1'],
    ])
    // a key as registered, but all of its masked values are one: the west's one person stands in sixty rows
    expect(
      await run(
        'SELECT b.town, count(*) AS n FROM rows AS a JOIN rows AS b ON a.code = b.code GROUP BY b.town',
      ),
    ).toEqual([['north', '3540']])
    // values that are public as registered are not as masked: a small group does not show
    expect(await run('SELECT kind, count(*) AS n FROM people GROUP BY kind ORDER BY kind')).toEqual([
      ['A', '28'],
      ['B', '29'],
    ])
    // raw values find nobody
    expect(await run("SELECT count(*) AS n FROM people WHERE kind = 'a' OR code = 7")).toEqual([[null]])
  })

  it('needs no column that the provider’s own command has dropped', async () => {
    const { zone } = await makeZone(keys)
    const from = join(await temporary(), 'towns.csv')
    await writeFile(from, 'town\nnorth\nsouth\n')
    const policy = `version: 1
owner: bureau
grade: 2
entity: row
columns:
  phone: { role: identifier, rule: {kind: drop} }
  town: { role: quasi, uses: [group] }
`
    const { columns } = await zone.datasets.add({ name: 'dropped', from, policy }, keys.provider)
    expect(columns.map(({ name }) => name)).toEqual(['town'])
    const kept = policy.replace(', rule: {kind: drop}', '')
    await expect(zone.datasets.add({ name: 'kept', from, policy: kept }, keys.provider)).toThrowWithCode(
      'NAME_UNKNOWN',
    )
  })
})
