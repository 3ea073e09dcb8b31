import type { ColumnId, Expression } from './expression.js'
import type { FunctionName } from './functions.js'
import type { ScalarType } from './types.js'

/** Small constructors for the expressions that a review adds. */
const BOOLEAN: ScalarType = { kind: 'boolean' }
export const FLOAT: ScalarType = { kind: 'float', bits: 64 }

export function reference(id: ColumnId, type: ScalarType): Expression {
  return { kind: 'column', id, type }
}

export function predicate(name: FunctionName, ...operands: Expression[]): Expression {
  return { kind: 'call', type: BOOLEAN, function: name, arguments: operands }
}

export const TRUE: Expression = { kind: 'literal', type: BOOLEAN, value: true }
const FALSE: Expression = { kind: 'literal', type: BOOLEAN, value: false }
export const ONE: Expression = {
  kind: 'literal',
  type: { kind: 'integer', bits: 32, signed: true },
  value: '1',
}

export function zero(type: ScalarType): Expression {
  return { kind: 'literal', type, value: '0' }
}

/** All of them; null where there is none. */
export function conjunction(conditions: readonly Expression[]): Expression | null {
  return conditions.length <= 1 ? (conditions[0] ?? null) : predicate('and', ...conditions)
}

/** True where the condition is false or null. */
export function notTrue(condition: Expression): Expression {
  return predicate('not', predicate('coalesce', condition, FALSE))
}

/** The absolute value as a double, so that it cannot overflow where the value does not. */
export function magnitude(value: Expression): Expression {
  const double: Expression = { kind: 'cast', type: FLOAT, argument: value }
  return { kind: 'call', type: FLOAT, function: 'absolute', arguments: [double] }
}

export function isNumeric(type: ScalarType): boolean {
  return type.kind === 'integer' || type.kind === 'decimal' || type.kind === 'float'
}
