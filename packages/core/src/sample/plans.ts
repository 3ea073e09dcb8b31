import { FLOAT, reference } from '../plan/build.js'
import type { Expression } from '../plan/expression.js'
import type { MaskedColumn } from '../plan/mask.js'
import { type Aggregate, PLAN_LANGUAGE, type Plan, type Scan, type ScanColumn } from '../plan/node.js'
import type { ScalarType } from '../plan/types.js'

/**
 * How a column's values are put together before they are counted: numbers in bands of a width (a power of ten), dates
 * and timestamps in units of the calendar; null: as they are.
 */
export type Band =
  | { readonly kind: 'width'; readonly exponent: number }
  | { readonly kind: 'unit'; readonly unit: 'day' | 'month' | 'year' }
  | null

const TEXT: ScalarType = { kind: 'text' }
const TIMESTAMP: ScalarType = { kind: 'timestamp' }
const COUNTED = {
  name: 'count',
  type: { kind: 'integer', bits: 64, signed: true },
  function: 'count',
  argument: null,
  distinct: false,
  filter: null,
} as const

/** `SELECT band(column) AS value, count(*) AS count … GROUP BY 1` */
export function marginalPlan(dataset: string, column: MaskedColumn, band: Band): Plan {
  const key = banded(reference(0, column.type), band)
  const { type } = key
  return planOf({
    kind: 'aggregate',
    input: { kind: 'scan', dataset, columns: [{ id: 0, ...column }] },
    keys: [{ id: 1, name: 'value', type, expression: key }],
    aggregates: [{ id: 2, ...COUNTED }],
  })
}

/** `SELECT count(*) AS count …`: touches no column */
export function countPlan(dataset: string): Plan {
  const scan: Scan = { kind: 'scan', dataset, columns: [] }
  return planOf({ kind: 'aggregate', input: scan, keys: [], aggregates: [{ id: 0, ...COUNTED }] })
}

/** `SELECT avg(column) AS mean …` */
export function meanPlan(dataset: string, column: MaskedColumn): Plan {
  return planOf({
    kind: 'aggregate',
    input: { kind: 'scan', dataset, columns: [{ id: 0, ...column }] },
    keys: [],
    aggregates: [
      {
        id: 1,
        name: 'mean',
        type: FLOAT,
        function: 'average',
        argument: reference(0, column.type),
        distinct: false,
        filter: null,
      },
    ],
  })
}

/** `SELECT columns …`; which rows are scanned is for the engine's inputs to say. */
export function rowsPlan(dataset: string, columns: readonly MaskedColumn[]): Plan {
  const scanned: ScanColumn[] = columns.map((column, id) => ({ id, ...column }))
  return {
    kind: 'plan',
    language: PLAN_LANGUAGE,
    root: { kind: 'scan', dataset, columns: scanned },
    output: scanned.map(({ id, name }) => ({ id, name })),
    parameters: [],
  }
}

function planOf(root: Aggregate): Plan {
  const output = [...root.keys, ...root.aggregates].map(({ id, name }) => ({ id, name }))
  return { kind: 'plan', language: PLAN_LANGUAGE, root, output, parameters: [] }
}

/** The number of the band, or the unit's first moment. */
function banded(value: Expression, band: Band): Expression {
  if (band === null) return value
  if (band.kind === 'unit') {
    const unit: Expression = { kind: 'literal', type: TEXT, value: band.unit }
    return { kind: 'call', type: TIMESTAMP, function: 'dateTruncate', arguments: [unit, value] }
  }
  const double: Expression = { kind: 'cast', type: FLOAT, argument: value }
  const width: Expression = { kind: 'literal', type: FLOAT, value: `1e${band.exponent}` }
  const bands: Expression = { kind: 'call', type: FLOAT, function: 'divide', arguments: [double, width] }
  return { kind: 'call', type: FLOAT, function: 'floor', arguments: [bands] }
}
