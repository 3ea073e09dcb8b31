import { arrowTypeOf } from '@sluice/core/columns'
import {
  type Applied,
  type Binding,
  type Column,
  columnOfVector,
  dataOfColumn,
  definitionOf,
  Rule,
} from '@sluice/core/desensitize'
import type { ScalarType } from '@sluice/core/plan'
import { makeVector, vectorFromArray } from 'apache-arrow'

export const TEXT: ScalarType = { kind: 'text' }

export const INTEGER: ScalarType = { kind: 'integer', bits: 32, signed: true }

export const BINDING: Omit<Binding, 'type'> = {
  dataset: 'register',
  column: 'c',
  key: () => {
    throw new Error('a rule without a key asked for one')
  },
  table: () => new Map(),
  random: () => {
    throw new Error('a rule without randomness asked for some')
  },
}

export function columnOf(values: readonly unknown[], type: ScalarType = TEXT): Column {
  return columnOfVector(vectorFromArray(values, arrowTypeOf(type)))
}

export function valuesOf(column: Column): unknown[] {
  return [...makeVector(dataOfColumn(column))]
}

/** A rule as a policy would give it, on a column. */
export async function applied(
  rule: unknown,
  column: Column,
  binding: Partial<Binding> = {},
): Promise<Applied> {
  const parsed = Rule.parse(rule)
  const definition = definitionOf(parsed)
  definition.resultType(parsed, column.type)
  const apply = await definition.bind(parsed, { ...BINDING, type: column.type, ...binding })
  return apply(column, { row: 0, entity: null })
}

/** What a rule makes of some texts; null where it hides them. */
export async function texts(
  rule: unknown,
  values: readonly (string | null)[],
  binding: Partial<Binding> = {},
) {
  return valuesOf((await applied(rule, columnOf(values), binding)).column)
}

/** A small generator (LCG, Numerical Recipes), seeded: for long columns, where fast-check would take minutes. */
export function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
