import { unreachable } from '@sluice/core'
import type { ColumnReference, Expression, FunctionName } from '@sluice/core/plan'
import { fold } from '../catalogue.js'
import { type Ast, child, children, fields, refuse, text, texts, unknownSyntax } from '../syntax/ast.js'
import { translateCast } from './casts.js'
import type { Context } from './context.js'
import { translateFunction } from './functions/call.js'
import { translateConstant } from './literals.js'
import type { Located } from './located.js'
import { namesOf, type Scope } from './names.js'
import { checkRanked, rankedCall } from './order-statistics.js'
import { BOOLEAN } from './types.js'
import { call, compare, mustBeBoolean, unify } from './typing.js'

/** Where an expression stands: what its names mean, and whether aggregates may be in it. */
export interface Place {
  readonly context: Context
  readonly scope: Scope
  /** makes the column of an aggregate call; where there is none, `clause` says why in the refusal */
  readonly aggregate: ((ast: Ast, place: Place, isRanked?: boolean) => ColumnReference) | null
  /** such as `WHERE` */
  readonly clause: string
  /** aliases that mean something here, by folded name */
  readonly aliases?: ReadonlyMap<string, Expression>
  /** an alias is meant even where a column has the same name */
  readonly aliasFirst?: boolean
  /** aliases of the select list, to explain a name that is none here */
  readonly known: ReadonlySet<string>
  /** remembers where expressions came from */
  readonly located: Located
}

export type ExpressionClass = (typeof CLASSES)[number]
const CLASSES = [
  'COLUMN_REF',
  'CONSTANT',
  'PARAMETER',
  'COMPARISON',
  'CONJUNCTION',
  'OPERATOR',
  'FUNCTION',
  'CASE',
  'CAST',
  'BETWEEN',
  'STAR',
  'WINDOW',
  'SUBQUERY',
  'COLLATE',
  'LAMBDA',
  'POSITIONAL_REFERENCE',
  'DEFAULT',
  'LAMBDA_REF',
] as const

const COMPARISONS: Readonly<Record<string, FunctionName>> = {
  COMPARE_EQUAL: 'equal',
  COMPARE_NOTEQUAL: 'notEqual',
  COMPARE_LESSTHAN: 'less',
  COMPARE_LESSTHANOREQUALTO: 'lessOrEqual',
  COMPARE_GREATERTHAN: 'greater',
  COMPARE_GREATERTHANOREQUALTO: 'greaterOrEqual',
  COMPARE_DISTINCT_FROM: 'distinctFrom',
  COMPARE_NOT_DISTINCT_FROM: 'notDistinctFrom',
}

/** Translates one expression of the syntax tree, with its type; what it does not know is refused. */
export function translateExpression(ast: Ast, place: Place): Expression {
  const expression = place.context.within(ast, () => translate(ast, place))
  return place.located.at(expression, ast)
}

/** The same, and it must be true or false. */
export function translatePredicate(ast: Ast, place: Place): Expression {
  return mustBeBoolean(translateExpression(ast, place), ast)
}

function translate(ast: Ast, place: Place): Expression {
  const kind = CLASSES.find(name => name === ast.class)
  if (kind === undefined) return unknownSyntax(ast, 'class')
  const recur = (part: Ast) => translateExpression(part, place)
  switch (kind) {
    case 'COLUMN_REF':
      return column(ast, place)
    case 'CONSTANT':
      return translateConstant(ast)
    case 'PARAMETER':
      fields(ast, ['class', 'type', 'alias', 'identifier'])
      return place.context.parameter(text(ast, 'identifier'), ast)
    case 'COMPARISON': {
      fields(ast, ['class', 'type', 'alias', 'left', 'right'])
      const name = COMPARISONS[text(ast, 'type')] ?? unknownSyntax(ast, 'type')
      return compare(name, recur(child(ast, 'left')), recur(child(ast, 'right')), ast)
    }
    case 'CONJUNCTION': {
      fields(ast, ['class', 'type', 'alias', 'children'])
      const name = { CONJUNCTION_AND: 'and', CONJUNCTION_OR: 'or' }[text(ast, 'type')] as
        | 'and'
        | 'or'
        | undefined
      if (name === undefined) return unknownSyntax(ast, 'type')
      return call(name, BOOLEAN, ...children(ast, 'children').map(part => mustBeBoolean(recur(part), part)))
    }
    case 'BETWEEN': {
      fields(ast, ['class', 'type', 'alias', 'input', 'lower', 'upper'])
      const input = recur(child(ast, 'input'))
      const lower = compare('greaterOrEqual', input, recur(child(ast, 'lower')), ast)
      return call('and', BOOLEAN, lower, compare('lessOrEqual', input, recur(child(ast, 'upper')), ast))
    }
    case 'OPERATOR':
      return ranked(ast, place) ?? operator(ast, recur)
    case 'FUNCTION':
      return translateFunction(ast, place, recur)
    case 'CASE':
      return conditional(ast, recur)
    case 'CAST':
      return translateCast(ast, recur)
    case 'STAR':
      return refuseStar(ast, place.scope)
    case 'WINDOW':
      return refuse('sql.window', ast, 'window functions are not understood', 'Use GROUP BY.')
    case 'SUBQUERY':
      return refuse(
        'sql.subquery',
        ast,
        'a subquery in an expression is not understood',
        'Join a subquery in FROM, or pass a parameter.',
      )
    case 'COLLATE':
      return refuse(
        'sql.collation',
        ast,
        'collations are not understood',
        'Compare lower(x), or text as it is.',
      )
    case 'LAMBDA':
    case 'LAMBDA_REF':
      return refuse(
        'sql.lambda',
        ast,
        'lambda functions are not understood',
        'Use the functions of docs/sql.md.',
      )
    case 'POSITIONAL_REFERENCE':
      return refuse(
        'sql.position',
        ast,
        'a column by its position is not understood',
        'Write the column’s name.',
      )
    case 'DEFAULT':
      return refuse('sql.default', ast, 'DEFAULT has no meaning in a query', 'Write a value.')
    default:
      return unreachable(kind)
  }
}

