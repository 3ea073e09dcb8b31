import {
  definitionsOf,
  type Expression,
  type ReleaseShape,
  type ReviewedPlan,
  type ScalarType,
} from '@sluice/core/plan'
import { quoteIdentifier, tableName } from '../../sql/emit/names.js'
import { bytesOf } from '../columns.js'
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

export type Magnitudes = (expression: Expression) => Magnitude

/**
 * Asks the files' footers for the least value of every measure that is summed: most are never negative, and integers
 * cost half of what doubles do. The values themselves stay in the child; what comes out is which form will do.
 */
export async function magnitudes(
  session: Session,
  { scans }: ReviewedPlan,
  { aggregate, cells }: Extract<ReleaseShape, { mode: 'aggregate' }>,
): Promise<Magnitudes> {
  const definitions = definitionsOf(aggregate)
  const found = new Map<string, Magnitude>()
  const asked = new Map<string, { readonly table: string; readonly column: string; readonly least: string }>()
  const baseOf = (expression: Expression) => {
    const base = baseColumn(expression, definitions)
    return base === null ? null : { ...base, key: JSON.stringify([base.source, base.column]) }
  }
  for (const contribution of cells.flatMap(cell => cell.contributions)) {
    const measure = measureOf(contribution)
    const base = baseOf(measure)
    const least = leastOf(measure.type)
    if (base === null || least === null) continue
    asked.set(base.key, {
      table: tableName(scans[base.source]!.dataset),
      column: quoteIdentifier(base.column),
      least,
    })
  }
  if (asked.size > 0) {
    const list = [...asked.values()].map(({ table, column, least }) => {
      const value = `(SELECT min(${column}) FROM ${table})`
      return `CAST(CASE WHEN coalesce(${value} >= 0, TRUE) THEN 2 WHEN ${value} > ${least} THEN 1 ELSE 0 END AS UTINYINT)`
    })
    const sql = `SELECT ${list.join(', ')}`
    const result = await session.query({ sql, bindings: [] }, { maximumRows: 1, maximumBytes: 1 << 16 })
    for (const [index, key] of [...asked.keys()].entries()) {
      found.set(key, (['double', 'integer', 'itself'] as const)[bytesOf(result, index)[0] ?? 0] ?? 'double')
    }
  }
  return expression => found.get(baseOf(expression)?.key ?? '') ?? 'double'
}

/** The number whose absolute value a contribution is: without the absolute value and a cast that only widens. */
export function measureOf(contribution: Expression): Expression {
  const inner =
    contribution.kind === 'call' && contribution.function === 'absolute'
      ? contribution.arguments[0]!
      : contribution
  const widened = inner.kind === 'cast' && inner.type.kind === 'float' && inner.type.bits === 64
  return widened && leastOf(inner.argument.type) !== null ? inner.argument : inner
}

/** SQL of the least value of an integer type of 64 bits at most, all of whose sums the engine holds; else null. */
function leastOf(type: ScalarType): string | null {
  if (type.kind !== 'integer' || type.bits === 128) return null
  return type.signed ? String(-(2n ** BigInt(type.bits - 1))) : '0'
}
