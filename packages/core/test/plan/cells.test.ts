import { isSluiceError } from '@sluice/core'
import type { CellSpecification, ColumnId, Expression, PlanNode } from '@sluice/core/plan'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reviewed } from './approved.ts'
import { evaluate } from './evaluate.ts'
import { call, cast, column, dataset, int, nothing, Plans, planOf, test, when } from './plans.ts'

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

/** Arguments as somebody who wants one person’s value would try them. */
const argument = fc.letrec<{ value: Expression; condition: Expression }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(a, b, c, int(0), int(1), int(1000), nothing),
    fc.tuple(tie('condition'), tie('value'), tie('value')).map(([x, y, z]) => when(x, y, z)),
    fc.tuple(tie('condition'), tie('value')).map(([x, y]) => when(x, y, int(0))),
    fc.tuple(tie('condition'), tie('value')).map(([x, y]) => when(x, nothing, y)),
    fc
      .tuple(
        fc.constantFrom(
          'add',
          'subtract',
          'multiply',
          'divide',
          'integerDivide',
          'modulo',
          'coalesce',
          'nullIf',
        ),
        tie('value'),
        tie('value'),
      )
      .map(([name, x, y]) => call(name, x, y)),
    tie('value').map(x => call('coalesce', x, int(0))),
    tie('value').map(x => call('negate', x)),
    tie('condition').map(x => cast(x)),
  ),
  condition: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(tie('value'), tie('value')).map(([x, y]) => test('greater', x, y)),
    fc.constantFrom(a, b, c).map(x => test('isNull', x)),
    fc.tuple(tie('condition'), tie('condition')).map(([x, y]) => test('or', x, y)),
    tie('condition').map(x => test('not', x)),
  ),
})).value

const cellValue = fc.option(fc.integer({ min: -3, max: 3 }), { freq: 4 })
const rows = fc.array(fc.tuple(cellValue, cellValue, cellValue), { minLength: 1, maxLength: 8 })

/** The cell of one aggregate, and the values in scope for a row of a, b and c; null where the review refuses it. */
function cellOf(
  of: 'sum' | 'count',
  given: Expression,
  input: PlanNode = loans,
  filter: Expression | null = null,
) {
  try {
    const { release } = reviewed(planOf(plans.aggregate(input, {}, { x: [of, given, { filter }] })), [FACTS])
    if (release.mode !== 'aggregate') throw new Error('not an aggregate')
    return { cell: release.cells[0] as CellSpecification, input: release.aggregate.input }
  } catch (error) {
    if (isSluiceError(error) && error.code === 'EVIDENCE_UNDEFINED') return null
    throw error
  }
}

const scopeOf = (row: readonly (number | null)[]) =>
  new Map<ColumnId, number | null>(row.map((value, id) => [id, value]))

describe('what the evidence of a cell is taken over', () => {
  it('a sum: rows that do not take part add nothing, and those that do add their contribution', () => {
    let taken = 0
    fc.assert(
      fc.property(argument, rows, fc.boolean(), (given, data, filtered) => {
        const filter = filtered ? test('greater', c, int(0)) : null
        const found = cellOf('sum', given, loans, filter)
        if (found === null) return
        taken++
        const { contributes, complement, contributions } = found.cell
        for (const row of data.map(scopeOf)) {
          const value = evaluate(given, row)
          const summed = filter === null || evaluate(filter, row) === true ? value : null
          const takesPart = contributes === null || evaluate(contributes, row) === true
          const left = complement !== null && evaluate(complement, row) === true
          if (!takesPart) expect(summed === null || Math.abs(summed as number) === 0).toBe(true)
          else if (contributions[0] !== undefined) {
            expect(evaluate(contributions[0], row)).toBe(Math.abs(value as number) + 0)
          }
          expect(takesPart && left).toBe(false)
          // what a selection left out though it has a value is in the complement
          if (filter !== null && summed === null && value) expect(left).toBe(true)
        }
      }),
      { seed: 41, numRuns: 3000 },
    )
    expect(taken).toBeGreaterThan(500)
  })

  it('a count: rows take part where the argument is not null', () => {
    let taken = 0
    fc.assert(
      fc.property(argument, rows, (given, data) => {
        const found = cellOf('count', given)
        if (found === null) return
        taken++
        const { contributes, complement } = found.cell
        for (const row of data.map(scopeOf)) {
          const takesPart = contributes === null || evaluate(contributes, row) === true
          expect(takesPart).toBe(evaluate(given, row) !== null)
          expect(takesPart && complement !== null && evaluate(complement, row) === true).toBe(false)
        }
      }),
      { seed: 42, numRuns: 2000 },
    )
    expect(taken).toBeGreaterThan(300)
  })

  it('does not depend on whether the argument was computed in a subquery', () => {
    fc.assert(
      fc.property(argument, rows, (given, data) => {
        const direct = cellOf('sum', given)
        const below = plans.project(loans, { y: given })
        const found = cellOf('sum', column(below, 'y'), below)
        expect(found === null).toBe(direct === null)
        if (found === null || direct === null || found.input.kind !== 'project') return
        const { columns } = found.input
        for (const row of data.map(scopeOf)) {
          const above = new Map(
            columns.map(({ id, expression }) => [id, evaluate(expression, row) as number | null]),
          )
          for (const part of ['contributes', 'complement'] as const) {
            const [one, other] = [direct.cell[part], found.cell[part]]
            expect(other === null ? null : evaluate(other, above)).toBe(
              one === null ? null : evaluate(one, row),
            )
          }
          expect(found.cell.contributions.map(part => evaluate(part, above)).slice(0, 1)).toEqual(
            direct.cell.contributions.map(part => evaluate(part, row)).slice(0, 1),
          )
        }
      }),
      { seed: 43, numRuns: 500 },
    )
  })
})
