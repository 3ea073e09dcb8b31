import type { RecordBatch } from 'apache-arrow'
import { SluiceError } from '../errors.js'
import type { ColumnId } from '../plan/expression.js'
import type { Aggregate, PlanNode } from '../plan/node.js'
import { type Aggregation, componentBounds, shapeOf } from './aggregation.js'
import { outOfRange, type SlotValues } from './contribute.js'
import { type Batch, evaluate, numberOf, truths } from './evaluate.js'
import { slotFinder } from './group-slots.js'
import { type Interval, intervalsOf } from './intervals.js'
import { localAggregate } from './layout.js'
import { SlotSums } from './slot-sums.js'
import { readColumn, type Vector } from './vectors.js'

/** Arrow record batches with the columns that an aggregation's plan reads. */
export type Rows = Iterable<RecordBatch> | AsyncIterable<RecordBatch>

export interface CellsOptions {
  readonly signal?: AbortSignal
  /** numbers that are in memory at once: slots of a run times components */
  readonly atOnce?: number
}

/** 128 MiB of doubles. */
const AT_ONCE = 2 ** 24

/**
 * What a contributor encrypts, computed from its rows: runs of slots, for each component a list, a slot a group. Batches
 * are read one at a time, and one run's numbers are in memory. Rows come in any order, so where the slots are more than
 * one run they are read again for the next: `rows` is then a function that begins them anew, or an array.
 *
 * @throws SluiceError SCHEMA_CHANGED; PARAMETER_INVALID `he.range` (a value outside its column's declared range, or too
 * many rows of one group), `he.group` (a row of a group that is not in the public list), `he.reread`;
 * FINGERPRINT_MISMATCH (other rows when they were read again); EVIDENCE_UNDEFINED; INTERRUPTED
 */
export async function* cellsOf(
  aggregation: Aggregation,
  rows: Rows | (() => Rows),
  { signal, atOnce = AT_ONCE }: CellsOptions = {},
): AsyncGenerator<SlotValues[]> {
  const { set, slots, components } = shapeOf(aggregation)
  const length = set.degree * Math.max(1, Math.floor(atOnce / (components * set.degree)))
  if (slots > length && typeof rows !== 'function' && !Array.isArray(rows)) {
    throw new SluiceError('PARAMETER_INVALID', 'there are more groups than fit one reading of the rows', {
      rule: 'he.reread',
      remedy: 'Give a function that begins the rows anew for each reading.',
    })
  }
  let known: number | undefined
  for (let first = 0; first < slots; first += length) {
    const run = new SlotRun(aggregation, first, Math.min(length, slots - first))
    for await (const batch of typeof rows === 'function' ? rows() : rows) {
      signal?.throwIfAborted()
      run.add(batch)
    }
    known ??= run.rows
    if (run.rows !== known) throw otherRows()
    yield run.values()
  }
}

/** The sums of slots that follow each other. */
class SlotRun {
  /** that were read, whatever their slots */
  rows = 0
  readonly #aggregation: Aggregation
  readonly #first: number
  readonly #length: number
  readonly #whole: boolean
  readonly #local: Aggregate
  readonly #intervals: ReadonlyMap<ColumnId, Interval>
  readonly #find: ReturnType<typeof slotFinder>
  readonly #sums: readonly SlotSums[]
  /** rows of every slot, whatever the plan counts */
  readonly #counts: SlotSums

  constructor(aggregation: Aggregation, first: number, length: number) {
    this.#aggregation = aggregation
    this.#first = first
    this.#length = length
    this.#whole = length === shapeOf(aggregation).slots
    this.#local = localAggregate(aggregation.local)
    this.#intervals = intervalsOf(this.#local.input, aggregation.columns)
    this.#find = slotFinder(aggregation.groups)
    const bounds = componentBounds(aggregation)
    this.#sums = bounds.map(bound => new SlotSums(length, bound))
    const all = this.#local.aggregates.findIndex(
      column => column.function === 'count' && column.argument === null && column.filter === null,
    )
    this.#counts = this.#sums[all] ?? new SlotSums(length, BigInt(aggregation.rowsPerGroup))
  }

  add(rows: RecordBatch): void {
    this.rows += rows.numRows
    const { input, keys, aggregates } = this.#local
    const batch = chosen(input, scanned(input, rows, this.#intervals))
    const found = this.#find(
      keys.map(({ expression }) => evaluate(expression, batch)),
      batch.rows,
    )
    const { slot, within } = this.#whole ? { slot: found, within: batch } : this.#within(found, batch)
    if (within.rows === 0) return
    if (!this.#sums.includes(this.#counts)) this.#counts.count(slot, null)
    for (const [index, { argument, filter, function: name }] of aggregates.entries()) {
      const taken = filter === null ? null : truths(filter, within)
      if (name === 'count' || argument === null) this.#sums[index]!.count(slot, taken)
      else this.#sums[index]!.add(numberOf(argument, within), slot, taken)
    }
  }

  values(): SlotValues[] {
    const most = this.#aggregation.rowsPerGroup
    if (this.#counts.values().some(count => count > most)) throw outOfRange('the number of rows of a group')
    return this.#sums.map(sums => sums.values())
  }

  /** The rows whose slots are of this run. */
  #within(found: Uint32Array, batch: Batch): { slot: Uint32Array; within: Batch } {
    const end = this.#first + this.#length
    const keep = Uint8Array.from(found, slot => (slot >= this.#first && slot < end ? 1 : 0))
    const slot = found.filter((_, row) => keep[row] === 1).map(place => place - this.#first)
    return { slot, within: keptRows(batch, keep, slot.length) }
  }
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
    return keptRows(
      batch,
      keep,
      keep.reduce((sum, bit) => sum + bit, 0),
    )
  }
  if (node.kind === 'project') {
    const batch = chosen(node.input, scan)
    const columns = node.columns.map(({ id, expression }) => [id, evaluate(expression, batch)] as const)
    return { rows: batch.rows, columns: new Map(columns) }
  }
  return scan
}

function keptRows(batch: Batch, keep: Uint8Array, rows: number): Batch {
  if (rows === batch.rows) return batch
  const columns = [...batch.columns].map(([id, vector]) => [id, kept(vector, keep, rows)] as const)
  return { rows, columns: new Map(columns) }
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

function otherRows(): SluiceError {
  return new SluiceError('FINGERPRINT_MISMATCH', 'the rows were others when they were read again', {
    rule: 'he.reread',
    remedy: 'Use a file that nobody writes while it is read.',
  })
}
