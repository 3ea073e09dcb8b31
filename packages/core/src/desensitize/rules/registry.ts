import { z } from 'zod'
import { unreachable } from '../../errors.js'
import type { RuleDefinition } from '../rule.js'
import { BandRule, band } from './band.js'
import { ConstantRule, constant } from './constant.js'
import { DatePartRule, datePart } from './date-part.js'
import { DateShiftRule, dateShift } from './date-shift.js'
import { DivisionRule, division } from './division.js'
import { DropRule, drop } from './drop.js'
import { EncryptRule, encrypt } from './encrypt.js'
import { FpeRule, fpe } from './fpe.js'
import { HierarchyRule, hierarchy } from './hierarchy.js'
import { LimitRule, limit } from './limit.js'
import { MaskRule, mask } from './mask.js'
import { NoiseRule, noise } from './noise.js'
import { NullifyRule, nullify } from './nullify.js'
import { PresetRule, preset } from './preset.js'
import { ReplaceRule, replace } from './replace.js'
import { ReversibleTokenRule, reversibleToken } from './reversible-token.js'
import { RoundRule, round } from './round.js'
import { ShuffleRule, shuffle } from './shuffle.js'
import { SurrogateCreditCodeRule, surrogateCreditCode } from './surrogate-credit-code.js'
import { SurrogateIdentityNumberRule, surrogateIdentityNumber } from './surrogate-identity-number.js'
import { TokenRule, token } from './token.js'

/** The closed union of rules, as plain data: what a policy carries and a plan's digest covers. */
export const Rule = z
  .discriminatedUnion('kind', [
    BandRule,
    ConstantRule,
    DatePartRule,
    DateShiftRule,
    DivisionRule,
    DropRule,
    EncryptRule,
    FpeRule,
    HierarchyRule,
    LimitRule,
    MaskRule,
    NoiseRule,
    NullifyRule,
    PresetRule,
    ReplaceRule,
    ReversibleTokenRule,
    RoundRule,
    ShuffleRule,
    SurrogateCreditCodeRule,
    SurrogateIdentityNumberRule,
    TokenRule,
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
    case 'constant':
      return constant
    case 'date-part':
      return datePart
    case 'date-shift':
      return dateShift
    case 'division':
      return division
    case 'drop':
      return drop
    case 'encrypt':
      return encrypt
    case 'fpe':
      return fpe
    case 'hierarchy':
      return hierarchy
    case 'limit':
      return limit
    case 'mask':
      return mask
    case 'noise':
      return noise
    case 'nullify':
      return nullify
    case 'preset':
      return preset
    case 'replace':
      return replace
    case 'reversible-token':
      return reversibleToken
    case 'round':
      return round
    case 'shuffle':
      return shuffle
    case 'surrogate-credit-code':
      return surrogateCreditCode
    case 'surrogate-identity-number':
      return surrogateIdentityNumber
    case 'token':
      return token
    default:
      return unreachable(kind)
  }
}

/** The JSON Schema (2020-12) of a rule, for editors. */
export function ruleJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(Rule, { io: 'input', target: 'draft-2020-12' }) as Record<string, unknown>
}
