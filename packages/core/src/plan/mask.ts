import { canonicalDigest } from '../canonical.js'
import { definitionOf, type Rule } from '../desensitize/rules/registry.js'
import { type ScanRule, scanRule } from '../desensitize/scan.js'
import type { ColumnSchema, ScalarType } from './types.js'

/** How a scan hands a column on: nothing above the scan sees the value as it is registered. */
export interface ScanMask {
  readonly rule: ScanRule
  /** the column's type in the dataset; its type in the plan is what the rule makes of it */
  readonly from: ScalarType
}

/** A dataset's column as plans see it. */
export interface MaskedColumn extends ColumnSchema {
  readonly mask?: ScanMask
}

/**
 * @param rule of the column's policy
 * @throws SluiceError RULE_INVALID where the rule does not go with the column's type
 */
export function maskedColumn({ name, type }: ColumnSchema, rule: Rule | undefined): MaskedColumn {
  const scanned = scanRule(rule)
  if (scanned === null) return { name, type }
  return { name, type: maskedType({ rule: scanned, from: type }), mask: { rule: scanned, from: type } }
}

/** @throws SluiceError RULE_INVALID */
export function maskedType({ rule, from }: ScanMask): ScalarType {
  // the rules of a scan drop no column
  return definitionOf(rule).resultType(rule, from) ?? from
}

export function sameMask(a: ScanMask | undefined, b: ScanMask | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return canonicalDigest(a as never) === canonicalDigest(b as never)
}
