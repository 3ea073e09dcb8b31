import { unreachable } from '@sluice/core'
import type { ColumnId, Expression, PlanColumn, PlanNode } from '@sluice/core/plan'
import { fold } from '../catalogue.js'
import { type Ast, child, fields, isAst, refuse, text, texts, unknownSyntax } from '../syntax/ast.js'
import type { Context } from './context.js'
import { translatePredicate } from './expressions.js'
import type { Located } from './located.js'
import { namesOf, type Relation, reference, Scope, UnknownName } from './names.js'
import { BOOLEAN } from './types.js'
import { call, compare } from './typing.js'

/** A translated query: its columns are those that a SELECT around it may name. */
export interface Translated {
  readonly node: PlanNode
  readonly columns: readonly PlanColumn[]
}

/** The queries of WITH that can be named, innermost first; each use is translated afresh. */
export interface CommonTables {
  readonly name: string
  readonly translate: () => Translated
  readonly outer: CommonTables | null
}

export interface FromPlace {
  readonly context: Context
  readonly tables: CommonTables | null
  readonly subquery: (ast: Ast, tables: CommonTables | null) => Translated
  readonly located: Located
}

export type FromKind = (typeof KINDS)[number]
const KINDS = [
  'BASE_TABLE',
  'SUBQUERY',
  'JOIN',
  'TABLE_FUNCTION',
  'EXPRESSION_LIST',
  'EMPTY',
  'PIVOT',
  'SHOW_REF',
  'COLUMN_DATA',
  'DELIM_GET',
  'CTE',
] as const

/** Translates what stands after FROM, and says what its names mean. */
export function translateFrom(
  ast: Ast,
  place: FromPlace,
): { readonly node: PlanNode; readonly scope: Scope } {
  const kind = KINDS.find(name => name === ast.type)
  if (kind === undefined) return unknownSyntax(ast, 'type')
  if (isAst(ast.sample)) {
    refuse('sql.sample', ast, 'samples are not understood', 'Compute over all rows.')
  }
  switch (kind) {
    case 'BASE_TABLE':
      return baseTable(ast, place)
    case 'SUBQUERY': {
      fields(ast, ['type', 'alias', 'subquery', 'column_name_alias'], { sample: null })
      const { node, columns } = place.context.within(ast, () =>
        place.subquery(child(ast, 'subquery'), place.tables),
      )
      return relation(node, text(ast, 'alias'), columns, ast)
    }
    case 'JOIN':
      return place.context.within(ast, () => join(ast, place))
    case 'TABLE_FUNCTION':
      return refuse(
        'sql.table-function',
        ast,
        'table functions are not understood',
        'Name a registered dataset.',
      )
    case 'EXPRESSION_LIST':
      return refuse('sql.values', ast, 'VALUES is not understood', 'Register the values as a dataset.')
    case 'EMPTY':
      return refuse('sql.from', ast, 'the query reads no dataset', 'Write FROM and a registered dataset.')
    case 'PIVOT':
      return refuse('sql.pivot', ast, 'PIVOT and UNPIVOT are not understood', 'Use GROUP BY and FILTER.')
    case 'SHOW_REF':
      return refuse(
        'sql.show',
        ast,
        'DESCRIBE, SHOW and SUMMARIZE are not understood',
        'Ask the zone for the dataset’s schema.',
      )
    case 'COLUMN_DATA':
    case 'DELIM_GET':
    case 'CTE':
      return unknownSyntax(ast, 'type')
    default:
      return unreachable(kind)
  }
}

function baseTable(ast: Ast, place: FromPlace): { node: PlanNode; scope: Scope } {
  fields(
    ast,
    ['type', 'alias', 'schema_name', 'table_name', 'catalog_name', 'column_name_alias', 'at_clause'],
    { sample: null },
  )
  if (ast.at_clause !== null) {
    refuse('sql.version', ast, 'AT is not understood', 'The approval fixes the version of a dataset.')
  }
  if (text(ast, 'schema_name') !== '' || text(ast, 'catalog_name') !== '') {
    refuse('sql.schema', ast, 'datasets have no schema', 'Write the name of the dataset alone.')
  }
  const name = text(ast, 'table_name')
  const alias = text(ast, 'alias')
  for (let table = place.tables; table !== null; table = table.outer) {
    if (fold(table.name) !== fold(name)) continue
    const { node, columns } = place.context.within(ast, table.translate)
    return relation(node, alias === '' ? name : alias, columns, ast)
  }
  const table = place.context.catalogue.tables.get(fold(name))
  if (table === undefined) {
    const known = [...place.context.catalogue.tables.values()]
    throw new UnknownName(
      'sql.table',
      ast,
      'there is no dataset of this name',
      `Use one of ${namesOf(known)}.`,
    )
  }
  const columns = table.columns.map(column => ({
    id: place.context.fresh(),
    name: column.name,
    type: column.type,
    ...(column.mask !== undefined && { mask: column.mask }),
  }))
  const node: PlanNode = place.located.at({ kind: 'scan', dataset: table.name, columns }, ast)
  return relation(node, alias === '' ? table.name : alias, columns, ast)
}

