import {
  Classifier,
  catalogueJsonSchema,
  defaultCatalogue,
  defaultCatalogueText,
  draftPolicy,
  parseCatalogue,
} from '@sluice/core/classify'
import { checkPolicy, GRADE_RULES, parsePolicy, treatmentsOf } from '@sluice/core/policy'
import { Float64, Table, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { failure } from '../failure.ts'

const OWN = `
version: 1
name: db11-t-example
edition: "1"
standard: DB11/T 1918-2021
grading:
  individual: { none: 1, general: 2, serious: 3, special: 4 }
unrecognized: { object: individual, degree: serious }
entities:
  social-security-card:
    label: { en: social security card, zh: 社会保障卡号 }
    format: { characters: [upper, digit], length: { min: 9, max: 9 }, prefixes: [SS], weight: 0.6 }
    names: [社保卡号, sbkh]
    impact: { object: individual, degree: special }
    role: identifier
    uses: [join]
`

function classifyColumns(
  columns: Record<string, readonly string[]>,
  catalogue?: ReturnType<typeof parseCatalogue>,
) {
  const table = new Table(
    Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [name, vectorFromArray(values, new Utf8())]),
    ),
  )
  return classifyTable(table, catalogue)
}

function classifyTable(table: Table, catalogue?: ReturnType<typeof parseCatalogue>) {
  const classifier = new Classifier(table.schema, catalogue && { catalogue })
  for (const batch of table.batches) classifier.add(batch)
  return classifier.finish()
}

describe('the catalogue', () => {
  test('that comes with the package holds, and grades as the standard’s table does', () => {
    const { entities, standard, digest } = defaultCatalogue()
    expect(standard).toBe('GB/T 43697-2024')
    expect(digest).toMatch(/^[0-9a-f]{64}$/)
    const grade = (name: string) => entities.find(entity => entity.name === name)?.grade
    expect(['identity-number', 'credit-code', 'health'].map(grade)).toEqual(['3', '2', '4'])
    for (const entity of entities) {
      for (const use of entity.uses) expect(GRADE_RULES[entity.grade].uses).toContain(use)
    }
  })

  test('can be a city’s own, with forms of its own', () => {
    const values = Array.from({ length: 20 }, (_, i) => `SS${1_000_000 + i}`)
    const result = classifyColumns({ c: values, d: ['x', 'y'] }, parseCatalogue(OWN))
    expect(result.catalogue).toMatchObject({ name: 'db11-t-example', standard: 'DB11/T 1918-2021' })
    expect(result.columns[0]).toMatchObject({
      entity: { entity: 'social-security-card' },
      grade: '4',
      uses: ['join'],
    })
    expect(result.columns[1]).toMatchObject({ entity: null, grade: '3' })
    expect(result.grade).toBe('4')
    expect(
      classifyColumns({ c: values.map(v => v.slice(1)) }, parseCatalogue(OWN)).columns[0]!.entity,
    ).toBeNull()
  })

  test.each([
    ['an unknown key', OWN.replace('role:', 'rolle: a\n    role:'), 'entities.social-security-card.rolle'],
    [
      'an unknown recognizer',
      OWN.replace(/format: .*/, 'recognizer: horoscope'),
      'entities.social-security-card.recognizer',
    ],
    [
      'a degree that is none',
      OWN.replace('degree: special', 'degree: dire'),
      'entities.social-security-card.impact.degree',
    ],
    [
      'an object without grades',
      OWN.replace('object: individual, degree: special', 'object: pets, degree: special'),
      'entities.social-security-card.impact.object',
    ],
    [
      'grades that fall',
      OWN.replace('serious: 3, special: 4', 'serious: 3, special: 2'),
      'grading.individual.special',
    ],
    [
      'a use that the grade forbids',
      OWN.replace('uses: [join]', 'uses: [join, group]'),
      'entities.social-security-card.uses.1',
    ],
    [
      'nothing to recognize by',
      OWN.replace(/ {4}format: .*\n/, '').replace('names: [社保卡号, sbkh]', 'names: []'),
      'entities.social-security-card',
    ],
    [
      'lengths that cross',
      OWN.replace('min: 9, max: 9', 'min: 9, max: 8'),
      'entities.social-security-card.format.length',
    ],
    ['an alias', OWN.replace('edition: "1"', 'edition: &a "1"'), 'edition'],
    ['no YAML', 'a: [', 'catalogue'],
  ])('with %s is refused, at its place', (_, text, rule) => {
    const error = failure(() => parseCatalogue(text, { source: 'own.yaml' }))
    expect(error.code).toBe('CATALOGUE_INVALID')
    expect(error.rule).toBe(rule)
    expect(error.position).toMatchObject({ source: 'own.yaml' })
  })

  test('whose recognizers contradict one another is refused: a name, a recognizer or a form twice', () => {
    const twice = (change: (second: string) => string) => {
      const [head, entity] = OWN.split('entities:\n') as [string, string]
      const second = change(
        entity.replace('social-security-card:', 'other:').replace('[社保卡号, sbkh]', '[别的]'),
      )
      return failure(() => parseCatalogue(`${head}entities:\n${entity}${second}`))
    }
    expect(twice(text => text).rule).toBe('entities.other')
    const names = twice(text => text.replace('[别的]', '[SBKH]').replace('[SS]', '[ST]'))
    expect(names).toMatchObject({ code: 'CATALOGUE_INVALID', rule: 'entities.other.names.0' })
    const doubled = defaultCatalogueText.replace('recognizer: landline', 'recognizer: mobile')
    expect(failure(() => parseCatalogue(doubled)).rule).toBe('entities.landline')
  })

  test('is limited in size and described by a JSON Schema', async () => {
    await expect(() => parseCatalogue(`# ${'x'.repeat(1 << 20)}`)).toThrowWithCode('FILE_TOO_LARGE')
    expect(catalogueJsonSchema()).toMatchObject({
      $id: 'urn:sluice:catalogue:1',
      additionalProperties: false,
    })
  })
})

