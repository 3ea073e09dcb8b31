import type { Treatment } from '../desensitize/desensitizer.js'
import type { Rule } from '../desensitize/rules/registry.js'
import { scanRule } from '../desensitize/scan.js'
import { GRADE_RULES } from './grades.js'
import type { Policy } from './types.js'

/** The rules of a policy, by column, wherever each is applied. */
export function rulesOf(policy: Policy): Map<string, Rule> {
  return new Map(
    Object.entries(policy.columns).flatMap(([name, { rule }]) => (rule === undefined ? [] : [[name, rule]])),
  )
}

/** Where a desensitized file goes. */
export const DESTINATIONS = ['zone', 'outside'] as const
export type Destination = (typeof DESTINATIONS)[number]

/**
 * What a policy says of a file's columns before the file goes somewhere. A column that is not in the answer is
 * dropped: default deny.
 *
 * - `outside`, to whoever it is handed: every rule is applied. A column without one stays only where its grade lets it
 *   leave in rows and the policy gives it the use `output`.
 * - `zone`, where plans will scan it under this policy: the rules that no scan can apply are applied (with keys, files
 *   or a look at other rows); the columns with another rule or with none stay as they are, for the gate holds them to
 *   the policy.
 */
export function treatmentsOf(policy: Policy, destination: Destination): Map<string, Treatment> {
  const treatments = new Map<string, Treatment>()
  for (const [name, { rule, grade, uses }] of Object.entries(policy.columns)) {
    if (rule !== undefined && (destination === 'outside' || scanRule(rule) === null))
      treatments.set(name, rule)
    else if (destination === 'zone') treatments.set(name, 'keep')
    else if (GRADE_RULES[grade].release === 'rows' && uses.includes('output')) treatments.set(name, 'keep')
  }
  return treatments
}
