import { isSluiceError, SluiceError } from '@sluice/core'
import {
  firstOfEach,
  groupBy,
  groupsIn,
  type OpenedGroups,
  openGroups,
  type SecretGroups,
} from '../protocols/replicated/group.js'
import { join } from '../protocols/replicated/join.js'
import { multiply } from '../protocols/replicated/multiply.js'
import { receiveOpened } from '../protocols/replicated/open.js'
import type { Party } from '../protocols/replicated/party.js'
import { type Arithmetic, known } from '../protocols/replicated/shares.js'
import type { SortKey } from '../protocols/replicated/sort.js'
import { noneOrEnough, type Measure as SharedMeasure } from '../protocols/replicated/totals.js'
import type { Protocol } from '../session/protocol.js'
import type { Chunk } from './clear.js'
import type { Condition } from './expression.js'
import { memoryExceeded } from './invalid.js'
import { partyIndex } from './job.js'
import { type Key, widthOf } from './key.js'
import type { Running } from './protocol.js'
import { cellsOf, countsAll, isListed } from './query.js'
import { inputNameOf, once, type RelationalQuery, type Share, shareName, wantedAfter } from './share.js'
import { SharedRows, shareRows } from './shared.js'

/** A query of which the relation is known to be there. */
export interface Relational extends Running {
  readonly query: RelationalQuery
}

/** Rows on shares, and which of them count. */
interface Rows {
  readonly shared: SharedRows
  readonly where?: Arithmetic
}

/**
 * An operation whose rows are looked up by secret keys, or grouped by them: tables are shared whole, looked up one after
 * the other, totalled by sorting, and what has the minimum of rows and of every entity's different values is opened, to
 * the receivers alone. Which rows meet stays shared, as a column of zeros and ones.
 *
 * @param own this participant's rows of each table, where it owns some
 * @param onStep called with how much is done, from 0 to 1
 * @throws SluiceError PARAMETER_INVALID where a key that is looked up is there twice; all parties learn it
 */
export function* openRelation(
  run: Relational,
  own: readonly (Chunk | undefined)[],
  onStep: (done: number) => void = () => undefined,
): Protocol<OpenedGroups | undefined> {
  const { query, party } = run
  const { tables } = query.relation
  const steps = tables.length + 1
  if (party === undefined) {
    for (const table of tables.keys()) yield* sharedTable(run, table, own[table])
    return yield* received(run)
  }
  let rows = yield* rowsOf(run, 0, own[0])
  for (const table of tables.keys()) {
    if (table > 0) rows = yield* lookedUp(run, party, rows, table, own[table])
    onStep((table + 1) / steps)
  }
  if (query.condition !== null) {
    const flags = yield* rows.shared.condition(query.condition)
    rows = { ...rows, where: yield* both(party, rows.where, flags) }
  }
  const groups = yield* grouped(run, party, rows)
  const opened = yield* openGroups(party, groups, BigInt(run.job.minimumEntities), receiversOf(run))
  onStep(1)
  return opened
}

/** A table's columns, by the names of their shares. */
function* sharedTable(
  { job, query, shares, self, party }: Relational,
  table: number,
  own: Chunk | undefined,
): Protocol<ReadonlyMap<string, Arithmetic>> {
  const indexOf = (owner: string) => partyIndex(job, owner)
  const participant = { self, indexOf, ...(party !== undefined && { party }) }
  return yield* shareRows(
    shares.filter(ofTable(query, table)),
    participant,
    query.relation.tables[table]!.rows,
    own,
  )
}

function* rowsOf(run: Relational, table: number, own: Chunk | undefined): Protocol<Rows> {
  const { rows, condition } = run.query.relation.tables[table]!
  const shared = new SharedRows(run.party!, rows, yield* sharedTable(run, table, own))
  return condition === null ? { shared } : { shared, where: yield* shared.condition(condition) }
}

/** Every row before, with the one row of the table that has its key; rows without one no longer count. */
function* lookedUp(
  run: Relational,
  party: Party,
  before: Rows,
  table: number,
  own: Chunk | undefined,
): Protocol<Rows> {
  const { on } = run.query.relation.tables[table]!
  const rows = yield* rowsOf(run, table, own)
  const left = yield* keysOf(
    party,
    before,
    on.map(({ before: key }) => key),
  )
  const right = yield* keysOf(
    party,
    rows,
    on.map(({ own: key }) => key),
  )
  const moved = once(wantedAfter(run.query, table)).filter(ofTable(run.query, table))
  const columns = moved.map(share => rows.shared.column(share))
  const { matched, columns: found } = yield* named(run, table, join(party, left, { ...right, columns }))
  const all = new Map(before.shared.columns)
  moved.forEach((share, place) => {
    all.set(shareName(share), found[place]!)
  })
  return { shared: new SharedRows(party, before.shared.rows, all), where: matched }
}

/** Keys to sort by, and which rows have them all. */
function* keysOf(
  party: Party,
  { shared, where }: Rows,
  keys: readonly Key[],
): Protocol<{ keys: SortKey[]; present?: Arithmetic }> {
  const columns: SortKey[] = []
  let present = where
  for (const key of keys) {
    const found = yield* shared.key(key)
    columns.push(...found.columns)
    if (found.present !== undefined) present = yield* both(party, present, found.present)
  }
  return present === undefined ? { keys: columns } : { keys: columns, present }
}

