import { POLICY_LIMIT, parsePolicy } from '@sluice/core/policy'
import { describe, expect, it } from 'vitest'
import { cpuSeconds } from '../cpu.ts'
import { failure } from '../failure.ts'
import { STRIKES } from './strikes.ts'

describe('parsePolicy', () => {
  it('reads the file form and fills in what is absent', () => {
    expect(parsePolicy(STRIKES)).toEqual({
      kind: 'policy',
      version: 1,
      owner: 'caa',
      standard: 'GB/T 43697-2024',
      grade: '2',
      entity: { kind: 'column', column: 'operator', notEntities: ['MILITARY', 'BUSINESS'] },
      release: 'aggregate',
      disclosure: {
        minimumEntities: 10,
        dominance: { n: 1, percent: 70 },
        pPercent: 10,
        onFailure: 'suppress',
        step: { rows: 100, milliseconds: 100 },
      },
      approvals: { reviewer: true, named: null },
      purposes: ['aviation-safety'],
      consumers: ['insurer'],
      expires: '2030-01-01T00:00:00Z',
      laterVersions: false,
      columns: {
        operator: { role: 'identifier', grade: '2', uses: ['join'], publicValues: false, bounds: null },
        damage: {
          role: 'attribute',
          grade: '2',
          uses: ['group', 'filter'],
          publicValues: true,
          bounds: null,
        },
        cost: {
          role: 'measure',
          grade: '2',
          uses: ['aggregate'],
          publicValues: false,
          bounds: { minimum: '0', maximum: '1500000000' },
        },
      },
    })
  })

  it('reads the same from JSON', () => {
    const json = {
      version: 1,
      owner: 'caa',
      grade: 1,
      entity: 'row',
      columns: { a: { role: 'measure', uses: ['aggregate'] } },
    }
    const yaml =
      'version: 1\nowner: caa\ngrade: 1\nentity: row\ncolumns:\n  a: {role: measure, uses: [aggregate]}\n'
    for (const indent of [undefined, 2, '\t']) {
      expect(parsePolicy(JSON.stringify(json, null, indent))).toEqual(parsePolicy(yaml))
    }
  })

  it.each<[string, string, string, { line: number; column: number }]>([
    ['an unknown key', STRIKES.replace('purposes:', 'purpose:'), 'purpose', { line: 10, column: 1 }],
    [
      'an unknown key of a column',
      STRIKES.replace('values: public', 'value: public'),
      'columns.damage.value',
      { line: 15, column: 52 },
    ],
    [
      'an unknown key of the entity',
      STRIKES.replace('not:', 'except:'),
      'entity.except',
      { line: 4, column: 28 },
    ],
    ['a doubled key', `${STRIKES}grade: 1\n`, 'grade', { line: 17, column: 1 }],
    ['a missing key', STRIKES.replace('owner: caa\n', ''), 'owner', { line: 1, column: 1 }],
    [
      'a wrong word',
      STRIKES.replace('[group, filter]', '[group, filtre]'),
      'columns.damage.uses[1]',
      { line: 15, column: 43 },
    ],
    [
      'a wrong type',
      STRIKES.replace('minimumEntities: 10', 'minimumEntities: many'),
      'disclosure.minimumEntities',
      { line: 6, column: 20 },
    ],
    [
      'a missing part',
      STRIKES.replace('{n: 1, percent: 70}', '{n: 1}'),
      'disclosure.dominance.percent',
      { line: 7, column: 3 },
    ],
    ['an unknown version', STRIKES.replace('version: 1', 'version: 2'), 'version', { line: 1, column: 10 }],
    [
      'an entity that is no column',
      STRIKES.replace('column: operator', 'column: airline'),
      'entity.column',
      { line: 4, column: 18 },
    ],
    ['a time without zone', STRIKES.replace('00:00:00Z', '00:00:00'), 'expires', { line: 12, column: 10 }],
    [
      'bounds upside down',
      STRIKES.replace('max: 1.5e9', 'max: -1'),
      'columns.cost.bounds',
      { line: 16, column: 52 },
    ],
    [
      'a use that stands twice',
      STRIKES.replace('[aggregate]', '[aggregate, aggregate]'),
      'columns.cost.uses',
      { line: 16, column: 31 },
    ],
    [
      'an alias',
      STRIKES.replace('[insurer]', '*x').replace('purposes: [', 'purposes: &x ['),
      'purposes',
      { line: 10, column: 14 },
    ],
    ['a tag', STRIKES.replace('owner: caa', 'owner: !!binary caa'), 'owner', { line: 2, column: 17 }],
    ['two documents', `${STRIKES}---\nversion: 1\n`, 'policy', { line: 1, column: 1 }],
    ['broken syntax', STRIKES.replace('[insurer]', '[insurer'), 'policy', { line: 12, column: 1 }],
    ['nothing', '', 'policy', { line: 1, column: 1 }],
    [
      'a key with a prototype’s name',
      `${STRIKES}  __proto__: {role: measure}\n`,
      'columns.__proto__',
      { line: 17, column: 3 },
    ],
  ])('refuses %s with its position', (_, text, rule, position) => {
    const error = failure(() => parsePolicy(text, { source: 'strikes.yaml' }))
    expect(error).toMatchObject({
      code: 'POLICY_INVALID',
      rule,
      position: { ...position, source: 'strikes.yaml' },
    })
    expect(error.remedy).toBeTruthy()
  })

  it('counts columns in characters', () => {
    const error = failure(() =>
      parsePolicy(STRIKES.replace('{role: identifier,', '{"role": 数据😀, role: x,')),
    )
    expect(error.position).toMatchObject({ line: 14 })
    expect(failure(() => parsePolicy('{"数😀": 1}')).facts?.problems).toContainEqual(
      expect.stringMatching(/^1:2 /),
    )
  })

  it('gathers all problems, the first in the text first', () => {
    const text = STRIKES.replace('grade: 2', 'grade: 7')
      .replace('reviewer: true', 'reviewer: maybe')
      .replace('{n: 1', '{n: 0')
    const { rule, facts } = failure(() => parsePolicy(text))
    expect(rule).toBe('grade')
    expect(facts?.problems).toHaveLength(3)
  })

  it('names what was probably meant, and repeats no value', () => {
    const text = STRIKES.replace('consumers:', 'consumer:').replace(
      'operator, not: [MILITARY',
      'operator, not: [[SECRET]',
    )
    const error = failure(() => parsePolicy(text))
    expect(JSON.stringify(error)).toContain('did you mean')
    expect(JSON.stringify(error)).not.toContain('SECRET')
  })

  it('is not slowed or broken by hostile text', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n')
    for (const text of [
      many,
      `{${many.replaceAll('\n', ', ')}}`,
      '['.repeat(100_000),
      '- '.repeat(100_000),
      '? '.repeat(100_000),
      `a: ${'"'.repeat(100_001)}`,
      `${'a: &a [*a, *a]\n'.repeat(5000)}`,
      '\0',
      '\ud800',
    ]) {
      const seconds = cpuSeconds(() => {
        expect(failure(() => parsePolicy(text)).code).toBe('POLICY_INVALID')
      })
      // about 1 at most; what is quadratic in such a text takes 30 and more
      expect(seconds).toBeLessThan(10)
    }
    expect(failure(() => parsePolicy(' '.repeat(POLICY_LIMIT + 1))).code).toBe('FILE_TOO_LARGE')
  })
})
