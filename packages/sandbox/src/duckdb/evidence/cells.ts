import {
  type ColumnId,
  definitionsOf,
  type Expression,
  type ReleaseShape,
  type ReviewedPlan,
  shapeOf,
} from '@sluice/core/plan'
import { emitExpression } from '../../sql/emit/expression.js'
import { columnName } from '../../sql/emit/names.js'
import { emitNode } from '../../sql/emit/plan.js'
import type { DuckDbInputs } from '../inputs.js'
import { baseColumn, plainAggregate, recombinedAggregate } from './aggregates.js'
import { type ColumnEntities, carriedBy, type EntitySource, entitySource } from './entities.js'
import type { Bounds } from './estimate.js'
import {
  attributedRows,
  type Division,
  direct,
  divisionReading,
  type ExpressionFacts,
  type PartText,
  partsOf,
  type Reading,
  recombined,
  rowReading,
  SelectList,
} from './measures.js'
import type { Statistics } from './statistics.js'

/** The temporary table of cells: `cell` (its position by the group keys), keys `k…`, columns `c<id>`, evidence. */
export const CELLS = 'cells'
/** The temporary table of the cells that are counted exactly, its one column `value`. */
export const UNSETTLED = 'unsettled'

/** The rows of an aggregate's input, prepared for grouping, and who their entities are. */
export interface Rows {
  /** the text of a SELECT: the input's columns `c<id>`, keys `k…`, and for each column source `e<n>`, `b<n>`, `m<n>` */
  readonly sql: string
  readonly keys: readonly string[]
  /** the keys' names as columns of the aggregate */
  readonly names: readonly string[]
  readonly parts: readonly PartText[]
  /** what the parts are held to */
  readonly cells: AggregateRelease['cells']
  readonly sources: readonly EntitySource[]
  readonly facts: ExpressionFacts
  readonly ranked: boolean
}

/** A statement, and where its evidence columns are. */
export interface EvidenceQuery {
  readonly sql: string
  /** aliases of the DOUBLE columns that the readings name */
  readonly columns: readonly string[]
  readonly readings: readonly Reading[]
  /** by source: the column with the number of rows that belong to somebody */
  readonly attributed: ReadonlyMap<number, string>
}

type AggregateRelease = Extract<ReleaseShape, { mode: 'aggregate' }>

export function rowsOf(
  reviewed: ReviewedPlan,
  release: AggregateRelease,
  inputs: DuckDbInputs,
  { bounds, statistics }: { readonly bounds: Bounds; readonly statistics: Statistics },
): Rows {
  const { aggregate } = release
  const uniqueKeys = (dataset: string) =>
    reviewed.datasets.find(({ name }) => name === dataset)?.uniqueKeys ?? []
  const shape = shapeOf(aggregate.input, uniqueKeys)
  const isComplete = (source: number, column: string) =>
    !shape.optional.has(source) && statistics.isComplete(source, column)
  const definitions = definitionsOf(aggregate)
  const facts: ExpressionFacts = {
    isComplete: expression => {
      const base = baseColumn(expression, definitions)
      return base !== null && isComplete(base.source, base.column)
    },
    magnitude: statistics.magnitude,
  }
  const sources = reviewed.obligations.map(obligation => {
    const file = inputs.datasets[obligation.dataset]!
    const registered = reviewed.datasets.find(({ name }) => name === obligation.dataset)
    return entitySource(obligation, registered?.columns ?? [], {
      file,
      shape,
      buckets: bounds.buckets,
      isComplete,
    })
  })
  const carry = carriedBy(sources)
  const base = emitNode(aggregate.input, { carry })
  const keys = aggregate.keys.map((_, index) => `k${index}`)
  const computed = [
    ...aggregate.keys.map(
      ({ expression }, index) => `${emitExpression(expression, columnName)} AS k${index}`,
    ),
    ...sources.flatMap(source =>
      source.kind === 'column'
        ? [
            `${source.entity} AS e${source.source}`,
            `${source.bucket} AS b${source.source}`,
            ...(source.bit === null ? [] : [`${source.bit} AS m${source.source}`]),
          ]
        : [],
    ),
  ]
  return {
    sql: `SELECT ${['*', ...computed].join(', ')} FROM (${base.sql})`,
    keys,
    names: aggregate.keys.map(({ id }) => columnName(id)),
    parts: partsOf(release, columnName, facts),
    cells: release.cells,
    sources,
    facts,
    ranked: bounds.ranked,
  }
}

