import { SluiceError } from '@sluice/core'
import { scaleFor } from '../../protocols/replicated/moments.js'
import { type Condition, type Numeric, sourcesOf } from '../expression.js'
import { invalid, refused } from '../invalid.js'
import type { Measure, Output, Query } from '../query.js'
import { boundOf } from './kind.js'
import type { StatisticOf } from './schema.js'

type PerCell = StatisticOf<'mean' | 'variance' | 'deviation' | 'ratio'>

/** What is computed of each cell's count and sums before it is opened; they themselves are not. */
export interface Derived {
  readonly kind: PerCell['kind']
  readonly digits: number
  /** digits after the point of what is opened */
  readonly scale: number
  /** no value's magnitude is above it, scaled */
  readonly bound: bigint
}

/**
 * The plan's rows totalled by group: count and sum, and for a variance the sum of squares.
 *
 * @throws SluiceError JOB_INVALID where the columns are not as many as it is over, SQL_REFUSED `mpc.bound`,
 *   PARAMETER_INVALID where they are too large to divide or square
 */
export function derivedQuery(at: string, { kind, digits }: PerCell, rows: Query): Query {
  const values = rows.measures.flatMap(measure => (measure.kind === 'rows' ? [] : [measure.value]))
  const wanted = kind === 'ratio' ? 2 : 1
  if (values.length !== wanted) throw invalid(at, `a ${kind} is over ${wanted} to ${wanted} columns`)
  const [first, second] = values as [Numeric, Numeric]
  const bound = boundOf(rows)
  const keys: Output[] = rows.outputs.filter(({ is }) => is === 'key')
  const scale = digits + (kind === 'ratio' ? first.scale - second.scale : first.scale * powerOf(kind))
  const derived: Derived = { kind, digits, scale, bound }
  checkRange(derived, rows.rows)
  return {
    ...rows,
    condition: kind === 'ratio' ? complete(rows.condition, values) : rows.condition,
    measures:
      kind === 'variance' || kind === 'deviation' ? [valued(first), squared(first)] : values.map(valued),
    outputs: [...keys, { name: kind, is: 'value', at: 0 }],
    derived,
  }
}

/** A variance has twice the digits of its column. */
function powerOf(kind: PerCell['kind']): number {
  return kind === 'variance' ? 2 : 1
}

const valued = (value: Numeric): Measure => ({ kind: 'values', value })

function squared(value: Numeric): Measure {
  const bound = value.bound * value.bound
  return valued({ kind: 'multiply', left: value, right: value, scale: 2 * value.scale, bound })
}

/** Rows where all columns have a value. */
function complete(condition: Condition | null, values: readonly Numeric[]): Condition | null {
  const nullable = new Map(
    values.flatMap(sourcesOf).flatMap(source => (source.column.nullable ? [[source.column, source]] : [])),
  )
  const parts: Condition[] = [...nullable.values()].map(source => ({ kind: 'present', source, wanted: true }))
  const all = condition === null ? parts : [condition, ...parts]
  return all.length <= 1 ? (all[0] ?? null) : { kind: 'and', parts: all }
}

/** What divisions and roots take stays below it. */
const DIVISIBLE = 2n ** 59n

function checkRange({ kind, digits, bound }: Derived, rows: number): void {
  if (kind === 'variance' || kind === 'deviation') scaleFor(BigInt(rows), bound)
  else if (bound * BigInt(rows) >= DIVISIBLE)
    throw refused('bound', 'so many rows of this bound are too large to divide')
  const largest =
    kind === 'mean'
      ? bound * 10n ** BigInt(digits)
      : kind === 'variance'
        ? 2n * bound * bound * 10n ** BigInt(digits)
        : kind === 'deviation'
          ? 32n * bound * bound * 100n ** BigInt(digits)
          : 0n
  if (largest >= 2n ** 63n)
    throw new SluiceError('PARAMETER_INVALID', 'The result has more digits than the ring holds', {
      rule: 'mpc.moments',
      remedy: 'Ask for fewer digits, or give a lower bound.',
    })
}
