import type { Obligation, ReleaseShape, ReviewedPlan, Scan } from '@sluice/core/plan'
import { BUCKETS, ROW_NUMBER } from '../../io/hidden.js'
import { emitExpression } from '../../sql/emit/expression.js'
import { columnName, tableName } from '../../sql/emit/names.js'
import { emitNode } from '../../sql/emit/plan.js'
import { integersOf } from '../columns.js'
import type { Binding, Session } from '../session.js'
import type { Statistics } from './statistics.js'

/** of the middle of a file, so that one row group is read: neither its first rows nor its last, which may be odd */
const SAMPLE_ROWS = 16_384
/** below this, any number of buckets is cheap */
const SMALL_ROWS = 300_000
const ONE_ROW = { maximumRows: 1, maximumBytes: 1 << 16 }

/** How closely the bounds are drawn. */
export interface Bounds {
  /** how many to divide entities into, a power of two, 64 at most */
  readonly buckets: number
  /** the largest buckets are added up, instead of the largest of all taken so many times */
  readonly ranked: boolean
}

/** The engine keeps a list for each cell and contribution to rank buckets, outside of what it can spill to disk. */
const RANKED_CELLS = 20_000

/**
 * How many buckets to divide entities into. Bounds by many buckets are tighter, but grouping costs by the product of
 * cells and buckets, so that the number of cells is guessed from a slice of one scan first. A bad guess costs time
 * or exact counting; it never makes a bound unsound.
 *
 * The scan that is sliced is the first whose entities are a column.
 */
export async function chooseBounds(
  session: Session,
  reviewed: ReviewedPlan,
  release: Extract<ReleaseShape, { mode: 'aggregate' }>,
  { statistics, bindings }: { readonly statistics: Statistics; readonly bindings: readonly Binding[] },
): Promise<Bounds> {
  const source = reviewed.obligations.find(({ entity }) => entity.kind === 'column')?.source
  const { input, keys } = release.aggregate
  if (source === undefined || keys.length === 0) return { buckets: BUCKETS, ranked: true }
  const rows = statistics.rows(source)
  if (rows <= SMALL_ROWS) return { buckets: BUCKETS, ranked: true }

  const first = Math.floor((rows - SAMPLE_ROWS) / 2)
  const middle = first + SAMPLE_ROWS / 2
  const sliced = (scan: Scan) =>
    `(SELECT * FROM ${tableName(scan.dataset)} WHERE ${ROW_NUMBER} BETWEEN ${first} AND ${first + SAMPLE_ROWS - 1})`
  const { sql } = emitNode(input, {
    carry: at => (at === source ? [{ column: ROW_NUMBER, as: 'slice_row' }] : []),
    table: (at, scan) => (at === source ? sliced(scan) : tableName(scan.dataset)),
  })
  const key = `hash(${keys.map(({ expression }) => emitExpression(expression, columnName)).join(', ')})`
  const groups = `SELECT bool_or(slice_row < ${middle}) AS early FROM (SELECT ${key} AS found, slice_row FROM (${sql})) GROUP BY found`
  const counts = await session.query(
    { sql: `SELECT count(*), count(*) FILTER (WHERE early) FROM (${groups})`, bindings },
    ONE_ROW,
  )
  const [whole, half] = [integersOf(counts, 0)[0] ?? 0, integersOf(counts, 1)[0] ?? 0]
  const cells = extrapolated(whole, half, rows / SAMPLE_ROWS)
  const buckets = Math.max(bucketsFor(cells), fewestBuckets(reviewed.obligations))
  return { buckets, ranked: cells <= RANKED_CELLS }
}

/**
 * The groups of all rows, from those of a slice and of half of it: growth is taken to go on as a power of the number
 * of rows.
 *
 * @param times how many times more rows there are than in the slice
 */
export function extrapolated(whole: number, half: number, times: number): number {
  if (half === 0) return whole
  const exponent = Math.min(1, Math.max(0, Math.log2(whole / half)))
  return whole * times ** exponent
}

/** Measured on 3 M rows: at these numbers of cells the next fewer buckets begin to pay. */
export function bucketsFor(cells: number): number {
  if (cells <= 500) return 32
  return cells <= 1_500 ? 16 : 4
}

/**
 * The fewest buckets by which a dominance rule can clear a cell whose contributions are even: n of them hold 60 % of
 * what n entities may.
 */
export function fewestBuckets(obligations: readonly Pick<Obligation, 'dominance'>[]): number {
  const needed = obligations.map(({ dominance }) =>
    dominance === null ? 1 : dominance.n / (0.6 * Math.max(dominance.percent / 100, 1 / BUCKETS)),
  )
  return Math.min(BUCKETS, 2 ** Math.ceil(Math.log2(Math.max(4, ...needed))))
}
