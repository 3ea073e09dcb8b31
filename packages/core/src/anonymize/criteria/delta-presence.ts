import { type Criterion, MARGIN } from './criterion.js'

/**
 * Of the people of the population who look like a class, the share that is in the table lies within bounds (Nergiz,
 * Atzori, Clifton, SIGMOD 2007, definition 1; section 4 on monotonicity). A class of the population with nobody of
 * the table in it has share 0. The share of a union lies between those of its parts.
 */
export function deltaPresence(min: number, max: number): Criterion {
  return {
    name: 'delta-presence',
    monotone: 'union',
    column: null,
    satisfied: ({ size, population }) =>
      size >= (min - MARGIN) * population && size <= (max + MARGIN) * population,
  }
}
