import type { ColumnId, Expression, PlanColumn, PlanNode, SortKey } from '@sluice/core/plan'
import { columnsIn } from '@sluice/core/plan'
import { fold } from '../catalogue.js'
import {
  type Ast,
  child,
  children,
  fields,
  isAst,
  refuse,
  text,
  texts,
  unknownSyntax,
} from '../syntax/ast.js'
import { hasAggregate } from './aggregate-table.js'
import { AggregateCollector } from './aggregates.js'
import { distinctRows, hasAggregateNode } from './distinct.js'
import { type Place, translateExpression, translatePredicate } from './expressions.js'
import { type CommonTables, type Translated, translateFrom } from './from.js'
import { Grouping, type GroupKey } from './grouping.js'
import { type Modifiers, readModifiers } from './modifiers.js'
import { reference } from './names.js'
import { needsOrder, ordinal, refuseOrderByAll, sortAndLimit, sortKey } from './ordering.js'
import type { QueryPlace } from './query.js'

/** Most columns of a SELECT. */
const WIDEST = 1_000

interface Item {
  readonly name: string
  readonly expression: Expression
}

/** Translates one SELECT. */
export function translateSelect(
  ast: Ast,
  place: QueryPlace,
  subquery: (ast: Ast, tables: CommonTables | null) => Translated,
): Translated {
  const select = read(ast)
  const { context, located } = place
  const from = translateFrom(select.from, { context, located, tables: place.tables, subquery })
  const known = new Set(select.list.map(item => fold(text(item, 'alias'))).filter(alias => alias !== ''))
  const base: Place = { context, located, known, scope: from.scope, aggregate: null, clause: 'SELECT' }
  const node: PlanNode =
    select.where === null
      ? from.node
      : located.at(
          {
            kind: 'filter',
            input: from.node,
            predicate: translatePredicate(select.where, { ...base, clause: 'WHERE' }),
          },
          select.where,
        )
  const rows = isAggregated(select)
    ? aggregated(node, ast, select, base, place)
    : plain(node, select, base, place)
  return select.modifiers.distinct ? distinct(rows, select, place) : projected(rows, select, place)
}

/** A SELECT before its output is made: the items, the sort keys, and what tells its rows apart. */
interface Rows {
  readonly node: PlanNode
  readonly items: readonly Item[]
  readonly order: readonly Expression[]
  readonly ties: readonly Expression[]
}

interface Select {
  readonly list: readonly Ast[]
  readonly from: Ast
  readonly where: Ast | null
  readonly groups: readonly Ast[]
  /** GROUP BY ALL */
  readonly groupAll: boolean
  readonly grouped: boolean
  readonly having: Ast | null
  readonly modifiers: Modifiers
}

function read(ast: Ast): Select {
  if (isAst(ast.qualify))
    refuse('sql.window', ast.qualify, 'QUALIFY is not understood', 'Use GROUP BY and HAVING.')
  if (isAst(ast.sample)) refuse('sql.sample', ast, 'samples are not understood', 'Compute over all rows.')
  fields(
    ast,
    [
      'type',
      'modifiers',
      'cte_map',
      'select_list',
      'from_table',
      'where_clause',
      'group_expressions',
      'group_sets',
      'aggregate_handling',
      'having',
    ],
    { sample: null, qualify: null },
  )
  const groups = children(ast, 'group_expressions')
  const sets = ast.group_sets
  if (!Array.isArray(sets)) return unknownSyntax(ast, 'group_sets')
  if (sets.length > 1 || sets.some(set => !Array.isArray(set) || set.length !== groups.length)) {
    refuse(
      'sql.grouping-sets',
      groups[0] ?? ast,
      'GROUPING SETS, CUBE and ROLLUP are not understood',
      'Ask for each grouping by a query of its own.',
    )
  }
  const handling = text(ast, 'aggregate_handling')
  if (handling !== 'STANDARD_HANDLING' && handling !== 'FORCE_AGGREGATES')
    unknownSyntax(ast, 'aggregate_handling')
  const list = children(ast, 'select_list')
  if (list.length > WIDEST) {
    refuse('sql.size', list[WIDEST]!, `a SELECT has at most ${WIDEST} columns`, 'Ask for fewer.')
  }
  return {
    list,
    from: child(ast, 'from_table'),
    where: optional(ast, 'where_clause'),
    groups,
    groupAll: handling === 'FORCE_AGGREGATES',
    grouped: groups.length > 0 || sets.length > 0 || handling === 'FORCE_AGGREGATES',
    having: optional(ast, 'having'),
    modifiers: readModifiers(ast),
  }
}

