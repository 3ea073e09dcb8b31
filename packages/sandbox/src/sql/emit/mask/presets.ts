import {
  ADDRESS_LONGEST,
  ADDRESS_MARKS,
  ADDRESS_PATTERNS,
  EMAIL_MARKS,
  EMAIL_PATTERN,
  MARK,
  NAME_LONGEST,
  NAME_PATTERN,
  PLATE_PATTERN,
  SHAPES,
  type Shape,
  shapeLength,
  shapePattern,
} from '@sluice/core/desensitize'
import type { ScanMask } from '@sluice/core/plan'
import { quoteText } from '../names.js'
import { behind, call, fits, joined, unlessSame } from './texts.js'

type PresetRule = Extract<ScanMask['rule'], { kind: 'preset' }>

/** See `preset` of core/desensitize. */
export function presetText({ preset, level }: PresetRule, column: string): string {
  const length = call('length', column)
  switch (preset) {
    case 'name': {
      const value = `${call('left', column, 1)} || ${call('repeat', quoteText(MARK), `${length} - 1`)}`
      return `CASE WHEN ${fits(column, NAME_PATTERN)} AND ${length} <= ${NAME_LONGEST} THEN ${value} ELSE NULL END`
    }
    case 'email': {
      const domain = behind(column, "'@'")
      const value = `${call('left', column, 1)} || ${quoteText(`${EMAIL_MARKS}@`)} || ${domain}`
      return `CASE WHEN ${fits(column, EMAIL_PATTERN)} THEN ${value} ELSE NULL END`
    }
    case 'plate': {
      const value = `${call('left', column, 2)} || ${call('repeat', quoteText(MARK), `${length} - 2`)}`
      return `CASE WHEN ${fits(column, PLATE_PATTERN)} THEN ${value} ELSE NULL END`
    }
    case 'address': {
      const pattern = ADDRESS_PATTERNS[level!]
      const kept = call('regexp_extract', column, quoteText(`^(?:${pattern})$`), 1)
      const condition = `${fits(column, pattern)} AND ${call('strlen', column)} <= ${ADDRESS_LONGEST}`
      return unlessSame(condition, `${kept} || ${quoteText(ADDRESS_MARKS)}`, column)
    }
    case 'identity-number':
    case 'mobile':
    case 'landline':
    case 'bank-card':
    case 'credit-code':
    case 'passport': {
      const branches = SHAPES[preset].map(
        (shape: Shape) => `WHEN ${fits(column, shapePattern(shape))} THEN ${shapeText(shape, column)}`,
      )
      return `CASE ${branches.join(' ')} ELSE NULL END`
    }
  }
}

function shapeText(shape: Shape, column: string): string {
  const { first, last } = shape
  return joined(
    first === 0 ? '' : call('left', column, first),
    quoteText(MARK.repeat(shapeLength(shape) - first - last)),
    last === 0 ? '' : call('right', column, last),
  )
}
