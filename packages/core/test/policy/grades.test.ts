import { canonicalDigest } from '@sluice/core'
import {
  checkPolicy,
  GRADE_RULES,
  GRADES,
  highestGrade,
  parsePolicy,
  policyDigest,
  policyFromJson,
  policyToJson,
} from '@sluice/core/policy'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.ts'
import { STRIKES } from './strikes.ts'

const graded = (grade: string, more = '', columns = 'a: {role: measure}') =>
  `version: 1\nowner: bank\ngrade: ${grade}\nentity: row\n${more}\ncolumns:\n  ${columns}\n`

describe('what grades imply', () => {
  it.each(GRADES)('grade %s: the defaults are no looser than the least', grade => {
    const { defaults } = GRADE_RULES[grade]
    const { disclosure, approvals } = parsePolicy(graded(grade))
    expect(disclosure).toMatchObject(defaults)
    expect(approvals.reviewer).toBe(GRADE_RULES[grade].reviewer)
  })

  it.each(['2', '3', '4', 'important', 'core'] as const)('grade %s can only be tightened', grade => {
    const { least } = GRADE_RULES[grade]
    const below = `disclosure: {minimumEntities: ${least.minimumEntities - 1}}`
    const error = failure(() => parsePolicy(graded(grade, below)))
    expect(error).toMatchObject({
      code: 'GRADE_DENIED',
      rule: 'grade.minimum-entities',
      position: { line: 5, column: 31 },
    })
    expect(error.remedy).toBe(`Write at least ${least.minimumEntities} in grade ${grade}.`)
    expect(parsePolicy(graded(grade, `disclosure: {minimumEntities: ${least.minimumEntities}}`))).toBeTruthy()
  })

  it.each<[string, string, string, { line: number; column: number }]>([
    [
      'no dominance rule',
      graded('2', 'disclosure: {dominance: none}'),
      'grade.dominance',
      { line: 5, column: 25 },
    ],
    [
      'a looser dominance rule',
      graded('3', 'disclosure: {dominance: {n: 1, percent: 81}}'),
      'grade.dominance',
      { line: 5, column: 25 },
    ],
    [
      'two that may hold as much as one may',
      graded('4', 'disclosure: {dominance: {n: 2, percent: 51}}'),
      'grade.dominance',
      { line: 5, column: 25 },
    ],
    ['no p % rule', graded('3', 'disclosure: {pPercent: none}'), 'grade.p-percent', { line: 5, column: 24 }],
    ['no reviewer', graded('3', 'approvals: {reviewer: false}'), 'grade.reviewer', { line: 5, column: 23 }],
    ['no entity', graded('2').replace('row', 'none'), 'grade.entity', { line: 4, column: 9 }],
    ['rows', graded('2', 'release: rows'), 'grade.release', { line: 5, column: 10 }],
    [
      'output in grade 2',
      graded(
        '2',
        'release: rows',
        'a: {role: measure, uses: [filter, output]}\n  b: {role: measure, grade: 1}',
      ),
      'grade.use',
      { line: 7, column: 37 },
    ],
    [
      'an aggregate in grade 4',
      graded('4', '', 'a: {role: measure, uses: [aggregate]}'),
      'grade.use',
      { line: 7, column: 29 },
    ],
    [
      'a join of important data',
      graded('important', '', 'a: {role: measure, uses: [join]}'),
      'grade.use',
      { line: 7, column: 29 },
    ],
    [
      'a column above its dataset',
      graded('2', '', 'a: {role: measure, grade: 3}'),
      'grade.highest',
      { line: 3, column: 8 },
    ],
  ])('refuses %s', (_, text, rule, position) => {
    expect(failure(() => parsePolicy(text))).toMatchObject({ code: 'GRADE_DENIED', rule, position })
  })

  it.each([
    graded('4', 'disclosure: {dominance: {n: 2, percent: 50}}'),
    // one holds at most 45 %, so two hold at most 90 %
    graded('2', 'disclosure: {dominance: {n: 1, percent: 45}}'),
    graded('1', 'release: rows', 'a: {role: measure, uses: [output]}'),
    graded('3', 'release: rows', 'a: {role: measure, grade: 1, uses: [output]}'),
    graded('1').replace('row', 'none'),
  ])('takes what is as strict %#', text => {
    expect(parsePolicy(text)).toBeTruthy()
  })

  it('takes the strictest of several (就高从严)', () => {
    expect(highestGrade(['2', 'important', '4'])).toBe('important')
    expect(highestGrade([])).toBe('1')
  })
})

describe('the canonical form', () => {
  const policy = parsePolicy(STRIKES)

  it('is read back as it was', () => {
    const again = policyFromJson(JSON.parse(JSON.stringify(policyToJson(policy))))
    expect(again).toEqual(policy)
    expect(policyDigest(again)).toBe(policyDigest(policy))
    expect(policyDigest(policy)).toBe(canonicalDigest(policyToJson(policy)))
  })

  it('has another digest for every other meaning, and the same for another writing', () => {
    const sorted = parsePolicy(STRIKES.replace('owner: caa\ngrade: 2\n', 'grade: "2"\nowner: caa\n'))
    expect(policyDigest(sorted)).toBe(policyDigest(policy))
    expect(policyDigest(parsePolicy(STRIKES.replace('minimumEntities: 10', 'minimumEntities: 11')))).not.toBe(
      policyDigest(policy),
    )
  })

  it('is held to the same demands as a file', () => {
    const loose = { ...policy, disclosure: { ...policy.disclosure, minimumEntities: 1 } }
    expect(failure(() => policyFromJson(loose))).toMatchObject({
      code: 'GRADE_DENIED',
      rule: 'grade.minimum-entities',
    })
    for (const other of [
      { ...policy, extra: 1 },
      { ...policy, version: 2 },
      { ...policy, columns: [] },
      null,
      'text',
    ]) {
      expect(failure(() => policyFromJson(other)).code).toBe('POLICY_INVALID')
    }
    const { expires: _, ...without } = policy
    expect(failure(() => policyFromJson(without))).toMatchObject({ code: 'POLICY_INVALID', rule: 'expires' })
  })
})

describe('checkPolicy', () => {
  const policy = parsePolicy(STRIKES)
  const text = { kind: 'text' } as const
  const number = { kind: 'float', bits: 64 } as const
  const schema = [
    { name: 'operator', type: text },
    { name: 'damage', type: text },
    { name: 'cost', type: number },
    { name: 'phase', type: text },
  ]

  it('names the columns that it leaves without a use', () => {
    expect(checkPolicy(policy, schema)).toEqual({ unmentioned: ['phase'] })
  })

  it('refuses columns that are not there, and says which are near', () => {
    const renamed = schema.map(column => (column.name === 'cost' ? { ...column, name: 'costs' } : column))
    expect(failure(() => checkPolicy(policy, renamed))).toMatchObject({
      code: 'NAME_UNKNOWN',
      rule: 'columns.cost',
      remedy: 'Did you mean costs?',
      facts: { columns: ['cost'] },
    })
    expect(failure(() => checkPolicy(policy, [])).facts).toEqual({ columns: ['operator', 'damage', 'cost'] })
  })

  it('refuses bounds of what is no number', () => {
    const words = schema.map(column => ({ ...column, type: text }))
    expect(failure(() => checkPolicy(policy, words))).toMatchObject({
      code: 'POLICY_INVALID',
      rule: 'columns.cost.bounds',
    })
  })
})
