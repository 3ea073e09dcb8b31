import {
  type Definitions,
  definitionsOf,
  type Expression,
  type ReleaseShape,
  type ReviewedPlan,
  type ScalarType,
} from '@sluice/core/plan'
import { quoteText } from '../../sql/emit/names.js'
import { bytesOf, integersOf, textsOf } from '../columns.js'
import { footerName } from '../inputs.js'
import type { Session } from '../session.js'
import { baseColumn } from './aggregates.js'

/** How the absolute value of a number is taken without an overflow, and at the least cost. */
export type Magnitude =
  /** it is never negative: itself */
  | 'itself'
  /** in its own integer type, which holds the negation of the least value that it has */
  | 'integer'
  /** as a DOUBLE */
  | 'double'

/** What the footers of the registered files tell of a plan's scans, without a look at any row. */
export interface Statistics {
  /** how many rows a scan's file has */
  readonly rows: (source: number) => number
  /** no row of the scan's file is null there; false where the footer does not say */
  readonly isComplete: (source: number, column: string) => boolean
  readonly magnitude: (measure: Expression) => Magnitude
}

interface ColumnFacts {
  readonly rows: number
  readonly complete: boolean
  /** bits of the signed integer that holds the negation of every value; 0: none is negative */
  readonly bits: number
}

/**
 * Asks the files' footers how many rows there are, which columns have nulls, and which are never negative: most
 * measures are never either, and then cost half of what doubles and filters do. Least values stay in the child; what
 * comes out is how many bits hold them.
 */
export async function readStatistics(
  session: Session,
  { scans }: ReviewedPlan,
  { aggregate }: Extract<ReleaseShape, { mode: 'aggregate' }>,
): Promise<Statistics> {
  const datasets = [...new Set(scans.map(({ dataset }) => dataset))]
  const found = await session.query(
    { sql: datasets.map(factsOf).join(' UNION ALL '), bindings: [] },
    { maximumRows: 1 << 16, maximumBytes: 1 << 24 },
  )
  const [tables, names, bits, complete] = [
    textsOf(found, 0),
    textsOf(found, 1),
    bytesOf(found, 2),
    bytesOf(found, 3),
  ]
  const rows = integersOf(found, 4)
  const facts = new Map(
    tables.map((table, at): [string, ColumnFacts] => [
      JSON.stringify([table, names[at]]),
      { rows: rows[at]!, complete: complete[at] === 1, bits: bits[at]! },
    ]),
  )
  const totals = new Map(tables.map((table, at) => [table, rows[at]!]))
  const of = (source: number, column: string) => facts.get(JSON.stringify([scans[source]!.dataset, column]))
  const definitions = definitionsOf(aggregate)
  return {
    rows: source => totals.get(scans[source]!.dataset) ?? 0,
    isComplete: (source, column) => of(source, column)?.complete ?? false,
    magnitude: measure => magnitudeOf(measure, definitions, of),
  }
}

/** A row a column: bits as in `ColumnFacts`, 255 where they are not known. A chunk of nulls alone has no least value. */
function factsOf(dataset: string): string {
  const chunks =
    `SELECT path_in_schema AS name, TRY_CAST(stats_min_value AS HUGEINT) AS least, stats_null_count AS nulls, ` +
    `num_values FROM ${footerName(dataset)}`
  return (
    `SELECT CAST(${quoteText(dataset)} AS VARCHAR), name, ` +
    `CAST(CASE WHEN NOT bool_and(least IS NOT NULL OR coalesce(nulls = num_values, FALSE)) THEN 255 ` +
    `WHEN coalesce(min(least) >= 0, TRUE) THEN 0 WHEN min(least) > -128 THEN 8 WHEN min(least) > -32768 THEN 16 ` +
    `WHEN min(least) > -2147483648 THEN 32 WHEN min(least) > -9223372036854775808 THEN 64 ELSE 255 END AS UTINYINT), ` +
    `bool_and(coalesce(nulls = 0, FALSE)), CAST(sum(num_values) AS BIGINT) FROM (${chunks}) GROUP BY name`
  )
}

function magnitudeOf(
  measure: Expression,
  definitions: Definitions,
  facts: (source: number, column: string) => ColumnFacts | undefined,
): Magnitude {
  const base = baseColumn(measure, definitions)
  const width = integerBits(measure.type)
  if (base === null || width === null) return 'double'
  const bits = facts(base.source, base.column)?.bits ?? 255
  if (bits === 0) return 'itself'
  return bits <= width ? 'integer' : 'double'
}

/** The number whose absolute value a contribution is: without the absolute value and a cast that only widens. */
export function measureOf(contribution: Expression): Expression {
  const inner =
    contribution.kind === 'call' && contribution.function === 'absolute'
      ? contribution.arguments[0]!
      : contribution
  const widened = inner.kind === 'cast' && inner.type.kind === 'float' && inner.type.bits === 64
  return widened && integerBits(inner.argument.type) !== null ? inner.argument : inner
}

/** Bits of an integer type of 64 at most, all of whose sums the engine holds; else null. */
function integerBits(type: ScalarType): number | null {
  return type.kind === 'integer' && type.bits !== 128 ? type.bits : null
}
