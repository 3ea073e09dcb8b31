import type { AggregateFunction } from '@sluice/core/plan'
import { type Ast, isAst, refuse } from '../syntax/ast.js'

/** An aggregate function of the dialect, as the documentation shows it. */
export interface AggregateRule {
  readonly signature: string
  readonly meaning: string
  readonly function: AggregateFunction
}

/** Every aggregate function, by its lower-case SQL name. `docs/sql.md` lists the same (a test compares). */
export const AGGREGATES: ReadonlyMap<string, AggregateRule> = new Map([
  ['count_star', { signature: 'count(*)', meaning: 'Number of rows.', function: 'count' }],
  [
    'count',
    { signature: 'count([DISTINCT] x)', meaning: 'Number of values that are not null.', function: 'count' },
  ],
  [
    'sum',
    {
      signature: 'sum([DISTINCT] x)',
      meaning: 'Sum of the values that are not null; null where there is none. Of integers a HUGEINT.',
      function: 'sum',
    },
  ],
  [
    'avg',
    {
      signature: 'avg([DISTINCT] x)',
      meaning: 'Mean of the values that are not null, as floating point; null where there is none.',
      function: 'average',
    },
  ],
  ['mean', { signature: 'mean([DISTINCT] x)', meaning: 'The same as avg.', function: 'average' }],
  [
    'min',
    {
      signature: 'min(x)',
      meaning:
        'Smallest value; `min(x, k)[k]` the k-th smallest, null where there are fewer; k is a literal.',
      function: 'minimum',
    },
  ],
  [
    'max',
    {
      signature: 'max(x)',
      meaning: 'Largest value; `max(x, k)[k]` the k-th largest, null where there are fewer; k is a literal.',
      function: 'maximum',
    },
  ],
  [
    'quantile_disc',
    {
      signature: 'quantile_disc(x, fraction)',
      meaning:
        'Smallest value that so much of them is at most equal to: 0.5 gives the lower median, a value of the column. ' +
        'Of numbers, dates and times; the fraction is a literal such as `0.25`, of six digits at most.',
      function: 'quantile',
    },
  ],
])

/** Aggregates of the engine that name single values, or for which no evidence is defined. */
const REFUSED = new Set(
  (
    'any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_min arg_min_null ' +
    'array_agg bit_and bit_or bit_xor bitstring_agg bool_and bool_or corr covar_pop covar_samp entropy favg first ' +
    'fsum geomean geometric_mean group_concat histogram kahan_sum kurtosis last list listagg mad max_by median ' +
    'min_by mode product quantile quantile_cont regr_count regr_slope sem skewness stddev ' +
    'stddev_pop stddev_samp string_agg sumkahan var_pop var_samp variance reservoir_quantile histogram_exact'
  ).split(' '),
)

/** Of two middle values these give the mean, of which one is still somebody's. */
const QUANTILES = new Set(['median', 'quantile', 'quantile_cont', 'approx_quantile', 'reservoir_quantile'])

export function isAggregateName(name: string): boolean {
  return AGGREGATES.has(name)
}

export function refuseAggregateName(name: string, ast: Ast): void {
  if (REFUSED.has(name)) {
    refuse(
      'sql.aggregate',
      ast,
      `the aggregate ${name} is not understood`,
      QUANTILES.has(name) ? 'Write quantile_disc(x, 0.5).' : 'Use count, sum or avg.',
    )
  }
}

/** Does the expression have an aggregate call in it, subqueries apart. */
export function hasAggregate(ast: unknown): boolean {
  if (Array.isArray(ast)) return ast.some(hasAggregate)
  if (!isAst(ast) || ast.class === 'SUBQUERY') return false
  if (ast.class === 'FUNCTION' && isAggregateName(String(ast.function_name).toLowerCase())) return true
  return Object.values(ast).some(hasAggregate)
}
