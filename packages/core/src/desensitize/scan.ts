import { z } from 'zod'
import { BandRule } from './rules/band.js'
import { ConstantRule } from './rules/constant.js'
import { DatePartRule } from './rules/date-part.js'
import { DivisionRule } from './rules/division.js'
import { HierarchyRule } from './rules/hierarchy.js'
import { LimitRule } from './rules/limit.js'
import { MaskRule } from './rules/mask.js'
import { NullifyRule } from './rules/nullify.js'
import { PresetRule } from './rules/preset.js'
import type { Rule } from './rules/registry.js'
import { ReplaceRule } from './rules/replace.js'
import { RoundRule } from './rules/round.js'

/**
 * The rules that a plan's scan can apply: those that need no key and no look at other rows, each of which an engine
 * can compute from the value alone, or with a table that the dataset's owner registered beside it. Every other rule is
 * applied by the provider's own command before the data enters the zone, so that no key ever does.
 */
export const ScanRule = z.discriminatedUnion('kind', [
  BandRule,
  ConstantRule,
  DatePartRule,
  DivisionRule,
  HierarchyRule,
  LimitRule,
  MaskRule,
  NullifyRule,
  PresetRule,
  ReplaceRule,
  RoundRule,
])

export type ScanRule = z.infer<typeof ScanRule>

const KINDS: ReadonlySet<string> = new Set<ScanRule['kind']>([
  'band',
  'constant',
  'date-part',
  'division',
  'hierarchy',
  'limit',
  'mask',
  'nullify',
  'preset',
  'replace',
  'round',
])

/** The rule as one of a scan; null where it is none, or there is none. */
export function scanRule(rule: Rule | undefined): ScanRule | null {
  return rule === undefined || !KINDS.has(rule.kind) ? null : (rule as ScanRule)
}

/** What a rule looks up: the table, by the name that the rule gives it, and which of its columns; null where nothing. */
export function lookedUp(rule: Rule): { readonly table: string; readonly column: number } | null {
  if (rule.kind === 'hierarchy') return { table: rule.table, column: rule.level }
  if (rule.kind === 'replace' && rule.table !== undefined) return { table: rule.table, column: 1 }
  return null
}
