import { type Expression, type Plan, selectionsOf } from '@sluice/core/plan'
import type { InputForm } from '@sluice/mpc'
import type { Row } from './locally.js'
import type { columnsOf } from './plans.js'

/** A number of so many digits after the point, a text, a truth, or nothing. */
type Meaning = { readonly value: bigint; readonly scale: number } | string | boolean | null

/** What an expression of the plan language means for a row, computed once more and plainly: three-valued. */
export function meaningOf(expression: Expression, column: (id: number) => Meaning): Meaning {
  const inner = (operand: Expression) => meaningOf(operand, column)
  switch (expression.kind) {
    case 'column':
      return column(expression.id)
    case 'literal': {
      const { type, value } = expression
      if (type.kind !== 'integer' && type.kind !== 'decimal') return value
      const [whole, fraction = ''] = String(value).split('.') as [string, string?]
      return { value: BigInt(whole + fraction), scale: fraction.length }
    }
    case 'in': {
      const argument = inner(expression.argument)
      return argument === null ? null : expression.list.map(inner).some(item => same(item, argument))
    }
    case 'case': {
      const taken = expression.branches.find(({ when }) => inner(when) === true)
      return inner(taken?.then ?? expression.otherwise)
    }
    case 'call': {
      const [a, b] = expression.arguments.map(inner) as [Meaning, Meaning]
      switch (expression.function) {
        case 'isNull':
          return a === null
        case 'isNotNull':
          return a !== null
        case 'coalesce':
          return a ?? b
        case 'not':
          return a === null ? null : !a
        case 'and':
        case 'or': {
          const all = expression.arguments.map(inner)
          const deciding = expression.function === 'or'
          return all.includes(deciding) ? deciding : all.includes(null) ? null : !deciding
        }
        case 'equal':
          return a === null || b === null ? null : same(a, b)
        default:
          return a === null || b === null ? null : computed(expression.function, a, b ?? a)
      }
    }
    default:
      throw new Error(`no meaning for ${expression.kind}`)
  }
}

function computed(name: string, a: Meaning, b: Meaning): Meaning {
  if (name === 'notEqual') return !same(a, b)
  const [left, right, scale] = aligned(a, b)
  switch (name) {
    case 'less':
      return left < right
    case 'lessOrEqual':
      return left <= right
    case 'greater':
      return left > right
    case 'greaterOrEqual':
      return left >= right
    case 'add':
      return { value: left + right, scale }
    case 'subtract':
      return { value: left - right, scale }
    case 'multiply':
      return { value: left * right, scale: 2 * scale }
    default:
      throw new Error(`no meaning for ${name}`)
  }
}

function same(a: Meaning, b: Meaning): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b
  const [left, right] = aligned(a, b)
  return left === right
}

function aligned(a: Meaning, b: Meaning): [bigint, bigint, number] {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') throw new Error('no number')
  const scale = Math.max(a.scale, b.scale)
  return [a.value * 10n ** BigInt(scale - a.scale), b.value * 10n ** BigInt(scale - b.scale), scale]
}

/** By aggregate, which rows have to be nobody's or enough, as a plain evaluation of what the review finds. */
export function leftOverOf(
  plan: Plan,
  c: ReturnType<typeof columnsOf>,
  forms: readonly InputForm[],
): ((row: Row) => boolean)[][] {
  if (plan.root.kind !== 'aggregate') throw new Error('there is no aggregate')
  const found = selectionsOf(plan, plan.root)
  if ('rule' in found) throw new Error(found.rule)
  const columns = new Map(
    forms
      .flatMap(form => form.columns)
      .map(({ name, type }) => [
        (c.expression(name) as { id: number }).id,
        { name, scale: type.kind === 'number' ? type.scale : 0 },
      ]),
  )
  return found.map(selection => {
    if ('rule' in selection) throw new Error(selection.rule)
    return selection.leftOver.map(rows => (row: Row) => {
      const column = (id: number) => {
        const { name, scale } = columns.get(id)!
        const value = row[name]!
        return typeof value === 'bigint' ? { value, scale } : value
      }
      return meaningOf(rows, column) === true
    })
  })
}
