import { type Table, type Vector, vectorFromArray } from 'apache-arrow'
import { gather } from '../columns/gather.js'
import { arrowTypeOf } from '../columns/types.js'
import { below } from '../desensitize/cipher/key-stream.js'
import type { ScalarType } from '../plan/types.js'
import type { ColumnPolicy } from '../policy/types.js'
import type { Band } from './plans.js'
import { dayOf, type Next, numberOf, share } from './values.js'

/** What passed the disclosure check of a marginal plan: columns `value` and `count`, null where it did not pass. */
export interface Marginal {
  readonly band: Band
  readonly table: Table
}

const DAY = 86_400_000

/** Rows behind the counts that passed. */
export function massOf({ table }: Marginal): number {
  return counts(table).reduce((sum, count) => sum + count, 0)
}

/**
 * The finest of these, which are ordered from fine to coarse, that keeps nine tenths of what the best of them keeps;
 * null where nothing passed anywhere.
 */
export function finest(marginals: readonly Marginal[]): Marginal | null {
  const masses = marginals.map(massOf)
  const best = Math.max(0, ...masses)
  return best === 0 ? null : marginals[masses.findIndex(mass => mass >= 0.9 * best)]!
}

/**
 * Values drawn by the counts that passed, each independent of the other columns; within a band every value is as likely.
 *
 * @param minimum counts are rounded down to multiples of it, so that one entity more or less rarely shows
 */
export function marginalValues(
  { band, table }: Marginal,
  {
    type,
    rows,
    minimum,
    bounds,
  }: {
    readonly type: ScalarType
    readonly rows: number
    readonly minimum: number
    readonly bounds: ColumnPolicy['bounds']
  },
  next: Next,
): Vector {
  // the engine gives groups in the order of their keys
  let total = 0
  const ends = counts(table).map(count => {
    total += Math.floor(count / minimum)
    return total
  })
  const chosen = Uint32Array.from({ length: rows }, () => {
    const at = below53(next, total)
    return ends.findIndex(end => at < end)
  })
  if (band === null) return gather(table, chosen).getChildAt(0)!
  const first = table.getChild('value')!
  const values = Array.from(chosen, row => {
    const from = first.get(row) as number | null
    if (from === null) return null
    if (band.kind === 'unit') return dayOf(type, Number(from) + below(next, DAYS[band.unit]) * DAY)
    const width = 10 ** band.exponent
    return numberOf(type, held((from + share(next)) * width, bounds, type))
  })
  return vectorFromArray(values, arrowTypeOf(type))
}

/** Numbers between nothing and twice the average, which says what two digits of the average say. */
export function meanValues(
  mean: number,
  {
    type,
    rows,
    bounds,
  }: { readonly type: ScalarType; readonly rows: number; readonly bounds: ColumnPolicy['bounds'] },
  next: Next,
): Vector {
  const rounded = Number(mean.toPrecision(2))
  const values = Array.from({ length: rows }, () =>
    numberOf(type, held(2 * rounded * share(next), bounds, type)),
  )
  return vectorFromArray(values, arrowTypeOf(type))
}

/** Days that every unit has. */
const DAYS = { day: 1, month: 28, year: 365 } as const

function counts(table: Table): number[] {
  return Array.from(table.getChild('count')!, count => (count === null ? 0 : Number(count)))
}

/** Bounds are in the policy, which is no secret; a whole number stays in its band. */
function held(value: number, bounds: ColumnPolicy['bounds'], type: ScalarType): number {
  const whole = type.kind === 'integer' ? Math.floor(value) : value
  const { minimum = null, maximum = null } = bounds ?? {}
  const least = minimum === null ? whole : Math.max(whole, Number(minimum))
  return maximum === null ? least : Math.min(least, Number(maximum))
}

/** A number below a total of up to 53 bits. */
function below53(next: Next, total: number): number {
  if (total <= 2 ** 32) return below(next, total)
  return Math.floor((((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53) * total)
}
