import { unreachable } from '@sluice/core'
import type { ScanMask } from '@sluice/core/plan'
import { quoteText } from '../names.js'
import { sqlType } from '../types.js'
import { bandText, limitText, roundText } from './numbers.js'
import { presetText } from './presets.js'
import { datePartText, divisionText, partialText } from './texts.js'

/**
 * SQL for what a scan hands on instead of a column: what `core/desensitize` makes of each value, null where it hides it.
 *
 * @param column how the column is written
 */
export function maskText({ rule, from }: ScanMask, column: string): string {
  switch (rule.kind) {
    case 'band':
      return bandText(rule, column, from)
    case 'constant':
      return quoteText(rule.value)
    case 'date-part':
      return datePartText(rule.to, column, from)
    case 'division':
      return divisionText(rule.to, column, from)
    case 'limit':
      return limitText(rule, column, from)
    case 'mask':
      return partialText(rule, column)
    case 'nullify':
      return `CAST(NULL AS ${sqlType(from)})`
    case 'preset':
      return presetText(rule, column)
    case 'replace': {
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
