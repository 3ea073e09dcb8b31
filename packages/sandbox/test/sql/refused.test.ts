import { isSluiceError, type SluiceError } from '@sluice/core'
import { Gate } from '@sluice/sandbox/sql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { catalogue, REFUSED } from './refused-queries.js'

let gate: Gate
beforeAll(async () => {
  gate = await Gate.start()
})
afterAll(() => gate.close())

describe.each(Object.entries(REFUSED))('%s', (_, queries) => {
  it.each(queries.map(([sql, rule]) => ({ title: sql.slice(0, 100), sql, rule })))(
    '$title',
    async ({ sql, rule }) => {
      const error = await refusal(sql.replace('‸', ''))
      expect({ rule: error.rule, code: error.code, cause: error.cause }).toEqual({
        rule,
        code: CODES[rule] ?? 'SQL_REFUSED',
        cause: undefined,
      })
      expect(error.remedy).toMatch(/\w/)
      expect(JSON.stringify(error)).not.toContain('Zhang')
      const place = [...sql].indexOf('‸')
      expect(error.position).toEqual(
        place === -1
          ? { line: expect.any(Number), column: expect.any(Number) }
          : { line: 1, column: place + 1 },
      )
    },
  )
})

const CODES: Readonly<Record<string, string>> = {
  'sql.syntax': 'SQL_SYNTAX',
  'sql.name': 'NAME_UNKNOWN',
  'sql.table': 'NAME_UNKNOWN',
  'sql.ambiguous': 'NAME_UNKNOWN',
}

describe('positions', () => {
  it.each([
    ['SELECT a,\n  nope\nFROM t', 2, 3],
    ['SELECT a,\r\n\tnope FROM t', 2, 2],
    ["SELECT '数据专区𝒳' AS x, nope FROM t", 1, 22],
    ['SELECT a FROM t\nWHERE s = 5', 2, 9],
    ['-- 注释 🎉\nSELECT (a)) FROM t', 2, 11],
    ["SELECT '🎉🎉' x FROM WHERE t", 1, 20],
  ])('%j', async (sql, line, column) => {
    expect((await refusal(sql)).position).toEqual({ line, column })
  })

  it('a syntax error repeats nothing of the text', async () => {
    const error = await refusal("SELECT a FROM t WHERE s = 'Zhang' 'Wang' FROM")
    expect(error.code).toBe('SQL_SYNTAX')
    expect(JSON.stringify(error)).not.toMatch(/Zhang|Wang/)
  })
})

async function refusal(sql: string): Promise<SluiceError> {
  const outcome = await gate.compile({ sql, catalogue }).catch((error: unknown) => error)
  if (isSluiceError(outcome)) return outcome
  throw new Error(`this passed: ${JSON.stringify(outcome)}`)
}
