import { isSluiceError } from '../errors.js'
import type { ScalarType } from '../plan/types.js'
import { definitionOf, type Rule } from './rules/registry.js'

const TEXT: ScalarType = { kind: 'text' }

/**
 * Whether a column of a text file, whose type is only guessed, has to be read as the text that stands there for its
 * rule to take it: `13800138000` under the preset `mobile` is a phone number, not a number.
 *
 * @param type as it was guessed
 */
export function needsText(rule: Rule, type: ScalarType): boolean {
  return takesType(rule, TEXT) && !takesType(rule, type)
}

/** Whether the rule has a key and takes text: then it is the text as it stands that is encrypted, whatever it looks like. */
export function keyedText(rule: Rule): boolean {
  return definitionOf(rule).keyed && takesType(rule, TEXT)
}

/** Whether the rule can be given a column of this type. */
export function takesType(rule: Rule, type: ScalarType): boolean {
  try {
    definitionOf(rule).resultType(rule, type)
    return true
  } catch (error) {
    if (isSluiceError(error) && error.code === 'RULE_INVALID') return false
    throw error
  }
}