/** Gives the FROM item its name, and its columns other names where the query does: `t(a, b)`. */
function relation(
  node: PlanNode,
  alias: string,
  columns: readonly PlanColumn[],
  ast: Ast,
): { node: PlanNode; scope: Scope } {
  const names = texts(ast, 'column_name_alias')
  if (names.length > columns.length) {
    refuse('sql.column-alias', ast, 'there are more names than columns', 'Leave out the last ones.')
  }
  const renamed = columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }))
  return { node, scope: new Scope([{ alias, columns: renamed }]) }
}

function join(ast: Ast, place: FromPlace): { node: PlanNode; scope: Scope } {
  fields(ast, ['type', 'alias', 'left', 'right', 'condition', 'join_type', 'ref_type', 'using_columns'], {
    sample: null,
    delim_flipped: false,
    duplicate_eliminated_columns: [],
  })
  const left = translateFrom(child(ast, 'left'), place)
  const right = translateFrom(child(ast, 'right'), place)
  const type = joinType(ast)
  const aliases = new Set(left.scope.relations.map(({ alias }) => fold(alias)))
  const double = right.scope.relations.find(({ alias }: Relation) => aliases.has(fold(alias)))
  if (double !== undefined) {
    refuse(
      'sql.table-alias',
      ast,
      `two tables are named ${double.alias}`,
      'Give each an alias of its own with AS.',
    )
  }
  const using = texts(ast, 'using_columns')
  const merged = new Map<string, ColumnId>()
  const equalities = using.map(name => {
    const a = left.scope.find([name], ast) ?? left.scope.explain([name], ast, new Set())
    const b = right.scope.find([name], ast) ?? right.scope.explain([name], ast, new Set())
    merged.set(fold(name), a.id)
    const sides = [a, b].map(({ id, type }) => place.located.at(reference(id, type), ast))
    return compare('equal', sides[0]!, sides[1]!, ast)
  })
  const scope = left.scope.and(right.scope, merged)
  const condition = equalities.length === 0 ? on(ast, scope, place) : all(equalities)
  const node: PlanNode = { kind: 'join', type, left: left.node, right: right.node, condition }
  return { node: place.located.at(node, ast), scope }
}

function joinType(ast: Ast): 'inner' | 'left' {
  const shape = text(ast, 'ref_type')
  switch (shape) {
    case 'REGULAR':
      break
    case 'NATURAL':
      return refuse(
        'sql.natural-join',
        ast,
        'NATURAL JOIN is not understood',
        'Name the columns: JOIN … USING (a, b).',
      )
    case 'CROSS':
      return refuse(
        'sql.cross-join',
        ast,
        'a join without a condition is not understood',
        'Write JOIN … ON, with the condition of WHERE.',
      )
    default:
      return refuse('sql.join', ast, 'this join is not understood', 'Use JOIN or LEFT JOIN with ON or USING.')
  }
  const type = text(ast, 'join_type')
  if (type === 'INNER') return 'inner'
  if (type === 'LEFT') return 'left'
  return refuse(
    'sql.join',
    ast,
    'only inner and left joins are understood',
    type === 'RIGHT'
      ? 'Exchange the two sides and write LEFT JOIN.'
      : 'Use JOIN or LEFT JOIN with ON or USING.',
  )
}

function on(ast: Ast, scope: Scope, { context, located }: FromPlace): Expression {
  if (!isAst(ast.condition)) return unknownSyntax(ast, 'condition')
  return translatePredicate(ast.condition, {
    context,
    scope,
    aggregate: null,
    clause: 'ON',
    known: new Set(),
    located,
  })
}

function all(conditions: readonly Expression[]): Expression {
  return conditions.length === 1 ? conditions[0]! : call('and', BOOLEAN, ...conditions)
}