function column(ast: Ast, place: Place): Expression {
  fields(ast, ['class', 'type', 'alias', 'column_names'])
  const parts = texts(ast, 'column_names')
  const alias = parts.length === 1 ? place.aliases?.get(fold(parts[0]!)) : undefined
  const found = place.scope.find(parts, ast)
  if (alias === undefined) return found ?? place.scope.explain(parts, ast, place.known)
  if (found === null || place.aliasFirst || sameColumn(alias, found)) return alias
  return refuse(
    'sql.ambiguous-alias',
    ast,
    'this is both a column and an alias of another expression',
    'Give the alias a name that no column has.',
  )
}

/** `max(x, k)[k]` where an aggregate may stand. */
function ranked(ast: Ast, place: Place): Expression | null {
  const call = ast.type === 'ARRAY_EXTRACT' ? rankedCall(ast) : null
  if (call === null) return null
  checkRanked(ast, call)
  const { aggregate } = place
  const ranking = aggregate && ((inner: Ast, where: Place) => aggregate(inner, where, true))
  return translateFunction(call, { ...place, aggregate: ranking }, part => translateExpression(part, place))
}

function operator(ast: Ast, recur: (part: Ast) => Expression): Expression {
  fields(ast, ['class', 'type', 'alias', 'children'])
  const parts = children(ast, 'children')
  const operands = () => parts.map(recur)
  const type = text(ast, 'type')
  switch (type) {
    case 'OPERATOR_NOT': {
      const [operand] = operands()
      const [part] = parts
      if (operand === undefined || part === undefined) return unknownSyntax(ast, 'children')
      if (operand.kind === 'call' && operand.function === 'like') return { ...operand, function: 'notLike' }
      return call('not', BOOLEAN, mustBeBoolean(operand, part))
    }
    case 'OPERATOR_IS_NULL':
      return call('isNull', BOOLEAN, ...operands())
    case 'OPERATOR_IS_NOT_NULL':
      return call('isNotNull', BOOLEAN, ...operands())
    case 'OPERATOR_COALESCE': {
      const unified = unify(operands(), ast)
      return call('coalesce', unified[0]!.type, ...unified)
    }
    case 'COMPARE_IN':
      return inList(operands(), ast)
    case 'COMPARE_NOT_IN':
      return call('not', BOOLEAN, inList(operands(), ast))
    case 'OPERATOR_TRY':
      return refuse(
        'sql.try',
        ast,
        'TRY is not understood',
        'Write expressions that cannot fail, such as nullif(x, 0).',
      )
    case 'GROUPING_FUNCTION':
      return refuse(
        'sql.grouping-sets',
        ast,
        'GROUPING is not understood',
        'Use GROUP BY with one list of keys.',
      )
    case 'ARRAY_CONSTRUCTOR':
    case 'ARRAY_EXTRACT':
    case 'ARRAY_SLICE':
    case 'STRUCT_EXTRACT':
      return refuse('sql.nested', ast, 'lists and structs are not understood', 'Use columns of plain types.')
    default:
      return unknownSyntax(ast, 'type')
  }
}

function inList([argument, ...list]: readonly Expression[], ast: Ast): Expression {
  if (argument === undefined || list.length === 0) return unknownSyntax(ast, 'children')
  if (!list.every(({ kind }) => kind === 'literal' || kind === 'parameter')) {
    refuse(
      'sql.in-list',
      ast,
      'a list after IN holds values and parameters only',
      'Write x = a OR x = b for other expressions.',
    )
  }
  const [unified, ...items] = unify([argument, ...list], ast)
  return { kind: 'in', type: BOOLEAN, argument: unified!, list: items }
}

function conditional(ast: Ast, recur: (part: Ast) => Expression): Expression {
  fields(ast, ['class', 'type', 'alias', 'case_checks', 'else_expr'])
  const branches = children(ast, 'case_checks').map(check => {
    const when = child(check, 'when_expr')
    return { when: mustBeBoolean(recur(when), when), then: recur(child(check, 'then_expr')) }
  })
  const [otherwise, ...results] = unify(
    [recur(child(ast, 'else_expr')), ...branches.map(({ then }) => then)],
    ast,
  )
  return {
    kind: 'case',
    type: otherwise!.type,
    branches: branches.map(({ when }, index) => ({ when, then: results[index]! })),
    otherwise: otherwise!,
  }
}

export function refuseStar(ast: Ast, scope: Scope): never {
  const columns = scope.relations.flatMap(relation => relation.columns)
  return refuse(
    'sql.star',
    ast,
    ast.columns === true ? 'COLUMNS is not understood' : '* is not understood outside of count(*)',
    `Name the columns: ${namesOf(columns)}.`,
  )
}

function sameColumn(left: Expression, right: Expression): boolean {
  return left.kind === 'column' && right.kind === 'column' && left.id === right.id
}