function isAggregated({ list, grouped, having, modifiers }: Select): boolean {
  return (
    grouped || having !== null || hasAggregate(list) || modifiers.order.some(({ ast }) => hasAggregate(ast))
  )
}

function plain(node: PlanNode, select: Select, base: Place, { outermost }: QueryPlace): Rows {
  const items = itemsOf(select.list, base)
  const order = needsOrder(select.modifiers, outermost) ? orderOf(select, items, base) : []
  return { node, items, order, ties: items.map(({ expression }) => expression) }
}

function aggregated(input: PlanNode, ast: Ast, select: Select, base: Place, { outermost }: QueryPlace): Rows {
  const collector = new AggregateCollector()
  const place: Place = { ...base, aggregate: (call, where, isRanked) => collector.add(call, where, isRanked) }
  const items = itemsOf(select.list, place)
  const keys = keysOf(select, items, base, collector)
  const aliases = aliasesOf(select.list, items)
  const having =
    select.having === null ? null : translatePredicate(select.having, { ...place, aliases, clause: 'HAVING' })
  const order = needsOrder(select.modifiers, outermost) ? orderOf(select, items, place) : []
  if (keys.length + collector.columns.length === 0) {
    refuse(
      'sql.group-by',
      ast,
      'nothing is aggregated',
      'Add an aggregate such as count(*), or leave out GROUP BY.',
    )
  }
  const grouping = new Grouping(keys, collector.columns, base.located, ast)
  const node: PlanNode = base.located.at(
    { kind: 'aggregate', input, keys, aggregates: collector.columns },
    ast,
  )
  return {
    node:
      having === null
        ? node
        : base.located.as({ kind: 'filter', input: node, predicate: grouping.over(having) }, having),
    items: items.map(({ name, expression }) => ({ name, expression: grouping.over(expression) })),
    order: order.map(expression => grouping.over(expression)),
    ties: keys.map(({ id, type }) => reference(id, type)),
  }
}

function keysOf(
  select: Select,
  items: readonly Item[],
  base: Place,
  collector: AggregateCollector,
): GroupKey[] {
  const aggregates = new Set(collector.columns.map(({ id }) => id))
  const isCell = (expression: Expression) => [...columnsIn(expression)].some(id => aggregates.has(id))
  const aliases = aliasesOf(select.list, items)
  // ALL leaves out constants, as in the engine: over no rows, they alone would make no group.
  const isConstant = (expression: Expression) => columnsIn(expression).size === 0
  const expressions = select.groupAll
    ? items.map(({ expression }) => expression).filter(each => !isCell(each) && !isConstant(each))
    : select.groups.map(group => {
        const place = { ...base, clause: 'GROUP BY', ...(group.class === 'COLUMN_REF' && { aliases }) }
        const expression = ordinal(group, items)?.expression ?? translateExpression(group, place)
        if (isCell(expression)) {
          refuse(
            'sql.aggregate-place',
            group,
            'an aggregate cannot be grouped by',
            'Compute it in a subquery in FROM.',
          )
        }
        return expression
      })
  const names = new Map(items.map(({ name, expression }) => [JSON.stringify(expression), name]))
  const keys = new Map<string, GroupKey>()
  for (const expression of expressions) {
    const text = JSON.stringify(expression)
    const name = names.get(text) ?? `key${keys.size + 1}`
    if (!keys.has(text)) keys.set(text, { id: base.context.fresh(), name, type: expression.type, expression })
  }
  return [...keys.values()]
}

function orderOf(select: Select, items: readonly Item[], place: Place): Expression[] {
  const aliases = aliasesOf(select.list, items)
  return select.modifiers.order.map(({ ast }) => {
    refuseOrderByAll(ast)
    const inOrder = { ...place, aliases, aliasFirst: ast.class === 'COLUMN_REF', clause: 'ORDER BY' }
    return ordinal(ast, items)?.expression ?? translateExpression(ast, inOrder)
  })
}

