import { unreachable } from '../errors.js'
import { conjunction, notTrue, ONE, predicate, zero } from './build.js'
import { type Definitions, definitionOf } from './definitions.js'
import type { Call, Case, ColumnId, Expression } from './expression.js'
import { columnsIn, expressionsIn } from './visit.js'

/**
 * What an aggregate's argument comes to: `value` in the rows where all of `guards` are true, and zero or null in
 * the others. An argument that cannot be written so could carry several people's values in one sum, or set one apart
 * behind a constant, and its evidence is not defined.
 */
export interface Argument {
  readonly guards: readonly Expression[]
  readonly value: Expression
}

/** Columns whose own expression must not be looked into, since a left join can make them null as a whole. */
export type Barrier = ReadonlySet<ColumnId>

/** The argument of a sum or an average; null where its evidence is not defined. */
export function summedArgument(
  expression: Expression,
  definitions: Definitions,
  barrier: Barrier,
): Argument | null {
  const inner = (operand: Expression) => summedArgument(operand, definitions, barrier)
  switch (expression.kind) {
    case 'literal':
    case 'parameter':
      return plain(expression)
    case 'column':
      return throughColumn(expression, definitions, barrier, inner)
    case 'cast': {
      if (expression.argument.type.kind === 'boolean') {
        return { guards: [inlined(expression.argument, definitions, barrier)], value: ONE }
      }
      const argument = inner(expression.argument)
      return argument && { ...argument, value: { ...expression, argument: argument.value } }
    }
    case 'case':
      return singleBranch(expression, definitions, barrier, isZero, inner)
    case 'in':
      return null
    case 'call':
      return summedCall(expression, definitions, barrier, inner)
    default:
      return unreachable(expression)
  }
}

/** The argument of a count: only whether it is null matters. */
export function countedArgument(
  expression: Expression,
  definitions: Definitions,
  barrier: Barrier,
): Argument | null {
  const inner = (operand: Expression) => countedArgument(operand, definitions, barrier)
  switch (expression.kind) {
    case 'literal':
    case 'parameter':
      return plain(expression)
    case 'column':
      return throughColumn(expression, definitions, barrier, inner)
    case 'cast': {
      const argument = inner(expression.argument)
      return argument && { ...argument, value: { ...expression, argument: argument.value } }
    }
    case 'case':
      return singleBranch(expression, definitions, barrier, isNullLiteral, inner)
    case 'in':
      return null
    case 'call': {
      // `x > 5 OR NULL` is null wherever it is not true: a filter in disguise
      if (expression.type.kind === 'boolean') return null
      if (expression.function === 'nullIf') return nullIfArgument(expression, definitions, barrier, inner)
      const parts = expression.arguments.map(inner)
      if (!parts.every(part => part !== null)) return null
      const guards = [...parts.flatMap(part => part.guards), ...divisors(expression, parts)]
      if (expression.function === 'coalesce' && guards.length > 0) return null
      return { guards, value: { ...expression, arguments: parts.map(part => part.value) } }
    }
    default:
      return unreachable(expression)
  }
}

/** The same expression over the columns below the projects that it goes through. */
export function inlined(expression: Expression, definitions: Definitions, barrier: Barrier): Expression {
  switch (expression.kind) {
    case 'literal':
    case 'parameter':
      return expression
    case 'column': {
      const definition = definitionOf(definitions, expression.id)
      if (definition.kind !== 'expression' || barrier.has(expression.id)) return expression
      return inlined(definition.expression, definitions, barrier)
    }
    case 'cast':
      return { ...expression, argument: inlined(expression.argument, definitions, barrier) }
    case 'case':
      return {
        ...expression,
        branches: expression.branches.map(branch => ({
          when: inlined(branch.when, definitions, barrier),
          then: inlined(branch.then, definitions, barrier),
        })),
        otherwise: inlined(expression.otherwise, definitions, barrier),
      }
    case 'in':
      return { ...expression, argument: inlined(expression.argument, definitions, barrier) }
    case 'call':
      return {
        ...expression,
        arguments: expression.arguments.map(argument => inlined(argument, definitions, barrier)),
      }
    default:
      return unreachable(expression)
  }
}

function summedCall(
  expression: Call,
  definitions: Definitions,
  barrier: Barrier,
  inner: (operand: Expression) => Argument | null,
): Argument | null {
  const { function: name } = expression
  if (name === 'coalesce') {
    // a null that counts as zero adds nothing
    const [first, ...others] = expression.arguments
    return others.every(other => isZero(inlined(other, definitions, barrier))) ? inner(first!) : null
  }
  if (name === 'nullIf') return nullIfArgument(expression, definitions, barrier, inner)
  if (name === 'length' || name === 'datePart' || name === 'dateDifference') {
    const whole = inlined(expression, definitions, barrier)
    return isUnconditional(whole) ? plain(whole) : null
  }
  if (!ARITHMETIC.has(name)) return null
  const parts = expression.arguments.map(inner)
  if (!parts.every(part => part !== null)) return null
  // in a sum of parts a null that counts as zero does not make the whole nothing, so it stays written
  const whole: Expression = SUMS.has(name)
    ? inlined(expression, definitions, barrier)
    : { ...expression, arguments: parts.map(part => part.value) }
  // and a constant beside it would count the rows that have no value of their own
  if (SUMS.has(name) && hasCoalesce(whole) && parts.some(part => columnsIn(part.value).size === 0))
    return null
  const guards = parts.flatMap(part => part.guards)
  // a condition may switch a whole product off, never a part of a sum
  if (guards.length > 0 && !PRODUCTS.has(name)) return null
  if (name === 'divide' && parts[1]!.guards.length > 0) return null
  return { guards: [...guards, ...divisors(expression, parts)], value: whole }
}

