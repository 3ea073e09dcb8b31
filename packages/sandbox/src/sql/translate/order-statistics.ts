import { type AggregateColumn, type Expression, HIGHEST_RANK, isOrderStatistic } from '@sluice/core/plan'
import { sqlType } from '../emit/types.js'
import { type Ast, children, fields, refuse, text } from '../syntax/ast.js'
import { AGGREGATES } from './aggregate-table.js'
import { translateConstant } from './literals.js'

/** What makes an order statistic of an aggregate function: which of the values in their order. */
export type Place = Pick<AggregateColumn, 'function' | 'rank' | 'fraction'>

const FRACTION = /^(0|1)(\.\d{1,6})?$/

/** `max(x, 10)[10]`, the only list that has a meaning here: the call, where it is one. */
export function rankedCall(ast: Ast): Ast | null {
  const [call, ...others] = children(ast, 'children')
  if (call?.class !== 'FUNCTION' || others.length !== 1) return null
  const name = text(call, 'function_name').toLowerCase()
  return (name === 'min' || name === 'max') && children(call, 'children').length === 2 ? call : null
}

/** The same number stands in the call and behind it; the call alone would give a list of so many values. */
export function checkRanked(ast: Ast, call: Ast): void {
  fields(ast, ['class', 'type', 'alias', 'children'])
  const [, subscript] = children(ast, 'children')
  if (rankOf(subscript!) === rankOf(children(call, 'children')[1]!)) return
  refuseRank(call)
}

/**
 * Which of the values a call asks for, by its second argument.
 *
 * @param isRanked whether the call stands in `max(x, k)[k]`
 */
export function placeOf(ast: Ast, constant: Ast | undefined, isRanked: boolean): Place {
  const name = text(ast, 'function_name').toLowerCase()
  const { function: called, signature } = AGGREGATES.get(name)!
  if (called === 'quantile') {
    const fraction = constant === undefined ? null : fractionOf(constant)
    if (fraction === null)
      return refuse(
        'sql.arguments',
        ast,
        `${name} takes a column and one fraction from 0 to 1, of six digits at most`,
        'Write quantile_disc(x, 0.5).',
      )
    // at the ends it is an extreme, and nothing else
    if (Number(fraction) === 0) return { function: 'minimum' }
    if (Number(fraction) === 1) return { function: 'maximum' }
    return { function: called, fraction: fraction.replace(/0+$/, '') }
  }
  if (constant === undefined) return { function: called }
  if (!isOrderStatistic(called))
    return refuse('sql.arguments', ast, `${name} has one argument`, `Write ${signature}.`)
  const rank = rankOf(constant)
  if (!isRanked || rank === null) return refuseRank(ast)
  return rank === 1 ? { function: called } : { function: called, rank }
}

/** An order statistic is of the type of its values. */
export function checkOrdered({ function: called }: Place, { type }: Expression, at: Ast): void {
  if (type.kind !== 'boolean' && !(called === 'quantile' && type.kind === 'text')) return
  refuse(
    'sql.type',
    at,
    `a number, a date or a time is needed, and this is a ${sqlType(type)}`,
    type.kind === 'boolean' ? 'Use count(*) FILTER (WHERE …).' : 'Use min or max, or a number.',
  )
}

function fractionOf(ast: Ast): string | null {
  const literal = literalOf(ast)
  if (literal === null || (literal.type.kind !== 'decimal' && literal.type.kind !== 'integer')) return null
  const { value } = literal
  return typeof value === 'string' && FRACTION.test(value) && Number(value) <= 1 ? value : null
}

function rankOf(ast: Ast): number | null {
  const literal = literalOf(ast)
  if (literal === null || literal.type.kind !== 'integer') return null
  const rank = Number(literal.value)
  return literal.value !== null && rank >= 1 && rank <= HIGHEST_RANK ? rank : null
}

function literalOf(ast: Ast) {
  return ast.class === 'CONSTANT' ? translateConstant(ast) : null
}

function refuseRank(ast: Ast): never {
  const name = text(ast, 'function_name').toLowerCase()
  return refuse(
    'sql.arguments',
    ast,
    `${name} of several values is a list`,
    `Write ${name}(x, 10)[10], with one whole number from 1 to ${HIGHEST_RANK} twice.`,
  )
}
