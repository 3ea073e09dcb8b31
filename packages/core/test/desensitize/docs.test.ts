import { readFileSync } from 'node:fs'
import { ruleJsonSchema, ScanRule } from '@sluice/core/desensitize'
import { describe, expect, it } from 'vitest'

interface Form {
  readonly properties: Record<string, { const?: string; properties?: object }>
}

describe.each(['desensitize.md', 'desensitize.zh-CN.md'])('docs/%s', file => {
  const page = readFileSync(new URL(`../../../../docs/${file}`, import.meta.url), 'utf8')

  it('names every rule without a key, and every parameter of it', () => {
    const scanned = ScanRule.options.map(option => option.shape.kind.value as string)
    const here = [...scanned, 'drop']
    const forms = (ruleJsonSchema().oneOf as Form[]).filter(({ properties }) =>
      here.includes(properties.kind!.const!),
    )
    expect(forms.length).toBe(here.length)
    for (const { properties } of forms) {
      expect(page).toContain(`\`${properties.kind!.const}\``)
      for (const [key, { properties: inner }] of Object.entries(properties)) {
        for (const name of [key, ...Object.keys(inner ?? {})].filter(found => found !== 'kind')) {
          expect(page).toMatch(new RegExp(`\\b${name}\\b`))
        }
      }
    }
  })

  it('says where each rule is applied', () => {
    const table = page.split('\n').find(line => line.includes('`band`'))!
    for (const option of ScanRule.options) expect(table).toContain(`\`${option.shape.kind.value}\``)
  })
})
