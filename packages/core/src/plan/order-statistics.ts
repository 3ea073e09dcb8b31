import type { AggregateColumn } from './node.js'

/** A place in the order of n values, counted from 1 at the smallest: ⌈n · millionths / 10⁶⌉ + offset. */
interface Place {
  readonly millionths: number
  readonly offset: number
}

/** Where in the order of a cell's values a released one stands, and where the others of the same values. */
export interface OrderBound {
  readonly place: Place
  readonly others: readonly Place[]
}

/** Engines keep so many values at a time for a rank, and no more: DuckDB's `max(x, n)` takes an n below 10⁶. */
export const HIGHEST_RANK = 999_999

const WHOLE = 1_000_000

/** The place of a quantile or of the k-th smallest or largest; undefined for an extreme and what is no order statistic. */
export function placeOf({
  function: called,
  rank,
  fraction,
}: { readonly [K in 'function' | 'rank' | 'fraction']: AggregateColumn[K] | undefined }): Place | undefined {
  if (fraction !== undefined) return { millionths: Number(fraction.slice(2).padEnd(6, '0')), offset: 0 }
  if (rank === undefined) return undefined
  return called === 'minimum' ? { millionths: 0, offset: rank } : { millionths: WHOLE, offset: 1 - rank }
}

/**
 * With how many entities in a cell, or more, at least `minimum` of them stand at and below the released value, as many at
 * and above it, and as many from it to the next that is released of the same values: so that no released value bounds, or
 * sets apart, fewer people than a cell may have. Every row has to be another entity's. Infinite where no number of them
 * is enough, as for the third largest under a minimum of ten.
 *
 * Output checkers ask of quantiles a minimum of contributors of their own (Australian Bureau of Statistics, DataLab, output
 * rules); that it stands on each side is ours.
 */
export function leastEntities({ place, others }: OrderBound, minimum: number): number {
  return Math.max(
    minimum,
    below(place, minimum),
    above(place, minimum),
    ...others.map(other => between(place, other, minimum)),
  )
}

/** From how many values on the place itself is `minimum` or more. */
function below({ millionths, offset }: Place, minimum: number): number {
  const wanted = minimum - offset
  if (wanted <= 0) return 0
  return millionths === 0 ? Number.POSITIVE_INFINITY : Math.floor(((wanted - 1) * WHOLE) / millionths) + 1
}

/** From how many values on there are `minimum` from the place to the largest. */
function above({ millionths, offset }: Place, minimum: number): number {
  return reaching(WHOLE - millionths, minimum - 1 + offset)
}

function between(a: Place, b: Place, minimum: number): number {
  const [low, high] =
    a.millionths < b.millionths || (a.millionths === b.millionths && a.offset < b.offset) ? [a, b] : [b, a]
  // twice the same value tells nothing more
  if (low.millionths === high.millionths && low.offset === high.offset) return 0
  return reaching(high.millionths - low.millionths, minimum - (high.offset - low.offset))
}

/** From how many values on so many millionths of them, rounded down, are `wanted` or more. */
function reaching(millionths: number, wanted: number): number {
  if (wanted <= 0) return 0
  return millionths === 0 ? Number.POSITIVE_INFINITY : Math.ceil((wanted * WHOLE) / millionths)
}
