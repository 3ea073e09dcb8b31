import { SluiceError } from '../../errors.js'
import { nearestNames } from '../../names.js'
import { parseDocument } from '../../policy/document.js'
import { problemsOf } from '../../policy/issues.js'
import { type Path, type Problem, problemsError } from '../../policy/problems.js'
import { visibleText } from '../../text.js'
import { ConfigFile, type HierarchyDeclaration } from './schema.js'

export type Role = 'quasi' | 'sensitive' | 'identifier' | 'attribute'

export const MEASURES = ['non-uniform-entropy', 'discernibility', 'average-class-size'] as const
export type MeasureName = (typeof MEASURES)[number]

/** What the classes of a table have to meet. */
export interface PrivacyModel {
  readonly k: number
  readonly diversity: readonly Diversity[]
  readonly closeness: readonly Closeness[]
  readonly presence: { readonly min: number; readonly max: number } | null
}

export type Diversity =
  | { readonly column: string; readonly kind: 'distinct'; readonly l: number }
  | { readonly column: string; readonly kind: 'entropy'; readonly l: number }
  | { readonly column: string; readonly kind: 'recursive'; readonly l: number; readonly c: number }

export interface Closeness {
  readonly column: string
  readonly t: number
  readonly distance: 'equal' | 'hierarchical'
}

/** A configuration, complete. Made by `parseAnonymizeConfig`. */
export interface AnonymizeConfig {
  readonly columns: Readonly<
    Record<string, { readonly role: Role; readonly hierarchy: HierarchyDeclaration | null }>
  >
  readonly model: PrivacyModel
  /** share of the rows that may be left out */
  readonly suppression: number
  readonly method: 'optimal' | 'mondrian'
  readonly measure: MeasureName
  /** path of the population's file, for δ-presence and the journalist's risk */
  readonly populationFile: string | null
  /** rows of the population that the table is a sample of */
  readonly populationRows: number | null
}

const CONFIG_LIMIT = 1024 * 1024

/**
 * Reads a configuration from YAML or JSON. All problems are gathered: the first in the text is the error, with line
 * and column, the key's path as `rule` and what would be allowed as `remedy`; `facts.problems` lists every one.
 *
 * @throws SluiceError CONFIG_INVALID, FILE_TOO_LARGE
 *
 * @example
 * parseAnonymizeConfig(`
 * version: 1
 * k: 5
 * suppression: 0.02
 * columns:
 *   name: {role: identifier}
 *   age: {role: quasi, hierarchy: {intervals: [5, 10, 20], max: 90}}
 *   district: {role: quasi, hierarchy: {prefix: [4, 2]}}
 *   disease: {role: sensitive}
 * diversity: [{column: disease, kind: distinct, l: 2}]
 * `)
 */
export function parseAnonymizeConfig(
  text: string,
  options: { readonly source?: string } = {},
): AnonymizeConfig {
  if (text.length > CONFIG_LIMIT) {
    throw new SluiceError('FILE_TOO_LARGE', 'the configuration is too large', {
      rule: 'config.size',
      remedy: `Write at most ${CONFIG_LIMIT} characters; hierarchies go into files of their own.`,
    })
  }
  const document = parseDocument(text, options.source)
  const fail = (problems: readonly Problem[]) => {
    if (problems.length === 0) return
    throw problemsError(
      problems.map(problem => ({ ...problem, code: 'CONFIG_INVALID' })),
      document,
    )
  }
  fail(document.problems)
  const parsed = ConfigFile.safeParse(document.value, { reportInput: true })
  if (!parsed.success) fail(problemsOf(parsed.error.issues, ConfigFile))
  const file = parsed.data!
  fail(contradictions(file))
  return completed(file)
}

