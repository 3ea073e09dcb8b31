import { type Evidence, unsettled } from '@sluice/core/disclosure'
import type { ReleaseShape } from '@sluice/core/plan'
import { doublesOf, malformed } from '../columns.js'
import type { Binding, RawColumns, Session } from '../session.js'
import {
  cellsStatement,
  type EvidenceQuery,
  exactEvidence,
  furtherBounds,
  type Rows,
  UNSETTLED,
} from './cells.js'
import type { EntitySource } from './entities.js'

type Limits = Parameters<Session['query']>[1]

export interface GatherLimits extends Limits {
  /** what a pass that counts exactly may hold of entities, in bytes */
  readonly passBytes: number
}

/** Makes the table of cells in the child, with bounds from the same pass over the rows. */
export async function makeCells(
  session: Session,
  rows: Rows,
  release: Extract<ReleaseShape, { mode: 'aggregate' }>,
  bindings: readonly Binding[],
): Promise<EvidenceQuery> {
  const cells = cellsStatement(rows, release)
  await session.execute({ sql: cells.sql, bindings })
  return cells
}

/**
 * Evidence for every obligation: bounds for all cells, then, for each scan on its own, exact counts for those cells
 * that its bounds do not settle (core's `unsettled` says which). Nothing here decides what is safe.
 *
 * @param cells the query that made the cells, and what its evidence columns hold, in the cells' order
 */
export async function gatherEvidence(
  session: Session,
  rows: Rows,
  cells: { readonly query: EvidenceQuery; readonly columns: EvidenceColumns; readonly count: number },
  bindings: readonly Binding[],
  limits: GatherLimits,
): Promise<Evidence[]> {
  const found: Evidence[] = []
  const { count } = cells
  for (const source of rows.sources) {
    const isFirst = cells.query.readings.some(reading => reading.source === source.source)
    const query = isFirst || source.kind === 'row' ? cells.query : furtherBounds(rows, source)
    const bounds = isFirst ? cells.columns : await read(session, query.sql, query, bindings, count, limits)
    const evidence = query.readings
      .filter(reading => reading.source === source.source)
      .map(reading => boundsOf(reading, bounds, source, count))
    const attributed = attributedOf(source, query, bounds)
    const open = openCells(source, evidence, attributed, rows.cells)
    for (let at = 0; at < open.length; at += CELLS_AT_ONCE) {
      const some = open.slice(at, at + CELLS_AT_ONCE)
      const passes = passesFor(rows, some, attributed, limits.passBytes)
      await settle(session, rows, source, evidence, { open: some, passes }, bindings, limits)
    }
    found.push(...evidence)
  }
  return found
}

/** The evidence columns of a result, by alias; `first` is where they begin. */
export function evidenceColumns(result: RawColumns, query: EvidenceQuery, first: number): EvidenceColumns {
  return new Map(query.columns.map((name, index) => [name, doublesOf(result, first + index)]))
}

export type EvidenceColumns = ReadonlyMap<string, Float64Array>

async function read(
  session: Session,
  sql: string,
  query: EvidenceQuery,
  bindings: readonly Binding[],
  count: number,
  limits: Limits,
): Promise<EvidenceColumns> {
  if (query.columns.length === 0) return new Map()
  const result: RawColumns = await session.query({ sql, bindings }, limits)
  if (result.rows !== count) throw malformed()
  return evidenceColumns(result, query, 0)
}

/** A row is its own entity: counts are exact, and so is everything where nothing is summed. */
function boundsOf(
  reading: EvidenceQuery['readings'][number],
  columns: EvidenceColumns,
  source: EntitySource,
  count: number,
): Evidence {
  const entities = columns.get(reading.entities)!.slice()
  const contributions = reading.contributions.map(({ total, largest }) => ({
    total: columns.get(total)!.slice(),
    largest: largest.map(name => columns.get(name)!.slice()),
  }))
  const exact = new Uint8Array(count)
  const isExact = source.kind === 'row' ? contributions.length === 0 : source.exactBuckets
  // where no division has a row there is nobody
  for (let cell = 0; cell < count; cell++) if (isExact || entities[cell] === 0) exact[cell] = 1
  return { source: reading.source, part: reading.part, entities, exact, contributions }
}

