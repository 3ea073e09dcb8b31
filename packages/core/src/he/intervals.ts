import { SluiceError, unreachable } from '../errors.js'
import type { ColumnId, Expression } from '../plan/expression.js'
import type { FunctionName } from '../plan/functions.js'
import type { PlanNode } from '../plan/node.js'
import type { ScalarType } from '../plan/types.js'

/** Bounds of a number, as an integer of units 10^-scale. */
export interface Interval {
  readonly low: bigint
  readonly high: bigint
  readonly scale: number
}

/** Declared bounds of columns, by their names in the dataset, inclusive, as decimal text. */
export type DeclaredRanges = Readonly<Record<string, { readonly minimum: string; readonly maximum: string }>>

/** Interval arithmetic: the bounds of every numeric column that a contributor's rows have, through filters and projections. */
export function intervalsOf(node: PlanNode, declared: DeclaredRanges): ReadonlyMap<ColumnId, Interval> {
  switch (node.kind) {
    case 'scan':
      return new Map(
        node.columns.flatMap(({ id, name, type }) => {
          const interval = columnInterval(name, type, declared)
          return interval === null ? [] : [[id, interval] as const]
        }),
      )
    case 'filter':
      return intervalsOf(node.input, declared)
    case 'project': {
      const below = intervalsOf(node.input, declared)
      return new Map(
        node.columns.flatMap(({ id, expression }) =>
          isExact(expression.type) ? [[id, intervalOf(expression, below)] as const] : [],
        ),
      )
    }
    default:
      throw refused(
        'node',
        `a ${node.kind} below the aggregate`,
        'Use conditions and expressions over one table.',
      )
  }
}

/** @throws SluiceError EVIDENCE_UNDEFINED `he.function`, `he.float`, `he.rounding` where it is not exact arithmetic */
export function intervalOf(expression: Expression, columns: ReadonlyMap<ColumnId, Interval>): Interval {
  const scale = scaleOf(expression.type)
  switch (expression.kind) {
    case 'literal': {
      const value = expression.value === null ? 0n : unitsOf(String(expression.value), scale)
      return { low: value, high: value, scale }
    }
    case 'column': {
      const interval = columns.get(expression.id)
      if (interval === undefined)
        throw refused('type', 'a column that is no exact number', 'Use integers and decimals.')
      return interval
    }
    case 'cast':
      return rescaled(intervalOf(expression.argument, columns), scale)
    case 'case':
      return hull(
        [...expression.branches.map(({ then }) => then), expression.otherwise].map(value =>
          rescaled(intervalOf(value, columns), scale),
        ),
      )
    case 'call':
      return combine(
        expression.function,
        expression.arguments.map(argument => intervalOf(argument, columns)),
        scale,
      )
    case 'parameter':
    case 'in':
      throw refused(
        'parameter',
        'a parameter',
        'Use literals: contributors compute before anybody runs the plan.',
      )
    default:
      return unreachable(expression)
  }
}

/** The bounds of a function of bounded numbers, in units of the result's scale. */
export function combine(name: FunctionName, operands: readonly Interval[], scale: number): Interval {
  const [a, b] = operands
  switch (name) {
    case 'add':
    case 'subtract': {
      const [x, y] = [rescaled(a!, scale), rescaled(b!, scale)]
      return name === 'add'
        ? { low: x.low + y.low, high: x.high + y.high, scale }
        : { low: x.low - y.high, high: x.high - y.low, scale }
    }
    case 'multiply': {
      const corners = [a!.low * b!.low, a!.low * b!.high, a!.high * b!.low, a!.high * b!.high]
      return rescaled({ low: least(corners), high: greatest(corners), scale: a!.scale + b!.scale }, scale)
    }
    case 'negate':
      return rescaled({ low: -a!.high, high: -a!.low, scale: a!.scale }, scale)
    case 'absolute': {
      const most = greatest([a!.high, -a!.low])
      return rescaled({ low: a!.low > 0n ? a!.low : 0n, high: most, scale: a!.scale }, scale)
    }
    case 'coalesce':
      return hull(operands.map(operand => rescaled(operand, scale)))
    case 'nullIf':
      return rescaled(a!, scale)
    default:
      throw refused(
        'function',
        `the function "${name}" on a number`,
        'Use add, subtract, multiply, negate, absolute, CASE.',
      )
  }
}

export function rescaled(interval: Interval, scale: number): Interval {
  if (scale < interval.scale) {
    throw refused('rounding', 'a number that would be rounded', 'Use a type with as many decimal places.')
  }
  const factor = 10n ** BigInt(scale - interval.scale)
  return { low: interval.low * factor, high: interval.high * factor, scale }
}

export function magnitude({ low, high }: Interval): bigint {
  return greatest([high, -low])
}

export function isExact(type: ScalarType): boolean {
  return type.kind === 'integer' || type.kind === 'decimal'
}

export function scaleOf(type: ScalarType): number {
  if (type.kind === 'integer') return 0
  if (type.kind === 'decimal') return type.scale
  if (type.kind === 'float') {
    throw refused('float', 'floating point numbers', 'Use integers, or decimals with a declared scale.')
  }
  throw refused('type', `a ${type.kind} where a number is needed`, 'Use integers and decimals.')
}

/** Decimal text as an integer of units 10^-scale; digits beyond the scale are refused. */
export function unitsOf(text: string, scale: number): bigint {
  const match = /^(-?)(\d{1,38})(?:\.(\d{1,38}))?$/.exec(text)
  const fraction = (match?.[3] ?? '').replace(/0+$/, '')
  if (match === null || fraction.length > scale) {
    throw new SluiceError('PARAMETER_INVALID', 'a number is not a decimal of its column’s scale', {
      rule: 'he.decimal',
      remedy: `Write a decimal number with at most ${scale} places.`,
    })
  }
  const units = BigInt(match[2]! + fraction.padEnd(scale, '0'))
  return match[1] === '-' ? -units : units
}

/** A plan that this engine cannot run exactly, or whose evidence it cannot give. */
export function refused(rule: string, message: string, remedy: string): SluiceError {
  return new SluiceError('EVIDENCE_UNDEFINED', `homomorphic aggregation cannot run this plan: ${message}`, {
    rule: `he.${rule}`,
    remedy,
  })
}

function columnInterval(name: string, type: ScalarType, declared: DeclaredRanges): Interval | null {
  if (!isExact(type)) return null
  const scale = scaleOf(type)
  const range = Object.hasOwn(declared, name) ? declared[name] : undefined
  if (range !== undefined) {
    const [low, high] = [unitsOf(range.minimum, scale), unitsOf(range.maximum, scale)]
    if (low <= high) return { low, high, scale }
    throw new SluiceError('PARAMETER_INVALID', `the range of column "${name}" is empty`, { rule: 'he.range' })
  }
  if (type.kind === 'decimal') {
    const most = 10n ** BigInt(type.precision) - 1n
    return { low: -most, high: most, scale }
  }
  if (type.kind !== 'integer') return null
  const span = 1n << BigInt(type.signed ? type.bits - 1 : type.bits)
  return { low: type.signed ? -span : 0n, high: span - 1n, scale }
}

function hull(intervals: readonly Interval[]): Interval {
  return {
    low: least(intervals.map(({ low }) => low)),
    high: greatest(intervals.map(({ high }) => high)),
    scale: intervals[0]!.scale,
  }
}

/** `Math.min` and `Math.max` take no bigints. */
function least(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => {
    if (b < a) return b
    return a
  })
}

export function greatest(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => {
    if (b > a) return b
    return a
  })
}
