import { open } from 'node:fs/promises'
import { SluiceError } from '@sluice/core'
import type { ScalarType } from '@sluice/core/plan'
import { quoteIdentifier, quoteText } from '../sql/emit/names.js'
import { sqlType } from '../sql/emit/types.js'
import type { NormalizedColumn } from './schema.js'

/** RFC 4180, with the separator found in the first record. */
export interface CsvDialect {
  readonly delimiter: string
  readonly header: readonly string[]
}

const DELIMITERS = [',', ';', '\t', '|']
const HEADER_BYTES = 1 << 20

/**
 * Reads the first record of a UTF-8 file: the header, which there must be. The separator is the one of `, ; TAB |`
 * that gives most fields.
 *
 * @throws SluiceError FILE_FORMAT where the first record does not end
 */
export async function readDialect(path: string): Promise<CsvDialect> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEADER_BYTES), 0, HEADER_BYTES, 0)
    const text = new TextDecoder('utf-8').decode(buffer.subarray(0, bytesRead))
    const whole = bytesRead < HEADER_BYTES
    const records = DELIMITERS.map(delimiter => ({ delimiter, header: firstRecord(text, delimiter, whole) }))
    return records.reduce((best, other) => (other.header.length > best.header.length ? other : best))
  } finally {
    await file.close()
  }
}

/** The fields of the first record (RFC 4180, section 2); `whole`: the text is all there is. */
export function firstRecord(text: string, delimiter: string, whole: boolean): string[] {
  const fields: string[] = []
  let field = ''
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string
    if (quoted) {
      if (character !== '"') field += character
      else if (text[at + 1] === '"') field += text[++at]
      else quoted = false
    } else if (character === '"' && field === '') {
      quoted = true
    } else if (character === delimiter) {
      fields.push(field)
      field = ''
    } else if (character === '\n' || character === '\r') {
      return [...fields, field]
    } else {
      field += character
    }
  }
  if (quoted || !whole) {
    throw new SluiceError('FILE_FORMAT', 'the first record of the text file does not end', {
      rule: 'header',
      remedy: 'Give a CSV file with a header line, in which every quote is closed.',
      position: { line: 1, column: 1 },
    })
  }
  return [...fields, field]
}

/** A table function that reads every field as text, and nothing by guess. */
export function readCsv(path: string, dialect: CsvDialect): string {
  const columns = dialect.header.map(name => `${quoteText(name)}: 'VARCHAR'`).join(', ')
  return (
    `read_csv(${quoteText(path)}, auto_detect = false, header = true, delim = ${quoteText(dialect.delimiter)}, ` +
    `quote = '"', escape = '"', columns = {${columns}}, strict_mode = true, null_padding = false, ` +
    `ignore_errors = false)`
  )
}

interface Candidate {
  readonly type: ScalarType
  /** RE2 pattern that the whole of every value must match, before it is cast */
  readonly pattern: string
}

/**
 * The types that a text column may turn out to have, narrowest first. A number with a leading zero is a code, not a
 * number; a date is written as ISO 8601; anything else stays text.
 */
const CANDIDATES: readonly Candidate[] = [
  { type: { kind: 'boolean' }, pattern: '(?i:true|false)' },
  { type: { kind: 'integer', bits: 64, signed: true }, pattern: '-?(0|[1-9][0-9]{0,18})' },
  {
    type: { kind: 'float', bits: 64 },
    pattern: '-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]{1,3})?',
  },
  { type: { kind: 'date' }, pattern: '[0-9]{4}-[0-9]{2}-[0-9]{2}' },
  {
    type: { kind: 'timestamp' },
    pattern: '[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,6})?)?)?',
  },
  { type: { kind: 'time' }, pattern: '[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?' },
]

/**
 * One round of inference: for each undecided column its first candidate is held against the values of `from`.
 * Answers `[values, failures]` pairs of BIGINT columns in the order of `columns`.
 */
export function inferenceRound(columns: readonly InferredColumn[], from: string): string {
  const parts = columns.flatMap(({ name, candidates }) => {
    const column = quoteIdentifier(name)
    const [candidate] = candidates
    if (candidate === undefined) return [`count(${column})`, 'CAST(0 AS BIGINT)']
    const fits = `regexp_full_match(${column}, ${quoteText(candidate.pattern)}) AND TRY_CAST(${column} AS ${sqlType(candidate.type)}) IS NOT NULL`
    return [`count(${column})`, `count(*) FILTER (WHERE ${column} IS NOT NULL AND NOT (${fits}))`]
  })
  return `SELECT ${parts.join(', ')} FROM ${from}`
}

/** A text column while its type is being found: the first candidate has not been refuted yet. */
export interface InferredColumn {
  readonly name: string
  readonly candidates: readonly Candidate[]
}

export function undecided(name: string): InferredColumn {
  return { name, candidates: CANDIDATES }
}

/** The column after a round: its first candidate dropped where a value refuted it. */
export function afterRound(column: InferredColumn, failures: number): InferredColumn {
  return failures === 0 ? column : { ...column, candidates: column.candidates.slice(1) }
}

/** @param values how many values the column has: one without any is text */
export function decided({ name, candidates }: InferredColumn, values: number): NormalizedColumn {
  const candidate = values === 0 ? undefined : candidates[0]
  const column = quoteIdentifier(name)
  return candidate === undefined
    ? { name, type: { kind: 'text' }, expression: column }
    : { name, type: candidate.type, expression: `CAST(${column} AS ${sqlType(candidate.type)})` }
}
