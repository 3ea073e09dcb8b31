import type { ColumnId } from '../plan/expression.js'

/**
 * What an engine knows about the entities behind a group's rows, a value a row of the cell table. Bounds are
 * allowed where they are marked so: an entry that is not exact must err towards "unsafe".
 *
 * Evidence never leaves the zone: it is read by the disclosure check and then dropped.
 */
export interface Evidence {
  /** the scan (see `Obligation.source`) whose entities are counted */
  readonly source: number
  /** whose rows: the whole group's (null), or those that take part in one aggregate, or that do not, or that only one of two has */
  readonly part:
    | { readonly kind: 'group' }
    | { readonly kind: 'cell'; readonly id: ColumnId }
    | { readonly kind: 'complement'; readonly id: ColumnId }
    /** of the cell's differences, the one of this index */
    | { readonly kind: 'difference'; readonly id: ColumnId; readonly index: number }
  /** distinct entities; where `exact` is 0, at most the true number */
  readonly entities: Float64Array
  /** 1 where `entities` and `contributions` are exact, 0 where they are bounds */
  readonly exact: Uint8Array
  /** of a cell, a complement and a difference: one for each contribution of the cell's specification, in that order */
  readonly contributions: readonly ContributionEvidence[]
}

/** Contributions are non-negative sums per entity within the cell. */
export interface ContributionEvidence {
  /** over all entities; rows that belong to nobody are not in it */
  readonly total: Float64Array
  /**
   * `largest[i]` is the sum of the i+1 largest contributions; where `exact` is 0, at least that. As many as the
   * obligation needs: at least 2, at least its dominance rule's n.
   */
  readonly largest: readonly Float64Array[]
}
