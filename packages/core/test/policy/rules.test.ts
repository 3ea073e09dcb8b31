import type { ColumnSchema } from '@sluice/core/plan'
import { checkPolicy, parsePolicy, policyFromJson, policyToJson, treatmentsOf } from '@sluice/core/policy'
import { describe, expect, it } from 'vitest'

const policy = (columns: string, release = 'rows') =>
  parsePolicy(
    `version: 1\nowner: bureau\ngrade: 3\nentity: row\nrelease: ${release}\ncolumns:\n  open: {role: attribute, grade: 1, uses: [output]}\n${columns}`,
  )

describe('rules in a policy', () => {
  it('are part of it, and of what is recorded', () => {
    const read = policy('  name: {role: identifier, rule: {kind: preset, preset: name}}')
    expect(read.columns['name']!.rule).toEqual({ kind: 'preset', preset: 'name' })
    expect(policyFromJson(JSON.parse(JSON.stringify(policyToJson(read))))).toEqual(read)
    expect(Object.hasOwn(read.columns['open']!, 'rule')).toBe(false)
  })

  it.each([
    ['{kind: preset, preset: nmae}', 'columns.name.rule.preset'],
    ['{kind: maks}', 'columns.name.rule.kind'],
    ['{kind: mask, keep: {first: 1}, widht: 2}', 'columns.name.rule.widht'],
    ['{kind: mask}', 'columns.name.rule'],
    ['mask', 'columns.name.rule'],
  ])('%s is refused, with its key', async (rule, path) => {
    await expect(() => policy(`  name: {role: identifier, rule: ${rule}}`)).toThrowWithCode(
      'POLICY_INVALID',
      path,
    )
  })

  it('a column that is dropped has no use, and need not be in the file', async () => {
    await expect(() =>
      policy('  name: {role: identifier, uses: [filter], rule: {kind: drop}}'),
    ).toThrowWithCode('POLICY_INVALID', 'columns.name.rule')
    const read = policy('  name: {role: identifier, rule: {kind: drop}}')
    expect(checkPolicy(read, [{ name: 'open', type: { kind: 'text' } }]).unmentioned).toEqual([])
  })

  it('a scan’s rule has to go with its column’s type', async () => {
    const read = policy('  age: {role: quasi, rule: {kind: band, width: 10}}')
    const columns = (kind: 'text' | 'float'): ColumnSchema[] => [
      { name: 'open', type: { kind: 'text' } },
      { name: 'age', type: kind === 'text' ? { kind } : { kind, bits: 64 } },
    ]
    expect(checkPolicy(read, columns('float')).unmentioned).toEqual([])
    await expect(() => checkPolicy(read, columns('text'))).toThrowWithCode(
      'POLICY_INVALID',
      'columns.age.rule',
    )
  })

  it('a file in which the provider’s rules were plainly not applied is refused', async () => {
    const token = '{kind: token, key: k, domain: d}'
    for (const rule of ['{kind: drop}', token]) {
      const read = policy(`  phone: {role: identifier, rule: ${rule}}`)
      const raw: ColumnSchema[] = [
        { name: 'open', type: { kind: 'text' } },
        { name: 'phone', type: { kind: 'integer', bits: 64, signed: true } },
      ]
      await expect(() => checkPolicy(read, raw)).toThrowWithCode('POLICY_INVALID', 'columns.phone.rule')
    }
    const tokens: ColumnSchema[] = ['open', 'phone'].map(name => ({ name, type: { kind: 'text' } }))
    const read = policy(`  phone: {role: identifier, rule: ${token}}`)
    expect(checkPolicy(read, tokens).unmentioned).toEqual([])
  })

  it('a dropped column may have bounds that nobody needs', () => {
    const read = policy('  cost: {role: measure, bounds: {min: 0, max: 9}, rule: {kind: drop}}')
    expect(checkPolicy(read, [{ name: 'open', type: { kind: 'text' } }]).unmentioned).toEqual([])
  })

  it('say what happens to a file, by where it goes', () => {
    const read = policy(
      [
        '  masked: {role: identifier, uses: [group], rule: {kind: mask, keep: {first: 1}}}',
        '  looked: {role: quasi, rule: {kind: replace, table: t.csv}}',
        '  gone: {role: quasi, rule: {kind: drop}}',
        '  closed: {role: measure, uses: [aggregate]}',
      ].join('\n'),
    )
    const kinds = (destination: 'zone' | 'outside') =>
      Object.fromEntries(
        [...treatmentsOf(read, destination)].map(([name, how]) => [name, how === 'keep' ? how : how.kind]),
      )
    expect(kinds('outside')).toEqual({ open: 'keep', masked: 'mask', looked: 'replace', gone: 'drop' })
    expect(kinds('zone')).toEqual({
      open: 'keep',
      masked: 'keep',
      looked: 'keep',
      gone: 'drop',
      closed: 'keep',
    })
  })
})
