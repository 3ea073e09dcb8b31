import type { RecordBatch } from 'apache-arrow'
import { SluiceError } from '../errors.js'
import type { ColumnId } from '../plan/expression.js'
import type { PlanNode } from '../plan/node.js'
import { type Aggregation, componentBounds, type Groups, shapeOf } from './aggregation.js'
import { outOfRange, type SlotValues } from './contribute.js'
import { type Batch, evaluate, numberOf, truths } from './evaluate.js'
import { type Interval, intervalsOf } from './intervals.js'
import { localAggregate } from './layout.js'
import { readColumn, type Vector } from './vectors.js'

/**
 * What a contributor encrypts, computed from its rows: for each component of the aggregation a list, a slot a group.
 * Batches are read one at a time; what stays in memory is one number a slot and component.
 *
 * @param batches Arrow record batches with the columns that the aggregation's plan reads
 * @throws SluiceError SCHEMA_CHANGED; PARAMETER_INVALID `he.range` (a value outside its column's declared range, or too
 * many rows of one group), `he.group` (a row of a group that is not in the public list); EVIDENCE_UNDEFINED; INTERRUPTED
 */
export async function cellsOf(
  aggregation: Aggregation,
  batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>,
  signal?: AbortSignal,
): Promise<SlotValues[][]> {
  const { input, keys, aggregates } = localAggregate(aggregation.local)
  const { slots } = shapeOf(aggregation)
  const intervals = intervalsOf(input, aggregation.columns)
  const slotOf = slotFinder(aggregation.groups)
  const counts = new Float64Array(slots)
  const sums = aggregates.map(() => new Sum(slots))
  for await (const rows of batches) {
    signal?.throwIfAborted()
    const batch = chosen(input, scanned(input, rows, intervals))
    const slot = slotsOf(
      keys.map(({ expression }) => evaluate(expression, batch)),
      batch,
      slotOf,
    )
    for (let row = 0; row < batch.rows; row++) counts[slot[row]!]!++
    for (const [index, { argument, filter, function: name }] of aggregates.entries()) {
      const taken = filter === null ? null : truths(filter, batch)
      if (name === 'count' || argument === null) sums[index]!.count(slot, taken)
      else sums[index]!.add(numberOf(argument, batch), slot, taken)
    }
  }
  if (counts.some(count => count > aggregation.rowsPerGroup))
    throw outOfRange('the number of rows of a group')
  const bounds = componentBounds(aggregation)
  return [sums.map((sum, index) => sum.values(bounds[index]!))]
}

function scanned(node: PlanNode, rows: RecordBatch, intervals: ReadonlyMap<ColumnId, Interval>): Batch {
  if (node.kind === 'scan') {
    const columns = node.columns.map(column => [column.id, readColumn(rows, column, intervals)] as const)
    return { rows: rows.numRows, columns: new Map(columns) }
  }
  return scanned((node as Extract<PlanNode, { kind: 'filter' | 'project' }>).input, rows, intervals)
}

/** Applies filters and projections, from the scan up. */
function chosen(node: PlanNode, scan: Batch): Batch {
  if (node.kind === 'filter') {
    const batch = chosen(node.input, scan)
    const keep = truths(node.predicate, batch)
    const rows = keep.reduce((sum, bit) => sum + bit, 0)
    const columns = [...batch.columns].map(([id, vector]) => [id, kept(vector, keep, rows)] as const)
    return rows === batch.rows ? batch : { rows, columns: new Map(columns) }
  }
  if (node.kind === 'project') {
    const batch = chosen(node.input, scan)
    const columns = node.columns.map(({ id, expression }) => [id, evaluate(expression, batch)] as const)
    return { rows: batch.rows, columns: new Map(columns) }
  }
  return scan
}

function kept(vector: Vector, keep: Uint8Array, rows: number): Vector {
  const pick = <T extends { [row: number]: unknown; readonly length: number }>(from: T, into: T): T => {
    let next = 0
    for (let row = 0; row < from.length; row++)
      if (keep[row] === 1) (into as { [row: number]: unknown })[next++] = from[row]
    return into
  }
  if (vector.kind === 'text')
    return { kind: 'text', values: pick(vector.values, new Array<string | null>(rows)) }
  const valid = vector.valid === null ? null : pick(vector.valid, new Uint8Array(rows))
  if (vector.kind === 'boolean')
    return { kind: 'boolean', values: pick(vector.values, new Uint8Array(rows)), valid }
  const values =
    vector.values instanceof Float64Array
      ? pick(vector.values, new Float64Array(rows))
      : pick(vector.values, new BigInt64Array(rows))
  return { ...vector, values, valid }
}

