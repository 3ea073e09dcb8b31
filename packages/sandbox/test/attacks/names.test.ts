import { isSluiceError } from '@sluice/core'
import { describe, expect, it } from 'vitest'
import { attackZone, shown } from './zone.js'

/** Names and values that want to be read as SQL, or as a part of the zone's own. */
const attack = attackZone()

const NAMES =
  `a"b|it's|select|k0|e0|cell|c1|i0|o0|ÅÄ|x; DROP TABLE people --|$p|keep|value|名 字|s0_entity|b0|k0 |%`.split(
    '|',
  )
const quote = (text: string) => `"${text.replaceAll('"', '""')}"`

function policy(names: readonly string[]): string {
  const columns = names.map(
    name => `  ${JSON.stringify(name)}: { role: measure, uses: [group, filter, aggregate] }`,
  )
  return `version: 1
owner: bureau
grade: 2
entity: { column: who }
disclosure: { minimumEntities: 3, dominance: { n: 1, percent: 90 }, pPercent: none }
purposes: [credit-risk]
consumers: [bank]
columns:
  who: { role: identifier, uses: [] }
${columns.join('\n')}
`
}

function csv(names: readonly string[]): string {
  const rows = Array.from({ length: 30 }, (_, at) => [
    `w${at}`,
    ...names.map((_, index) => String(at + index)),
  ])
  return [['who', ...names], ...rows].map(row => row.map(quote).join(',')).join('\n')
}

describe('a provider’s column names', () => {
  it('are names, whatever they say', async () => {
    await attack.add('odd', csv(NAMES), policy(NAMES))
    const sums = NAMES.map(name => `sum(${quote(name)}) AS ${quote(name)}`).join(', ')
    const conditions = NAMES.map(name => `${quote(name)} >= 0`).join(' AND ')
    const outcome = await attack.ask(
      `SELECT ${sums} FROM odd WHERE ${conditions} GROUP BY ${quote('k0')} < 0`,
    )
    const totals = NAMES.map((_, index) => 435 + 30 * index)
    expect(outcome.stopped === null ? shown(outcome.released) : outcome).toEqual([totals.join(' ')])
  })

  it.each([
    ['the codes of entities', '__sluice_entity'],
    ['their buckets', '__SLUICE_bucket'],
    ['row numbers', 'file_row_number'],
    ['a column twice', 'WHO'],
  ])('cannot stand for %s', async (_, name) => {
    const error = await attack.add('shadow', csv([name]), policy([name])).catch(found => found)
    expect(isSluiceError(error) && error.code).toMatch(/^(SCHEMA_INVALID|FILE_FORMAT)$/)
  })
})

describe('a parameter’s value', () => {
  const text = [{ name: 'x', type: { kind: 'text' } }] as const
  const sql = 'SELECT count(*) AS n FROM people WHERE town <> $x'

  it.each([["south' OR '1'='1"], ["\\'; DROP TABLE people; --"], ['$x'], ["','south"]])(
    '%s is a text',
    async x => {
      const outcome = await attack.ask(sql, text, { x })
      expect(outcome.stopped === null ? shown(outcome.released) : outcome).toEqual(['41'])
    },
  )

  it.each([['with a NUL\0'], ['half a character \ud800']])('%j is refused', async x => {
    expect(await attack.ask(sql, text, { x })).toMatchObject({ stopped: 'run', code: 'PARAMETER_INVALID' })
  })
})

describe('a query’s text', () => {
  it.each<[string, string, string]>([
    ['two statements', 'SELECT count(*) FROM people; SELECT 1', 'sql.one-statement'],
    ['letters that look alike', 'SELECT count(*) FROM ｐｅｏｐｌｅ', 'sql.table'],
    ['a NUL, which ends the text for the engine alone', 'SELECT count(*) FROM people\0', 'sql.text'],
    ['a terminal’s escape as a name', 'SELECT count(*) AS "\u001b[31m" FROM people', 'sql.text'],
    ['text that reads backwards', 'SELECT count(*) AS "\u202en" FROM people', 'sql.text'],
    ['64 KiB and more', `SELECT count(*) FROM people ${' '.repeat(65_536)}`, 'sql.text'],
    [
      'subqueries in subqueries',
      `SELECT count(*) FROM ${'(SELECT age FROM '.repeat(150)}people${') t'.repeat(150)}`,
      'sql.depth',
    ],
    ['sums of thousands', `SELECT sum(age${'+1'.repeat(3000)}) FROM people`, 'sql.syntax'],
    [
      'thousands after IN',
      `SELECT count(*) FROM people WHERE age IN (${Array.from({ length: 8000 }, (_, at) => at)})`,
      'plan.size',
    ],
    ['a name twice, in two cases', 'SELECT count(*) n, count(*) "N" FROM people', 'sql.duplicate-name'],
  ])('%s', async (_, sql, rule) => {
    expect(await attack.ask(sql)).toMatchObject({ stopped: 'submit', rule })
  })

  it('quotes in text stay in the text', async () => {
    const outcome = await attack.ask(`SELECT count(*) AS n FROM people WHERE illness <> 'it''s \\ "x" -- ;'`)
    expect(outcome.stopped === null ? shown(outcome.released) : outcome).toEqual(['41'])
  })
})