/** Makes the table of cells: the plan's groups, their aggregates, and evidence from one pass over the rows. */
export function cellsStatement(rows: Rows, release: AggregateRelease): EvidenceQuery {
  const { aggregate } = release
  const division = rows.sources.find(source => source.kind === 'column')
  const outer = new SelectList('o')
  const released = new Map<ColumnId, string>()
  if (division === undefined) {
    const aggregator = direct()
    const readings = readingsOf(rows, source =>
      source.kind === 'row' ? part => rowReading(source, part, { outer, aggregator, exactly: false }) : null,
    )
    for (const column of aggregate.aggregates)
      released.set(column.id, plainAggregate(column, columnName, rows.facts))
    const sql = select([...rows.keys, ...asColumns(released), ...outer.items], `(${rows.sql})`, rows.keys)
    return { sql: createCells(sql, rows), columns: outer.names, readings, attributed: new Map() }
  }

  const inner = new SelectList('i')
  const aggregator = recombined(inner)
  const buckets = bucketsOf(rows, division, inner, outer)
  const bucket = buckets.name
  const readings = readingsOf(rows, source => {
    if (source.kind === 'row') return part => rowReading(source, part, { outer, aggregator, exactly: false })
    if (source !== division) return null
    return part => divisionReading(source, part, buckets)
  })
  const attributed = new Map([[division.source, attributedRows(buckets)]])
  const definitions = definitionsOf(aggregate)
  const isDivided = (argument: Expression) => isEntity(baseColumn(argument, definitions), division)
  const whole = new Map<ColumnId, string>()
  for (const column of aggregate.aggregates) {
    const text = recombinedAggregate(column, columnName, { inner, isDivided, facts: rows.facts })
    if (text === null) whole.set(column.id, plainAggregate(column, columnName, rows.facts))
    else released.set(column.id, text)
  }
  const parts = select([...rows.keys, bucket, ...inner.items], `(${rows.sql})`, [...rows.keys, bucket])
  const sql = select([...rows.keys, ...asColumns(released), ...outer.items], `(${parts})`, rows.keys)
  return {
    sql: createCells(withWhole(sql, whole, rows), rows),
    columns: outer.names,
    readings,
    attributed,
  }
}

/** The bounds of a further source, whose buckets divide the rows another way: one row a cell, in the cells' order. */
export function furtherBounds(rows: Rows, source: ColumnEntities): EvidenceQuery {
  const inner = new SelectList('i')
  const outer = new SelectList('o')
  const using = bucketsOf(rows, source, inner, outer)
  const bucket = using.name
  const readings = rows.parts.map(part => divisionReading(source, part, using))
  const attributed = new Map([[source.source, attributedRows(using)]])
  const parts = select([...rows.keys, bucket, ...inner.items], `(${rows.sql})`, [...rows.keys, bucket])
  const groups = select([...rows.keys, ...outer.items], `(${parts})`, rows.keys)
  return {
    sql: `SELECT ${outer.names.map(name => `found.${name}`).join(', ')} FROM ${CELLS} AS cell_keys JOIN (${groups}) AS found ON ${sameKeys(rows.keys, 'cell_keys', 'found')} ORDER BY cell_keys.cell`,
    columns: outer.names,
    readings,
    attributed,
  }
}

/** A part of the entities, so that no pass holds more of them than memory does. */
export interface EntityPart {
  readonly at: number
  readonly of: number
}

/**
 * Exact evidence about one source for the cells in `UNSETTLED`: one row each, in their order.
 *
 * @param part of the entities, where they are told apart by a column
 */