type SlotFinder = (key: readonly (string | number | bigint | boolean | null)[]) => number | undefined

function slotFinder(groups: Groups): SlotFinder {
  if (groups.kind === 'range') {
    return ([key]) => {
      const slot = Number(key) - groups.first
      return key !== null && slot >= 0 && slot < groups.count ? slot : undefined
    }
  }
  const places = new Map(groups.keys.map((key, slot) => [nameOf(key), slot]))
  return key => places.get(nameOf(key))
}

const nameOf = (key: readonly unknown[]) =>
  key.length === 1 && typeof key[0] === 'string'
    ? key[0]
    : `\0${JSON.stringify(key.map(part => (part === null ? null : String(part))))}`

function slotsOf(keys: readonly Vector[], { rows }: Batch, find: SlotFinder): Uint32Array {
  const slots = new Uint32Array(rows)
  if (keys.length === 0) return slots
  const readers = keys.map(valueReader)
  for (let row = 0; row < rows; row++) {
    const slot = find(readers.map(read => read(row)))
    if (slot === undefined) {
      throw new SluiceError('PARAMETER_INVALID', 'a row is of a group that is not in the public list', {
        rule: 'he.group',
        remedy: 'correct the row, leave it out, or ask for an aggregation whose list has its group',
      })
    }
    slots[row] = slot
  }
  return slots
}

/** A key as a literal is written; a decimal with all its places. */
function valueReader(vector: Vector): (row: number) => string | number | bigint | boolean | null {
  if (vector.kind === 'text') return row => vector.values[row] ?? null
  const { valid } = vector
  const present = (row: number) => valid === null || valid[row] === 1
  if (vector.kind === 'boolean') return row => (present(row) ? vector.values[row] === 1 : null)
  const { scale } = vector.interval
  if (scale > 0) return row => (present(row) ? decimalText(BigInt(vector.values[row]!), scale) : null)
  return row => (present(row) ? String(vector.values[row]!) : null)
}

function decimalText(units: bigint, scale: number): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Sums a slot: in doubles while they are exact, carried over to integers of any size before they are not. */
class Sum {
  readonly #small: Float64Array
  #large: bigint[] | undefined
  /** how far any slot of `#small` may be from zero */
  #reach = 0

  constructor(slots: number) {
    this.#small = new Float64Array(slots)
  }

  count(slot: Uint32Array, taken: Uint8Array | null): void {
    this.#makeRoom(slot.length)
    for (let row = 0; row < slot.length; row++) this.#small[slot[row]!]! += taken === null ? 1 : taken[row]!
  }

  add(
    { values, valid }: Extract<Vector, { kind: 'number' }>,
    slot: Uint32Array,
    taken: Uint8Array | null,
  ): void {
    const skipped = (row: number) =>
      (taken !== null && taken[row] === 0) || (valid !== null && valid[row] === 0)
    if (values instanceof BigInt64Array) {
      const large = this.#widen()
      for (let row = 0; row < slot.length; row++) if (!skipped(row)) large[slot[row]!]! += values[row]!
      return
    }
    let most = 0
    for (let row = 0; row < values.length; row++) most = Math.max(most, Math.abs(values[row]!))
    const step = Math.max(1, Math.floor(2 ** 52 / Math.max(1, most)))
    for (let from = 0; from < slot.length; from += step) {
      const to = Math.min(slot.length, from + step)
      this.#makeRoom((to - from) * most)
      for (let row = from; row < to; row++) if (!skipped(row)) this.#small[slot[row]!]! += values[row]!
    }
  }

  /** Doubles where the bound lets them be exact. */
  values(bound: bigint): SlotValues {
    if (this.#large === undefined && bound < 2n ** 53n) return this.#small
    return this.#carry()
  }

  #makeRoom(further: number): void {
    if (this.#reach + further > Number.MAX_SAFE_INTEGER) this.#carry()
    this.#reach += further
  }

  #carry(): bigint[] {
    const large = this.#widen()
    for (let slot = 0; slot < large.length; slot++) large[slot]! += BigInt(this.#small[slot]!)
    this.#small.fill(0)
    this.#reach = 0
    return large
  }

  #widen(): bigint[] {
    this.#large ??= new Array<bigint>(this.#small.length).fill(0n)
    return this.#large
  }
}
