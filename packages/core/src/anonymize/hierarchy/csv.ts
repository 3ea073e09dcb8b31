import { SluiceError } from '../../errors.js'
import { visibleText } from '../../text.js'
import { type Hierarchy, hierarchyOf } from './hierarchy.js'

/** The longest hierarchy text, in UTF-16 code units. */
export const HIERARCHY_LIMIT = 64 * 2 ** 20
const LEVELS = 32

/** A hierarchy as its file gives it: a record a base value, its labels from level 1 on. */
export interface HierarchyTable {
  readonly source: string
  readonly height: number
  /** by base value: its labels, from level 1 up */
  readonly paths: ReadonlyMap<string, readonly string[]>
}

/**
 * Reads a hierarchy from CSV (RFC 4180; the separator is the one of `, ; TAB |` that the first record has most of),
 * without a header: the value, then its label at each level. Errors name record and field, counted from 1, and never
 * repeat a value.
 *
 * @throws SluiceError HIERARCHY_INVALID with rule `hierarchy.levels` (records of different length), `hierarchy.value`
 * (a value stands twice), `hierarchy.tree` (one label with two parents), `hierarchy.empty`, `hierarchy.quote`;
 * FILE_TOO_LARGE
 */
export function parseHierarchy(text: string, source: string): HierarchyTable {
  if (text.length > HIERARCHY_LIMIT) {
    throw new SluiceError('FILE_TOO_LARGE', 'the hierarchy is too large', {
      rule: 'hierarchy.size',
      remedy: 'Declare it: intervals, prefix or date.',
    })
  }
  const records = recordsOf(text.replace(/^\ufeff/, ''), source)
  const first = records[0]
  if (first === undefined) throw malformed(source, 'empty', 1, 1, 'the hierarchy is empty')
  const height = first.fields.length - 1
  if (height < 1 || height > LEVELS) {
    throw malformed(source, 'levels', first.line, 1, `a hierarchy has 2 to ${LEVELS + 1} fields a record`)
  }
  const paths = new Map<string, readonly string[]>()
  const parents = Array.from({ length: height }, () => new Map<string, string>())
  for (const { fields, line } of records) {
    if (fields.length !== height + 1) {
      const found = `this record has ${fields.length} fields and the first has ${height + 1}`
      throw malformed(source, 'levels', line, Math.min(fields.length, height + 1), found)
    }
    const [value = '', ...labels] = fields
    if (paths.has(value)) throw malformed(source, 'value', line, 1, 'this value stands in an earlier record')
    paths.set(value, labels)
    for (let level = 1; level < height; level++) {
      const known = parents[level]!
      const parent = known.get(labels[level - 1]!)
      if (parent === undefined) known.set(labels[level - 1]!, labels[level]!)
      else if (parent !== labels[level]) {
        const found = 'this is no tree: the same label has another parent in an earlier record'
        throw malformed(source, 'tree', line, level + 2, found)
      }
    }
  }
  return { source, height, paths }
}

/**
 * The hierarchy over a column's values.
 *
 * @param firstRow row of the data, from 1, in which a value first occurs
 * @throws SluiceError HIERARCHY_INVALID `hierarchy.missing` where a value has no record
 */
export function hierarchyFromTable(
  column: string,
  values: readonly (string | null)[],
  { paths, source }: HierarchyTable,
  firstRow: (code: number) => number | null = () => null,
): Hierarchy {
  const missing = values.flatMap((value, code) => (value === null || paths.has(value) ? [] : [code]))
  if (missing.length > 0) {
    const rows = missing.map(firstRow).filter(row => row !== null)
    const row = rows.length > 0 ? rows.reduce((least, other) => Math.min(least, other)) : null
    const where = row === null ? '' : `, first in row ${row}`
    throw new SluiceError(
      'HIERARCHY_INVALID',
      `${missing.length} values of column "${visibleText(column)}" are not in its hierarchy${where}`,
      {
        rule: 'hierarchy.missing',
        remedy: 'Give every value of the column a record in the hierarchy.',
        facts: {
          column: visibleText(column),
          hierarchy: source,
          missing: missing.length,
          ...(row !== null && { row }),
        },
      },
    )
  }
  return hierarchyOf(column, values, value => paths.get(value)!)
}

interface Entry {
  readonly fields: readonly string[]
  /** number of the record, from 1 */
  readonly line: number
}

function recordsOf(text: string, source: string): Entry[] {
  const [head = ''] = text.split(/[\r\n]/, 1)
  const delimiter = DELIMITERS.reduce((best, other) =>
    head.split(other).length > head.split(best).length ? other : best,
  )
  const records: Entry[] = []
  let fields: string[] = []
  let at = 0
  while (at < text.length) {
    const quoted = text[at] === '"'
    const end = quoted
      ? closingQuote(text, at, source, records.length + 1, fields.length + 1)
      : plainEnd(text, at, delimiter)
    fields.push(quoted ? text.slice(at + 1, end - 1).replaceAll('""', '"') : text.slice(at, end))
    at = end
    if (text[at] === delimiter) {
      at++
      if (at < text.length && text[at] !== '\n' && text[at] !== '\r') continue
      fields.push('')
    } else if (at < text.length && text[at] !== '\n' && text[at] !== '\r') {
      throw malformed(source, 'quote', records.length + 1, fields.length, 'something follows a closing quote')
    }
    if (text[at] === '\r') at++
    if (text[at] === '\n') at++
    if (fields.length > 1 || fields[0] !== '') records.push({ fields, line: records.length + 1 })
    fields = []
  }
  return records
}

const DELIMITERS = [',', ';', '\t', '|']

function plainEnd(text: string, from: number, delimiter: string): number {
  let at = from
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at++
  return at
}

/** Position after the quote that closes the one at `from`. */
function closingQuote(text: string, from: number, source: string, record: number, field: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at + 1
  }
  throw malformed(source, 'quote', record, field, 'a quote is not closed')
}

function malformed(
  source: string,
  rule: string,
  record: number,
  field: number,
  message: string,
): SluiceError {
  return new SluiceError('HIERARCHY_INVALID', `${message} (record ${record}, field ${field})`, {
    rule: `hierarchy.${rule}`,
    position: { line: record, column: field, source },
    remedy: 'Write one record a value: the value, then its label at each level, as many in each record.',
    facts: { record, field },
  })
}
