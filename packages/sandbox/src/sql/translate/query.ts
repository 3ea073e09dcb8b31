import type { PlanNode } from '@sluice/core/plan'
import { type Ast, child, children, fields, flag, refuse, text, texts, unknownSyntax } from '../syntax/ast.js'
import type { Context } from './context.js'
import { distinctRows, exactly } from './distinct.js'
import type { CommonTables, Translated } from './from.js'
import type { Located } from './located.js'
import { readModifiers } from './modifiers.js'
import { reference } from './names.js'
import { orderedByOutput } from './ordering.js'
import { translateSelect } from './select.js'
import { commonType } from './types.js'

export interface QueryPlace {
  readonly context: Context
  readonly tables: CommonTables | null
  readonly located: Located
  /** the order of the rows matters: this is the whole query */
  readonly outermost: boolean
}

/** Translates a query: a SELECT, or several in a UNION, with the queries of WITH before it. */
export function translateQuery(ast: Ast, place: QueryPlace): Translated {
  const { tables, unused } = withTables(ast, place)
  const inner = { ...place, tables }
  const translated = place.context.within(ast, () => {
    switch (text(ast, 'type')) {
      case 'SELECT_NODE':
        return translateSelect(ast, inner, subquery)
      case 'SET_OPERATION_NODE':
        return union(ast, inner)
      case 'RECURSIVE_CTE_NODE':
        return refuse(
          'sql.recursive',
          ast,
          'recursive queries are not understood',
          'Write the steps out as joins.',
        )
      default:
        return unknownSyntax(ast, 'type')
    }
  })
  // What no part of the query uses must be understood all the same.
  for (const translate of unused()) translate()
  place.located.at(translated.node, ast)
  return translated

  function subquery(wrapper: Ast, tables: CommonTables | null): Translated {
    return translateQuery(statement(wrapper), { ...place, tables, outermost: false })
  }
}

/** The query inside a statement or a subquery. */
export function statement(wrapper: Ast): Ast {
  fields(wrapper, ['node', 'named_param_map'])
  return child(wrapper, 'node')
}

function withTables(
  ast: Ast,
  place: QueryPlace,
): { tables: CommonTables | null; unused: () => (() => Translated)[] } {
  let tables = place.tables
  const uses = new Map<() => Translated, number>()
  for (const entry of children(child(ast, 'cte_map'), 'map')) {
    const value = child(entry, 'value')
    fields(value, ['aliases', 'query', 'materialized'], { key_targets: [] })
    const names = texts(value, 'aliases')
    const query = statement(child(value, 'query'))
    const outer = tables
    const translate = () => {
      uses.set(translate, uses.get(translate)! + 1)
      const translated = translateQuery(query, { ...place, tables: outer, outermost: false })
      if (names.length > translated.columns.length) {
        refuse('sql.column-alias', query, 'there are more names than columns', 'Leave out the last ones.')
      }
      const columns = translated.columns.map((column, index) => ({
        ...column,
        name: names[index] ?? column.name,
      }))
      return { ...translated, columns }
    }
    uses.set(translate, 0)
    tables = { name: text(entry, 'key'), translate, outer }
  }
  return { tables, unused: () => [...uses].flatMap(([translate, count]) => (count === 0 ? [translate] : [])) }
}

function union(ast: Ast, place: QueryPlace): Translated {
  if (text(ast, 'setop_type') !== 'UNION') {
    refuse('sql.set-operation', ast, 'only UNION is understood', 'Use joins, or UNION [ALL].')
  }
  fields(ast, ['type', 'modifiers', 'cte_map', 'setop_type', 'left', 'right', 'setop_all'])
  const modifiers = readModifiers(ast)
  const sides = [child(ast, 'left'), child(ast, 'right')].map(side =>
    translateQuery(side, { ...place, outermost: false }),
  )
  const [left, right] = sides as [Translated, Translated]
  if (left.columns.length !== right.columns.length) {
    refuse(
      'sql.union',
      ast,
      'the sides of the UNION have different numbers of columns',
      'Name the same columns.',
    )
  }
  const types = left.columns.map((column, index) => {
    const other = right.columns[index]!
    const type = commonType([reference(column.id, column.type), reference(other.id, other.type)])
    return (
      type ??
      refuse('sql.type', ast, `column ${index + 1} has no type that fits both sides`, 'Cast it with CAST.')
    )
  })
  const columns = left.columns.map(({ name }, index) => ({
    id: place.context.fresh(),
    name,
    type: types[index]!,
  }))
  const inputs = sides.map(({ node, columns: own }) => exactly(node, own, types, place.context))
  const node: PlanNode = place.located.at({ kind: 'union', inputs, columns }, ast)
  const distinct = !flag(ast, 'setop_all') || modifiers.distinct
  const whole = distinct ? distinctRows(node, columns, place) : { node, columns }
  return orderedByOutput(whole, modifiers, place)
}
