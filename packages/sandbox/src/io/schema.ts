import { SluiceError } from '@sluice/core'
import type { ColumnSchema, ScalarType } from '@sluice/core/plan'
import { scalarType } from '../duckdb/columns.js'
import { quoteIdentifier } from '../sql/emit/names.js'
import { sqlType } from '../sql/emit/types.js'
import { HIDDEN_PREFIX, ROW_NUMBER } from './hidden.js'

const MAXIMUM_COLUMNS = 1000
const MAXIMUM_NAME = 200

/** A column of a source, and the expression that makes the registered one of it. */
export interface NormalizedColumn extends ColumnSchema {
  /** text of an expression over the source */
  readonly expression: string
}

/**
 * Names that a plan can refer to without doubt: none empty, none twice (compared without case, as the engine does),
 * none with control characters.
 *
 * @throws SluiceError SCHEMA_INVALID
 */
export function requireNames(names: readonly string[]): void {
  if (names.length === 0) throw invalid('no-columns', 'the file has no columns', 'Give a file with a header.')
  if (names.length > MAXIMUM_COLUMNS) {
    throw invalid('columns', `a dataset has at most ${MAXIMUM_COLUMNS} columns`, 'Split the file.')
  }
  const seen = new Map<string, string>()
  names.forEach((name, index) => {
    if (name === '') throw invalid('name', `column ${index + 1} has no name`, 'Name every column.')
    if (name.length > MAXIMUM_NAME || /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/u.test(name)) {
      throw invalid(
        'name',
        `the name of column ${index + 1} is too long or has control characters`,
        'Rename the column.',
      )
    }
    const folded = name.toLowerCase()
    if (folded.startsWith(HIDDEN_PREFIX) || folded === ROW_NUMBER) {
      throw invalid(
        'name',
        `${ROW_NUMBER} and names that begin with ${HIDDEN_PREFIX} are reserved`,
        'Rename the column.',
      )
    }
    const other = seen.get(folded)
    if (other !== undefined) {
      throw invalid('duplicate-column', `two columns are called "${name}"`, 'Rename one of them.', {
        columns: [other, name],
      })
    }
    seen.set(folded, name)
  })
}

/**
 * The registered type of a source's column: itself, or the nearest type of the plan language where nothing is lost.
 *
 * @param type as DESCRIBE names it
 * @throws SluiceError SCHEMA_INVALID for a type that cannot be planned
 */
export function normalizeColumn(name: string, type: string): NormalizedColumn {
  const column = quoteIdentifier(name)
  const own = scalarType(type)
  if (own !== null) return { name, type: own, expression: column }
  if (/^TIMESTAMP_(S|MS|NS)$/.test(type)) {
    return { name, type: { kind: 'timestamp' }, expression: `CAST(${column} AS TIMESTAMP)` }
  }
  if (type === 'TIMESTAMP WITH TIME ZONE') {
    // instants are kept in UTC
    return { name, type: { kind: 'timestamp' }, expression: `make_timestamp(epoch_us(${column}))` }
  }
  if (type === 'UUID' || type === 'JSON' || type.startsWith('ENUM(')) {
    return { name, type: { kind: 'text' }, expression: `CAST(${column} AS VARCHAR)` }
  }
  throw unsupported(name)
}

export function unsupported(name: string): SluiceError {
  return invalid(
    'column-type',
    `column "${name}" has a type that cannot be registered`,
    'Use booleans, integers, decimals, floats, text, dates, times or timestamps; flatten lists and structs.',
    { column: name },
  )
}

/** The column cast to the type that the provider demands. */
export function overrideColumn(column: NormalizedColumn, type: ScalarType): NormalizedColumn {
  return { name: column.name, type, expression: `CAST(${column.expression} AS ${sqlType(type)})` }
}

/** A count of the values that do not convert: null where a value is and the cast has none. */
export function conversionFailures(column: NormalizedColumn, type: ScalarType): string {
  return `count(*) FILTER (WHERE ${column.expression} IS NOT NULL AND TRY_CAST(${column.expression} AS ${sqlType(type)}) IS NULL)`
}

export function invalid(
  rule: string,
  message: string,
  remedy: string,
  facts?: Record<string, string | readonly string[]>,
): SluiceError {
  return new SluiceError('SCHEMA_INVALID', message, { rule, remedy, ...(facts && { facts }) })
}
