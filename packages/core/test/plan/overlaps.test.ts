import type { Expression } from '@sluice/core/plan'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.ts'
import { reviewed } from './approved.ts'
import { column, dataset, int, Plans, planOf, test } from './plans.ts'

const FACTS = dataset(
  'loans',
  ['a', 'b', 'c'],
  `version: 1
owner: bank
grade: 1
entity: row
purposes: [credit-risk]
consumers: [insurer]
columns:
  a: {role: measure, uses: [aggregate, filter]}
  b: {role: measure, uses: [aggregate, filter]}
  c: {role: measure, uses: [aggregate, filter]}
`,
)

const plans = new Plans()
const loans = plans.scan('loans', 'a', 'b', 'c')
const [a, b, c] = ['a', 'b', 'c'].map(name => column(loans, name)) as [Expression, Expression, Expression]
const is = (value: number) => test('equal', c, int(value))
const above = (value: number) => test('greater', c, int(value))

type Column = readonly ['sum' | 'count' | 'average', Expression | null, Expression | null]

/** How many differences each cell answers for. */
function differences(...columns: Column[]): number[] {
  const aggregates = Object.fromEntries(
    columns.map(([of, argument, filter], at) => [`x${at}`, [of, argument, { filter }] as const]),
  )
  const { release } = reviewed(planOf(plans.aggregate(loans, {}, aggregates as never)), [FACTS])
  if (release.mode !== 'aggregate') throw new Error('not an aggregate')
  return release.cells.map(cell => cell.differences.length)
}

describe('what two cells of a group tell together', () => {
  it.each<[string, Column[], number[]]>([
    [
      'nothing: the complement of one selection is judged anyway',
      [
        ['count', null, null],
        ['count', null, above(1)],
      ],
      [0, 0],
    ],
    [
      'nothing: other measures',
      [
        ['sum', a, above(1)],
        ['sum', b, above(2)],
      ],
      [0, 0],
    ],
    [
      'nothing: no row is in both',
      [
        ['count', null, is(1)],
        ['count', null, is(2)],
      ],
      [0, 0],
    ],
    [
      'nothing: the same rows',
      [
        ['sum', a, above(1)],
        ['average', a, above(1)],
      ],
      [0, 0],
    ],
    [
      'two selections that overlap, either way',
      [
        ['count', null, above(1)],
        ['count', null, above(2)],
      ],
      [0, 2],
    ],
    [
      'two of one measure',
      [
        ['sum', a, above(1)],
        ['average', a, above(2)],
      ],
      [0, 2],
    ],
    [
      'values that some lack',
      [
        ['count', null, null],
        ['count', a, null],
      ],
      [0, 1],
    ],
    [
      'a sum and a mean count what has a value',
      [
        ['count', null, null],
        ['sum', a, null],
        ['average', a, null],
      ],
      [0, 0, 1],
    ],
    [
      'the rest of a whole',
      [
        ['count', null, null],
        ['count', null, is(1)],
        ['count', null, is(2)],
      ],
      [0, 0, 1],
    ],
  ])('%s', (_, columns, expected) => {
    expect(differences(...columns)).toEqual(expected)
  })

  it('is not defined for very many selections', () => {
    const columns = Array.from({ length: 8 }, (_, at): Column => ['count', null, above(at)])
    expect(failure(() => differences(...columns))).toMatchObject({
      code: 'EVIDENCE_UNDEFINED',
      rule: 'evidence.overlaps',
    })
  })
})
