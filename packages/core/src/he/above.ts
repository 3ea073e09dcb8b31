import { type Definitions, definitionOf, definitionsOf } from '../plan/definitions.js'
import type { ColumnId, Expression } from '../plan/expression.js'
import type { Aggregate, Plan } from '../plan/node.js'
import type { ScalarType } from '../plan/types.js'
import { refused, scaleOf, unitsOf } from './intervals.js'
import {
  fromNumber,
  minus,
  negated,
  over,
  plus,
  type Rational,
  rational,
  times,
  toNumber,
} from './rational.js'

/** A released column: a key or an aggregate as it is, or computed from a row's cells. */
export interface OutputColumn {
  readonly name: string
  readonly type: ScalarType
  readonly from:
    | { readonly kind: 'key'; readonly index: number }
    | { readonly kind: 'aggregate'; readonly id: ColumnId }
    /** null where a cell is null or something is divided by zero */
    | { readonly kind: 'computed'; compute(cell: (id: ColumnId) => Rational | null): Rational | null }
}

/**
 * What stands above the aggregate: projections of keys, of aggregates, and of arithmetic over aggregates that gives a
 * double (a variance from a sum of squares). It is computed in exact fractions and rounded once, at the end.
 *
 * @throws SluiceError EVIDENCE_UNDEFINED `he.above` for HAVING, ORDER BY, LIMIT and anything else
 */
export function outputsOf(plan: Plan, aggregate: Aggregate): OutputColumn[] {
  let node = plan.root
  while (node.kind === 'project') node = node.input
  if (node.kind !== 'aggregate') {
    throw above(
      `a ${node.kind} above the aggregate`,
      'Ask for all groups as they stand: the consumer filters and sorts.',
    )
  }
  const definitions = definitionsOf(plan.root)
  return plan.output.map(({ name, id }) => {
    const { type } = definitionOf(definitions, id)
    const expression = inlined({ kind: 'column', id, type }, definitions)
    return { name, type, from: fromOf(expression, aggregate) }
  })
}

function fromOf(expression: Expression, aggregate: Aggregate): OutputColumn['from'] {
  if (expression.kind === 'column') {
    const index = aggregate.keys.findIndex(key => key.id === expression.id)
    return index >= 0 ? { kind: 'key', index } : { kind: 'aggregate', id: expression.id }
  }
  if (expression.type.kind !== 'float' || expression.type.bits !== 64) {
    throw above('an expression over aggregates that is no double', 'Cast the aggregates to DOUBLE first.')
  }
  return { kind: 'computed', compute: compiled(expression, new Set(aggregate.keys.map(({ id }) => id))) }
}

type Computed = (cell: (id: ColumnId) => Rational | null) => Rational | null

function compiled(expression: Expression, keys: ReadonlySet<ColumnId>): Computed {
  switch (expression.kind) {
    case 'literal': {
      const value = literalOf(expression)
      return () => value
    }
    case 'column': {
      const { id } = expression
      if (keys.has(id)) throw above('a key inside an expression over aggregates', 'Use keys as they stand.')
      return cell => cell(id)
    }
    case 'cast':
      if (expression.type.kind !== 'float') scaleKept(expression.argument.type, expression.type)
      return compiled(expression.argument, keys)
    case 'call': {
      const rule = FUNCTIONS[expression.function]
      if (rule === undefined) break
      const operands = expression.arguments.map(argument => compiled(argument, keys))
      return cell => {
        const values = operands.map(operand => operand(cell))
        return values.some(value => value === null) ? null : rule(values as Rational[])
      }
    }
  }
  const what = expression.kind === 'call' ? `the function "${expression.function}"` : `a ${expression.kind}`
  throw above(
    `${what} above the aggregate`,
    'Use add, subtract, multiply, divide, negate, sqrt, abs, nullif.',
  )
}

const FUNCTIONS: Partial<Record<string, (operands: readonly Rational[]) => Rational | null>> = {
  add: ([a, b]) => plus(a!, b!),
  subtract: ([a, b]) => minus(a!, b!),
  multiply: ([a, b]) => times(a!, b!),
  divide: ([a, b]) => over(a!, b!),
  negate: ([a]) => negated(a!),
  absolute: ([a]) => (a!.numerator < 0n ? negated(a!) : a!),
  squareRoot: ([a]) => (a!.numerator < 0n ? null : fromNumber(Math.sqrt(toNumber(a!)))),
  nullIf: ([a, b]) => (minus(a!, b!).numerator === 0n ? null : a!),
}

function literalOf({ value, type }: Extract<Expression, { kind: 'literal' }>): Rational | null {
  if (value === null) return null
  const text = String(value)
  if (type.kind === 'float') {
    const match = /^-?\d+(?:\.(\d+))?$/.exec(text)
    if (match === null) return fromNumber(Number(text))
    const places = match[1]?.length ?? 0
    return rational(unitsOf(text, places), 10n ** BigInt(places))
  }
  const scale = scaleOf(type)
  return rational(unitsOf(text, scale), 10n ** BigInt(scale))
}

function scaleKept(from: ScalarType, to: ScalarType): void {
  if (from.kind === 'float' || scaleOf(from) > scaleOf(to)) {
    throw above('a cast that rounds, above the aggregate', 'Use DOUBLE, or a type with as many places.')
  }
}

/** Names of projections above the aggregate replaced by what they stand for; keys and aggregates stay. */
function inlined(expression: Expression, definitions: Definitions): Expression {
  switch (expression.kind) {
    case 'column': {
      const definition = definitionOf(definitions, expression.id)
      return definition.kind === 'expression' ? inlined(definition.expression, definitions) : expression
    }
    case 'cast':
      return { ...expression, argument: inlined(expression.argument, definitions) }
    case 'call':
      return { ...expression, arguments: expression.arguments.map(inner => inlined(inner, definitions)) }
    default:
      return expression
  }
}

function above(message: string, remedy: string) {
  return refused('above', message, remedy)
}
