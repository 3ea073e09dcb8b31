import {
  Bool,
  type Data,
  DataType,
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
import { gathered, nearestDoubles, writeIntegers } from './words.js'

/** Opened totals: for each component one integer a slot. They never leave this folder but inside a `RawResult`. */
export type Totals = readonly (BigInt64Array | readonly bigint[])[]

/**
 * The plan's table and its evidence from the opened totals, run after run of slots. A group without a row is not there,
 * as in SQL; without keys there is one row.
 */
export class OpenedTable {
  readonly #layout: Layout
  readonly #groups: Groups
  readonly #outputs: readonly OutputColumn[]
  readonly #schema: Schema
  readonly #batches: RecordBatch[] = []
  /** for each piece of the layout's evidence, its entities in every run */
  readonly #entities: readonly Float64Array[][]

  constructor(plan: Plan, layout: Layout, groups: Groups) {
    this.#layout = layout
    this.#groups = groups
    this.#outputs = outputsOf(plan, layout.aggregate)
    this.#schema = new Schema(this.#outputs.map(({ name, type }) => new Field(name, arrowTypeOf(type), true)))
    this.#entities = layout.evidence.map(() => [])
  }

  /** @param first the slot of the first total of each component */
  add(first: number, totals: Totals): void {
    const run = new Run(this.#layout, this.#groups, first, totals)
    const { slots } = run
    for (const [index, { count }] of this.#layout.evidence.entries()) {
      this.#entities[index]!.push(picked(run.doubles(count), slots))
    }
    if (slots.length === 0) return
    const children = this.#outputs.map(output => dataOf(output, run))
    const struct = new Struct(this.#schema.fields)
    const rows = makeData({ type: struct, length: slots.length, nullCount: 0, children })
    this.#batches.push(new RecordBatch(this.#schema, rows))
  }

  finish(): { table: Table; evidence: Evidence[] } {
    const table = new Table(this.#schema, this.#batches)
    const evidence = this.#layout.evidence.map(({ source, part }, index) => ({
      source,
      part,
      entities: joined(this.#entities[index]!),
      exact: new Uint8Array(table.numRows).fill(1),
      contributions: [],
    }))
    return { table, evidence }
  }
}

function picked(values: Float64Array, slots: Uint32Array): Float64Array {
  const out = new Float64Array(slots.length)
  for (let row = 0; row < out.length; row++) out[row] = values[slots[row]!]!
  return out
}

function joined(pieces: readonly Float64Array[]): Float64Array {
  if (pieces.length === 1) return pieces[0]!
  const whole = new Float64Array(pieces.reduce((length, piece) => length + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** Totals of slots that follow each other, and which of them have rows. Slots are counted from the run's first. */
class Run {
  readonly layout: Layout
  readonly groups: Groups
  readonly first: number
  readonly totals: Totals
  readonly slots: Uint32Array
  readonly #doubles = new Map<number, Float64Array>()

  constructor(layout: Layout, groups: Groups, first: number, totals: Totals) {
    this.layout = layout
    this.groups = groups
    this.first = first
    this.totals = totals
    this.slots = this.#occupied()
  }

  /** The totals of a component of counts, which are below 2^53 or round to what is as far from zero. */
  doubles(component: number): Float64Array {
    const known = this.#doubles.get(component)
    if (known !== undefined) return known
    const totals = this.totals[component]!
    const made = totals instanceof BigInt64Array ? nearestDoubles(totals) : Float64Array.from(totals, Number)
    this.#doubles.set(component, made)
    return made
  }

  cell(from: AggregateFrom, slot: number): Rational | null {
    const count = this.totals[from.count]![slot]!
    if (from.kind === 'count') return rational(count)
    if (count === 0n) return null
    const sum = rational(this.totals[from.sum]![slot]!, 10n ** BigInt(from.scale))
    return from.kind === 'sum' ? sum : over(sum, rational(count))
  }

  #occupied(): Uint32Array {
    const { aggregate, groupCount } = this.layout
    if (aggregate.keys.length === 0) return Uint32Array.of(0)
    const counts = this.doubles(groupCount)
    const slots = new Uint32Array(counts.length)
    let found = 0
    for (let slot = 0; slot < counts.length; slot++) if (counts[slot]! > 0) slots[found++] = slot
    return slots.subarray(0, found)
  }
}

function dataOf({ type, from }: OutputColumn, run: Run): Data {
  const { layout, slots } = run
  switch (from.kind) {
    case 'key':
      return keyData(type, from.index, run)
    case 'aggregate': {
      const place = aggregateOf(layout, from.id)
      if (place.kind === 'average') return doubles(slots, slot => run.cell(place, slot))
      if (place.kind === 'count') return totalData(type, run, place.count, null)
      return totalData(type, run, place.sum, place.count)
    }
    case 'computed':
      return doubles(slots, slot => from.compute(id => run.cell(aggregateOf(layout, id), slot)))
  }
}

function aggregateOf({ aggregates }: Layout, id: ColumnId): AggregateFrom {
  const place = aggregates.get(id)
  if (place === undefined) throw new SluiceError('INTERNAL', 'a released column is none of the aggregate’s')
  return place
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

/** A component's totals; null where this other component's count is zero. */
function totalData(type: ScalarType, run: Run, component: number, count: number | null): Data {
  const { slots } = run
  const totals = run.totals[component]!
  const present = count === null ? null : run.doubles(count)
  const arrow = arrowTypeOf(type)
  const wide = DataType.isDecimal(arrow)
  const words = totals instanceof BigInt64Array ? gathered(totals, slots, wide) : spread(totals, slots, wide)
  const validity = new Validity(slots.length)
  for (let row = 0; present !== null && row < slots.length; row++) {
    if (present[slots[row]!] !== 0) continue
    validity.clear(row)
    // whatever somebody encrypted as the sum of no rows
    words.fill(0n, wide ? 2 * row : row, wide ? 2 * row + 2 : row + 1)
  }
  const data = wide ? new Uint32Array(words.buffer) : words
  return makeData({ type: arrow, length: slots.length, data, ...validity.of() } as never)
}

/** @throws SluiceError RESULT_TOO_LARGE where a total does not fit the plan's type */
function spread(totals: readonly bigint[], slots: Uint32Array, wide: boolean): BigInt64Array {
  const words = new BigInt64Array(slots.length * (wide ? 2 : 1))
  for (let row = 0; row < slots.length; row++) {
    const units = totals[slots[row]!]!
    if (wide) {
      words[2 * row] = BigInt.asIntN(64, units)
      words[2 * row + 1] = units >> 64n
    } else if (BigInt.asIntN(64, units) === units) words[row] = units
    else throw new SluiceError('RESULT_TOO_LARGE', 'a total does not fit its type', { rule: 'he.type' })
  }
  return words
}

function keyData(type: ScalarType, index: number, { groups, first, slots }: Run): Data {
  if (groups.kind === 'range') {
    const keys = new Float64Array(slots.length)
    for (let row = 0; row < keys.length; row++) keys[row] = groups.first + first + slots[row]!
    return integerData(type, keys)
  }
  const literals = Array.from(slots, slot => groups.keys[first + slot]![index]!)
  if (type.kind === 'integer' || type.kind === 'decimal') {
    const scale = type.kind === 'decimal' ? type.scale : 0
    return unitData(
      type,
      literals.map(literal => (literal === null ? null : unitsOf(String(literal), scale))),
    )
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

/** Keys of a range: integers below 2^53. */
function integerData(type: ScalarType, keys: Float64Array): Data {
  const arrow = arrowTypeOf(type)
  if (type.kind !== 'integer' || DataType.isDecimal(arrow)) return unitData(type, Array.from(keys, BigInt))
  const length = keys.length
  if (type.bits < 64) {
    const data = (arrow.ArrayType as unknown as { from(keys: Float64Array): Int32Array }).from(keys)
    return makeData({ type: arrow, length, data } as never)
  }
  const data = new BigInt64Array(length)
  writeIntegers(keys, data)
  return makeData({ type: arrow, length, data } as never)
}

/** Keys of 8, 16 and 32 bits have arrays of their own width, decimals and what is wider two words a value. */
function unitData(type: ScalarType, units: readonly (bigint | null)[]): Data {
  const arrow = arrowTypeOf(type)
  const length = units.length
  const validity = new Validity(length)
  for (let row = 0; row < length; row++) if (units[row] === null) validity.clear(row)
  const known = units.map(unit => unit ?? 0n)
  if (type.kind === 'integer' && type.bits < 64) {
    const data = (arrow.ArrayType as unknown as { from(keys: number[]): Int32Array }).from(known.map(Number))
    return makeData({ type: arrow, length, data, ...validity.of() } as never)
  }
  const wide = DataType.isDecimal(arrow)
  const rows = Uint32Array.from({ length }, (_, row) => row)
  const words = spread(known, rows, wide)
  const data = wide ? new Uint32Array(words.buffer) : words
  return makeData({ type: arrow, length, data, ...validity.of() } as never)
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
