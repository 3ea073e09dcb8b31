import type { Call, Expression, FunctionName, ScalarType } from '@sluice/core/plan'
import { sqlType } from '../emit/types.js'
import { type Ast, refuse } from '../syntax/ast.js'
import { convert } from './casts.js'
import { BOOLEAN, commonType } from './types.js'

export function call(name: FunctionName, type: ScalarType, ...operands: Expression[]): Call {
  return { kind: 'call', type, function: name, arguments: operands }
}

export function compare(name: FunctionName, left: Expression, right: Expression, at: Ast): Call {
  const type = commonType([left, right])
  if (type === null) {
    refuse(
      'sql.type',
      at,
      `a ${sqlType(left.type)} cannot be compared with a ${sqlType(right.type)}`,
      'Cast one of them with CAST.',
    )
  }
  // A decimal is compared with a number as it stands, where the number fits it: the value decides, not the type.
  const narrowed = [left, right].find(
    ({ kind, type: own }) => kind !== 'literal' && own.kind === 'decimal',
  )?.type
  const literal = [left, right].find(({ kind }) => kind === 'literal')
  const fitted = narrowed !== undefined && literal !== undefined ? convert(literal, narrowed) : undefined
  if (fitted?.kind === 'literal' && type.kind === 'decimal') {
    return call(name, BOOLEAN, left === literal ? fitted : left, right === literal ? fitted : right)
  }
  return call(name, BOOLEAN, convert(left, type), convert(right, type))
}

export function mustBeBoolean(expression: Expression, at: Ast): Expression {
  if (expression.type.kind === 'boolean') return expression
  if (expression.kind === 'literal' && expression.value === null) return convert(expression, BOOLEAN)
  return refuse(
    'sql.type',
    at,
    `a condition is needed here, and this is a ${sqlType(expression.type)}`,
    'Write a comparison.',
  )
}

/** Brings expressions to one type, or refuses. */
export function unify(expressions: readonly Expression[], at: Ast): readonly Expression[] {
  const type = commonType(expressions)
  if (type === null) {
    const types = [...new Set(expressions.map(({ type: each }) => sqlType(each)))]
    refuse(
      'sql.type',
      at,
      `these have no type in common: ${types.join(', ')}`,
      'Cast them to one type with CAST.',
    )
  }
  return expressions.map(expression => convert(expression, type))
}
