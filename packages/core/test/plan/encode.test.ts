import { canonicalBytes, type Json } from '@sluice/core'
import { decodePlan, encodePlan, PLAN_LIMIT, type Plan, planDigest } from '@sluice/core/plan'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.ts'
import { anyPlan } from './arbitrary.ts'
import { column, int, Plans, planOf, test } from './plans.ts'

const plans = new Plans()
const loans = plans.scan('loans', 'state', 'amount')
const PLAN = planOf(plans.filter(loans, test('greater', column(loans, 'amount'), int(5))))
const text = (plan: unknown) => JSON.stringify(plan)

describe('the encoding of a plan', () => {
  it('comes back as it was, for plans of every node', () => {
    const kinds = new Set<string>()
    fc.assert(
      fc.property(anyPlan, plan => {
        const bytes = encodePlan(plan)
        expect(decodePlan(bytes)).toEqual(plan)
        expect(decodePlan(new TextDecoder().decode(bytes))).toEqual(plan)
        for (const [kind] of text(plan).matchAll(/"kind":"\w+"/g)) kinds.add(kind)
      }),
      { seed: 21, numRuns: 200 },
    )
    expect(kinds.size).toBeGreaterThanOrEqual(9 + 7 + 8)
  })

  it('has one digest, whatever the order of the keys', () => {
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, inner]) => [key, reversed(inner)]),
            )
          : value
    expect(planDigest(reversed(PLAN) as Plan)).toBe(planDigest(PLAN))
    expect(planDigest({ ...PLAN, output: [PLAN.output[1]!, PLAN.output[0]!] })).not.toBe(planDigest(PLAN))
  })

  it('refuses a key that is missing, added or of another kind, wherever it stands', () => {
    fc.assert(
      fc.property(anyPlan, fc.nat(), fc.constantFrom('delete', 'add', 'retype'), (plan, place, how) => {
        const copy = JSON.parse(text(plan)) as object
        const objects = objectsIn(copy).filter(object => !('minimum' in object) && !('values' in object))
        const target = objects[place % objects.length] as Record<string, unknown>
        const keys = Object.keys(target)
        const key = keys[place % keys.length]!
        if (how === 'delete') delete target[key]
        else if (how === 'add') target.extra = 1
        else target[key] = { strange: true }
        expect(failure(() => decodePlan(copy)).code).toBe('SCHEMA_INVALID')
      }),
      { seed: 22, numRuns: 300 },
    )
  })

  it.each<[string, (plan: string) => string]>([
    ['another language', plan => plan.replace('sluice-plan/1', 'sluice-plan/2')],
    ['two columns of one id', plan => plan.replace('"id":1,"name":"amount"', '"id":0,"name":"amount"')],
    ['a reference out of scope', plan => plan.replace('{"kind":"column","id":1', '{"kind":"column","id":7')],
    [
      'a reference of another type',
      plan => plan.replace(/("kind":"column","id":1,"type":\{"kind":"integer","bits":)64/, '$132'),
    ],
    ['a literal of another type', plan => plan.replace('"value":"5"', '"value":"five"')],
    [
      'a literal out of its type’s range',
      plan => plan.replace('"value":"5"', '"value":"9223372036854775808"'),
    ],
    [
      'a predicate that is no condition',
      plan =>
        plan.replace(
          /"predicate":.*?,"output"/,
          '"predicate":{"kind":"literal","type":{"kind":"integer","bits":64,"signed":true},"value":"1"}},"output"',
        ),
    ],
    ['a released column that is not there', plan => plan.replace('"output":[{"id":0', '"output":[{"id":9')],
    ['an unknown function', plan => plan.replace('"function":"greater"', '"function":"query"')],
    ['too few arguments', plan => plan.replace('"function":"greater"', '"function":"replace"')],
    ['a negative id', plan => plan.replace('"id":0,', '"id":-1,')],
    [
      'an undeclared parameter',
      plan =>
        plan.replace(
          /\{"kind":"literal".*?"value":"5"\}/,
          '{"kind":"parameter","type":{"kind":"integer","bits":64,"signed":true},"name":"year"}',
        ),
    ],
    ['no JSON', plan => plan.slice(1)],
  ])('refuses %s', (_, change) => {
    const changed = change(text(PLAN))
    expect(changed).not.toBe(text(PLAN))
    expect(failure(() => decodePlan(changed)).code).toBe('SCHEMA_INVALID')
  })

  it('bounds depth and size', () => {
    let deep: Json = { kind: 'literal', type: { kind: 'boolean' }, value: true }
    for (let i = 0; i < 100_000; i++)
      deep = { kind: 'call', type: { kind: 'boolean' }, function: 'not', arguments: [deep] }
    const filter = { ...(PLAN.root as object), predicate: deep }
    expect(failure(() => decodePlan({ ...PLAN, root: filter })).code).toBe('SCHEMA_INVALID')
    expect(failure(() => decodePlan(' '.repeat(PLAN_LIMIT + 1))).rule).toBe('plan.size')
    const wide = planOf(plans.scan('x', ...Array.from({ length: 1000 }, (_, i) => `a_long_column_name_${i}`)))
    expect(failure(() => encodePlan(wide)).rule).toBe('plan.size')
    expect(canonicalBytes(wide as object).length).toBeGreaterThan(PLAN_LIMIT)
  })
})

function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.values(value).flatMap(objectsIn)
  return Array.isArray(value) ? inner : [value, ...inner]
}
