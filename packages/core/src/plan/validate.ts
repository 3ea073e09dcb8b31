import { lookedUp } from '../desensitize/scan.js'
import { isSluiceError, SluiceError, unreachable } from '../errors.js'
import { DEEPEST } from './decode.js'
import type { ColumnId, Expression } from './expression.js'
import { DATE_PARTS, DATE_UNITS, type FunctionName, isOrderStatistic, PREDICATES } from './functions.js'
import { isLiteralText } from './literal.js'
import { maskedType, type ScanMask } from './mask.js'
import { type AggregateColumn, PLAN_LANGUAGE, type Plan, type PlanNode } from './node.js'
import { HIGHEST_RANK } from './order-statistics.js'
import type { ScalarType } from './types.js'
import { children, expressionsOf, operands, outputColumns } from './visit.js'

/**
 * Does a plan hold together: ids are unique, every reference is in the scope of its node and of its column's type,
 * conditions are boolean, functions have the number of arguments that they take, literals are written as their type
 * demands, parameters are declared.
 *
 * @throws SluiceError SCHEMA_INVALID
 */
export function validatePlan(plan: Plan): void {
  if (plan.language !== PLAN_LANGUAGE) throw invalid('the plan is of another version of the plan language')
  const parameters = new Map(plan.parameters.map(parameter => [parameter.name, parameter.type]))
  if (parameters.size !== plan.parameters.length) throw invalid('two parameters have one name')
  validateNode(plan.root, parameters, new Set(), 0)
  const released = new Set(outputColumns(plan.root).map(column => column.id))
  if (plan.output.length === 0) throw invalid('the plan releases no column')
  if (plan.output.some(({ id }) => !released.has(id)))
    throw invalid('the plan releases a column that its root lacks')
  const names = new Set(plan.output.map(({ name }) => name))
  if (names.size !== plan.output.length) throw invalid('two released columns have one name')
}

type Scope = ReadonlyMap<ColumnId, ScalarType>
type Parameters = ReadonlyMap<string, ScalarType>

function validateNode(node: PlanNode, parameters: Parameters, ids: Set<ColumnId>, depth: number): void {
  if (depth > DEEPEST) throw invalid('the plan is nested too deeply')
  for (const child of children(node)) validateNode(child, parameters, ids, depth + 1)
  for (const { id } of madeBy(node)) {
    if (ids.has(id)) throw invalid('two columns have one id')
    ids.add(id)
  }
  const scope: Scope = new Map(
    children(node)
      .flatMap(outputColumns)
      .map(column => [column.id, column.type]),
  )
  for (const expression of expressionsOf(node)) validateExpression(expression, scope, parameters, 0)
  validateForm(node)
}

/** Columns that the node itself makes. */
function madeBy(node: PlanNode): readonly { readonly id: ColumnId }[] {
  switch (node.kind) {
    case 'scan':
    case 'project':
    case 'union':
    case 'aggregate':
      return outputColumns(node)
    case 'filter':
    case 'join':
    case 'distinct':
    case 'sort':
    case 'limit':
      return []
    default:
      return unreachable(node)
  }
}

function validateForm(node: PlanNode): void {
  switch (node.kind) {
    case 'scan':
      for (const { type, mask } of node.columns) if (mask !== undefined) requireSame(type, typeUnder(mask))
      return
    case 'distinct':
      return
    case 'limit':
      if (!isNatural(node.offset) || (node.count !== null && !isNatural(node.count))) {
        throw invalid('a limit is not a whole number')
      }
      return
    case 'filter':
      requireBoolean(node.predicate)
      return
    case 'join':
      requireBoolean(node.condition)
      return
    case 'project':
      if (node.columns.length === 0) throw invalid('a projection has no column')
      for (const column of node.columns) requireSame(column.type, column.expression.type)
      return
    case 'aggregate':
      if (node.keys.length + node.aggregates.length === 0) throw invalid('an aggregate has no column')
      for (const key of node.keys) requireSame(key.type, key.expression.type)
      for (const column of node.aggregates) {
        if (column.filter !== null) requireBoolean(column.filter)
        if (column.argument === null && (column.function !== 'count' || column.distinct)) {
          throw invalid('only a plain count needs no argument')
        }
        validateOrder(column)
      }
      return
    case 'sort':
      if (node.keys.length === 0) throw invalid('a sort has no key')
      return
    case 'union':
      if (node.inputs.length < 2) throw invalid('a union has fewer than two inputs')
      for (const input of node.inputs) {
        const columns = outputColumns(input)
        if (columns.length !== node.columns.length)
          throw invalid('the inputs of a union differ in their columns')
        for (const [index, column] of node.columns.entries()) requireSame(column.type, columns[index]!.type)
      }
      return
    default:
      unreachable(node)
  }
}

function validateOrder({
  function: called,
  argument,
  type,
  distinct,
  rank,
  fraction,
}: AggregateColumn): void {
  if (
    rank !== undefined &&
    (called === 'quantile' ||
      !isOrderStatistic(called) ||
      !isNatural(rank) ||
      rank < 2 ||
      rank > HIGHEST_RANK)
  )
    throw invalid(`a rank is of a minimum or a maximum, and from 2 to ${HIGHEST_RANK}`)
  if ((fraction !== undefined) !== (called === 'quantile'))
    throw invalid('a quantile has a fraction, and nothing else has')
  if (fraction !== undefined && !/^0\.\d{0,5}[1-9]$/.test(fraction))
    throw invalid('a fraction is not between 0 and 1, or not written as it has to be')
  if (!isOrderStatistic(called)) return
  if (distinct) throw invalid('an order statistic is of all values, not of the distinct ones')
  requireSame(type, argument!.type)
  if (type.kind === 'boolean') throw invalid('an order statistic is not of truth values')
}

