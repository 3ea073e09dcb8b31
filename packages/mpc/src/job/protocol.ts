import { timingSafeEqual } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import { receiveOpened } from '../protocols/replicated/open.js'
import { eachIn, type OpenedEach } from '../protocols/replicated/opening.js'
import type { Party } from '../protocols/replicated/party.js'
import { type Arithmetic, add } from '../protocols/replicated/shares.js'
import {
  type Cells,
  cellsIn,
  noneOrEnough,
  type OpenedCells,
  openAtLeast,
  type RowCount,
  type Measure as SharedMeasure,
  totals,
} from '../protocols/replicated/totals.js'
import type { Protocol } from '../session/protocol.js'
import type { Chunk } from './clear.js'
import { memoryExceeded } from './invalid.js'
import { type JointJob, type JointOperation, partyIndex } from './job.js'
import { holdPicked, withPicked } from './ordered.js'
import { categoriesOf, groupsOf, type Query, rowsOfGuard } from './query.js'
import { computingOf } from './roles.js'
import { type Share, sharesOf } from './share.js'
import { SharedRows, shareRows } from './shared.js'
import { binRows } from './statistics/binning.js'
import { openDerived } from './statistics/deriving.js'

/** One operation of a job, as one participant runs it. */
export interface Running {
  readonly job: JointJob
  readonly operation: JointOperation
  readonly query: Query
  readonly shares: readonly Share[]
  /** index of this participant */
  readonly self: number
  /** not given at a provider, which computes nothing */
  readonly party?: Party
}

/** 64-bit elements that one party holds at a time for some rows, at most; beyond it, chunks win nothing. */
const CHUNK_ELEMENTS = 2 ** 22
/** What kernels and messages take beside the shares: so many bytes of memory for each element. */
export const ELEMENT_BYTES = 32
const WORD = 64

export function running(
  job: JointJob,
  operation: JointOperation,
  query: Query,
  self: number,
  party: Party | undefined,
): Running {
  return { job, operation, query, shares: sharesOf(query), self, ...(party !== undefined && { party }) }
}

/**
 * How many rows are computed at a time: the same at all parties, since the job alone decides. For each row a party holds
 * two shares of each column, and of each cell of the dimensions before the last.
 *
 * @param copies of each value that a party holds at a time
 * @throws SluiceError MEMORY_EXCEEDED where the job allows no memory for 64 rows
 */
export function chunkRows(
  { job, query, shares }: Pick<Running, 'job' | 'query' | 'shares'>,
  copies = 2,
): number {
  const before = query.bins === undefined ? query.keys.slice(0, -1) : query.keys
  const outer = before.reduce((cells, { column }) => cells * categoriesOf(column).length, 1)
  const edges = query.bins === undefined ? 0 : 12 * query.bins.edges.length
  const counted = (query.guards ?? []).flatMap(rowsOfGuard).length
  const columns = copies * (shares.length + outer * (1 + 2 * (query.measures.length + counted))) + 16 + edges
  const elements = Math.min(CHUNK_ELEMENTS, Math.floor(job.limits.memory / ELEMENT_BYTES))
  const rows = Math.floor(elements / columns / WORD) * WORD
  if (rows > 0) return rows
  const needed = columns * WORD * ELEMENT_BYTES
  throw memoryExceeded(needed, job.limits.memory)
}

/**
 * The owners of joined inputs show the computing parties that their rows are the same entities in the same order, by
 * digests under the session's identifier.
 *
 * @param alignment 32 bytes of each input that this participant owns, by its name
 * @throws SluiceError JOB_MISMATCH naming whose rows are others
 */
export function* compareRows(
  { job, query, self }: Pick<Running, 'job' | 'query' | 'self'>,
  alignment: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): Protocol<void> {
  if (query.inputs.length < 2) return
  const computing = computingOf(job)
  const mine = query.inputs.filter(({ owner }) => partyIndex(job, owner) === self)
  const others = query.inputs.filter(({ owner }) => partyIndex(job, owner) !== self)
  const received = yield {
    send: mine.flatMap(({ name }) =>
      computing.filter(to => to !== self).map(to => ({ to, bytes: alignment.get(name)! })),
    ),
    receive: computing.includes(self)
      ? others.map(({ owner }) => ({ from: partyIndex(job, owner), bytes: ALIGNMENT_BYTES }))
      : [],
  }
  if (!computing.includes(self)) return
  const digests = new Map([
    ...mine.map(({ name }) => [name, alignment.get(name)!] as const),
    ...others.map(({ name }, place) => [name, received[place]!] as const),
  ])
  const [first, ...rest] = [...mine, ...others]
  for (const input of rest) {
    if (timingSafeEqual(digests.get(first!.name)!, digests.get(input.name)!)) continue
    throw new SluiceError(
      'JOB_MISMATCH',
      `the rows of "${input.name}", given by "${input.owner}", are not those of "${first!.name}", in their order`,
      {
        rule: 'job.rows',
        remedy: 'Agree on the list of entities first, and give one row for each.',
        facts: { party: input.owner },
      },
    )
  }
}