function attributedOf(
  source: EntitySource,
  query: EvidenceQuery,
  columns: EvidenceColumns,
): Float64Array | null {
  const name = query.attributed.get(source.source)
  return name === undefined ? null : columns.get(name)!
}

/**
 * The cells that have to be counted: those that some part's bounds do not settle, but for groups with fewer rows than
 * the minimum of entities. Such a group is unsafe whatever an exact count would say.
 */
function openCells(
  source: EntitySource,
  evidence: readonly Evidence[],
  attributed: Float64Array | null,
  cells: Rows['cells'],
): Uint32Array {
  const { obligation } = source
  const group = evidence.find(({ part }) => part.kind === 'group')
  if (group === undefined) return new Uint32Array(0)
  // no more entities than rows; where rows are the entities, the group's count itself
  const most = attributed ?? group.entities
  const open = evidence.map(part => unsettled(obligation, part, cells))
  const found: number[] = []
  const count = group.entities.length
  for (let cell = 0; cell < count; cell++) {
    if (most[cell]! < obligation.minimumEntities) continue
    if (open.some(part => part[cell] === 1)) found.push(cell)
  }
  return Uint32Array.from(found)
}

/** By rows, of which each may be of another entity: bytes of a group are taken as what the engine's states weigh. */
function passesFor(
  rows: Rows,
  open: Uint32Array,
  attributed: Float64Array | null,
  passBytes: number,
): number {
  if (attributed === null) return 1
  const sums = rows.parts.reduce((sum, { contributions }) => sum + 1 + contributions.length, 0)
  const most = open.reduce((sum, cell) => sum + attributed[cell]!, 0)
  return Math.max(1, Math.ceil((most * (GROUP_BYTES + STATE_BYTES * sums)) / passBytes))
}

/** each has lists of its largest contributions */
const CELLS_AT_ONCE = 65_536
const GROUP_BYTES = 96
const STATE_BYTES = 32

async function settle(
  session: Session,
  rows: Rows,
  source: EntitySource,
  evidence: readonly Evidence[],
  { open, passes }: { readonly open: Uint32Array; readonly passes: number },
  bindings: readonly Binding[],
  limits: Limits,
): Promise<void> {
  await session.numbers(UNSETTLED, open)
  for (let at = 0; at < passes; at++) {
    const query = exactEvidence(rows, source, { at, of: passes })
    const columns = await read(session, query.sql, query, bindings, open.length, limits)
    evidence.forEach((bounds, index) => {
      const reading = query.readings[index]!
      const take = at === 0 ? scatter : scatterSum
      take(columns.get(reading.entities)!, open, bounds.entities)
      bounds.contributions.forEach((contribution, which) => {
        const { total, largest } = reading.contributions[which]!
        take(columns.get(total)!, open, contribution.total)
        const found = largest.map(name => columns.get(name)!)
        scatterLargest(found, open, contribution.largest, at === 0)
      })
    })
  }
  for (const { exact } of evidence) for (const cell of open) exact[cell] = 1
}

function scatter(values: Float64Array, positions: Uint32Array, into: Float64Array): void {
  positions.forEach((position, index) => {
    into[position] = values[index]!
  })
}

function scatterSum(values: Float64Array, positions: Uint32Array, into: Float64Array): void {
  positions.forEach((position, index) => {
    into[position] = into[position]! + values[index]!
  })
}

/**
 * Sums of the one, two, … largest of two sets of entities that have none in common, from those of each.
 *
 * @param anew without what is there
 */
function scatterLargest(
  found: readonly Float64Array[],
  positions: Uint32Array,
  into: readonly Float64Array[],
  anew: boolean,
): void {
  if (anew) {
    for (const [n, values] of found.entries()) scatter(values, positions, into[n]!)
    return
  }
  const single = (sums: readonly Float64Array[], at: number) =>
    sums.map((values, n) => values[at]! - (n === 0 ? 0 : sums[n - 1]![at]!))
  positions.forEach((position, index) => {
    const largest = [...single(found, index), ...single(into, position)].sort((a, b) => b - a)
    let sum = 0
    for (const [n, values] of into.entries()) {
      sum += largest[n] ?? 0
      values[position] = sum
    }
  })
}
