import { SluiceError } from '@sluice/core'
import { SIGNED_BOUND } from '../field/kernels.js'
import { type FieldCells, LARGEST_MINIMUM, type OpenedFieldCells } from '../protocols/field/minimum.js'
import { type FieldMeasure, totals } from '../protocols/field/totals.js'
import type { OpenedCells } from '../protocols/replicated/totals.js'
import type { Words } from '../ring/slots.js'
import type { Protocol } from '../session/protocol.js'
import type { Chunk } from './clear.js'
import { type Condition, ownerOf } from './expression.js'
import { refused } from './invalid.js'
import { type JointJob, type JointOperation, partyIndex } from './job.js'
import { chunkRows, type Running } from './protocol.js'
import { categoriesOf, type Query } from './query.js'
import { computingOf, sharingOf } from './roles.js'
import { partsOf, sharesOf } from './share.js'
import { giveRows, RowsOn, shareRowsOn } from './shared.js'
import { dealtProvider, startDealing, startDealt } from './sharing/dealer.js'
import type { CellsForm, FieldProvider, FieldSharing } from './sharing/field.js'
import { shamirProvider, startShamir } from './sharing/shamir.js'

/** One operation of a job over the field, as one participant runs it: at a provider, `side` is no sharing. */
export interface FieldRunning extends Omit<Running, 'party'> {
  readonly side: FieldSharing | FieldProvider
}

/**
 * What jobs compute by Shamir's sharing or with a dealer: totals whose comparisons concern one owner each, below 2^60.
 *
 * @throws SluiceError SQL_REFUSED `mpc.…`, naming what needs replicated sharing
 */
export function checkField(job: JointJob, operation: JointOperation, query: Query): void {
  if (sharingOf(job).kind === 'replicated') return
  if (operation.statistic !== undefined)
    throw refused('statistic', 'a statistic takes three parties with replicated sharing')
  if (query.measures.some(({ where }) => where !== undefined))
    throw refused('filter', 'an aggregate’s own condition takes three parties with replicated sharing')
  if (query.relation !== undefined)
    throw refused('key', 'a secret key takes three parties with replicated sharing')
  if (query.condition !== null && comparesOwners(query.condition))
    throw refused(
      'comparison',
      'a comparison of several owners’ columns takes three parties with replicated sharing',
    )
  for (const measure of query.measures) {
    if (measure.kind === 'rows') continue
    const bounds = [
      measure.value.bound * BigInt(query.rows),
      ...partsOf(measure.value).map(({ bound }) => bound),
    ]
    if (measure.kind === 'values' && bounds.some(bound => bound >= SIGNED_BOUND))
      throw refused('bound', 'a value or a total of this bound could reach 2^60, and would wrap in the field')
  }
  if (BigInt(job.minimumEntities) > LARGEST_MINIMUM)
    throw refused('minimum', `a minimum of entities above ${LARGEST_MINIMUM} takes replicated sharing`)
}

export function formOf(query: Query): CellsForm {
  return {
    cells: query.measures.length * widthOf(query),
    products: query.condition !== null || query.keys.length > 0,
  }
}

/**
 * What a participant of the job does by its role, once the session has begun: keys, and what is prepared.
 *
 * @param forms of all operations, in their order
 */
export function* startField(
  job: JointJob,
  self: number,
  session: string,
  forms: readonly CellsForm[],
): Protocol<FieldSharing | FieldProvider> {
  const sharing = sharingOf(job)
  const size = computingOf(job).length
  const minimum = BigInt(job.minimumEntities)
  if (sharing.kind === 'shamir') {
    const committee = { size, threshold: sharing.threshold }
    return self < size ? yield* startShamir(self, committee, minimum, forms) : shamirProvider(committee)
  }
  const circle = { size, dealer: size }
  if (self < size) return yield* startDealt(self, circle, session, minimum)
  return self === circle.dealer ? yield* startDealing(circle, session, minimum) : dealtProvider(circle)
}

