import { checkColumns, parseAnonymizeConfig } from '@sluice/core/anonymize'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.js'

const GOOD = `
version: 1
k: 5
columns:
  name: {role: identifier}
  age: {role: quasi, hierarchy: {intervals: [5, 10], max: 90}}
  disease: {role: sensitive}
diversity: [{column: disease, kind: entropy, l: 2}]
`

describe('the configuration', () => {
  it('is complete when it is read', () => {
    expect(parseAnonymizeConfig(GOOD)).toEqual({
      columns: {
        name: { role: 'identifier', hierarchy: null },
        age: { role: 'quasi', hierarchy: { intervals: [5, 10], max: 90 } },
        disease: { role: 'sensitive', hierarchy: null },
      },
      model: {
        k: 5,
        diversity: [{ column: 'disease', kind: 'entropy', l: 2 }],
        closeness: [],
        presence: null,
      },
      suppression: 0,
      method: 'optimal',
      measure: 'non-uniform-entropy',
      populationFile: null,
      populationRows: null,
    })
  })

  it.each([
    ['k: 5', 'k: 1', 'k'],
    ['k: 5', 'k: 5\nl: 2', 'l'],
    ['version: 1', 'version: 2', 'version'],
    ['[5, 10]', '[5, 12]', 'columns.age.hierarchy.intervals'],
    ['[5, 10]', '[]', 'columns.age.hierarchy.intervals'],
    ['role: quasi', 'role: identifier', 'columns'],
    ['l: 2', 'l: 1', 'diversity[0].l'],
    ['column: disease', 'column: age', 'diversity[0].column'],
    ['column: disease', 'column: toString', 'diversity[0].column'],
    ['k: 5', 'k: 5\nsuppression: 1.5', 'suppression'],
    ['k: 5', 'k: 5\nclosenes: []', 'closenes'],
    ['k: 5', 'k: 5\ncloseness: [{column: disease, t: 0.1, distance: hierarchical}]', 'closeness[0].distance'],
    ['k: 5', 'k: 5\nmethod: mondrian\nsuppression: 0.1', 'suppression'],
    ['k: 5', 'k: 5\nsuppression: 0.1\npresence: {population: p.csv, min: 0.1, max: 0.5}', 'presence.min'],
    ['k: 5', 'k: 5\npresence: {population: p.csv, min: 0.6, max: 0.5}', 'presence.min'],
  ])('%s instead of %s is refused with its place', (from, to, rule) => {
    const error = failure(() => parseAnonymizeConfig(GOOD.replace(from, to), { source: 'a.yaml' }))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', position: { source: 'a.yaml' } })
    const problems = [error.rule, ...((error.facts?.['problems'] as string[] | undefined) ?? [])].join('\n')
    expect(problems).toContain(rule)
  })

  it('names exactly the columns of the file', () => {
    const config = parseAnonymizeConfig(GOOD)
    checkColumns(config, ['name', 'age', 'disease'])
    expect(failure(() => checkColumns(config, ['name', 'age', 'disease', 'phone']))).toMatchObject({
      code: 'CONFIG_INVALID',
      facts: { columns: ['phone'] },
    })
    expect(failure(() => checkColumns(config, ['name', 'agee', 'disease']))).toMatchObject({
      code: 'NAME_UNKNOWN',
      remedy: 'Did you mean agee?',
    })
  })
})
