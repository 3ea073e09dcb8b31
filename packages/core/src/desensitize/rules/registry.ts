import { z } from 'zod'
import { unreachable } from '../../errors.js'
import type { RuleDefinition } from '../rule.js'
import { ConstantRule, constant } from './constant.js'
import { DropRule, drop } from './drop.js'
import { NullifyRule, nullify } from './nullify.js'

/** The closed union of rules, as plain data: what a policy carries and a plan's digest covers. */
export const Rule = z
  .discriminatedUnion('kind', [ConstantRule, DropRule, NullifyRule])
  .describe('a rule: {kind, …}')

export type Rule = z.infer<typeof Rule>
export type RuleKind = Rule['kind']

/** What the rule's kind is and does. */
export function definitionOf<R extends Rule>(rule: R): RuleDefinition<R> {
  return definitionOfKind(rule.kind) as unknown as RuleDefinition<R>
}

function definitionOfKind(kind: RuleKind) {
  switch (kind) {
    case 'constant':
      return constant
    case 'drop':
      return drop
    case 'nullify':
      return nullify
    default:
      return unreachable(kind)
  }
}

/** The JSON Schema (2020-12) of a rule, for editors. */
export function ruleJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(Rule, { io: 'input', target: 'draft-2020-12' }) as Record<string, unknown>
}