function typeUnder(mask: ScanMask): ScalarType {
  if ((lookedUp(mask.rule) === null) !== (mask.table === undefined)) {
    throw invalid('a mask lacks its table, or has one that it does not look at')
  }
  try {
    return maskedType(mask)
  } catch (error) {
    if (isSluiceError(error) && error.code === 'RULE_INVALID') throw invalid('a mask does not fit its column')
    throw error
  }
}

function validateExpression(
  expression: Expression,
  scope: Scope,
  parameters: Parameters,
  depth: number,
): void {
  if (depth > DEEPEST) throw invalid('an expression is nested too deeply')
  for (const operand of operands(expression)) validateExpression(operand, scope, parameters, depth + 1)
  switch (expression.kind) {
    case 'literal':
      if (!isLiteralText(expression.type, expression.value)) throw invalid('a literal is not of its type')
      return
    case 'parameter': {
      const type = parameters.get(expression.name)
      if (type === undefined) throw invalid('a parameter is not declared')
      requireSame(type, expression.type)
      return
    }
    case 'column': {
      const type = scope.get(expression.id)
      if (type === undefined) throw invalid('a reference is out of scope')
      requireSame(type, expression.type)
      return
    }
    case 'cast':
      return
    case 'case':
      if (expression.branches.length === 0) throw invalid('a CASE has no branch')
      for (const branch of expression.branches) requireBoolean(branch.when)
      return
    case 'in':
      requireBoolean(expression)
      if (expression.list.length === 0) throw invalid('an IN has no list')
      if (expression.list.some(item => item.kind !== 'literal' && item.kind !== 'parameter')) {
        throw invalid('an IN lists something other than literals and parameters')
      }
      return
    case 'call':
      validateCall(expression.function, expression.arguments, expression.type)
      return
    default:
      unreachable(expression)
  }
}

function validateCall(name: FunctionName, given: readonly Expression[], type: ScalarType): void {
  const [least, most] = ARITY[name]
  if (given.length < least || given.length > most) throw invalid(`${name} has the wrong number of arguments`)
  if (PREDICATES.has(name) && type.kind !== 'boolean') throw invalid(`${name} is not boolean`)
  if (name === 'and' || name === 'or' || name === 'not')
    for (const argument of given) requireBoolean(argument)
  if (name.startsWith('date')) {
    const [unit] = given
    const words: readonly string[] = name === 'datePart' ? DATE_PARTS : DATE_UNITS
    if (unit?.kind !== 'literal' || typeof unit.value !== 'string' || !words.includes(unit.value)) {
      throw invalid(`${name} needs its unit as a literal`)
    }
  }
}

const MANY = 4096
const ARITY: Readonly<Record<FunctionName, readonly [number, number]>> = {
  equal: [2, 2],
  notEqual: [2, 2],
  less: [2, 2],
  lessOrEqual: [2, 2],
  greater: [2, 2],
  greaterOrEqual: [2, 2],
  distinctFrom: [2, 2],
  notDistinctFrom: [2, 2],
  and: [1, MANY],
  or: [1, MANY],
  not: [1, 1],
  isNull: [1, 1],
  isNotNull: [1, 1],
  add: [2, 2],
  subtract: [2, 2],
  multiply: [2, 2],
  divide: [2, 2],
  integerDivide: [2, 2],
  modulo: [2, 2],
  negate: [1, 1],
  absolute: [1, 1],
  round: [1, 2],
  floor: [1, 1],
  ceiling: [1, 1],
  sign: [1, 1],
  squareRoot: [1, 1],
  least: [1, MANY],
  greatest: [1, MANY],
  coalesce: [1, MANY],
  nullIf: [2, 2],
  like: [2, 3],
  notLike: [2, 3],
  lower: [1, 1],
  upper: [1, 1],
  trim: [1, 2],
  trimStart: [1, 1],
  trimEnd: [1, 1],
  length: [1, 1],
  substring: [2, 3],
  concat: [1, MANY],
  startsWith: [2, 2],
  endsWith: [2, 2],
  contains: [2, 2],
  position: [2, 2],
  replace: [3, 3],
  datePart: [2, 2],
  dateTruncate: [2, 2],
  dateAdd: [3, 3],
  dateDifference: [3, 3],
}

function requireBoolean(expression: Expression): void {
  if (expression.type.kind !== 'boolean') throw invalid('a condition is not boolean')
}

function requireSame(a: ScalarType, b: ScalarType): void {
  if (!sameType(a, b)) throw invalid('a column and its expression differ in type')
}

export function sameType(a: ScalarType, b: ScalarType): boolean {
  const keys = Object.keys(a) as (keyof ScalarType)[]
  return keys.length === Object.keys(b).length && keys.every(key => a[key] === b[key])
}

function isNatural(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function invalid(problem: string): SluiceError {
  return new SluiceError('SCHEMA_INVALID', `the plan does not hold together: ${problem}`, { rule: 'plan' })
}
