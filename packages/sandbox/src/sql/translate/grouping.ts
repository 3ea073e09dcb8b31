import { unreachable } from '@sluice/core'
import type { AggregateColumn, ColumnId, Expression, PlanColumn } from '@sluice/core/plan'
import type { Ast } from '../syntax/ast.js'
import { refuse } from '../syntax/ast.js'
import type { Located } from './located.js'
import { reference } from './names.js'

export type GroupKey = PlanColumn & { readonly expression: Expression }

/**
 * Rewrites an expression over the input's rows to one over the groups: what equals a key becomes the key's column,
 * aggregates stay, and any other column of the input is refused.
 */
export class Grouping {
  readonly keys: readonly GroupKey[]
  readonly #byText: ReadonlyMap<string, GroupKey>
  readonly #aggregates: ReadonlySet<ColumnId>
  readonly #located: Located
  readonly #at: Ast

  constructor(keys: readonly GroupKey[], aggregates: readonly AggregateColumn[], located: Located, at: Ast) {
    this.keys = keys
    this.#byText = new Map(keys.map(key => [JSON.stringify(key.expression), key]))
    this.#aggregates = new Set(aggregates.map(({ id }) => id))
    this.#located = located
    this.#at = at
  }

  over(expression: Expression, at: Ast = this.#at): Expression {
    const here = this.#located.of(expression) ?? at
    return this.#located.at(this.#rewritten(expression, here), here)
  }

  #rewritten(expression: Expression, here: Ast): Expression {
    const key = this.#byText.get(JSON.stringify(expression))
    if (key !== undefined) return reference(key.id, key.type)
    const recur = (part: Expression) => this.over(part, here)
    switch (expression.kind) {
      case 'literal':
      case 'parameter':
        return expression
      case 'column':
        if (this.#aggregates.has(expression.id)) return expression
        return refuse(
          'sql.group-by',
          here,
          'this column is neither grouped by nor inside an aggregate',
          'Add it to GROUP BY, or aggregate it.',
        )
      case 'call':
        return { ...expression, arguments: expression.arguments.map(recur) }
      case 'case':
        return {
          ...expression,
          branches: expression.branches.map(({ when, then }) => ({ when: recur(when), then: recur(then) })),
          otherwise: recur(expression.otherwise),
        }
      case 'cast':
        return { ...expression, argument: recur(expression.argument) }
      case 'in':
        return { ...expression, argument: recur(expression.argument) }
      default:
        return unreachable(expression)
    }
  }
}
