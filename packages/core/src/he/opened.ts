import {
  Bool,
  type Data,
  type DataType,
  Field,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  vectorFromArray,
} from 'apache-arrow'
import { arrowTypeOf } from '../columns/types.js'
import type { Evidence } from '../disclosure/evidence.js'
import { SluiceError } from '../errors.js'
import type { ColumnId } from '../plan/expression.js'
import type { Plan } from '../plan/node.js'
import type { ScalarType } from '../plan/types.js'
import { type OutputColumn, outputsOf } from './above.js'
import type { Groups } from './aggregation.js'
import { unitsOf } from './intervals.js'
import type { AggregateFrom, Layout } from './layout.js'
import { over, type Rational, rational, toNumber } from './rational.js'

/** Opened totals: for each component one integer a slot. They never leave this folder but inside a `RawResult`. */
export type Totals = readonly (BigInt64Array | readonly bigint[])[]

/**
 * The plan's table and its evidence from the opened totals. A group without a row is not there, as in SQL; without
 * keys there is one row.
 */
export function tableOf(
  plan: Plan,
  layout: Layout,
  groups: Groups,
  totals: Totals,
): { table: Table; evidence: Evidence[] } {
  const { aggregate } = layout
  const slots = occupied(layout, totals)
  const cell = (from: AggregateFrom, slot: number) => cellOf(from, totals, slot)
  const columns = outputsOf(plan, aggregate).map(output => ({
    name: output.name,
    data: dataOf(output, { layout, groups, totals, slots, cell }),
  }))
  const fields = columns.map(({ name, data }) => new Field(name, data.type, true))
  const schema = new Schema(fields)
  const children = columns.map(({ data }) => data)
  const rows = makeData({ type: new Struct(fields), length: slots.length, nullCount: 0, children })
  const evidence = layout.evidence.map(({ source, part, count }) => ({
    source,
    part,
    entities: Float64Array.from(slots, slot => Number(totals[count]![slot]!)),
    exact: new Uint8Array(slots.length).fill(1),
    contributions: [],
  }))
  return { table: new Table(schema, new RecordBatch(schema, rows)), evidence }
}

/** Slots whose group has rows. */
function occupied({ aggregate, groupCount }: Layout, totals: Totals): Uint32Array {
  const counts = totals[groupCount]!
  if (aggregate.keys.length === 0) return Uint32Array.of(0)
  const slots = new Uint32Array(counts.length)
  let found = 0
  for (let slot = 0; slot < counts.length; slot++) if (counts[slot]! > 0n) slots[found++] = slot
  return slots.subarray(0, found)
}

interface Opening {
  readonly layout: Layout
  readonly groups: Groups
  readonly totals: Totals
  readonly slots: Uint32Array
  cell(from: AggregateFrom, slot: number): Rational | null
}

function dataOf({ type, from }: OutputColumn, opening: Opening): Data {
  const { layout, slots, groups, totals, cell } = opening
  switch (from.kind) {
    case 'key':
      return keyData(type, from.index, groups, slots)
    case 'aggregate': {
      const place = aggregateOf(layout, from.id)
      if (place.kind === 'average') return doubles(slots, slot => cell(place, slot))
      if (place.kind === 'count') return integers(type, slots, slot => totals[place.count]![slot]!)
      return integers(type, slots, slot =>
        totals[place.count]![slot] === 0n ? null : totals[place.sum]![slot]!,
      )
    }
    case 'computed':
      return doubles(slots, slot => from.compute(id => cell(aggregateOf(layout, id), slot)))
  }
}

function aggregateOf({ aggregates }: Layout, id: ColumnId): AggregateFrom {
  const place = aggregates.get(id)
  if (place === undefined) throw new SluiceError('INTERNAL', 'a released column is none of the aggregate’s')
  return place
}

function cellOf(from: AggregateFrom, totals: Totals, slot: number): Rational | null {
  const count = totals[from.count]![slot]!
  if (from.kind === 'count') return rational(count)
  if (count === 0n) return null
  const sum = rational(totals[from.sum]![slot]!, 10n ** BigInt(from.scale))
  return from.kind === 'sum' ? sum : over(sum, rational(count))
}

