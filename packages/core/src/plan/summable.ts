import type { Undefined } from './cells.js'
import { type BaseColumn, type Definitions, definitionOf } from './definitions.js'
import type { Call, Expression } from './expression.js'
import type { ScalarType } from './types.js'

/**
 * Is the sum of an argument a statistic of many, and no way to ask one row something. Whatever rounds compares: the sum
 * of `x // 1155` or of `round(x / 10)` beside a count tells how many lie above a threshold, though every share is
 * small. High powers and quotients of sums interpolate: with as many of them as a group has different values, each
 * value can be solved for.
 *
 * @param argument over base columns (see `inlined`)
 * @param isPublic does the column belong to public reference data
 * @returns why not, or null
 */
export function summationProblem(
  argument: Expression,
  definitions: Definitions,
  isPublic: (column: BaseColumn) => boolean,
): Undefined | null {
  const name = (expression: Expression): string | null => {
    const base = baseOf(expression, definitions)
    return base === null || isPublic(base) ? null : JSON.stringify([base.dataset, base.column])
  }
  const values = [...valuesIn(argument)]
  if (values.some(rounds)) return ROUNDED
  if (values.some(inner => isSum(inner) && cancels(inner, name))) return ROUNDED
  if (values.some(inner => isSum(inner) && inner.arguments.some(hasProduct))) return PRODUCT
  const powers = powersOf(argument)
  if (powers === null) return DEGREE
  const degree = [...powers.values()].reduce((sum, power) => sum + power, 0)
  return degree > HIGHEST_DEGREE || [...powers.values()].some(power => power > HIGHEST_POWER) ? DEGREE : null
}

/** Does it multiply or divide columns with each other: a factor of zero then leaves a row out, which no sum may hide. */
function hasProduct(expression: Expression): boolean {
  return [...valuesIn(expression)].some(
    inner =>
      inner.kind === 'call' &&
      (inner.function === 'multiply' || inner.function === 'divide') &&
      inner.arguments.filter(hasColumn).length > 1,
  )
}

/** A product of three columns is a price with a discount and a tax; a square is a variance. */
const HIGHEST_DEGREE = 3
const HIGHEST_POWER = 2

/** Itself and what reaches its value; what conditions compare does not. */
function* valuesIn(expression: Expression): Generator<Expression> {
  if (expression.type.kind === 'boolean') return
  yield expression
  switch (expression.kind) {
    case 'cast':
      yield* valuesIn(expression.argument)
      return
    case 'case':
      for (const { then } of expression.branches) yield* valuesIn(then)
      yield* valuesIn(expression.otherwise)
      return
    case 'call':
      if (expression.function === 'nullIf') yield* valuesIn(expression.arguments[0]!)
      else for (const operand of expression.arguments) yield* valuesIn(operand)
      return
    default:
  }
}

function rounds(expression: Expression): boolean {
  if (expression.kind === 'cast') return !keepsNumber(expression.argument.type, expression.type)
  if (expression.kind !== 'call') return false
  const [x, digits] = expression.arguments
  switch (expression.function) {
    case 'floor':
    case 'ceiling':
    case 'integerDivide':
    case 'modulo':
      return true
    case 'round': {
      const kept = digits === undefined ? 0 : digits.kind === 'literal' ? Number(digits.value) : Number.NaN
      if (x!.type.kind === 'integer') return !(kept >= 0)
      return !(x!.type.kind === 'decimal' && kept >= x!.type.scale)
    }
    default:
      return false
  }
}

/** Text is parsed, and a double holds what is left of an integer or a decimal well enough. */
function keepsNumber(from: ScalarType, to: ScalarType): boolean {
  if (to.kind === 'integer') return from.kind !== 'float' && !(from.kind === 'decimal' && from.scale > 0)
  if (to.kind === 'decimal') {
    return from.kind !== 'float' && !(from.kind === 'decimal' && from.scale > to.scale)
  }
  if (to.kind !== 'float' || to.bits === 64) return true
  return from.kind === 'float' ? from.bits === 32 : from.kind === 'integer' && from.bits <= 16
}

type Sum = Call & { readonly function: 'add' | 'subtract' }

function isSum(expression: Expression): expression is Sum {
  return expression.kind === 'call' && (expression.function === 'add' || expression.function === 'subtract')
}

/**
 * Floating sums of sums lose digits: `(x + 1e22) - 1e22` rounds x to whole millions. They may add different columns
 * of protected data as these stand, and nothing else.
 */
function cancels(sum: Sum, name: (expression: Expression) => string | null): boolean {
  if (sum.type.kind !== 'float') return false
  if (!sum.arguments.some(operand => [...valuesIn(operand)].some(isSum))) return false
  const names = termsOf(sum).map(name)
  return names.includes(null) || new Set(names).size < names.length
}

function termsOf(expression: Expression): Expression[] {
  if (expression.kind === 'cast') return termsOf(expression.argument)
  return isSum(expression) ? expression.arguments.flatMap(termsOf) : [expression]
}

function baseOf(expression: Expression, definitions: Definitions): BaseColumn | null {
  if (expression.kind !== 'column') return null
  const definition = definitionOf(definitions, expression.id)
  return definition.kind === 'base' ? definition : null
}

/** The highest power of each column in it; null where a divisor is a sum. */
function powersOf(expression: Expression): Map<number, number> | null {
  switch (expression.kind) {
    case 'column':
      return new Map([[expression.id, 1]])
    case 'cast':
      return expression.argument.type.kind === 'boolean' ? new Map() : powersOf(expression.argument)
    case 'case':
      return highest([...expression.branches.map(({ then }) => then), expression.otherwise].map(powersOf))
    case 'call': {
      if (expression.type.kind === 'boolean') return new Map()
      if (expression.function === 'nullIf') return powersOf(expression.arguments[0]!)
      const parts = expression.arguments.map(powersOf)
      if (expression.function === 'divide') {
        const divisor = expression.arguments[1]!
        if (hasColumn(divisor) && [...valuesIn(divisor)].some(isSum)) return null
        return multiplied(parts)
      }
      return expression.function === 'multiply' ? multiplied(parts) : highest(parts)
    }
    default:
      return new Map()
  }
}

type Powers = Map<number, number> | null

function highest(parts: readonly Powers[]): Powers {
  return combined(parts, Math.max)
}

function multiplied(parts: readonly Powers[]): Powers {
  return combined(parts, (a, b) => a + b)
}

function combined(parts: readonly Powers[], combine: (a: number, b: number) => number): Powers {
  const powers = new Map<number, number>()
  for (const part of parts) {
    if (part === null) return null
    for (const [id, power] of part) powers.set(id, combine(powers.get(id) ?? 0, power))
  }
  return powers
}

function hasColumn(expression: Expression): boolean {
  return [...valuesIn(expression)].some(inner => inner.kind === 'column')
}

const ROUNDED: Undefined = {
  rule: 'evidence.rounded',
  message: 'the argument of a sum or an average rounds, which compares every value with a threshold',
  remedy: 'Round the sum: round(sum(x), 2), sum(x) // 100, CAST(sum(x) AS BIGINT).',
}

const PRODUCT: Undefined = {
  rule: 'evidence.product',
  message: 'the argument of a sum or an average adds something to a product of columns',
  remedy: 'Aggregate the product on its own: sum(a * b) + sum(c).',
}

const DEGREE: Undefined = {
  rule: 'evidence.degree',
  message: 'the argument of a sum or an average has a higher power, a longer product, or a sum as divisor',
  remedy: 'Use at most the square of a column, products of three, and columns or numbers as divisors.',
}
