// How the demonstration shows things to a person. Colours only where the terminal has them.
import Table from 'cli-table3'

const colour = process.stdout.isTTY && !process.env.NO_COLOR
const paint = code => text => (colour ? `\u001b[${code}m${text}\u001b[0m` : String(text))
export const bold = paint(1)
export const dim = paint(2)
const red = paint(31)
const green = paint(32)
const yellow = paint(33)

export function heading(number, text) {
  console.log(`\n${bold(`${number}  ${text}`)}`)
}

export function say(text) {
  console.log(`   ${text}`)
}

export function good(text) {
  say(`${green('✓')} ${text}`)
}

export function query(text) {
  for (const line of text.split('\n')) say(dim(`│ ${line}`))
}

/** A released table; suppressed cells carry the rule that withheld them. */
export function released(release, { rows = 16 } = {}) {
  const { table, suppressions } = release
  const columns = table.schema.fields.map(field => field.name)
  const rules = new Map(suppressions.map(({ row, column, rule }) => [`${row}\u0000${column ?? ''}`, rule]))
  const ruleOf = (row, column) => rules.get(`${row}\u0000${column}`) ?? rules.get(`${row}\u0000`)
  const numeric = columns.map((_, index) => isNumeric(table.getChildAt(index)))
  const output = new Table({
    head: columns.map(name => bold(name)),
    colAligns: numeric.map(is => (is ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: LINES,
  })
  for (let row = 0; row < Math.min(rows, table.numRows); row++) {
    output.push(columns.map((column, index) => shown(table.getChildAt(index), row, ruleOf(row, column))))
  }
  for (const line of output.toString().split('\n')) say(line)
  if (table.numRows > rows) say(dim(`… and ${table.numRows - rows} more rows`))
  const cells = suppressions.filter(({ row }) => row !== null)
  const byRule = [...group(cells)].map(([rule, { length }]) => `${length} by ${rule}`).join(', ')
  say(byRule ? `${cells.length} cells withheld: ${byRule}` : 'no cell had to be withheld')
  for (const { rule } of suppressions.filter(({ row }) => row === null)) say(`some rows left out by ${rule}`)
}

/** A refusal as the command line prints it: code, place, rule, remedy. */
export function refused(error, place) {
  const { position } = error
  say(`${red('✗')} ${bold(error.code)}: ${error.message}`)
  say(`  place   ${position ? `line ${position.line}, column ${position.column} of the query` : place}`)
  if (error.rule) say(`  rule    ${error.rule}`)
  if (error.remedy) say(`  remedy  ${error.remedy}`)
}

const LINES = {
  top: '─',
  'top-mid': '─',
  'top-left': '',
  'top-right': '',
  bottom: '─',
  'bottom-mid': '─',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

function shown(column, row, rule) {
  if (rule) return yellow(`‹${rule}›`)
  const plain = printable(column, row)
  if (plain === null) return dim('null')
  return typeof plain === 'number' ? plain.toLocaleString('en', { maximumFractionDigits: 2 }) : plain
}

function printable(column, row) {
  const value = column.get(row)
  if (value === null) return null
  const { scale } = column.type
  if (scale !== undefined) return Number(String(value)) / 10 ** scale
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'number' ? value : String(value)
}

function isNumeric(column) {
  for (let row = 0; row < column.length; row++) {
    const value = printable(column, row)
    if (value !== null) return typeof value === 'number'
  }
  return false
}

function group(suppressions) {
  const groups = new Map()
  for (const suppression of suppressions)
    groups.set(suppression.rule, [...(groups.get(suppression.rule) ?? []), suppression])
  return groups
}
