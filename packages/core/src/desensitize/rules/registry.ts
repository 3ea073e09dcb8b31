import { z } from 'zod'
import { unreachable } from '../../errors.js'
import type { RuleDefinition } from '../rule.js'
import { BandRule, band } from './band.js'
import { ConstantRule, constant } from './constant.js'
import { DatePartRule, datePart } from './date-part.js'
import { DivisionRule, division } from './division.js'
import { DropRule, drop } from './drop.js'
import { HierarchyRule, hierarchy } from './hierarchy.js'
import { LimitRule, limit } from './limit.js'
import { MaskRule, mask } from './mask.js'
import { NullifyRule, nullify } from './nullify.js'
import { PresetRule, preset } from './preset.js'
import { ReplaceRule, replace } from './replace.js'
import { RoundRule, round } from './round.js'

/** The closed union of rules, as plain data: what a policy carries and a plan's digest covers. */
export const Rule = z
  .discriminatedUnion('kind', [
    BandRule,
    ConstantRule,
    DatePartRule,
    DivisionRule,
    DropRule,
    HierarchyRule,
    LimitRule,
    MaskRule,
    NullifyRule,
    PresetRule,
    ReplaceRule,
    RoundRule,
  ])
  .describe('a rule: {kind, …}')

export type Rule = z.infer<typeof Rule>
export type RuleKind = Rule['kind']

/** What the rule's kind is and does. */
export function definitionOf<R extends Rule>(rule: R): RuleDefinition<R> {
  return definitionOfKind(rule.kind) as unknown as RuleDefinition<R>
}

function definitionOfKind(kind: RuleKind) {
  switch (kind) {
    case 'band':
      return band
    case 'date-part':
      return datePart
    case 'division':
      return division
    case 'hierarchy':
      return hierarchy
    case 'limit':
      return limit
    case 'mask':
      return mask
    case 'preset':
      return preset
    case 'replace':
      return replace
    case 'round':
      return round
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
