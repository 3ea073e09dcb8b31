import { SluiceError } from '../../errors.js'
import { visibleText } from '../../text.js'
import type { HierarchyDeclaration } from '../config/schema.js'
import { ANY, type Hierarchy, hierarchyOf, valueOrAny } from './hierarchy.js'

/** A declaration that needs no file. */
export type Declared = Exclude<HierarchyDeclaration, { file: string }>

/**
 * A hierarchy that is declared: bands of a number, parts of a date, or the beginning of a code. Its last level is
 * always anything.
 *
 * @param firstRow row of the data, from 1, in which a value first occurs
 * @throws SluiceError HIERARCHY_INVALID `hierarchy.value` where a value is no number or no date
 */
export function declaredHierarchy(
  column: string,
  values: readonly (string | null)[],
  declared: Declared | undefined,
  firstRow: (code: number) => number | null = () => null,
): Hierarchy {
  if (declared === undefined) return valueOrAny(column, values)
  const labels = labelsOf(declared)
  return hierarchyOf(column, values, (value, code) => {
    const path = labels(value)
    if (path !== null) return [...path, ANY]
    throw unfit(column, 'intervals' in declared ? 'number' : 'date', firstRow(code))
  })
}

/** The labels of a value from level 1 up, without the last; null where it does not fit. */
function labelsOf(declared: Declared): (value: string) => string[] | null {
  if ('intervals' in declared) {
    const { intervals, from = 0, min, max } = declared
    return text => {
      const value = /^\s*$/.test(text) ? Number.NaN : Number(text)
      return Number.isFinite(value) ? intervals.map(width => band(value, width, from, min, max)) : null
    }
  }
  if ('date' in declared) {
    return text => {
      const [, year = '', month = ''] = /^(\d{4})-(\d{2})-\d{2}(?:[ T].*)?$/.exec(text) ?? []
      if (year === '' || Number(month) < 1 || Number(month) > 12) return null
      return declared.date.map(part => DATE_PARTS[part](year, month))
    }
  }
  return text => {
    const characters = [...text]
    return declared.prefix.map(length => `${characters.slice(0, length).join('')}${ANY}`)
  }
}

/** Half open, so that neighbours do not share a value; what lies beyond `min` and `max` is one band at each side. */
function band(value: number, width: number, from: number, min?: number, max?: number): string {
  if (min !== undefined && value < min) return `< ${min}`
  if (max !== undefined && value >= max) return `>= ${max}`
  const low = from + Math.floor((value - from) / width) * width
  const shownLow = min === undefined ? low : Math.max(low, min)
  const shownHigh = max === undefined ? low + width : Math.min(low + width, max)
  return `[${shownLow}, ${shownHigh})`
}

const DATE_PARTS: Readonly<
  Record<'month' | 'quarter' | 'year' | 'decade', (year: string, month: string) => string>
> = {
  month: (year, month) => `${year}-${month}`,
  quarter: (year, month) => `${year}-Q${Math.ceil(Number(month) / 3)}`,
  year: year => year,
  decade: year => `${year.slice(0, 3)}0s`,
}

function unfit(column: string, wanted: 'number' | 'date', row: number | null): SluiceError {
  const name = visibleText(column)
  return new SluiceError(
    'HIERARCHY_INVALID',
    `a value of column "${name}" is no ${wanted}${row === null ? '' : `, first in row ${row}`}`,
    {
      rule: 'hierarchy.value',
      remedy:
        wanted === 'number'
          ? 'Correct the value, or give the column a hierarchy from a file.'
          : 'Write dates as 2024-12-31, or give the column a hierarchy from a file.',
      facts: { column: name, ...(row !== null && { row }) },
    },
  )
}
