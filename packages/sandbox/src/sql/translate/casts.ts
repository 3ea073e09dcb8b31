import type { Expression, ScalarType } from '@sluice/core/plan'
import { sqlType } from '../emit/types.js'
import { type Ast, child, fields, isAst, refuse } from '../syntax/ast.js'
import { fitLiteral } from './literals.js'
import { translateType } from './type-names.js'
import { isNumeric, sameType } from './types.js'

/** `CAST(x AS type)`; literals are converted here, so that a wrong one is refused instead of failing a run. */
export function translateCast(ast: Ast, translate: (child: Ast) => Expression): Expression {
  fields(ast, ['class', 'type', 'alias', 'child', 'cast_type', 'try_cast'])
  if (ast.try_cast !== false) {
    refuse('sql.try-cast', ast, 'TRY_CAST is not understood', 'Use CAST.')
  }
  const type = translateType(child(ast, 'cast_type'), ast)
  const argument = child(ast, 'child')
  const boolean = booleanLiteral(argument, type)
  return boolean ?? cast(translate(argument), type, ast)
}

/** A cast that the query asks for. */
export function cast(argument: Expression, type: ScalarType, at: Ast): Expression {
  if (argument.kind === 'literal') {
    const fitted = fitLiteral(argument, type)
    if (fitted !== null) return fitted
    if (argument.type.kind === 'text' && type.kind !== 'boolean') {
      refuse('sql.literal', at, `this text is not a ${sqlType(type)}`, literalForm(type))
    }
  }
  if (sameType(argument.type, type)) return argument
  if (!isCastable(argument.type, type)) {
    refuse(
      'sql.cast',
      at,
      `a ${sqlType(argument.type)} cannot be cast to ${sqlType(type)}`,
      'Cast between numbers, to and from text, between dates and timestamps; format floating point numbers outside.',
    )
  }
  return { kind: 'cast', type, argument }
}

/** A cast that typing needs: the value stays what it is. */
export function convert(argument: Expression, type: ScalarType): Expression {
  if (argument.kind === 'literal') {
    const fitted = fitLiteral(argument, type)
    if (fitted !== null) return fitted
  }
  return sameType(argument.type, type) ? argument : { kind: 'cast', type, argument }
}

function isCastable(from: ScalarType, to: ScalarType): boolean {
  if (isNumeric(from) && isNumeric(to)) return true
  // Engines write floating point numbers differently, so their text is nobody's business.
  if (to.kind === 'text') return from.kind !== 'float'
  if (from.kind === 'text') return true
  if (from.kind === 'boolean') return to.kind === 'integer'
  if (to.kind === 'boolean') return from.kind === 'integer'
  if (from.kind === 'date') return to.kind === 'timestamp'
  if (from.kind === 'timestamp') return to.kind === 'date' || to.kind === 'time'
  return false
}

/** TRUE and FALSE come as casts of the texts `t` and `f`. */
function booleanLiteral(ast: Ast, type: ScalarType): Expression | null {
  if (type.kind !== 'boolean' || ast.class !== 'CONSTANT' || !isAst(ast.value)) return null
  const value = String(ast.value.value).toLowerCase()
  if (['t', 'true'].includes(value)) return { kind: 'literal', type, value: true }
  if (['f', 'false'].includes(value)) return { kind: 'literal', type, value: false }
  return null
}

function literalForm(type: ScalarType): string {
  switch (type.kind) {
    case 'date':
      return "Write dates as DATE '2001-02-03'."
    case 'timestamp':
      return "Write timestamps as TIMESTAMP '2001-02-03 10:20:30'."
    case 'time':
      return "Write times as TIME '10:20:30'."
    default:
      return 'Write numbers without quotes, within the range of the type.'
  }
}
