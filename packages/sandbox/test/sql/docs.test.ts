import { readFileSync } from 'node:fs'
import { SQL_FUNCTIONS } from '@sluice/sandbox/sql'
import { describe, expect, it } from 'vitest'
import { REFUSED } from './refused-queries.js'

const page = (name: string) => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8')

/** The first cells of a page's tables, and the whole rows by them. */
function rowsOf(text: string): ReadonlyMap<string, string> {
  const rows = text.split('\n').filter(line => line.startsWith('| `'))
  return new Map(rows.map(row => [/^\| `(.*?)` +\|/.exec(row)![1]!.replaceAll('\\|', '|'), row]))
}

const signatures = SQL_FUNCTIONS.map(({ signature }) => signature)
const rules = Object.values(REFUSED).flatMap(queries => queries.map(([, rule]) => rule))

describe.each(['sql.md', 'sql.zh-CN.md'])('docs/%s', name => {
  const rows = rowsOf(page(name))

  it('lists the functions that the gate knows, and no others', () => {
    const listed = [...rows.keys()].filter(key => !key.startsWith('sql.'))
    expect(listed.sort()).toEqual([...new Set(signatures)].sort())
  })

  it('explains every rule that a test refuses something by', () => {
    expect([...new Set(rules)].filter(rule => !rows.has(rule))).toEqual([])
  })
})

describe('docs/sql.md', () => {
  const rows = rowsOf(page('sql.md'))

  it('gives each function its meaning and its other names', () => {
    for (const { name, kind, signature, meaning } of SQL_FUNCTIONS) {
      const row = rows.get(signature)!.replaceAll('\\|', '|')
      expect(row).toContain(meaning)
      if (kind === 'scalar' && /^[a-z_]+$/.test(name)) {
        expect(row.toLowerCase()).toMatch(new RegExp(`\\b${name}|${name.replace('_', ' ')}`))
      }
    }
  })
})
