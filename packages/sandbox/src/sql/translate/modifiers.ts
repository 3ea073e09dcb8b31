import { type Ast, child, children, fields, isAst, refuse, text, unknownSyntax } from '../syntax/ast.js'

/** One key of ORDER BY as it was written. */
export interface OrderTerm {
  readonly ast: Ast
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** What stands after a SELECT or a UNION. */
export interface Modifiers {
  readonly distinct: boolean
  readonly order: readonly OrderTerm[]
  readonly limit: { readonly count: number | null; readonly offset: number; readonly at: Ast } | null
}

export function readModifiers(ast: Ast): Modifiers {
  let modifiers: Modifiers = { distinct: false, order: [], limit: null }
  for (const modifier of children(ast, 'modifiers')) {
    const type = text(modifier, 'type')
    switch (type) {
      case 'DISTINCT_MODIFIER': {
        const { distinct_on_targets: targets } = fields(modifier, ['type', 'distinct_on_targets'])
        if (!Array.isArray(targets) || targets.length > 0) {
          refuse('sql.distinct-on', modifier, 'DISTINCT ON is not understood', 'Use GROUP BY.')
        }
        modifiers = { ...modifiers, distinct: true }
        break
      }
      case 'ORDER_MODIFIER':
        fields(modifier, ['type', 'orders'])
        modifiers = { ...modifiers, order: children(modifier, 'orders').map(orderTerm) }
        break
      case 'LIMIT_MODIFIER':
        fields(modifier, ['type', 'limit', 'offset'])
        modifiers = {
          ...modifiers,
          limit: { count: rows(modifier, 'limit'), offset: rows(modifier, 'offset') ?? 0, at: modifier },
        }
        break
      case 'LIMIT_PERCENT_MODIFIER':
        return refuse('sql.limit', modifier, 'LIMIT in percent is not understood', 'Write a number of rows.')
      default:
        return unknownSyntax(modifier, 'type')
    }
  }
  return modifiers
}

function orderTerm(ast: Ast): OrderTerm {
  fields(ast, ['type', 'null_order', 'expression'])
  const direction = text(ast, 'type')
  const nulls = text(ast, 'null_order')
  if (!['ORDER_DEFAULT', 'ASCENDING', 'DESCENDING'].includes(direction)) unknownSyntax(ast, 'type')
  if (!['ORDER_DEFAULT', 'NULLS FIRST', 'NULLS LAST'].includes(nulls)) unknownSyntax(ast, 'null_order')
  // The engine puts nulls last, whichever the direction, where nothing is said.
  return {
    ast: child(ast, 'expression'),
    descending: direction === 'DESCENDING',
    nullsFirst: nulls === 'NULLS FIRST',
  }
}

function rows(modifier: Ast, key: string): number | null {
  const ast = modifier[key]
  if (ast === null) return null
  if (!isAst(ast)) return unknownSyntax(modifier, key)
  const value = ast.class === 'CONSTANT' && isAst(ast.value) ? ast.value : null
  const number =
    typeof value?.value === 'string' && /^\d{1,15}$/.test(value.value) ? Number(value.value) : null
  if (number === null || !isAst(value?.type) || !/INT/.test(String(value.type.id))) {
    return refuse('sql.limit', ast, 'LIMIT and OFFSET are whole numbers', 'Write the number of rows.')
  }
  return number
}
