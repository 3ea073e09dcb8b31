import { unreachable } from '@sluice/core'
import type { ScanMask } from '@sluice/core/plan'
import { lookupColumn, lookupName, quoteText } from '../names.js'
import { sqlType } from '../types.js'
import { bandText, limitText, roundText } from './numbers.js'
import { presetText } from './presets.js'
import { datePartText, divisionText, partialText } from './texts.js'

/**
 * SQL for what a scan hands on instead of a column: what `core/desensitize` makes of each value, null where it hides it.
 *
 * @param column how the column is written
 * @param looked the alias of the mask's table, where it has one: see `lookupJoin`
 */
export function maskText({ rule, from }: ScanMask, column: string, looked: string): string {
  switch (rule.kind) {
    case 'band':
      return bandText(rule, column, from)
    case 'constant':
      return quoteText(rule.value)
    case 'date-part':
      return datePartText(rule.to, column, from)
    case 'division':
      return divisionText(rule.to, column, from)
    case 'hierarchy':
      return `${looked}.${lookupColumn(rule.level)}`
    case 'limit':
      return limitText(rule, column, from)
    case 'mask':
      return partialText(rule, column)
    case 'nullify':
      return `CAST(NULL AS ${sqlType(from)})`
    case 'preset':
      return presetText(rule, column)
    case 'replace': {
      if (rule.table !== undefined) return `${looked}.${lookupColumn(1)}`
      const branches = Object.entries(rule.values ?? {}).map(
        ([value, to]) => `WHEN ${quoteText(value)} THEN ${quoteText(to)}`,
      )
      return `CASE ${column} ${branches.join(' ')} ELSE NULL END`
    }
    case 'round':
      return roundText(rule, column, from)
    default:
      return unreachable(rule)
  }
}

/** What joins the mask's table to the scanned one, whose values it has once each; empty where it has none. */
export function lookupJoin({ table }: ScanMask, column: string, looked: string): string {
  if (table === undefined) return ''
  return `\nLEFT JOIN ${lookupName(table)} AS ${looked} ON ${column} = ${looked}.${lookupColumn(0)}`
}

/** The names under which the functions of masks can stand in a plan that DuckDB bound. */
export const MASK_FUNCTIONS: readonly string[] = [
  '%',
  '*',
  '+',
  '-',
  '/',
  '||',
  'abs',
  'date_trunc',
  'floor',
  'isfinite',
  'left',
  'left_grapheme',
  'length',
  'length_grapheme',
  'position',
  'regexp_extract',
  'regexp_full_match',
  'repeat',
  'replace',
  'right',
  'right_grapheme',
  'strlen',
  'substring',
  'substring_grapheme',
]
