import {
  type AnonymizeConfig,
  type Hierarchy,
  hierarchyOf,
  orderedColumn,
  type Records,
} from '@sluice/core/anonymize'
import fc from 'fast-check'

/** A binary tree over `values` values: level l puts 2^l neighbours together, the last level all. */
export function binaryHierarchy(values: number, height: number): Hierarchy {
  return hierarchyOf(
    'column',
    Array.from({ length: values }, (_, value) => `v${value}`),
    (_, code) =>
      Array.from({ length: height }, (_, at) => (at + 1 === height ? '*' : `${at}:${code >> (at + 1)}`)),
  )
}

export const MODEL: AnonymizeConfig['model'] = { k: 2, diversity: [], closeness: [], presence: null }

export interface Case {
  readonly records: Records
  readonly config: Pick<AnonymizeConfig, 'model' | 'suppression' | 'measure'>
}

export const SENSITIVE = 's'

/** Small tables with every kind of criterion, suppression and measure. */
export const cases: fc.Arbitrary<Case> = fc
  .record({
    columns: fc.array(
      fc.record({ values: fc.integer({ min: 1, max: 5 }), height: fc.integer({ min: 1, max: 3 }) }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
    rows: fc.array(
      fc.record({
        codes: fc.array(fc.nat(59), { minLength: 4, maxLength: 4 }),
        sensitive: fc.nat(3),
        weight: fc.integer({ min: 1, max: 3 }),
        others: fc.nat(4),
      }),
      { minLength: 1, maxLength: 24 },
    ),
    k: fc.integer({ min: 2, max: 4 }),
    suppression: fc.constantFrom(0, 0, 0.1, 0.3, 1),
    measure: fc.constantFrom(
      'non-uniform-entropy' as const,
      'discernibility' as const,
      'average-class-size' as const,
    ),
    diversity: fc.option(
      fc.oneof(
        fc.record({
          column: fc.constant(SENSITIVE),
          kind: fc.constant('distinct' as const),
          l: fc.integer({ min: 2, max: 3 }),
        }),
        fc.record({
          column: fc.constant(SENSITIVE),
          kind: fc.constant('entropy' as const),
          l: fc.constantFrom(1.5, 2, 2.5),
        }),
        fc.record({
          column: fc.constant(SENSITIVE),
          kind: fc.constant('recursive' as const),
          l: fc.integer({ min: 2, max: 3 }),
          c: fc.constantFrom(0.5, 1, 2, 4),
        }),
      ),
      { nil: null },
    ),
    t: fc.option(fc.constantFrom(0.1, 0.25, 0.5), { nil: null }),
    presence: fc.option(fc.constantFrom({ min: 0, max: 0.7 }, { min: 0.2, max: 0.9 }), { nil: null }),
  })
  .map(({ columns, rows, k, suppression, measure, diversity, t, presence }) => ({
    records: {
      quasi: columns.map(({ values, height }, column) =>
        orderedColumn(
          `q${column}`,
          binaryHierarchy(values, height),
          Uint32Array.from(rows, ({ codes }) => codes[column]! % values),
        ),
      ),
      sensitive: [
        {
          name: SENSITIVE,
          hierarchy: null,
          cardinality: 4,
          codes: Uint32Array.from(rows, row => row.sensitive),
        },
      ],
      weights: Uint32Array.from(rows, row => row.weight),
      population: presence === null ? null : Uint32Array.from(rows, row => row.weight + row.others),
    },
    config: {
      model: {
        k,
        diversity: diversity === null ? [] : [diversity],
        closeness: t === null ? [] : [{ column: SENSITIVE, t, distance: 'equal' as const }],
        presence,
      },
      suppression,
      measure,
    },
  }))