function* grouped({ query, job }: Relational, party: Party, rows: Rows): Protocol<SecretGroups> {
  const minimum = BigInt(job.minimumEntities)
  const { keys: wanted, entities } = query.relation
  const { keys: found, present: where } = yield* keysOf(party, rows, wanted)
  // without a key all rows are one group
  const nothing = { values: known(party, new BigUint64Array(rows.shared.rows)), bits: 1 }
  const keys = found.length === 0 ? [nothing] : found
  const entityKeys: SortKey[][] = []
  for (const entity of entities) entityKeys.push((yield* keysOf(party, rows, entity)).keys)
  function* distinct(counting: Arithmetic | undefined): Protocol<Arithmetic[]> {
    const marks: Arithmetic[] = []
    for (const entity of entityKeys) marks.push(yield* firstOfEach(party, [...keys, ...entity], counting))
    return marks
  }
  // the rows that a condition picks and, by each table, their entities
  function* counted(condition: Condition): Protocol<Arithmetic[]> {
    const picked = yield* both(party, where, yield* rows.shared.condition(condition))
    return [picked, ...(yield* distinct(picked))]
  }
  const measures: SharedMeasure[] = []
  const leftOver: number[] = []
  for (const [place, measure] of query.measures.entries()) {
    if (countsAll(query, place)) continue
    const shared = yield* rows.shared.measure(measure)
    const { present } = shared
    const marks = present === undefined ? [] : yield* distinct(yield* both(party, where, present))
    const guard = query.guards?.[place]
    for (const condition of guard?.enough ?? []) marks.push(...(yield* counted(condition)))
    const reaching = marks.length
    for (const condition of guard?.noneOrEnough ?? []) marks.push(...(yield* counted(condition)))
    leftOver.push(marks.length - reaching)
    measures.push(marks.length === 0 ? shared : { ...shared, distinct: marks })
  }
  const groups = yield* groupBy(party, keys, measures, {
    distinct: yield* distinct(where),
    ...(where !== undefined && { where }),
    ...(isListed(wanted) && { maximumGroups: cellsOf(wanted) }),
  })
  return yield* tested(party, groups, leftOver, minimum)
}

/** Of each measure, the last so many counts are of rows that have to be nobody's, or enough. */
function* tested(
  party: Party,
  groups: SecretGroups,
  leftOver: readonly number[],
  minimum: bigint,
): Protocol<SecretGroups> {
  const measures: SecretGroups['measures'][number][] = []
  for (const [place, measure] of groups.measures.entries()) {
    const reaching = measure.distinct.length - leftOver[place]!
    const turned = yield* noneOrEnough(party, measure.distinct.slice(reaching), minimum)
    measures.push({ ...measure, distinct: [...measure.distinct.slice(0, reaching), ...turned] })
  }
  return { ...groups, measures }
}

/** The side of a participant that computes nothing. */
function* received(run: Relational): Protocol<OpenedGroups | undefined> {
  if (!receiversOf(run).includes(run.self)) return undefined
  const { rows, measures, relation } = run.query
  const most = isListed(relation.keys) ? Math.min(rows, cellsOf(relation.keys)) : rows
  const flags = yield* receiveOpened(most)
  const groups = flags.reduce((count, flag) => (flag === 1n ? count + 1 : count), 0)
  const keys = Math.max(
    1,
    relation.keys.reduce((width, key) => width + widthOf(key), 0),
  )
  const totalled = measures.filter((_, place) => !countsAll(run.query, place)).length
  return groupsIn(yield* receiveOpened(groups * (1 + keys + 3 * totalled)), keys, totalled)
}

/** Tables are numbered as they are scanned, and looked up in another order. */
function ofTable({ relation }: RelationalQuery, place: number): (share: Share) => boolean {
  const names = new Set(relation.tables[place]!.inputs.map(({ name }) => name))
  return share => names.has(inputNameOf(share))
}

function* both(party: Party, a: Arithmetic | undefined, b: Arithmetic): Protocol<Arithmetic> {
  return a === undefined ? b : yield* multiply(party, a, b)
}

function receiversOf({ job, operation }: Running): number[] {
  return operation.receivers.map(name => partyIndex(job, name))
}

/** A key that is there twice is said of the input. */
function* named<T>({ query }: Relational, table: number, joining: Protocol<T>): Protocol<T> {
  try {
    return yield* joining
  } catch (error) {
    if (!(isSluiceError(error) && error.rule === 'mpc.join')) throw error
    const [input] = query.relation.tables[table]!.inputs
    throw new SluiceError(
      'PARAMETER_INVALID',
      `a key of "${input!.name}", which is looked up, is there twice`,
      {
        rule: 'mpc.join',
        remedy: 'Write the table with one row for each key after JOIN, or name all columns that make a key.',
        facts: { party: input!.owner },
      },
    )
  }
}

/**
 * Tables are needed whole: so much memory at a party, at most.
 *
 * @throws SluiceError MEMORY_EXCEEDED
 */
export function checkRelationMemory({ job, query, shares }: Relational): void {
  const needed = memoryOf(query, shares)
  if (needed > job.limits.memory) throw memoryExceeded(needed, job.limits.memory)
}

/** What a sort takes at its height, and every column that is moved with it, in bytes for each row. */
const SORT_BYTES = 400
const COLUMN_BYTES = 64

function memoryOf({ relation, measures, guards = [] }: RelationalQuery, shares: readonly Share[]): number {
  const { tables, keys, entities } = relation
  const rows = tables.map(table => table.rows)
  const sorted = rows[0]! + Math.max(0, ...rows.slice(1))
  const width = [...keys, ...entities.flat()].reduce((sum, key) => sum + widthOf(key), 0)
  const counted = guards.reduce((sum, guard) => sum + guard.enough.length + guard.noneOrEnough.length, 0)
  const columns =
    shares.length +
    width +
    measures.length * (2 + entities.length) +
    (1 + counted) * (1 + entities.length) +
    1
  return sorted * (SORT_BYTES + COLUMN_BYTES * columns)
}
