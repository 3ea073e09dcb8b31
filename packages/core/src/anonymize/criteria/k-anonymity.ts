import type { Criterion } from './criterion.js'

/** At least k rows a class (Sweeney, 2002, k-anonymity: a model for protecting privacy, definition 3). */
export function kAnonymity(k: number): Criterion {
  return {
    name: 'k-anonymity',
    monotone: 'superset',
    column: null,
    leastSize: k,
    satisfied: ({ size }) => size >= k,
  }
}