/** Plain references need no projection: the columns of the node below are the output. */
function projected(rows: Rows, { modifiers }: Select, place: QueryPlace): Translated {
  const { node, items, order } = rows
  const sorts = needsOrder(modifiers, place.outermost)
  const ties = sorts ? rows.ties : []
  const expressions = [...items.map(({ expression }) => expression), ...order, ...ties]
  const keys = order.map((expression, index) => sortKey(modifiers.order[index]!, expression))
  const arranged = (input: PlanNode, sorts: readonly SortKey[], tied: readonly Expression[]) =>
    place.located.at(sortAndLimit(input, sorts, tied, modifiers, place.outermost), modifiers.limit?.at)
  if (expressions.every(({ kind }) => kind === 'column')) {
    const columns = items.map(({ name, expression }) =>
      place.located.as({ id: idOf(expression), name, type: expression.type }, expression),
    )
    return { node: arranged(node, keys, ties), columns }
  }
  const byText = new Map<string, PlanColumn & { readonly expression: Expression }>()
  const compute = (expression: Expression, name: string) => {
    const text = JSON.stringify(expression)
    const column = byText.get(text) ?? { id: place.context.fresh(), name, type: expression.type, expression }
    byText.set(text, column)
    return column
  }
  const columns = items.map(({ name, expression }) => ({ ...compute(expression, name), name }))
  const over = (expression: Expression) => {
    const { id, type } = compute(expression, 'order')
    return reference(id, type)
  }
  const sortedBy = keys.map(key => ({ ...key, expression: over(key.expression) }))
  const tiedBy = ties.map(over)
  const project: PlanNode = { kind: 'project', input: node, columns: [...byText.values()] }
  return {
    node: arranged(project, sortedBy, tiedBy),
    columns: columns.map(({ id, name, type, expression }) =>
      place.located.as({ id, name, type }, expression),
    ),
  }
}

/** SELECT DISTINCT: its order can only be that of its items. */
function distinct({ node, items, order }: Rows, { modifiers }: Select, place: QueryPlace): Translated {
  const { node: unique, columns } = distinctItems(node, items, place)
  const outputs = columns.map(({ id, type }) => reference(id, type))
  const places = new Map(items.map(({ expression }, index) => [JSON.stringify(expression), index]))
  const keys = order.map((expression, index) => {
    const item = places.get(JSON.stringify(expression))
    if (item === undefined) {
      refuse(
        'sql.distinct-order',
        modifiers.order[index]!.ast,
        'SELECT DISTINCT is ordered by what it selects',
        'Add this to the select list, or order by an item of it.',
      )
    }
    return sortKey(modifiers.order[index]!, outputs[item]!)
  })
  const sorted = sortAndLimit(unique, keys, outputs, modifiers, place.outermost)
  return { node: place.located.at(sorted, modifiers.limit?.at), columns }
}

function distinctItems(node: PlanNode, items: readonly Item[], { context, located }: QueryPlace): Translated {
  const columns = items.map(({ name, expression }) => ({
    id: context.fresh(),
    name,
    type: expression.type,
    expression,
  }))
  if (!hasAggregateNode(node)) {
    return { node: { kind: 'aggregate', input: node, keys: columns, aggregates: [] }, columns }
  }
  return distinctRows({ kind: 'project', input: node, columns }, columns, { context, located })
}

function itemsOf(list: readonly Ast[], place: Place): Item[] {
  return list.map((ast, index) => {
    const expression = translateExpression(ast, place)
    return { name: nameOf(ast, place, index), expression }
  })
}

/** The alias, else the column's own name, else the function's. */
function nameOf(ast: Ast, { scope }: Place, index: number): string {
  const alias = text(ast, 'alias')
  if (alias !== '') return alias
  if (ast.class === 'COLUMN_REF') {
    const found = scope.find(texts(ast, 'column_names'), ast)
    const column = scope.relations.flatMap(({ columns }) => columns).find(({ id }) => id === found?.id)
    if (column !== undefined) return column.name
  }
  if (ast.class === 'FUNCTION' && /^[a-z_]+$/i.test(text(ast, 'function_name'))) {
    return text(ast, 'function_name').replace('count_star', 'count')
  }
  return `column${index + 1}`
}

function aliasesOf(list: readonly Ast[], items: readonly Item[]): ReadonlyMap<string, Expression> {
  const aliases = new Map<string, Expression>()
  list.forEach((ast, index) => {
    const alias = fold(text(ast, 'alias'))
    if (alias !== '' && !aliases.has(alias)) aliases.set(alias, items[index]!.expression)
  })
  return aliases
}

function idOf(expression: Expression): ColumnId {
  return expression.kind === 'column' ? expression.id : -1
}

function optional(ast: Ast, key: string): Ast | null {
  const value = ast[key]
  return isAst(value) ? value : value === null ? null : unknownSyntax(ast, key)
}
