import { type Barrier, inlined } from './argument.js'
import type { UndefinedPart } from './cells.js'
import type { Definitions } from './definitions.js'
import type { Expression } from './expression.js'
import { baseColumnsOf } from './lineage.js'
import type { AggregateColumn } from './node.js'
import type { OrderBound } from './order-statistics.js'
import { areDisjoint, conjunctsOf, setKey } from './overlaps.js'
import type { CellSpecification } from './review-types.js'

/** A rank of a column, and what is known of its rows without looking at them. */
interface Ranked {
  readonly place: OrderBound['place']
  /** dataset and column, whichever scan reads them */
  readonly value: string
  readonly source: number
  /** conditions that a row has to meet */
  readonly rows: readonly Expression[]
}

/**
 * Adds to each cell of a quantile or a rank where the others of the same values stand, so that it can keep its distance.
 * Distances are of places in one order: of two ranks of a column, either the same conditions pick their rows, or no row can
 * have both. Everything else is refused, since conditions that differ may pick the same people, but for a few: a condition
 * that is true of everybody, a bound that drops one, a second scan of the dataset.
 */
export function withOthers(
  columns: readonly AggregateColumn[],
  cells: readonly CellSpecification[],
  definitions: Definitions,
  barrier: Barrier,
): CellSpecification[] | UndefinedPart {
  const ranked = cells.map(({ order }, at) =>
    order === undefined ? null : rankedBy(columns[at]!, order, definitions, barrier),
  )
  const result: CellSpecification[] = []
  for (const [at, cell] of cells.entries()) {
    const own = ranked[at]
    if (!own) {
      result.push(cell)
      continue
    }
    const others: OrderBound['place'][] = []
    for (const [other, rank] of ranked.entries()) {
      if (rank === null || other === at || rank.value !== own.value) continue
      if (rank.source === own.source && setKey(rank.rows) === setKey(own.rows)) others.push(rank.place)
      // another scan may bring the same people in other rows
      else if (rank.source !== own.source || !areDisjoint(rank.rows, own.rows))
        return { ...ORDER_OVERLAP, parts: [columns[Math.max(at, other)]!] }
    }
    result.push({ ...cell, order: { place: own.place, others } })
  }
  return result
}

function rankedBy(
  column: AggregateColumn,
  { place }: OrderBound,
  definitions: Definitions,
  barrier: Barrier,
): Ranked {
  const { argument, filter } = column
  // `orderCell` lets nothing but one column as it stands be ordered
  const [base] = baseColumnsOf(argument!, definitions)
  const rows = filter === null ? [] : conjunctsOf(inlined(filter, definitions, barrier))
  return { place, value: JSON.stringify([base!.dataset, base!.column]), source: base!.source, rows }
}

const ORDER_OVERLAP = {
  rule: 'evidence.order-overlap',
  message: 'two quantiles or ranks of one column are over rows that may be the same but for a few',
  remedy:
    'Ask for one of them, for both with the same FILTER and table, or with FILTERs that no row can both meet.',
}
