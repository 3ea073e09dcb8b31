import { dirname, extname, join } from 'node:path'
import { nearestNames, SluiceError } from '@sluice/core'
import type { ParameterSchema } from '@sluice/core/plan'
import type { Context } from './context.js'
import { parseParameterType } from './parameters.js'

/** What a request needs, from a .sql file and options or from a job file. */
export interface Job {
  readonly sql: string
  readonly purpose?: string
  readonly parameters: readonly ParameterSchema[]
  readonly maxRuns?: number
}

const SQL_BYTES = 65_536
const NAMES = ['sql', 'file', 'purpose', 'parameters', 'maxRuns']
const PARAMETER_NAMES = ['type', 'min', 'max', 'values', 'default']

/**
 * Reads `FILE.sql` as the query alone, anything else as a job in YAML or JSON:
 *
 * ```yaml
 * file: cost.sql          # or sql: SELECT …
 * purpose: aviation-safety
 * maxRuns: 12
 * parameters:
 *   year: {type: int, min: 1990, max: 2002, default: 2001}
 *   damage: {type: text, values: [None, Minor]}
 * ```
 *
 * @throws SluiceError FILE_MISSING, FILE_FORMAT with the key
 */
export async function readJob(context: Context, file: string): Promise<Job> {
  if (extname(file).toLowerCase() === '.sql') return { sql: await queryFrom(context, file), parameters: [] }
  const text = await context.source(file, SQL_BYTES * 2)
  const job = record(await parseYaml(text, file), file, NAMES)
  const { sql, file: sqlFile, purpose, parameters, maxRuns } = job
  if ((sql === undefined) === (sqlFile === undefined)) {
    throw wrong(
      file,
      'a job has either "sql" or "file"',
      'Write the query under sql:, or name its file under file:.',
    )
  }
  return {
    sql:
      sqlFile === undefined
        ? inline(context, textOf(sql, file, 'sql'))
        : await queryFrom(context, join(dirname(file), textOf(sqlFile, file, 'file'))),
    ...(purpose !== undefined && { purpose: textOf(purpose, file, 'purpose') }),
    ...(maxRuns !== undefined && { maxRuns: countOf(maxRuns, file) }),
    parameters: Object.entries(record(parameters ?? {}, file)).map(([name, declared]) =>
      parameterOf(name, record(declared, file, PARAMETER_NAMES), file),
    ),
  }
}

export function inline(context: Context, sql: string): string {
  context.sources.add('sql', sql)
  context.sources.query = 'sql'
  return sql
}

export async function queryFrom(context: Context, file: string): Promise<string> {
  context.sources.query = file
  return context.source(file, SQL_BYTES)
}

export async function parseYaml(text: string, file: string): Promise<unknown> {
  const written = writtenJson(text)
  if (written !== undefined) return written
  const { LineCounter, parseDocument } = await import('yaml')
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [error] = document.errors
  if (!error) return document.toJS({ maxAliasCount: 0 })
  const { line, col } = lines.linePos(error.pos[0])
  throw new SluiceError('FILE_FORMAT', 'the job is not YAML', {
    position: { line, column: col, source: file },
    rule: 'job.form',
    remedy: 'Correct this line.',
  })
}

/** A file as a command of ours wrote it: JSON that is written again as it stands has no key twice, and needs no YAML. */
function writtenJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return `${JSON.stringify(value, null, 2)}\n` === text ? value : undefined
  } catch {
    // whatever else it is, YAML's parser says
    return undefined
  }
}

function parameterOf(name: string, declared: Record<string, unknown>, file: string): ParameterSchema {
  const { type, min, max, values, default: standard } = declared
  if (values !== undefined && !Array.isArray(values)) {
    throw wrong(file, `"values" of parameter "${name}" is no list`, 'Write values: [A, B].')
  }
  const scalar = (value: unknown, key: string) => scalarOf(value, file, `${name}.${key}`)
  return {
    name,
    type: parseParameterType(textOf(type, file, `${name}.type`)),
    ...(min !== undefined && { minimum: scalar(min, 'min') }),
    ...(max !== undefined && { maximum: scalar(max, 'max') }),
    ...(values !== undefined && { values: values.map(value => scalar(value, 'values')) }),
    ...(standard !== undefined && { default: scalar(standard, 'default') }),
  }
}

export function record(value: unknown, file: string, names?: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(file, 'a job is made of names and values', 'See `sluice request submit --help`.')
  }
  for (const name of Object.keys(value)) {
    if (!names || names.includes(name)) continue
    const [near] = nearestNames(name, names)
    throw wrong(
      file,
      `"${name}" is no part of a job${near ? `; did you mean "${near}"?` : ''}`,
      `Here can stand: ${names.join(', ')}.`,
    )
  }
  return value as Record<string, unknown>
}

export function textOf(value: unknown, file: string, key: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw wrong(file, `"${key}" has to be text`, `Write ${key}: and the text after it.`)
}

export function scalarOf(value: unknown, file: string, key: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  throw wrong(file, `"${key}" has to be a value`, 'Write text, in quotes where it looks like something else.')
}

export function countOf(value: unknown, file: string, key = 'maxRuns'): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
  throw wrong(file, `"${key}" has to be a whole number, 1 or more`, `Write ${key}: 12.`)
}

export function wrong(file: string, detail: string, remedy: string): SluiceError {
  return new SluiceError('FILE_FORMAT', `${file}: ${detail}`, { rule: 'job.form', remedy })
}
