import { parsePolicy, policyFromJson, policyToJson } from '@sluice/core/policy'
import { describe, expect, it } from 'vitest'

const policy = (column: string, more = 'grade: 3\nentity: row') =>
  parsePolicy(`version: 1\nowner: bureau\n${more}\ncolumns:\n  a: ${column}\n`)
const TOKEN = '{kind: token, key: tax, domain: credit}'

describe('what a grade demands of a rule', () => {
  it.each([
    ['grade.token', '{role: identifier, uses: [join]}'],
    ['grade.token', '{role: identifier, uses: [join], rule: {kind: mask, keep: {first: 1}}}'],
    ['grade.token', '{role: identifier, uses: [join], rule: {kind: shuffle}}'],
    ['grade.rule', '{role: quasi, uses: [group]}'],
    ['grade.rule', '{role: identifier, uses: [group]}'],
  ])('%s: %s', async (rule, column) => {
    await expect(() => policy(column)).toThrowWithCode('GRADE_DENIED', rule)
  })

  it('an identifier of grade 4 links as a token alone, too', async () => {
    const more = 'grade: 4\nentity: row'
    await expect(() => policy('{role: identifier, uses: [join]}', more)).toThrowWithCode(
      'GRADE_DENIED',
      'grade.token',
    )
    expect(policy(`{role: identifier, uses: [join], rule: ${TOKEN}}`, more).grade).toBe('4')
  })

  it.each([
    `{role: identifier, uses: [join], rule: ${TOKEN}}`,
    '{role: identifier}',
    '{role: identifier, grade: 2, uses: [join]}',
    '{role: quasi, uses: [group], values: public}',
    '{role: quasi, uses: [group], rule: {kind: band, width: 10}}',
    '{role: quasi, uses: [join]}',
    '{role: measure, uses: [aggregate, filter]}',
  ])('is met by %s', column => {
    expect(policy(column).columns['a']).toBeDefined()
  })

  it('is not asked of what was signed before it was demanded', () => {
    const json = policyToJson(policy('{role: quasi, uses: [group], values: public}')) as {
      columns: { a: object }
    }
    const old = { ...json, columns: { a: { ...json.columns.a, publicValues: false } } }
    expect(policyFromJson(old).columns['a']!.publicValues).toBe(false)
  })
})

describe('what a policy says of stand-ins', () => {
  const more = 'grade: 2\nentity: row'
  it('is nothing where it says nothing, and counted where it does', () => {
    expect(policy('{role: measure}', more).sample).toBeUndefined()
    expect(policy('{role: measure}', `${more}\nsample: {mode: none}`).sample).toBeUndefined()
    const read = policy('{role: measure}', `${more}\nsample: {mode: synthetic}`)
    expect(read.sample).toEqual({ mode: 'synthetic', rows: 1000 })
    expect(policyFromJson(policyToJson(read))).toEqual(read)
  })

  it.each([
    ['POLICY_INVALID', 'sample.mode', `${more}\nsample: {mode: rows}`],
    ['POLICY_INVALID', 'sample.rows', `${more}\nsample: {mode: synthetic, rows: 10001}`],
    ['POLICY_INVALID', 'sample.row', `${more}\nsample: {mode: synthetic, row: 1}`],
    ['GRADE_DENIED', 'grade.sample', 'grade: important\nentity: row\nsample: {mode: synthetic}'],
  ])('%s %s: %s', async (code, rule, head) => {
    await expect(() => policy('{role: measure}', head)).toThrowWithCode(code, rule)
  })
})