export function exactEvidence(rows: Rows, source: EntitySource, part: EntityPart): EvidenceQuery {
  const inner = new SelectList('i')
  const outer = new SelectList('o')
  const wanted = `(SELECT ${[...rows.keys, 'cell'].join(', ')} FROM ${CELLS} JOIN ${UNSETTLED} ON cell = value) AS wanted`
  const from = `(${rows.sql}) AS grouped JOIN ${wanted} ON ${sameKeys(rows.keys, 'grouped', 'wanted')}`
  if (source.kind === 'row') {
    const aggregator = direct()
    const readings = rows.parts.map(of => rowReading(source, of, { outer, aggregator, exactly: true }))
    const groups = select(['cell', ...outer.items], from, ['cell'])
    return { sql: exactSelect(groups, outer.names), columns: outer.names, readings, attributed: new Map() }
  }
  const entity = `e${source.source}`
  const readings = rows.parts.map(of =>
    divisionReading(source, of, { inner, outer, name: entity, bit: null, everybody: true, ranked: true }),
  )
  const which = part.of === 1 ? '' : ` AND hash(${entity}) % ${part.of} = ${part.at}`
  const some = `${from} WHERE ${entity} IS NOT NULL${which}`
  const entities = select(['cell', entity, ...inner.items], some, ['cell', entity])
  const groups = select(['cell', ...outer.items], `(${entities})`, ['cell'])
  return { sql: exactSelect(groups, outer.names), columns: outer.names, readings, attributed: new Map() }
}

/** A cell without any row of anybody has no group: its evidence is zero. */
function exactSelect(groups: string, columns: readonly string[]): string {
  const list = columns.map(column => `coalesce(found.${column}, 0) AS ${column}`)
  return `SELECT ${list.join(', ')} FROM ${UNSETTLED} LEFT JOIN (${groups}) AS found ON found.cell = value ORDER BY value`
}

function bucketsOf(
  { ranked }: Rows,
  { source, bit, everybody, exactBuckets }: ColumnEntities,
  inner: SelectList,
  outer: SelectList,
): Division {
  return {
    inner,
    outer,
    name: `b${source}`,
    bit: bit === null ? null : `m${source}`,
    everybody,
    ranked: ranked || exactBuckets,
  }
}

function readingsOf(
  rows: Rows,
  reader: (source: EntitySource) => ((part: PartText) => Reading) | null,
): Reading[] {
  return rows.sources.flatMap(source => {
    const read = reader(source)
    return read === null ? [] : rows.parts.map(read)
  })
}

function isEntity(base: { source: number; column: string } | null, source: ColumnEntities): boolean {
  const { entity } = source.obligation
  return base?.source === source.source && entity.kind === 'column' && entity.column === base.column
}

function asColumns(columns: ReadonlyMap<ColumnId, string>): string[] {
  return [...columns].map(([id, sql]) => `${sql} AS ${columnName(id)}`)
}

function select(list: readonly string[], from: string, groups: readonly string[]): string {
  const grouped = groups.length === 0 ? '' : ` GROUP BY ${groups.join(', ')}`
  return `SELECT ${list.join(', ')} FROM ${from}${grouped}`
}

/** Joins the aggregates that only whole groups give. */
function withWhole(groups: string, whole: ReadonlyMap<ColumnId, string>, rows: Rows): string {
  if (whole.size === 0) return groups
  const added = select([...rows.keys, ...asColumns(whole)], `(${rows.sql})`, rows.keys)
  const names = [...whole.keys()].map(id => `whole.${columnName(id)}`)
  return `SELECT ${['parted.*', ...names].join(', ')} FROM (${groups}) AS parted JOIN (${added}) AS whole ON ${sameKeys(rows.keys, 'parted', 'whole')}`
}

function createCells(groups: string, { keys, names }: Rows): string {
  const order = keys.length === 0 ? '' : ` ORDER BY ${keys.map(key => `${key} ASC NULLS LAST`).join(', ')}`
  const named = keys.map((key, index) => `${key} AS ${names[index]}`)
  // numbering what is sorted already costs two thirds of a window that sorts
  return `CREATE TEMP TABLE ${CELLS} AS SELECT CAST(row_number() OVER () - 1 AS UINTEGER) AS cell, ${['*', ...named].join(', ')} FROM (SELECT * FROM (${groups})${order})`
}

/** Nulls form one group. */
function sameKeys(keys: readonly string[], left: string, right: string): string {
  if (keys.length === 0) return 'TRUE'
  return keys.map(key => `${left}.${key} IS NOT DISTINCT FROM ${right}.${key}`).join(' AND ')
}
