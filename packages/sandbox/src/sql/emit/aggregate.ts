import type { AggregateColumn, AggregateFunction } from '@sluice/core/plan'

const FUNCTIONS: Readonly<Record<AggregateFunction, string>> = {
  count: 'system.main.count',
  sum: 'system.main.sum',
  average: 'system.main.avg',
  minimum: 'system.main.min',
  maximum: 'system.main.max',
  quantile: 'system.main.quantile_disc',
}

/**
 * The call of an aggregate function.
 *
 * @param argument its text, `*` where rows are counted
 * @param filter FILTER and what is behind it, or nothing
 */
export function aggregateCall(
  { function: called, distinct, rank, fraction }: AggregateColumn,
  argument: string,
  filter: string,
): string {
  const further = rank ?? fraction
  const parts = further === undefined ? argument : `${argument}, ${further}`
  const call = `${FUNCTIONS[called]}(${distinct ? 'DISTINCT ' : ''}${parts})${filter}`
  // with a number they give a list of so many values, whose last is wanted; there is none where values are fewer
  return rank === undefined ? call : `(${call})[${rank}]`
}
