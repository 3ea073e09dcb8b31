import type { ColumnId, Expression } from '../plan/expression.js'
import { combine, intervalOf, isExact, refused, rescaled, scaleOf, unitsOf } from './intervals.js'
import { type BooleanVector, type NumberVector, numbersFor, type TextVector, type Vector } from './vectors.js'

/** Columns in scope, and how many rows each has. */
export interface Batch {
  readonly rows: number
  readonly columns: ReadonlyMap<ColumnId, Vector>
}

/**
 * Evaluates an expression over whole columns, exactly, as the plan language says (three-valued logic, null in, null
 * out).
 *
 * @throws SluiceError EVIDENCE_UNDEFINED `he.function`, `he.type`, `he.float`, `he.rounding` for what it does not know
 */
export function evaluate(expression: Expression, batch: Batch): Vector {
  switch (expression.kind) {
    case 'column':
      return batch.columns.get(expression.id)!
    case 'literal':
      return literal(expression, batch.rows)
    case 'cast':
      return isExact(expression.type) ? numberOf(expression, batch) : castless(expression, batch)
    case 'case':
      return choose(expression, batch)
    case 'in':
      return anyOf(
        expression.list.map(item => compare('equal', expression.argument, item, batch)),
        batch.rows,
      )
    case 'call':
      return call(expression, batch)
    case 'parameter':
      throw refused(
        'parameter',
        'a parameter',
        'Use literals: contributors compute before anybody runs the plan.',
      )
  }
}

/** The rows where a condition is true: neither false nor null. */
export function truths(expression: Expression, batch: Batch): Uint8Array {
  const { values, valid } = booleans(expression, batch)
  return valid === null ? values : values.map((value, row) => value & valid[row]!)
}

/** A number in the scale of the expression's type. */
export function numberOf(expression: Expression, batch: Batch): NumberVector {
  if (expression.kind === 'cast')
    return scaled(numberOf(expression.argument, batch), scaleOf(expression.type))
  const vector = evaluate(expression, batch)
  if (vector.kind === 'number') return vector
  throw refused('type', `a ${vector.kind} where a number is needed`, 'Use integers and decimals.')
}

function call(expression: Extract<Expression, { kind: 'call' }>, batch: Batch): Vector {
  const { function: name, arguments: given } = expression
  const [a, b] = given
  switch (name) {
    case 'equal':
    case 'notEqual':
    case 'less':
    case 'lessOrEqual':
    case 'greater':
    case 'greaterOrEqual':
      return compare(name, a!, b!, batch)
    case 'and':
      return inverted(
        anyOf(
          given.map(each => inverted(booleans(each, batch))),
          batch.rows,
        ),
      )
    case 'or':
      return anyOf(
        given.map(each => booleans(each, batch)),
        batch.rows,
      )
    case 'not':
      return inverted(booleans(a!, batch))
    case 'isNull':
    case 'isNotNull': {
      const present = validity(evaluate(a!, batch), batch.rows)
      return {
        kind: 'boolean',
        values: name === 'isNotNull' ? present : present.map(bit => 1 - bit),
        valid: null,
      }
    }
    case 'coalesce':
      if (expression.type.kind === 'boolean')
        return firstBoolean(
          given.map(each => booleans(each, batch)),
          batch.rows,
        )
  }
  if (!isExact(expression.type)) {
    throw refused(
      'function',
      `the function "${name}"`,
      'Use comparisons, AND, OR, NOT, IN, CASE and exact arithmetic.',
    )
  }
  return arithmetic(expression, batch)
}

/** Numbers in, number out; where an operand is null the result is, but for `coalesce`. */
function arithmetic(expression: Extract<Expression, { kind: 'call' }>, batch: Batch): NumberVector {
  const { function: name, arguments: given, type } = expression
  const scale = scaleOf(type)
  const operands = given.map(each => numberOf(each, batch))
  const interval = combine(
    name,
    operands.map(operand => operand.interval),
    scale,
  )
  const values = numbersFor(interval, batch.rows)
  if (name === 'coalesce')
    return firstNumber(
      operands.map(operand => scaled(operand, scale)),
      values,
      interval,
    )
  const valid = bothValid(
    operands.map(operand => operand.valid),
    batch.rows,
  )
  if (name === 'nullIf') return nullIf(scaled(operands[0]!, scale), given, batch)
  const sameScale = name === 'multiply' ? operands : operands.map(operand => scaled(operand, scale))
  const raise = name === 'multiply' ? scale - operands[0]!.interval.scale - operands[1]!.interval.scale : 0
  const [x, y] = sameScale.map(operand => operand.values)
  if (values instanceof Float64Array && sameScale.every(operand => operand.values instanceof Float64Array)) {
    const rule = DOUBLE[name]!
    const factor = 10 ** raise
    for (let row = 0; row < batch.rows; row++) {
      values[row] = rule((x as Float64Array)[row]!, ((y ?? x) as Float64Array)[row]!) * factor
    }
  } else {
    const rule = BIG[name]!
    const factor = 10n ** BigInt(raise)
    for (let row = 0; row < batch.rows; row++) {
      const result = rule(BigInt(x![row]!), BigInt((y ?? x)![row]!)) * factor
      if (values instanceof Float64Array) values[row] = Number(result)
      else values[row] = result
    }
  }
  return { kind: 'number', values, valid, interval }
}

