import type { Data, DataType, RecordBatch } from 'apache-arrow'
import { scalarTypeOf } from '../columns/types.js'
import { SluiceError } from '../errors.js'
import type { ColumnId } from '../plan/expression.js'
import type { PlanColumn } from '../plan/node.js'
import { visibleText } from '../text.js'
import { outOfRange } from './contribute.js'
import { type Interval, isExact, magnitude, refused, scaleOf } from './intervals.js'

/** A column of a batch while a contributor computes. `valid` is 0 where the value is null; null: nowhere. */
export type Vector = NumberVector | BooleanVector | TextVector

export interface NumberVector {
  readonly kind: 'number'
  /** units of 10^-scale; doubles where the interval lies within ±2^53, so that they are exact */
  readonly values: Numbers
  readonly valid: Uint8Array | null
  readonly interval: Interval
}

export interface BooleanVector {
  readonly kind: 'boolean'
  readonly values: Uint8Array
  readonly valid: Uint8Array | null
}

/** Text and dates (ISO 8601): compared and grouped by, never computed with. */
export interface TextVector {
  readonly kind: 'text'
  readonly values: readonly (string | null)[]
}

export type Numbers = Float64Array | BigInt64Array

const EXACT_DOUBLE = 2n ** 53n

/** Doubles where they are exact. @throws SluiceError EVIDENCE_UNDEFINED where 64 bits do not hold the interval */
export function numbersFor(interval: Interval, rows: number): Numbers {
  if (magnitude(interval) < EXACT_DOUBLE) return new Float64Array(rows)
  if (interval.low >= -(2n ** 63n) && interval.high < 2n ** 63n) return new BigInt64Array(rows)
  throw refused(
    'range',
    'a value that 64 bits do not hold',
    'Declare narrower ranges of its columns, or use a smaller power.',
  )
}

/** A scanned column of a batch, held to the range that was declared for it. */
export function readColumn(
  batch: RecordBatch,
  column: PlanColumn,
  intervals: ReadonlyMap<ColumnId, Interval>,
): Vector {
  const child = batch.getChild(column.name)
  const data = child?.data[0]
  const type = data && scalarTypeOf(data.type)
  const fits =
    type &&
    (isExact(column.type)
      ? isExact(type) && scaleOf(type) <= scaleOf(column.type)
      : type.kind === column.type.kind)
  if (!child || !data || !fits) throw otherSchema(column.name)
  const valid =
    data.nullCount === 0
      ? null
      : Uint8Array.from({ length: batch.numRows }, (_, row) => (child.isValid(row) ? 1 : 0))
  switch (column.type.kind) {
    case 'integer':
    case 'decimal':
      return readNumbers(data, valid, intervals.get(column.id)!, scaleOf(type), batch.numRows, column.name)
    case 'boolean':
      return {
        kind: 'boolean',
        values: Uint8Array.from({ length: batch.numRows }, (_, row) => (child.get(row) === true ? 1 : 0)),
        valid,
      }
    case 'text':
      return { kind: 'text', values: child.toArray() as (string | null)[] }
    case 'date':
      return {
        kind: 'text',
        values: Array.from({ length: batch.numRows }, (_, row) => {
          const day = child.get(row) as number | Date | null
          return day === null ? null : new Date(day).toISOString().slice(0, 10)
        }),
      }
    default:
      throw refused('type', `a column of ${column.type.kind}`, 'Use numbers, text, dates and booleans.')
  }
}

function readNumbers(
  data: Data<DataType>,
  valid: Uint8Array | null,
  interval: Interval,
  scale: number,
  rows: number,
  name: string,
): NumberVector {
  const values = numbersFor(interval, rows)
  const read = reader(data)
  const factor = 10n ** BigInt(interval.scale - scale)
  const [low, high] = [Number(interval.low), Number(interval.high)]
  const outside = () => outOfRange(`column "${visibleText(name)}"`)
  for (let row = 0; row < rows; row++) {
    if (valid !== null && valid[row] === 0) continue
    const unit = read(row)
    if (typeof unit === 'number' && factor === 1n && values instanceof Float64Array) {
      if (unit < low || unit > high) throw outside()
      values[row] = unit
      continue
    }
    const exact = BigInt(unit) * factor
    if (exact < interval.low || exact > interval.high) throw outside()
    if (values instanceof Float64Array) values[row] = Number(exact)
    else values[row] = exact
  }
  return { kind: 'number', values, valid, interval }
}

/** Integers of up to 64 bits as Arrow has them, decimals as four words of 32 bits, least first. */
function reader({ values, type }: Data<DataType>): (row: number) => number | bigint {
  const array = values as Int32Array | BigInt64Array | Uint32Array
  if (scalarTypeOf(type)?.kind === 'integer') return row => array[row]!
  const words = array as Uint32Array
  return row => {
    const at = 4 * row
    const low = (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!)
    const high = (BigInt(words[at + 3]!) << 32n) | BigInt(words[at + 2]!)
    return BigInt.asIntN(128, (high << 64n) | low)
  }
}

function otherSchema(name: string): SluiceError {
  return new SluiceError(
    'SCHEMA_CHANGED',
    `the column "${visibleText(name)}" is missing, or of another type`,
    {
      rule: 'he.schema',
      remedy: 'Use a file with the columns and types that the aggregation’s plan reads.',
    },
  )
}
