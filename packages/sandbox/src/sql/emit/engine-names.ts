import { unreachable } from '@sluice/core'
import type { AggregateColumn, FunctionName } from '@sluice/core/plan'
import { functionNames } from './expression.js'

/** The names under which a function of the plan can stand in a plan that DuckDB bound. */
export function engineNames(name: FunctionName): readonly string[] {
  switch (name) {
    case 'like':
    case 'notLike':
      return ['~~', '!~~', 'like_escape', 'not_like_escape']
    case 'dateAdd':
      return [
        '+',
        'to_years',
        'to_quarters',
        'to_months',
        'to_weeks',
        'to_days',
        'to_hours',
        'to_minutes',
        'to_seconds',
      ]
    case 'negate':
      return ['-']
    default:
      return functionNames(name)
  }
}

export function aggregateEngineNames({ function: name, argument, rank }: AggregateColumn): readonly string[] {
  switch (name) {
    case 'count':
      return [argument === null ? 'count_star' : 'count']
    case 'sum':
      return ['sum', 'sum_no_overflow']
    case 'average':
      return ['avg']
    case 'minimum':
    case 'maximum':
      return [name === 'minimum' ? 'min' : 'max', ...(rank === undefined ? [] : ['array_extract'])]
    case 'quantile':
      return ['quantile_disc']
    default:
      return unreachable(name)
  }
}
