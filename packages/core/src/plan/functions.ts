const DECIDING = [
  // comparison; `distinctFrom` treats nulls as equal
  'equal',
  'notEqual',
  'less',
  'lessOrEqual',
  'greater',
  'greaterOrEqual',
  'distinctFrom',
  'notDistinctFrom',
  // three-valued logic, any number of arguments for `and` and `or`
  'and',
  'or',
  'not',
  'isNull',
  'isNotNull',
  // text; `like` has % and _ and an optional escape character
  'like',
  'notLike',
  'startsWith',
  'endsWith',
  'contains',
] as const

/**
 * The scalar functions of the plan language. The names are ours; an engine maps each to what it has, with the
 * semantics stated here. A function that is not listed cannot be planned.
 *
 * Null in, null out, unless stated. Comparison of text is by code point.
 */
export const FUNCTIONS = [
  ...DECIDING,
  // arithmetic; `divide` is always floating point, with infinities and NaN by IEEE 754; `integerDivide` truncates, and
  // it and `modulo` (sign of the dividend) of integers or decimals are null for a divisor of zero; overflow is an error
  'add',
  'subtract',
  'multiply',
  'divide',
  'integerDivide',
  'modulo',
  'negate',
  'absolute',
  'round',
  'floor',
  'ceiling',
  'sign',
  'squareRoot',
  // these two skip nulls: null only where every argument is
  'least',
  'greatest',
  // conditional
  'coalesce',
  'nullIf',
  // text; positions count characters from 1
  'lower',
  'upper',
  'trim',
  'trimStart',
  'trimEnd',
  'length',
  'substring',
  'concat',
  'position',
  'replace',
  // dates and times; `datePart` and `dateTruncate` take the unit as a literal first argument, `dateAdd` the unit,
  // then the number of units, then the date or timestamp, `dateDifference` the unit, then start and end (boundaries
  // crossed); `dateTruncate` and `dateAdd` give timestamps, a month's end stays within its month
  'datePart',
  'dateTruncate',
  'dateAdd',
  'dateDifference',
] as const

export type FunctionName = (typeof FUNCTIONS)[number]

/** Those that give a truth value: what they are given decides, it does not reach what comes out. */
export const PREDICATES: ReadonlySet<FunctionName> = new Set(DECIDING)

export const DATE_UNITS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const
/** further parts that only `datePart` knows; `dayOfWeek` is 0 (Sunday) to 6, `isoDayOfWeek` 1 (Monday) to 7 */
export const DATE_PARTS = [...DATE_UNITS, 'dayOfWeek', 'isoDayOfWeek', 'dayOfYear'] as const

/** Those that give one of the values themselves: the only ones with a rank or a fraction, and never of distinct values. */
const ORDER_STATISTICS = ['minimum', 'maximum', 'quantile'] as const
export type OrderStatistic = (typeof ORDER_STATISTICS)[number]

/**
 * The aggregate functions, each over the rows whose argument is not null; null where there is none. `count` without an
 * argument counts rows. Of n values in their order (of floating point NaN is the greatest, of text it is by code point):
 *
 * - `minimum` and `maximum` the first and the last; with a rank k the k-th smallest and the k-th largest, null where there are fewer
 * - `quantile` the value at place ⌈n · fraction⌉, which so much of them is at most equal to (type 1 of Hyndman and Fan,
 *   1996): always one of the values, exact in every type
 */
export const AGGREGATE_FUNCTIONS = ['count', 'sum', 'average', ...ORDER_STATISTICS] as const
export type AggregateFunction = (typeof AGGREGATE_FUNCTIONS)[number]

export function isOrderStatistic(name: AggregateFunction): name is OrderStatistic {
  return (ORDER_STATISTICS as readonly AggregateFunction[]).includes(name)
}