export function fieldRunning(
  job: JointJob,
  operation: JointOperation,
  query: Query,
  self: number,
  side: FieldSharing | FieldProvider,
): FieldRunning {
  return { job, operation, query, shares: sharesOf(query), self, side }
}

/** As `chunkRows`; an owner holds a share of its columns for every party. */
export function fieldChunkRows(run: Pick<FieldRunning, 'job' | 'query' | 'shares'>): number {
  return chunkRows(run, computingOf(run.job).length + 2)
}

/**
 * Some rows of an operation: shared, chosen, totalled, the cells still shared and not settled yet.
 *
 * @returns nothing at a provider
 */
export function* totalFieldRows(
  { job, query, shares, self, side }: FieldRunning,
  rows: number,
  own: Chunk | undefined,
): Protocol<FieldCells | undefined> {
  const participant = { self, indexOf: (owner: string) => partyIndex(job, owner) }
  if ('provide' in side) {
    yield* giveRows(side.provide, shares, participant, own)
    return undefined
  }
  const shared = new RowsOn(side, rows, yield* shareRowsOn(side, shares, participant, rows, own))
  const dimensions: Words[][] = query.keys.map(key => shared.categories(key))
  // a filter is a dimension of one category
  if (query.condition !== null) dimensions.unshift([yield* shared.condition(query.condition)])
  const measures: FieldMeasure[] = []
  for (const measure of query.measures)
    measures.push(measure.kind === 'rows' ? {} : yield* shared.measure(measure))
  return yield* totals(side, rows, dimensions, measures)
}

/** Opens what has the minimum of entities, to the operation's receivers alone. */
export function* openFieldTotals(
  { job, operation, query, self, side }: FieldRunning,
  cells: FieldCells | undefined,
): Protocol<OpenedCells | undefined> {
  const receivers = operation.receivers.map(name => partyIndex(job, name))
  if (!('provide' in side)) {
    const opened = yield* side.openAtLeast(cells!, receivers)
    return opened && cellsIn(opened, query)
  }
  if (!receivers.includes(self)) return undefined
  return cellsIn(yield* side.receiveAtLeast(formOf(query).cells), query)
}

function cellsIn({ passed, counts, sums }: OpenedFieldCells, query: Query): OpenedCells {
  const width = widthOf(query)
  const measures = query.measures.map((_, measure) => [measure * width, (measure + 1) * width] as const)
  return {
    passed: measures.map(([start, end]) => passed.slice(start, end)),
    counts: measures.map(([start, end]) => counts.slice(start, end)),
    sums: measures.map(([start, end]) => sums.slice(start, end)),
  }
}

function widthOf({ keys }: Query): number {
  return keys.reduce((cells, { column }) => cells * categoriesOf(column).length, 1)
}

function comparesOwners(condition: Condition): boolean {
  if (ownerOf(condition) !== undefined) return false
  if (condition.kind === 'otherwise') return comparesOwners(condition.part)
  return 'parts' in condition ? condition.parts.some(comparesOwners) : true
}

/** Elements that a party holds for each product of the test, with all that prepares it. */
const TEST_ELEMENTS = 40

/**
 * The test of a minimum k takes k products for each cell, all of them prepared at once.
 *
 * @throws SluiceError MEMORY_EXCEEDED
 */
export function checkTests(job: JointJob, queries: readonly Query[]): void {
  const { limits, minimumEntities } = job
  if (sharingOf(job).kind === 'replicated') return
  const cells = queries.reduce((total, query) => total + formOf(query).cells, 0)
  const needed = cells * minimumEntities * TEST_ELEMENTS * 8
  if (needed <= limits.memory) return
  throw new SluiceError(
    'MEMORY_EXCEEDED',
    `the test of the minimum needs ${needed} bytes of memory, and the job allows ${limits.memory}`,
    {
      rule: 'job.limits',
      remedy: 'Make a job that allows more memory, or has fewer cells or a lower minimum.',
      facts: { needed, allowed: limits.memory },
    },
  )
}
