import { CHARACTER_PATTERN, DIVISION_DIGITS, type Mask, maskOf, WRITTEN_DATE } from '@sluice/core/desensitize'
import type { ScalarType, ScanMask } from '@sluice/core/plan'
import { quoteText } from '../names.js'
import { sqlType } from '../types.js'

type RuleOf<K> = Extract<ScanMask['rule'], { kind: K }>

/** A function of the engine, qualified. */
export function call(name: string, ...operands: readonly (string | number)[]): string {
  return `system.main.${name}(${operands.join(', ')})`
}

export function fits(column: string, pattern: string): string {
  return call('regexp_full_match', column, quoteText(pattern))
}

/** `value` where the condition holds and the value differs from what went in; else null. */
export function unlessSame(condition: string, value: string, column: string): string {
  return `CASE WHEN ${condition} AND (${value}) <> ${column} THEN ${value} ELSE NULL END`
}

const CHARACTERS = `(?:${CHARACTER_PATTERN})+`

/** See `mask` of core/desensitize: by characters as people see them. */
export function partialText(rule: RuleOf<'mask'>, column: string): string {
  const mask = maskOf(rule)
  const { cut } = mask
  const count = call('length_grapheme', column)
  switch (cut.kind) {
    case 'ends': {
      const { first, last } = cut
      const kept = first + last
      const middle = `${count} - ${kept}`
      const value =
        mask.hidden === 'inner'
          ? joined(left(column, first), marks(mask, middle), right(column, last))
          : joined(
              marks(mask, first),
              call('substring_grapheme', column, first + 1, middle),
              marks(mask, last),
            )
      const enough = hidesEnough(mask, mask.hidden === 'inner' ? middle : kept, count)
      return unlessSame(`${fits(column, CHARACTERS)} AND ${count} > ${kept} AND ${enough}`, value, column)
    }
    case 'range': {
      const { from, to } = cut
      const size = to - from + 1
      const rest = call('substring_grapheme', column, to + 1)
      const value =
        mask.hidden === 'inner'
          ? joined(left(column, from - 1), marks(mask, size), rest)
          : joined(
              marks(mask, from - 1),
              call('substring_grapheme', column, from, size),
              mask.width === null
                ? marks(mask, `${count} - ${to}`)
                : `CASE WHEN ${count} > ${to} THEN ${marks(mask, 1)} ELSE '' END`,
            )
      const enough = hidesEnough(mask, mask.hidden === 'inner' ? size : `${count} - ${size}`, count)
      const condition = `${fits(column, CHARACTERS)} AND ${count} >= ${to} AND ${count} > ${size} AND ${enough}`
      return unlessSame(condition, value, column)
    }
    case 'separator': {
      const separator = quoteText(cut.separator)
      const before = call('left', column, `${call('position', column, separator)} - 1`)
      const after = behind(column, separator)
      const value =
        cut.side === 'before'
          ? joined(before, separator, marks(mask, call('length_grapheme', after)))
          : joined(marks(mask, call('length_grapheme', before)), separator, after)
      const once = `${call('length', column)} - ${call('length', call('replace', column, separator, "''"))} = 1`
      const escaped = `\\x{${cut.separator.codePointAt(0)!.toString(16)}}`
      const gone = call('length_grapheme', cut.side === 'before' ? after : before)
      const enough = hidesEnough(mask, gone, count)
      const form = fits(column, `${CHARACTERS}${escaped}${CHARACTERS}`)
      return unlessSame(`${form} AND ${once} AND ${enough}`, value, column)
    }
  }
}

function hidesEnough({ least }: Mask, hidden: number | string, count: string): string {
  return `100 * (${hidden}) >= ${least} * ${count}`
}

/** What stands after the first of these characters. */
export function behind(column: string, separator: string): string {
  return call('substring', column, `${call('position', column, separator)} + 1`)
}

function left(column: string, count: number): string {
  return count === 0 ? '' : call('left_grapheme', column, count)
}

function right(column: string, count: number): string {
  return count === 0 ? '' : call('right_grapheme', column, count)
}

/** Marks for a span of so many characters. */
function marks({ mark, width }: Mask, characters: number | string): string {
  if (characters === 0) return ''
  return typeof characters === 'number'
    ? quoteText(mark.repeat(width ?? characters))
    : width === null
      ? call('repeat', quoteText(mark), characters)
      : quoteText(mark.repeat(width))
}

export function joined(...parts: readonly string[]): string {
  return parts.filter(part => part !== '').join(' || ')
}

/** See `date-part` of core/desensitize. */
export function datePartText(to: RuleOf<'date-part'>['to'], column: string, from: ScalarType): string {
  if (from.kind !== 'text') {
    const isDate = from.kind === 'date'
    const within = isDate
      ? `${column} >= DATE '0001-01-01' AND ${column} <= DATE '9999-12-31'`
      : `${column} >= TIMESTAMP '0001-01-01 00:00:00' AND ${column} <= TIMESTAMP '9999-12-31 23:59:59.999999'`
    const first = `CAST(${call('date_trunc', `'${to}'`, column)} AS ${sqlType(from)})`
    return `CASE WHEN ${within} THEN ${first} ELSE NULL END`
  }
  const part = (start: number, dense: number) =>
    `CASE WHEN ${call('length', column)} = 10 THEN ${call('substring', column, start, 2)} ` +
    `ELSE ${call('substring', column, dense, 2)} END`
  const year = call('left', column, 4)
  const written = `${year} || '-' || (${part(6, 5)}) || '-' || (${part(9, 7)})`
  const condition = `${fits(column, WRITTEN_DATE)} AND TRY_CAST(${written} AS DATE) IS NOT NULL`
  return `CASE WHEN ${condition} THEN ${coarser()} ELSE NULL END`

  function coarser(): string {
    switch (to) {
      case 'year':
        return year
      case 'month':
        return `${year} || '-' || (${part(6, 5)})`
      case 'quarter':
        return (
          `${year} || CASE WHEN (${part(6, 5)}) <= '03' THEN '-Q1' WHEN (${part(6, 5)}) <= '06' THEN '-Q2' ` +
          `WHEN (${part(6, 5)}) <= '09' THEN '-Q3' ELSE '-Q4' END`
        )
    }
  }
}

/** See `division` of core/desensitize. */
export function divisionText(to: RuleOf<'division'>['to'], column: string, from: ScalarType): string {
  const digits = DIVISION_DIGITS[to]
  if (from.kind !== 'text') {
    const code = `${column} - ${column} % ${10 ** (6 - digits)}`
    return `CASE WHEN ${column} >= 100000 AND ${column} <= 999999 THEN CAST(${code} AS ${sqlType(from)}) ELSE NULL END`
  }
  const zeros = call('repeat', "'0'", `${call('length', column)} - ${digits}`)
  const pattern = '[1-9](?:[0-9]{5}|[0-9]{8}|[0-9]{11})'
  return `CASE WHEN ${fits(column, pattern)} THEN ${call('left', column, digits)} || ${zeros} ELSE NULL END`
}
