import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RowsReport } from '@sluice/core/disclosure'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Keys, makeKeys, makeZone, temporary } from './fixture.js'

let keys: Keys
beforeAll(async () => {
  keys = await makeKeys()
})

const POLICY = `version: 1
owner: bureau
grade: '1'
entity: {column: person}
release: rows
disclosure: {anonymity: {k: 5, l: 2}}
purposes: [credit-risk]
consumers: [bank]
approvals: { reviewer: true }
columns:
  person: { role: identifier, uses: [output] }
  age: { role: quasi, uses: [output, filter] }
  town: { role: quasi, uses: [output, filter, join] }
  illness: { role: sensitive, uses: [output, filter] }
`

/** Forty people: ten in each of four classes of town and decade, but for one more, who is alone in hers. */
const PEOPLE = Array.from({ length: 40 }, (_, at) =>
  [
    `p${at}`,
    30 + (at % 2) * 10 + (at % 9),
    at % 4 < 2 ? 'north' : 'south',
    ['flu', 'cold', 'gout'][at % 3],
  ].join(','),
).concat('p99,95,north,flu')

describe('rows about people', () => {
  it('leave a zone where their own classes are large and diverse enough, and not otherwise', async () => {
    const { zone, approved } = await makeZone(keys)
    const from = join(await temporary(), 'people.csv')
    await writeFile(from, `person,age,town,illness\n${PEOPLE.join('\n')}\n`)
    await zone.datasets.add({ name: 'people', from, policy: POLICY }, keys.provider)
    const run = async (sql: string) =>
      zone.run(await approved({ sql, purpose: 'credit-risk' }), keys.operator)

    const { table, run: name } = await run(
      'SELECT town, age // 10 AS decade, illness FROM people WHERE age < 80 ORDER BY age DESC',
    )
    expect(table.numRows).toBe(40)
    const rows = table.toArray().map(row => Object.values(row.toJSON()).join())
    expect(rows).toEqual(rows.toSorted())
    // what the ledger commits to has the report in it
    const kept = await zone.releases.get(name)
    const report = JSON.parse(kept.table.schema.metadata.get('sluice.anonymity')!) as RowsReport
    expect(report).toMatchObject({ quasi: ['town', 'decade'], sensitive: ['illness'], k: 5, l: 2, rows: 40 })
    expect(report.classes.smallest).toBeGreaterThanOrEqual(5)

    // she who is 95 is alone in her class
    await expect(run('SELECT town, age // 10 AS decade, illness FROM people')).toThrowWithCode(
      'DISCLOSURE_REFUSED',
      'k-anonymity',
    )
    await expect(run('SELECT illness FROM people WHERE age = 95')).toThrowWithCode(
      'DISCLOSURE_REFUSED',
      'k-anonymity',
    )
    await expect(run('SELECT illness FROM people WHERE age = 96')).toThrowWithCode(
      'DISCLOSURE_REFUSED',
      'k-anonymity',
    )
    await expect(run("SELECT town, illness FROM people WHERE illness = 'flu'")).toThrowWithCode(
      'DISCLOSURE_REFUSED',
      'l-diversity',
    )
    await expect(run('SELECT person, illness FROM people')).toThrowWithCode(
      'DISCLOSURE_REFUSED',
      'k-anonymity',
    )
    // one person many times is still one
    await expect(
      run('SELECT a.town FROM people AS a JOIN people AS b ON a.town = b.town WHERE a.age = 95'),
    ).toThrowWithCode('EVIDENCE_UNDEFINED', 'evidence.rows-join')
  })
})
