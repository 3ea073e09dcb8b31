import type { ColumnSchema, Obligation, Shape } from '@sluice/core/plan'
import { BUCKET_COLUMN, BUCKETS, ENTITY_COLUMN, ROW_NUMBER } from '../../io/hidden.js'
import { quoteText } from '../../sql/emit/names.js'
import type { CarriedColumn } from '../../sql/emit/plan.js'
import type { DatasetFile } from '../inputs.js'

/** How the entities of one obligation's scan are told apart among the rows of the aggregate's input. */
export type EntitySource = RowEntities | ColumnEntities

interface Common {
  readonly source: number
  readonly obligation: Obligation
  /** hidden columns that the scan hands up */
  readonly carry: readonly CarriedColumn[]
}

/** Every row is an entity of its own, unless a left join left none. */
export interface RowEntities extends Common {
  readonly kind: 'row'
  /** SQL over the carried columns: the row belongs to an entity; null: every row does */
  readonly present: string | null
}

/** Many rows may belong to one entity. */
export interface ColumnEntities extends Common {
  readonly kind: 'column'
  /** SQL over the carried columns: a value that is the same for the rows of one entity; null is nobody */
  readonly entity: string
  /** SQL: a part of the entities that this one falls into; null with `entity` */
  readonly bucket: string
  /** SQL: a bit among 64 that the entity falls onto, null with `entity`; null where counting buckets will do */
  readonly bit: string | null
  /** every bucket holds one entity at most, so that its sums are exact */
  readonly exactBuckets: boolean
  /** every row belongs to an entity, so that `entity`, `bucket` and `bit` are never null */
  readonly everybody: boolean
}

/** What entities are told apart by. */
export interface EntityContext {
  readonly file: DatasetFile
  readonly shape: Shape
  /** a power of two, 64 at most */
  readonly buckets: number
  /** a column of a scan's table is null in no row of the aggregate's input */
  readonly isComplete: (source: number, column: string) => boolean
}

/** @param columns the dataset's registered columns */
export function entitySource(
  obligation: Obligation,
  columns: readonly ColumnSchema[],
  { file, shape, buckets, isComplete }: EntityContext,
): EntitySource {
  const { source, entity } = obligation
  const name = (part: string) => `s${source}_${part}`
  if (entity.kind === 'row') {
    const row = { column: ROW_NUMBER, as: name('row') }
    if (shape.repeated.has(source)) {
      // fan-out: a row counts once however often it was joined
      const everybody = !shape.optional.has(source)
      const among64 = `${row.as} % ${BUCKETS}`
      return columnEntities(obligation, [row], { entity: row.as, among64, everybody }, buckets)
    }
    const optional = shape.optional.has(source)
    return {
      kind: 'row',
      source,
      obligation,
      carry: optional ? [row] : [],
      present: optional ? `${row.as} IS NOT NULL` : null,
    }
  }

  const value = { column: entity.column, as: name('value') }
  const text =
    columns.find(column => column.name === entity.column)?.type.kind === 'text'
      ? value.as
      : `CAST(${value.as} AS VARCHAR)`
  const named = entity.notEntities.map(quoteText).join(', ')
  const somebody = (sql: string) =>
    named === '' ? sql : `CASE WHEN ${text} IN (${named}) THEN NULL ELSE ${sql} END`
  if (file.entity?.column !== entity.column) {
    // any partition of the entities bounds them; without registered codes the engine's hash makes one, null included
    const bucket = somebody(`CASE WHEN ${value.as} IS NOT NULL THEN hash(${value.as}) % ${BUCKETS} END`)
    const everybody = named === '' && isComplete(source, value.column)
    return columnEntities(
      obligation,
      [value],
      { entity: somebody(value.as), among64: bucket, everybody },
      buckets,
    )
  }
  const code = { column: ENTITY_COLUMN, as: name('entity') }
  const bucket = { column: BUCKET_COLUMN, as: name('bucket') }
  const carry = [code, bucket, ...(named === '' ? [] : [value])]
  const few = file.entity.count <= (buckets === BUCKETS ? FEW_ENTITIES : buckets)
  const everybody = named === '' && isComplete(source, code.column)
  const each = somebody(code.as)
  if (!few) {
    return columnEntities(
      obligation,
      carry,
      { entity: each, among64: somebody(bucket.as), everybody },
      buckets,
    )
  }
  return {
    kind: 'column',
    source,
    obligation,
    carry,
    entity: each,
    bucket: each,
    bit: null,
    exactBuckets: true,
    everybody,
  }
}

/** @param texts `among64` is SQL of the entity's bucket among 64 */
function columnEntities(
  obligation: Obligation,
  carry: readonly CarriedColumn[],
  texts: { readonly entity: string; readonly among64: string; readonly everybody: boolean },
  buckets: number,
): ColumnEntities {
  const { entity, among64, everybody } = texts
  const isWhole = buckets === BUCKETS
  return {
    kind: 'column',
    source: obligation.source,
    obligation,
    carry,
    entity,
    bucket: isWhole ? among64 : `(${among64}) % ${buckets}`,
    bit:
      isWhole || buckets >= ENOUGH_TIMES * obligation.minimumEntities
        ? null
        : `CAST(1 AS UBIGINT) << CAST(${among64} AS UBIGINT)`,
    exactBuckets: false,
    everybody,
  }
}

/** Up to this many entities grouping by the code itself costs no more than by a bucket, and settles everything. */
const FEW_ENTITIES = 128

/** Where buckets are so many times the minimum, few groups above it have too few buckets: no bits are needed. */
const ENOUGH_TIMES = 3

/** The carried columns of a scan, for `emitNode`. */
export function carriedBy(sources: readonly EntitySource[]): (source: number) => readonly CarriedColumn[] {
  return source => sources.find(candidate => candidate.source === source)?.carry ?? []
}