const DOUBLE: Partial<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  negate: a => -a,
  absolute: a => Math.abs(a),
}
const BIG: Partial<Record<string, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  negate: a => -a,
  absolute: a => (a < 0n ? -a : a),
}

function scaled(vector: NumberVector, scale: number): NumberVector {
  if (vector.interval.scale === scale) return vector
  const interval = rescaled(vector.interval, scale)
  const factor = 10n ** BigInt(scale - vector.interval.scale)
  const values = numbersFor(interval, vector.values.length)
  for (let row = 0; row < values.length; row++) {
    if (values instanceof Float64Array) values[row] = Number(vector.values[row]!) * Number(factor)
    else values[row] = BigInt(vector.values[row]!) * factor
  }
  return { ...vector, values, interval }
}

type Comparison = 'equal' | 'notEqual' | 'less' | 'lessOrEqual' | 'greater' | 'greaterOrEqual'

const HOLDS: Record<Comparison, (order: number) => boolean> = {
  equal: order => order === 0,
  notEqual: order => order !== 0,
  less: order => order < 0,
  lessOrEqual: order => order <= 0,
  greater: order => order > 0,
  greaterOrEqual: order => order >= 0,
}

function compare(name: Comparison, left: Expression, right: Expression, batch: Batch): BooleanVector {
  const { rows } = batch
  const holds = HOLDS[name]
  const values = new Uint8Array(rows)
  if (isExact(left.type) && isExact(right.type)) {
    const scale = Math.max(scaleOf(left.type), scaleOf(right.type))
    const [a, b] = [left, right].map(side => scaled(numberOf(side, batch), scale)) as [
      NumberVector,
      NumberVector,
    ]
    for (let row = 0; row < rows; row++) {
      const [x, y] = [a.values[row]!, b.values[row]!]
      values[row] = holds(x < y ? -1 : x > y ? 1 : 0) ? 1 : 0
    }
    return { kind: 'boolean', values, valid: bothValid([a.valid, b.valid], rows) }
  }
  const [a, b] = [evaluate(left, batch), evaluate(right, batch)]
  if (a.kind === 'text' && b.kind === 'text') {
    const valid = bothValid([textValidity(a), textValidity(b)], rows)
    for (let row = 0; row < rows; row++) {
      const [x, y] = [a.values[row], b.values[row]]
      if (x == null || y == null) continue
      values[row] = holds(x === y ? 0 : Buffer.compare(Buffer.from(x), Buffer.from(y))) ? 1 : 0
    }
    return { kind: 'boolean', values, valid }
  }
  if (a.kind === 'boolean' && b.kind === 'boolean') {
    for (let row = 0; row < rows; row++) values[row] = holds(a.values[row]! - b.values[row]!) ? 1 : 0
    return { kind: 'boolean', values, valid: bothValid([a.valid, b.valid], rows) }
  }
  throw refused('type', 'a comparison of different types', 'Compare numbers with numbers, text with text.')
}

/** OR of three-valued truths: true where any is, else null where any is, else false. */
function anyOf(operands: readonly BooleanVector[], rows: number): BooleanVector {
  const values = new Uint8Array(rows)
  const valid = new Uint8Array(rows).fill(1)
  for (const operand of operands) {
    for (let row = 0; row < rows; row++) {
      if (operand.valid !== null && operand.valid[row] === 0) valid[row]! &= values[row]!
      else if (operand.values[row] === 1) {
        values[row] = 1
        valid[row] = 1
      }
    }
  }
  return { kind: 'boolean', values, valid }
}

function inverted({ values, valid }: BooleanVector): BooleanVector {
  return { kind: 'boolean', values: values.map(value => 1 - value), valid }
}

function booleans(expression: Expression, batch: Batch): BooleanVector {
  const vector = evaluate(expression, batch)
  if (vector.kind === 'boolean') return vector
  throw refused('type', 'a condition that is no truth value', 'Use a comparison.')
}

