// How this example shows its tables to a person.
import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'
import { bold, dim, say } from '../demo/printing.mjs'

/** Lines without a frame; `numbers` counts the columns at the end that are aligned to the right. */
export function grid(head, rows, numbers = 0) {
  const table = new Table({
    head: head.map(name => bold(name)),
    colAligns: head.map((_, column) => (column < head.length - numbers ? 'left' : 'right')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true },
    chars: Object.fromEntries(BORDERS.map(border => [border, ''])),
  })
  table.push(...rows.map(row => row.map(String)))
  for (const line of table.toString().split('\n')) {
    if (stripVTControlCharacters(line).trim() !== '') say(line.trimEnd())
  }
}

/** The first lines of a text, quietly. */
export function excerpt(text, lines) {
  const all = text.trimEnd().split('\n')
  for (const line of all.slice(0, lines)) say(dim(`│ ${line}`))
  if (all.length > lines) say(dim(`│ … ${all.length - lines} more lines`))
}

/** `preset name`, `date-part year`, `token register pension-adequacy aes-cmac`: the kind, and what is said with it. */
export function ruleText(rule) {
  return rule == null ? '–' : Object.values(rule).join(' ')
}

export const number = value => value.toLocaleString('en')
export const percent = share => `${(100 * share).toFixed(2)} %`

const BORDERS = ['top', 'bottom', 'left', 'right', 'mid']
  .flatMap(side => [side, ...['mid', 'left', 'right'].map(corner => `${side}-${corner}`)])
  .concat('middle')
