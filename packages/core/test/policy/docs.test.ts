import { readFileSync } from 'node:fs'
import {
  type DisclosureLimits,
  GRADE_RULES,
  GRADES,
  parsePolicy,
  policyJsonSchema,
} from '@sluice/core/policy'
import { describe, expect, it } from 'vitest'

describe.each(['policy.md', 'policy.zh-CN.md'])('docs/%s', file => {
  const page = readFileSync(new URL(`../../../../docs/${file}`, import.meta.url), 'utf8')

  it('has examples that are policies', () => {
    const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(match => match[1]!)
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) expect(parsePolicy(example).kind).toBe('policy')
  })

  it('names every key', () => {
    const keys = new Set<string>()
    const collect = (schema: unknown): void => {
      if (typeof schema !== 'object' || schema === null) return
      const { properties } = schema as { properties?: object }
      for (const [key, inner] of Object.entries(properties ?? {})) {
        keys.add(key)
        // rules have pages of their own
        if (key !== 'rule') collect(inner)
      }
      for (const [key, inner] of Object.entries(schema)) if (key !== 'properties') collect(inner)
    }
    collect(policyJsonSchema())
    expect(keys.size).toBeGreaterThan(25)
    for (const key of keys) expect(page).toMatch(new RegExp(`\\b${key}\\b`))
  })

  it('gives the table of grades as it is', () => {
    for (const grade of GRADES) {
      const row = page.split('\n').find(line => line.split('|')[1]?.includes(`\`${grade}\``))
      const { defaults, least, uses } = GRADE_RULES[grade]
      expect(row, grade).toBeDefined()
      const numbers = limits(defaults).concat(defaults === least ? [] : limits(least))
      expect(row!.split('|').slice(5).join('|').match(/\d+/g)?.map(Number)).toEqual(numbers)
      if (uses.length > 0 && uses.length < 5) expect(row).toContain(uses.join(', '))
    }
  })
})

function limits({
  minimumEntities,
  dominance,
  pPercent,
}: Pick<DisclosureLimits, 'minimumEntities' | 'dominance' | 'pPercent'>): number[] {
  return [
    minimumEntities,
    ...(dominance === null ? [] : [dominance.n, dominance.percent]),
    ...(pPercent === null ? [] : [pPercent]),
  ]
}
