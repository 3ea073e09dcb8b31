import type { ColumnId, Expression } from '@sluice/core/plan'

type Value = number | boolean | null

/** A row-by-row interpreter of the expressions that a test makes: integers and booleans, three-valued logic. */
export function evaluate(expression: Expression, row: ReadonlyMap<ColumnId, Value>): Value {
  const of = (inner: Expression) => evaluate(inner, row)
  switch (expression.kind) {
    case 'literal':
      return typeof expression.value === 'string' ? Number(expression.value) : expression.value
    case 'column':
      return row.get(expression.id) as Value
    case 'cast': {
      const value = of(expression.argument)
      return typeof value === 'boolean' ? Number(value) : value
    }
    case 'case': {
      const branch = expression.branches.find(({ when }) => of(when) === true)
      return of(branch?.then ?? expression.otherwise)
    }
    case 'call':
      return call(expression.function, expression.arguments.map(of))
    default:
      throw new Error(`cannot evaluate ${expression.kind}`)
  }
}

function call(name: string, values: readonly Value[]): Value {
  const [a, b] = values
  if (name === 'coalesce') return values.find(value => value !== null) ?? null
  if (name === 'isNull') return a === null
  if (name === 'isNotNull') return a !== null
  if (name === 'and') return values.includes(false) ? false : values.includes(null) ? null : true
  if (name === 'or') return values.includes(true) ? true : values.includes(null) ? null : false
  if (name === 'nullIf') return a === b ? null : (a as Value)
  if (values.some(value => value === null)) return null
  const [x, y] = values as number[]
  const strict: Record<string, () => Value> = {
    not: () => !a,
    equal: () => x === y,
    notEqual: () => x !== y,
    greater: () => x! > y!,
    add: () => x! + y!,
    subtract: () => x! - y!,
    multiply: () => x! * y!,
    divide: () => (y === 0 ? null : x! / y!),
    integerDivide: () => (y === 0 ? null : Math.trunc(x! / y!)),
    modulo: () => (y === 0 ? null : x! % y!),
    negate: () => -x!,
    absolute: () => Math.abs(x!),
  }
  return strict[name]!()
}
