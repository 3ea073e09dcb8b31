import type { ReleaseShape, ReviewedPlan, Scan } from '@sluice/core/plan'
import { BUCKETS, ROW_NUMBER } from '../../io/hidden.js'
import { emitExpression } from '../../sql/emit/expression.js'
import { columnName, tableName } from '../../sql/emit/names.js'
import { emitNode } from '../../sql/emit/plan.js'
import { integersOf } from '../columns.js'
import type { Binding, Session } from '../session.js'

const SAMPLE_ROWS = 60_000
/** below this, any number of buckets is cheap */
const SMALL_ROWS = 300_000
const VECTOR_ROWS = 2048
const ONE_ROW = { maximumRows: 1, maximumBytes: 1 << 16 }

/**
 * How many buckets to divide entities into. Bounds by many buckets are tighter, but grouping costs by the product of
 * cells and buckets, so that the number of cells is guessed from a sample of one scan first. A bad guess costs time
 * or exact counting; it never makes a bound unsound.
 *
 * The scan that is sampled is the first whose entities are a column.
 */
export async function chooseBuckets(
  session: Session,
  reviewed: ReviewedPlan,
  release: Extract<ReleaseShape, { mode: 'aggregate' }>,
  bindings: readonly Binding[],
): Promise<number> {
  const source = reviewed.obligations.find(({ entity }) => entity.kind === 'column')?.source
  const { input, keys } = release.aggregate
  if (source === undefined || keys.length === 0) return BUCKETS
  // answered from the file's footer
  const counted = await session.query(
    { sql: `SELECT count(*) FROM ${tableName(reviewed.scans[source]!.dataset)}`, bindings: [] },
    ONE_ROW,
  )
  const rows = integersOf(counted, 0)[0] ?? 0
  if (rows <= SMALL_ROWS) return BUCKETS

  const percent = (100 * SAMPLE_ROWS) / rows
  const sampled = (scan: Scan) =>
    `(SELECT * FROM ${tableName(scan.dataset)} TABLESAMPLE system (${percent.toFixed(6)} PERCENT) REPEATABLE (1))`
  const { sql } = emitNode(input, {
    carry: at => (at === source ? [{ column: ROW_NUMBER, as: 'sample_row' }] : []),
    table: (at, scan) => (at === source ? sampled(scan) : tableName(scan.dataset)),
  })
  const key = `hash(${keys.map(({ expression }) => emitExpression(expression, columnName)).join(', ')})`
  const half = `FILTER (WHERE sample_row // ${VECTOR_ROWS} % 2 = 0)`
  const counts = await session.query(
    {
      sql: `SELECT count(DISTINCT found), count(DISTINCT found) ${half} FROM (SELECT ${key} AS found, sample_row FROM (${sql}))`,
      bindings,
    },
    ONE_ROW,
  )
  return bucketsFor(
    extrapolated(integersOf(counts, 0)[0] ?? 0, integersOf(counts, 1)[0] ?? 0, rows / SAMPLE_ROWS),
  )
}

/**
 * The groups of all rows, from those of a sample and of half of it: growth is taken to go on as a power of the number
 * of rows.
 *
 * @param times how many times more rows there are than in the sample
 */
export function extrapolated(whole: number, half: number, times: number): number {
  if (half === 0) return whole
  const exponent = Math.min(1, Math.max(0, Math.log2(whole / half)))
  return whole * times ** exponent
}

/** Measured on 3 M rows: at these numbers of cells the next fewer buckets begin to pay. */
export function bucketsFor(cells: number): number {
  if (cells <= 1_500) return BUCKETS
  if (cells <= 10_000) return 16
  return cells <= 60_000 ? 8 : 4
}