const ALIGNMENT_BYTES = 32

/**
 * Some rows of an operation: columns are shared, conditions evaluated, cells totalled, still shared. A condition or a
 * value over columns of one owner is computed by that owner and shared as its outcome; what concerns several owners is
 * computed on shares. A null meets no condition and is in no total.
 *
 * @param rows all of them, where the query opens single values
 * @param weights of a model, where the query has one
 * @returns nothing at a provider
 */
export function* totalRows(
  { job, query, shares, self, party }: Running,
  rows: number,
  own: Chunk | undefined,
  weights?: Arithmetic,
): Protocol<Cells | undefined> {
  const indexOf = (owner: string) => partyIndex(job, owner)
  const participant = { self, indexOf, ...(party !== undefined && { party }) }
  const columns = yield* shareRows(shares, participant, rows, own)
  if (party === undefined) return undefined
  const shared = new SharedRows(party, rows, columns)
  const dimensions: Arithmetic[][] = query.keys.map(key => shared.categories(key))
  if (query.condition !== null) {
    // a filter is a dimension of one category
    dimensions.unshift([yield* shared.condition(query.condition)])
  }
  if (query.bins !== undefined) {
    const { flags, present } = yield* binRows(party, shared, query.bins, weights)
    if (present !== undefined) dimensions.unshift([present])
    dimensions.push(flags)
  }
  const measures: (SharedMeasure | RowCount)[] = []
  for (const measure of query.measures) {
    const everywhere = measure.kind === 'rows' && measure.where === undefined
    measures.push(everywhere ? { rows } : yield* shared.measure(measure))
  }
  // rows that decide whether a measure is opened are counted after all measures, guard by guard
  for (const condition of (query.guards ?? []).flatMap(rowsOfGuard)) {
    const values = yield* shared.condition(condition)
    measures.push({ values, present: values })
  }
  const cells = yield* totals(party, dimensions, measures)
  return yield* withPicked(party, shared, query, dimensions, cells)
}

/** Totals of further rows. */
export function addCells(before: Cells | undefined, cells: Cells): Cells {
  if (before === undefined) return cells
  const sum = (a: readonly Arithmetic[], b: readonly Arithmetic[]) =>
    a.map((shares, place) => add(shares, b[place]!))
  return { counts: sum(before.counts, cells.counts), sums: sum(before.sums, cells.sums) }
}

/** Opens what has the minimum of entities, to the operation's receivers alone. */
export function* openTotals(
  { job, operation, query, self, party }: Running,
  cells: Cells | undefined,
): Protocol<OpenedCells | undefined> {
  const receivers = operation.receivers.map(name => partyIndex(job, name))
  if (party !== undefined) {
    const minimum = BigInt(job.minimumEntities)
    if (query.derived === undefined) {
      const { measures, further } = yield* guarded(party, query, cells!, minimum)
      const held = holdPicked(party, query, measures, minimum, further)
      return yield* openAtLeast(party, held.cells, minimum, receivers, held.further)
    }
    return derivedCells(yield* openDerived(party, query, cells!, { minimum, receivers }))
  }
  if (!receivers.includes(self)) return undefined
  if (query.derived !== undefined)
    return derivedCells(eachIn(yield* receiveOpened(2 * groupsOf(query).length), 1))
  const { length } = query.measures
  return cellsIn(yield* receiveOpened(3 * length * groupsOf(query).length), length)
}

/** Apart: the measures' cells, and by measure what else has to reach the minimum. */
function* guarded(
  party: Party,
  { measures, guards = [] }: Query,
  { counts, sums }: Cells,
  minimum: bigint,
): Protocol<{ readonly measures: Cells; readonly further: Arithmetic[][] }> {
  const left = counts.slice(measures.length)
  const further: Arithmetic[][] = []
  for (const { enough, noneOrEnough: leftOver } of guards) {
    const reaching = left.splice(0, enough.length)
    further.push([...reaching, ...(yield* noneOrEnough(party, left.splice(0, leftOver.length), minimum))])
  }
  const { length } = measures
  return { measures: { counts: counts.slice(0, length), sums: sums.slice(0, length) }, further }
}

/** One value of each cell, without a count. */
function derivedCells(opened: OpenedEach | undefined): OpenedCells | undefined {
  return opened && { passed: [opened.passed], counts: [], sums: opened.values }
}
