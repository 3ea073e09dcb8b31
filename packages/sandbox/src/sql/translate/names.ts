import type { ColumnId, ColumnReference, PlanColumn, ScalarType } from '@sluice/core/plan'
import { fold } from '../catalogue.js'
import { type Ast, Refusal, refuse } from '../syntax/ast.js'

/** The columns that a FROM item offers under its name. */
export interface Relation {
  readonly alias: string
  readonly columns: readonly PlanColumn[]
}

/** Words that the engine reads as calls although they look like columns. */
const PSEUDO_COLUMNS = new Set([
  'current_catalog',
  'current_database',
  'current_date',
  'current_role',
  'current_schema',
  'current_time',
  'current_timestamp',
  'current_user',
  'localtime',
  'localtimestamp',
  'session_user',
  'user',
])
const ROW_IDENTIFIERS = new Set(['rowid', 'file_row_number', 'filename', 'file_index'])
const CANDIDATES_SHOWN = 20

/** A name that nothing has; becomes NAME_UNKNOWN. */
export class UnknownName extends Refusal {}

/** What names mean inside one SELECT. */
export class Scope {
  readonly relations: readonly Relation[]
  /** columns that USING merged: unqualified, they mean the left side's */
  readonly merged: ReadonlyMap<string, ColumnId>

  constructor(relations: readonly Relation[], merged: ReadonlyMap<string, ColumnId> = new Map()) {
    this.relations = relations
    this.merged = merged
  }

  /** The column of a name, or null where there is none of it. */
  find(parts: readonly string[], at: Ast): ColumnReference | null {
    if (parts.length > 2) return null
    const [table, column] = parts.length === 2 ? parts : [undefined, parts[0]]
    const name = fold(column!)
    const merged = table === undefined ? this.merged.get(name) : undefined
    const found = this.relations
      .filter(({ alias }) => table === undefined || fold(alias) === fold(table))
      .flatMap(({ alias, columns }) =>
        columns.filter(each => fold(each.name) === name).map(each => ({ alias, ...each })),
      )
      .filter(({ id }) => merged === undefined || id === merged)
    if (found.length > 1) {
      const candidates = found.map(each => `${each.alias}.${each.name}`)
      throw new UnknownName(
        'sql.ambiguous',
        at,
        `the column ${found[0]!.name} is ambiguous`,
        `Write one of ${candidates.join(', ')}.`,
      )
    }
    return found.length === 0 ? null : reference(found[0]!.id, found[0]!.type)
  }

  /** Why a name is not a column, as an error. */
  explain(parts: readonly string[], at: Ast, aliases: ReadonlySet<string>): never {
    const name = fold(parts.at(-1)!)
    if (parts.length === 1) {
      if (PSEUDO_COLUMNS.has(name)) {
        refuse(
          'sql.environment',
          at,
          `${name} depends on who runs the query and when`,
          'Pass a parameter instead.',
        )
      }
      if (ROW_IDENTIFIERS.has(name)) {
        refuse('sql.rowid', at, `${name} names single rows`, 'Use columns that the dataset registered.')
      }
      const table = this.relations.find(({ alias }) => fold(alias) === name)
      if (table !== undefined) {
        refuse(
          'sql.whole-row',
          at,
          'a whole row is not a value',
          `Name its columns: ${namesOf(table.columns)}.`,
        )
      }
      if (aliases.has(name)) {
        refuse(
          'sql.lateral-alias',
          at,
          'an alias of the select list has no meaning here',
          'Repeat the expression, or compute it in a subquery in FROM.',
        )
      }
    } else if (parts.length > 2 && this.find(parts.slice(0, 2), at) !== null) {
      refuse('sql.struct', at, 'a column has no fields', 'Use a column of a plain type.')
    } else if (this.relations.every(({ alias }) => fold(alias) !== fold(parts[0]!))) {
      if (
        this.relations.some(({ columns }) => columns.some(column => fold(column.name) === fold(parts[0]!)))
      ) {
        refuse('sql.struct', at, 'a column has no fields', 'Use a column of a plain type.')
      }
      throw new UnknownName(
        'sql.name',
        at,
        'the query has no table of this name in FROM',
        `Use one of ${this.relations.map(({ alias }) => alias).join(', ')}.`,
      )
    }
    const candidates = this.relations
      .filter(({ alias }) => parts.length === 1 || fold(alias) === fold(parts[0]!))
      .flatMap(({ columns }) => columns)
    throw new UnknownName(
      'sql.name',
      at,
      'there is no column of this name',
      `Use one of ${namesOf(candidates)}.`,
    )
  }

  and(other: Scope, merged: ReadonlyMap<string, ColumnId>): Scope {
    return new Scope(
      [...this.relations, ...other.relations],
      new Map([...this.merged, ...other.merged, ...merged]),
    )
  }
}

export function reference(id: ColumnId, type: ScalarType): ColumnReference {
  return { kind: 'column', type, id }
}

export function namesOf(columns: readonly { readonly name: string }[]): string {
  const names = [...new Set(columns.map(({ name }) => (/^[a-z_]\w*$/i.test(name) ? name : `"${name}"`)))]
  const more = names.length - CANDIDATES_SHOWN
  return names.slice(0, CANDIDATES_SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