const ARITHMETIC: ReadonlySet<string> = new Set(['add', 'subtract', 'multiply', 'divide', 'negate', 'round'])
function hasCoalesce(expression: Expression): boolean {
  return [...expressionsIn(expression)].some(inner => inner.kind === 'call' && inner.function === 'coalesce')
}

const SUMS: ReadonlySet<string> = new Set(['add', 'subtract'])
const PRODUCTS: ReadonlySet<string> = new Set(['multiply', 'divide', 'negate', 'round'])
const DIVISIONS: ReadonlySet<string> = new Set(['divide', 'integerDivide', 'modulo'])

/** A division is null where its divisor is zero: a condition on the divisor, unless that is a constant. */
function divisors(expression: Call, parts: readonly Argument[]): Expression[] {
  const divisor = DIVISIONS.has(expression.function) ? parts[1]?.value : undefined
  if (divisor === undefined || columnsIn(divisor).size === 0) return []
  return [predicate('notEqual', divisor, zero(divisor.type))]
}

function throughColumn(
  expression: Extract<Expression, { kind: 'column' }>,
  definitions: Definitions,
  barrier: Barrier,
  inner: (operand: Expression) => Argument | null,
): Argument | null {
  const definition = definitionOf(definitions, expression.id)
  if (definition.kind !== 'expression') return plain(expression)
  if (!barrier.has(expression.id)) return inner(definition.expression)
  return isUnconditional(inlined(definition.expression, definitions, new Set())) ? plain(expression) : null
}

function nullIfArgument(
  expression: Call,
  definitions: Definitions,
  barrier: Barrier,
  inner: (operand: Expression) => Argument | null,
): Argument | null {
  const [first, second] = expression.arguments
  const argument = inner(first!)
  if (argument === null) return null
  const same = predicate(
    'equal',
    inlined(first!, definitions, barrier),
    inlined(second!, definitions, barrier),
  )
  return { ...argument, guards: [...argument.guards, notTrue(same)] }
}

/** A CASE of which one outcome counts and all others are nothing. */
function singleBranch(
  expression: Case,
  definitions: Definitions,
  barrier: Barrier,
  isNothing: (outcome: Expression) => boolean,
  inner: (operand: Expression) => Argument | null,
): Argument | null {
  const earlier: Expression[] = []
  let found: { guards: readonly Expression[]; outcome: Expression } | null = null
  for (const branch of [...expression.branches, { when: null, then: expression.otherwise }]) {
    const when = branch.when === null ? null : inlined(branch.when, definitions, barrier)
    if (!isNothing(inlined(branch.then, definitions, barrier))) {
      if (found !== null) return null
      found = { guards: [...earlier, ...(when === null ? [] : [when])], outcome: branch.then }
    }
    if (when !== null) earlier.push(notTrue(when))
  }
  if (found === null) return plain(expression.otherwise)
  const argument = inner(found.outcome)
  const guard = conjunction([...found.guards, ...(argument?.guards ?? [])])
  return argument && { guards: guard === null ? [] : [guard], value: argument.value }
}

function plain(value: Expression): Argument {
  return { guards: [], value }
}

function isNullLiteral(expression: Expression): boolean {
  if (expression.kind === 'cast') return isNullLiteral(expression.argument)
  return expression.kind === 'literal' && expression.value === null
}

function isZero(expression: Expression): boolean {
  if (expression.kind === 'cast') return isZero(expression.argument)
  if (expression.kind !== 'literal') return false
  return (
    expression.value === null ||
    (typeof expression.value === 'string' && /^-?0*\.?0*$/.test(expression.value))
  )
}

/** No part of it compares or chooses. */
function isUnconditional(expression: Expression): boolean {
  for (const inner of expressionsIn(expression)) {
    if (inner.kind === 'case' || inner.kind === 'in') return false
    if (inner.type.kind === 'boolean' && inner.kind === 'call') return false
    if (inner.kind === 'call' && !UNCONDITIONAL.has(inner.function)) return false
  }
  return true
}

const UNCONDITIONAL: ReadonlySet<string> = new Set([
  'add',
  'subtract',
  'multiply',
  'negate',
  'round',
  'lower',
  'upper',
  'trim',
  'length',
  'datePart',
  'dateTruncate',
  'dateDifference',
])
