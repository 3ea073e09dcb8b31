import { z } from 'zod'
import { BandRule } from './rules/band.js'
import { ConstantRule } from './rules/constant.js'
import { DatePartRule } from './rules/date-part.js'
import { DivisionRule } from './rules/division.js'
import { LimitRule } from './rules/limit.js'
import { MaskRule } from './rules/mask.js'
import { NullifyRule } from './rules/nullify.js'
import { PresetRule } from './rules/preset.js'
import type { Rule } from './rules/registry.js'
import { ReplaceRule } from './rules/replace.js'
import { RoundRule } from './rules/round.js'

/**
 * The rules that a plan's scan can apply: those that need no key, no file and no look at other rows, each of which an
 * engine can compute from the value alone. Every other rule is applied by the provider's own command before the data
 * enters the zone, so that no key ever does.
 */
export const ScanRule = z.discriminatedUnion('kind', [
  BandRule,
  ConstantRule,
  DatePartRule,
  DivisionRule,
  LimitRule,
  MaskRule,
  NullifyRule,
  PresetRule,
  ReplaceRule.refine(({ table }) => table === undefined, { message: 'a table is a file' }),
  RoundRule,
])

export type ScanRule = z.infer<typeof ScanRule>

const KINDS: ReadonlySet<string> = new Set<ScanRule['kind']>([
  'band',
  'constant',
  'date-part',
  'division',
  'limit',
  'mask',
  'nullify',
  'preset',
  'replace',
  'round',
])

/** The rule as one of a scan; null where it is none, or there is none. */
export function scanRule(rule: Rule | undefined): ScanRule | null {
  if (rule === undefined || !KINDS.has(rule.kind)) return null
  return rule.kind === 'replace' && rule.table !== undefined ? null : (rule as ScanRule)
}