describe('the draft of a policy', () => {
  test('is one that holds, admits nobody, and protects whom the table is about', () => {
    const result = classifyColumns({
      身份证号: ['11010519491231002X', '11010519491231002X'],
      手机号: ['13800000000', '13800000001'],
      'company: name\n#': ['示例科技有限公司', '示例贸易有限公司'],
      yes: ['a', 'b'],
      月收入: ['1234.50', '99.00'],
    })
    const text = draftPolicy(result, { owner: 'tax-bureau' })
    const policy = parsePolicy(text)
    expect(policy).toMatchObject({
      owner: 'tax-bureau',
      grade: '3',
      entity: { kind: 'column', column: '身份证号' },
      purposes: [],
      consumers: [],
    })
    expect(Object.keys(policy.columns)).toEqual(result.columns.map(column => column.name))
    expect(policy.columns['身份证号']).toMatchObject({ role: 'identifier', grade: '3', uses: ['join'] })
    expect(policy.columns['yes']).toMatchObject({ grade: '2', uses: [] })
    checkPolicy(
      policy,
      // the types once the rules were applied
      result.columns
        .filter(({ rule }) => rule?.kind !== 'drop')
        .map(({ name, rule }) => ({
          name,
          type: rule?.kind === 'round' ? { kind: 'float', bits: 64 } : { kind: 'text' },
        })),
    )
    expect(text).not.toContain('13800000000')
  })

  test('holds the rules that are suggested: tokens where columns are joined, and how their secret is given', () => {
    const result = classifyColumns({
      身份证号: ['11010519491231002X', '11010519491231002X'],
      姓名: ['张伟', '李娜'],
      出生日期: ['1990-01-02', '1991-03-04'],
      内部: ['a', 'b'],
    })
    const text = draftPolicy(result, { owner: 'tax-bureau' })
    const { columns } = parsePolicy(text)
    for (const { name, rule } of result.columns) expect(columns[name]!.rule).toEqual(rule)
    const token = { kind: 'token', key: 'provider', domain: 'default', algorithm: 'aes-cmac' }
    expect(Object.values(columns).map(({ rule }) => rule)).toEqual([
      token,
      { kind: 'preset', preset: 'name' },
      { kind: 'date-part', to: 'year' },
      { kind: 'drop' },
    ])
    expect(text).toContain('--secret provider=provider.secret')
    const treatments = treatmentsOf(parsePolicy(text), 'outside')
    expect([...treatments.keys()]).toEqual(result.columns.map(({ name }) => name))
  })

  test('of a column that its rule leaves out has no use for it, nor is it the entity', () => {
    const mobiles = Array.from({ length: 30 }, (_, i) => 13_800_000_000 + i)
    const table = new Table({ phone: vectorFromArray(mobiles, new Float64()) })
    const policy = parsePolicy(draftPolicy(classifyTable(table), { owner: 'o' }))
    expect(policy.columns['phone']).toMatchObject({ uses: [], rule: { kind: 'drop' } })
    expect(policy.entity).toEqual({ kind: 'row' })
  })

  test('holds whatever the columns are called', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 30, unit: 'binary' }), {
          minLength: 1,
          maxLength: 5,
        }),
        names => {
          const usable = names.filter(
            name => name !== '__proto__' && name !== '<<' && !/[\ud800-\udfff]/u.test(name),
          )
          if (usable.length === 0) return
          const result = classifyColumns(Object.fromEntries(usable.map(name => [name, ['a']])))
          const policy = parsePolicy(draftPolicy(result, { owner: 'o' }))
          expect(Object.keys(policy.columns).sort()).toEqual([...usable].sort())
        },
      ),
      { numRuns: 200, seed: 7 },
    )
  })
})
