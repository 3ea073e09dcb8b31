import type { HierarchyDeclaration } from './config/schema.js'
import { type HierarchyTable, hierarchyFromTable } from './hierarchy/csv.js'
import { declaredHierarchy } from './hierarchy/declared.js'
import type { Hierarchy } from './hierarchy/hierarchy.js'
import type { QuasiColumn } from './table.js'

/** The distinct values of a column, as text, and where each first stands. */
export interface Dictionary {
  readonly values: readonly (string | null)[]
  /** row of the data, from 1, in which a value first occurs; null where it is not known */
  readonly firstRow: (code: number) => number | null
}

/** @throws SluiceError HIERARCHY_INVALID */
export function hierarchyFor(
  column: string,
  { values, firstRow }: Dictionary,
  declaration: HierarchyDeclaration | null,
  table: HierarchyTable | null,
): Hierarchy {
  if (table !== null) return hierarchyFromTable(column, values, table, firstRow)
  const declared = declaration === null || 'file' in declaration ? undefined : declaration
  return declaredHierarchy(column, values, declared, firstRow)
}

/**
 * A quasi-identifier whose codes stand in the order in which Mondrian may cut them: numbers and dates by size, other
 * values so that those with the same label are neighbours; a missing value first.
 *
 * @param codes by record, into the dictionary
 */
export function orderedColumn(name: string, hierarchy: Hierarchy, codes: Uint32Array): QuasiColumn {
  const values = hierarchy.labels[0]!
  const positions = positionsOf(values)
  const order = values.map((_, code) => code)
  if (positions !== null) order.sort((a, b) => positions[a]! - positions[b]!)
  else order.sort((a, b) => byPath(hierarchy, a, b) || byText(values[a]!, values[b]!))
  const rank = new Uint32Array(order.length)
  order.forEach((code, at) => {
    rank[code] = at
  })
  return {
    name,
    codes: codes.map(code => rank[code]!),
    positions: positions === null ? null : Float64Array.from(order, code => positions[code]!),
    hierarchy: {
      codes: hierarchy.codes.map((level, index) =>
        index === 0 ? Uint32Array.from(order, (_, at) => at) : Uint32Array.from(order, code => level[code]!),
      ),
      labels: hierarchy.labels.map((labels, index) =>
        index === 0 ? order.map(code => labels[code]!) : labels,
      ),
    },
  }
}

/** Where every value is a number, or every one a date: its place; a missing value has none, so that there is no order then. */
function positionsOf(values: readonly (string | null)[]): Float64Array | null {
  for (const position of [numberOf, dayOf]) {
    const positions = Float64Array.from(values, value => (value === null ? Number.NaN : position(value)))
    if (positions.length > 0 && positions.every(Number.isFinite)) return positions
  }
  return null
}

function numberOf(text: string): number {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/.test(text) ? Number(text) : Number.NaN
}

function dayOf(text: string): number {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) / 86_400_000 : Number.NaN
}

function byPath({ codes }: Hierarchy, a: number, b: number): number {
  for (let level = codes.length - 1; level > 0; level--) {
    const difference = codes[level]![a]! - codes[level]![b]!
    if (difference !== 0) return difference
  }
  return 0
}

function byText(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}