function completed(file: ConfigFile): AnonymizeConfig {
  return {
    columns: Object.fromEntries(
      Object.entries(file.columns).map(([name, { role, hierarchy }]) => [
        name,
        { role, hierarchy: hierarchy ?? null },
      ]),
    ),
    model: {
      k: file.k,
      diversity: file.diversity ?? [],
      closeness: (file.closeness ?? []).map(({ column, t, distance }) => ({
        column,
        t,
        distance: distance ?? 'equal',
      })),
      presence: file.presence ? { min: file.presence.min ?? 0, max: file.presence.max } : null,
    },
    suppression: file.suppression ?? 0,
    method: file.method ?? 'optimal',
    measure: file.measure ?? 'non-uniform-entropy',
    populationFile: file.presence?.population ?? null,
    populationRows: file.population ?? null,
  }
}

function contradictions(file: ConfigFile): Problem[] {
  const problems: Problem[] = []
  const add = (path: Path, message: string, remedy: string) =>
    problems.push({ code: 'CONFIG_INVALID', path, at: 'value', message, remedy })
  const roleOf = (name: string) => (Object.hasOwn(file.columns, name) ? file.columns[name]!.role : undefined)
  const columns = Object.entries(file.columns)
  if (!columns.some(([, { role }]) => role === 'quasi')) {
    add(['columns'], 'no column is a quasi-identifier', 'role: quasi for what links a row to a person')
  }
  for (const [name, { role, hierarchy }] of columns) {
    if (hierarchy === undefined || role === 'quasi' || role === 'sensitive') continue
    add(['columns', name, 'hierarchy'], `a column of role ${role} is not generalized`, 'no hierarchy here')
  }
  const criteria = [
    ...(file.diversity ?? []).map((item, at) => ({ path: ['diversity', at, 'column'], ...item })),
    ...(file.closeness ?? []).map((item, at) => ({ path: ['closeness', at, 'column'], ...item })),
  ]
  for (const { path, column } of criteria) {
    if (roleOf(column) !== 'sensitive') {
      add(path, 'is not a column of role sensitive', 'a column that has role: sensitive')
    }
  }
  for (const [at, { column, distance }] of (file.closeness ?? []).entries()) {
    if (distance === 'hierarchical' && file.columns[column]?.hierarchy === undefined) {
      add(
        ['closeness', at, 'distance'],
        'the column has no hierarchy',
        'a hierarchy at the column, or distance: equal',
      )
    }
  }
  if (file.presence !== undefined) {
    const { min = 0, max } = file.presence
    if (min > max) add(['presence', 'min'], 'is above max', 'min at most max')
    // whoever is left out is present with probability 0 for all that can be seen
    if (min > 0 && (file.suppression ?? 0) > 0) {
      add(['presence', 'min'], 'cannot hold for rows that are left out', 'suppression: 0, or min: 0')
    }
    if (file.method === 'mondrian') {
      add(['presence'], 'is not defined for method mondrian', 'method: optimal')
    }
  }
  if (file.method === 'mondrian' && (file.suppression ?? 0) > 0) {
    add(['suppression'], 'method mondrian leaves nothing out', 'suppression: 0, or method: optimal')
  }
  if (file.method === 'mondrian' && file.measure !== undefined) {
    add(['measure'], 'method mondrian takes no measure', 'no measure, or method: optimal')
  }
  return problems
}

/**
 * Does a configuration name exactly the columns that are there.
 *
 * @throws SluiceError NAME_UNKNOWN for a column that is not there, CONFIG_INVALID `columns` for columns that it does
 * not name: what nobody thought of is not written
 */
export function checkColumns(config: AnonymizeConfig, present: readonly string[]): void {
  const unknown = Object.keys(config.columns).find(name => !present.includes(name))
  if (unknown !== undefined) {
    const near = nearestNames(unknown, present).map(visibleText)
    throw new SluiceError('NAME_UNKNOWN', `the file has no column "${visibleText(unknown)}"`, {
      rule: `columns.${visibleText(unknown)}`,
      remedy: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Name a column of the file.',
    })
  }
  const unnamed = present.filter(name => !Object.hasOwn(config.columns, name)).map(visibleText)
  if (unnamed.length === 0) return
  throw new SluiceError(
    'CONFIG_INVALID',
    `the configuration does not name the columns ${unnamed.join(', ')}`,
    {
      rule: 'columns',
      remedy: 'Give every column a role: quasi, sensitive, attribute, or identifier to leave it out.',
      facts: { columns: unnamed },
    },
  )
}
