import { canonicalDigest } from '../canonical.js'
import { definitionOf, type Rule } from '../desensitize/rules/registry.js'
import { lookedUp, type ScanRule, scanRule } from '../desensitize/scan.js'
import { SluiceError } from '../errors.js'
import { visibleText } from '../text.js'
import type { ColumnSchema, ScalarType } from './types.js'

/** How a scan hands a column on: nothing above the scan sees the value as it is registered. */
export interface ScanMask {
  readonly rule: ScanRule
  /** the column's type in the dataset; its type in the plan is what the rule makes of it */
  readonly from: ScalarType
  /** fingerprint of the registered table that the rule looks values up in: SHA-256 of its file, hexadecimal */
  readonly table?: string
}

/** Fingerprints of a dataset's registered tables, by the names that its policy's rules use. */
export type TableFingerprints = Readonly<Record<string, string>>

/** A dataset's column as plans see it. */
export interface MaskedColumn extends ColumnSchema {
  readonly mask?: ScanMask
}

/**
 * @param rule of the column's policy
 * @param tables those that were registered with the dataset
 * @throws SluiceError RULE_INVALID where the rule does not go with the column's type; FILE_MISSING where the rule needs
 * a table that was not registered
 */
export function maskedColumn(
  { name, type }: ColumnSchema,
  rule: Rule | undefined,
  tables: TableFingerprints = {},
): MaskedColumn {
  const scanned = scanRule(rule)
  if (scanned === null) return { name, type }
  const table = lookedUp(scanned)?.table
  if (table !== undefined && !Object.hasOwn(tables, table)) throw notRegistered(table)
  const mask = { rule: scanned, from: type, ...(table !== undefined && { table: tables[table]! }) }
  return { name, type: maskedType(mask), mask }
}

/** Has the dataset all that a scan needs for the column's rule? */
export function hasTable(rule: Rule | undefined, tables: TableFingerprints = {}): boolean {
  const table = rule === undefined ? undefined : lookedUp(rule)?.table
  return table === undefined || Object.hasOwn(tables, table)
}

function notRegistered(table: string): SluiceError {
  return new SluiceError(
    'FILE_MISSING',
    `the table "${visibleText(table)}" is not registered with the dataset`,
    {
      rule: 'rule.table',
      remedy: 'Put the file beside the policy, and register the dataset or set the policy again.',
    },
  )
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