function doubles(slots: Uint32Array, value: (slot: number) => Rational | null): Data {
  const validity = new Validity(slots.length)
  const data = Float64Array.from(slots, (slot, row) => {
    const computed = value(slot)
    if (computed === null) validity.clear(row)
    return computed === null ? 0 : toNumber(computed)
  })
  const type = arrowTypeOf({ kind: 'float', bits: 64 })
  return makeData({ type, length: slots.length, data, ...validity.of() } as never)
}

/** @throws SluiceError RESULT_TOO_LARGE where a total does not fit the plan's type */
function integers(type: ScalarType, slots: Uint32Array, value: (slot: number) => bigint | null): Data {
  const arrow = arrowTypeOf(type)
  const validity = new Validity(slots.length)
  const wide = arrow.toString().startsWith('Decimal')
  const words = new BigInt64Array(slots.length * (wide ? 2 : 1))
  for (let row = 0; row < slots.length; row++) {
    const units = value(slots[row]!)
    if (units === null) validity.clear(row)
    else if (wide) {
      words[2 * row] = BigInt.asIntN(64, units)
      words[2 * row + 1] = units >> 64n
    } else if (BigInt.asIntN(64, units) === units) words[row] = units
    else throw new SluiceError('RESULT_TOO_LARGE', 'a total does not fit its type', { rule: 'he.type' })
  }
  const data = wide ? new Uint32Array(words.buffer) : words
  return makeData({ type: arrow, length: slots.length, data, ...validity.of() } as never)
}

function keyData(type: ScalarType, index: number, groups: Groups, slots: Uint32Array): Data {
  if (groups.kind === 'range') return narrowed(type, slots, slot => BigInt(groups.first + slot))
  const literals = Array.from(slots, slot => groups.keys[slot]![index]!)
  if (type.kind === 'integer' || type.kind === 'decimal') {
    const scale = type.kind === 'decimal' ? type.scale : 0
    return narrowed(type, slots, slot => {
      const literal = groups.keys[slot]![index]!
      return literal === null ? null : unitsOf(String(literal), scale)
    })
  }
  const arrow = arrowTypeOf(type)
  if (type.kind === 'boolean') return single(vectorFromArray(literals as (boolean | null)[], new Bool()))
  if (type.kind === 'date') {
    const days = literals.map(literal => (literal === null ? null : new Date(`${String(literal)}T00:00:00Z`)))
    return single(vectorFromArray(days, arrow as DataType))
  }
  return single(vectorFromArray(literals as (string | null)[], arrow as DataType))
}

function single(vector: { readonly data: readonly Data[] }): Data {
  return vector.data[0]!
}

/** Keys of 8, 16 and 32 bits have arrays of their own width. */
function narrowed(type: ScalarType, slots: Uint32Array, value: (slot: number) => bigint | null): Data {
  if (type.kind !== 'integer' || type.bits >= 64) return integers(type, slots, value)
  const arrow = arrowTypeOf(type)
  const validity = new Validity(slots.length)
  const data = new (arrow.ArrayType as new (length: number) => Int32Array)(slots.length)
  for (const [row, slot] of slots.entries()) {
    const key = value(slot)
    if (key === null) validity.clear(row)
    else data[row] = Number(key)
  }
  return makeData({ type: arrow, length: slots.length, data, ...validity.of() } as never)
}

/** Arrow's bitmap of what is not null. */
class Validity {
  readonly #bits: Uint8Array
  #nulls = 0

  constructor(rows: number) {
    this.#bits = new Uint8Array(Math.ceil(rows / 8)).fill(0xff)
  }

  clear(row: number): void {
    this.#bits[row >> 3]! &= ~(1 << (row & 7))
    this.#nulls++
  }

  of() {
    return this.#nulls === 0 ? { nullCount: 0 } : { nullCount: this.#nulls, nullBitmap: this.#bits }
  }
}