/** CASE: the first branch whose condition is true. */
function choose(expression: Extract<Expression, { kind: 'case' }>, batch: Batch): Vector {
  const { rows } = batch
  const interval = intervalOfCase(expression, batch)
  const values = numbersFor(interval, rows)
  const valid = new Uint8Array(rows)
  const open = new Uint8Array(rows).fill(1)
  const take = (vector: NumberVector, chosen: Uint8Array) => {
    for (let row = 0; row < rows; row++) {
      if (open[row] === 0 || chosen[row] === 0) continue
      open[row] = 0
      valid[row] = vector.valid === null ? 1 : vector.valid[row]!
      put(values, row, vector.values[row]!)
    }
  }
  for (const { when, then } of expression.branches) {
    take(scaled(numberOf(then, batch), interval.scale), truths(when, batch))
  }
  take(scaled(numberOf(expression.otherwise, batch), interval.scale), open.slice())
  return { kind: 'number', values, valid, interval }
}

function intervalOfCase(expression: Extract<Expression, { kind: 'case' }>, { columns }: Batch) {
  if (!isExact(expression.type))
    throw refused('type', 'a CASE that is no exact number', 'Use integers and decimals.')
  const known = new Map(
    [...columns].flatMap(([id, vector]) =>
      vector.kind === 'number' ? [[id, vector.interval] as const] : [],
    ),
  )
  return intervalOf(expression, known)
}

function firstNumber(
  operands: readonly NumberVector[],
  values: NumberVector['values'],
  interval: NumberVector['interval'],
): NumberVector {
  const valid = new Uint8Array(values.length)
  for (const operand of operands) {
    for (let row = 0; row < values.length; row++) {
      if (valid[row] === 1 || (operand.valid !== null && operand.valid[row] === 0)) continue
      valid[row] = 1
      put(values, row, operand.values[row]!)
    }
  }
  return { kind: 'number', values, valid, interval }
}

function firstBoolean(operands: readonly BooleanVector[], rows: number): BooleanVector {
  const values = new Uint8Array(rows)
  const valid = new Uint8Array(rows)
  for (const operand of operands) {
    for (let row = 0; row < rows; row++) {
      if (valid[row] === 1 || (operand.valid !== null && operand.valid[row] === 0)) continue
      valid[row] = 1
      values[row] = operand.values[row]!
    }
  }
  return { kind: 'boolean', values, valid }
}

function nullIf(first: NumberVector, given: readonly Expression[], batch: Batch): NumberVector {
  const same = compare('equal', given[0]!, given[1]!, batch)
  const valid = validity(first, batch.rows).map((bit, row) => {
    const equal = same.values[row] === 1 && (same.valid === null || same.valid[row] === 1)
    return equal ? 0 : bit
  })
  return { ...first, valid }
}

function put(values: NumberVector['values'], row: number, value: number | bigint): void {
  if (values instanceof Float64Array) values[row] = Number(value)
  else values[row] = BigInt(value)
}

function literal({ value, type }: Extract<Expression, { kind: 'literal' }>, rows: number): Vector {
  if (type.kind === 'boolean') {
    const valid = value === null ? new Uint8Array(rows) : null
    return { kind: 'boolean', values: new Uint8Array(rows).fill(value === true ? 1 : 0), valid }
  }
  if (!isExact(type)) {
    if (type.kind !== 'text' && type.kind !== 'date') scaleOf(type)
    return {
      kind: 'text',
      values: new Array<string | null>(rows).fill(value === null ? null : String(value)),
    }
  }
  const scale = scaleOf(type)
  const units = value === null ? 0n : unitsOf(String(value), scale)
  const interval = { low: units, high: units, scale }
  const values = numbersFor(interval, rows)
  for (let row = 0; row < rows; row++) put(values, row, units)
  return { kind: 'number', values, valid: value === null ? new Uint8Array(rows) : null, interval }
}

function castless(expression: Extract<Expression, { kind: 'cast' }>, batch: Batch): Vector {
  if (expression.argument.type.kind === expression.type.kind && expression.type.kind !== 'float') {
    return evaluate(expression.argument, batch)
  }
  throw refused('cast', `a cast to ${expression.type.kind}`, 'Use casts between integers and decimals.')
}

function validity(vector: Vector, rows: number): Uint8Array {
  const valid = vector.kind === 'text' ? textValidity(vector) : vector.valid
  return valid ?? new Uint8Array(rows).fill(1)
}

function textValidity({ values }: TextVector): Uint8Array {
  return Uint8Array.from(values, value => (value == null ? 0 : 1))
}

function bothValid(lists: readonly (Uint8Array | null)[], rows: number): Uint8Array | null {
  const given = lists.filter(list => list !== null)
  if (given.length === 0) return null
  const valid = new Uint8Array(rows).fill(1)
  for (const list of given) for (let row = 0; row < rows; row++) valid[row]! &= list[row]!
  return valid
}
