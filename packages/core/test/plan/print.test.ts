import { printPlan, printType } from '@sluice/core/plan'
import fc from 'fast-check'
import { expect, test as it } from 'vitest'
import { anyPlan } from './arbitrary.ts'
import { column, INTEGER, int, Plans, planOf, test, text, when } from './plans.ts'

it('prints a node a line, inputs below, columns by name', () => {
  const plans = new Plans()
  const left = plans.scan('strikes', 'cost', 'state')
  const right = plans.scan('regions', 'state', 'region_name')
  const joined = plans.join(left, right, test('equal', column(left, 'state'), column(right, 'state')), 'left')
  const kept = plans.filter(joined, test('greater', column(joined, 'cost'), int(0)))
  const total = plans.aggregate(
    kept,
    { region_name: column(kept, 'region_name') },
    {
      total: ['sum', column(kept, 'cost')],
      n: ['count', null, { filter: test('isNotNull', column(kept, 'cost')) }],
      states: ['count', column(left, 'state'), { distinct: true }],
    },
  )
  const sorted = {
    kind: 'sort',
    input: total,
    keys: [{ expression: column(total, 'total'), descending: true, nullsFirst: false }],
  } as const
  expect(printPlan(planOf({ kind: 'limit', input: sorted, count: 10, offset: 5 }))).toBe(
    [
      'output region_name, total, n, states',
      '  limit 10 after 5',
      '    sort by total descending nulls last',
      '      aggregate by region_name: total = sum(cost), n = count(rows) where isNotNull(cost), states = count(distinct state#1)',
      '        filter (cost > 0)',
      '          left join on (state#1 = state#2)',
      '            scan strikes: cost, state#1',
      '            scan regions: state#2, region_name',
    ].join('\n'),
  )
})

it('prints every other node and expression', () => {
  const plans = new Plans()
  const scan = plans.scan('strikes', 'cost')
  const cost = column(scan, 'cost')
  const computed = plans.project(scan, {
    size: when(
      { kind: 'in', type: { kind: 'boolean' }, argument: cost, list: [int(1), int(2)] },
      text("it's"),
      {
        kind: 'cast',
        type: { kind: 'text' },
        argument: { kind: 'parameter', type: INTEGER, name: 'year' },
      },
    ),
  })
  const plan = planOf({ kind: 'distinct', input: plans.union(computed, computed) })
  expect(printPlan(plan)).toBe(
    [
      'output size = size#2',
      '  distinct',
      '    union into size#2',
      "      project size#1 = case when (cost in (1, 2)) then 'it''s' else text($year) end",
      '        scan strikes: cost',
      "      project size#1 = case when (cost in (1, 2)) then 'it''s' else text($year) end",
      '        scan strikes: cost',
    ].join('\n'),
  )
})

it('hides nothing: names and text show their invisible characters', () => {
  const plans = new Plans()
  const scan = plans.scan('strikes', 'a\u202eb')
  const kept = plans.filter(scan, test('equal', column(scan, 'a\u202eb'), text('x\u001b[2K')))
  const printed = printPlan(planOf(kept))
  expect(printed).toContain('a\\u{202e}b')
  expect(printed).toContain("'x\\u{1b}[2K'")
  expect(printed).not.toMatch(/[\u202e\u001b]/)
})

it('lets no name pass for an expression, and shows what parameters may be', () => {
  const plans = new Plans()
  const scan = plans.scan('strikes', 'cost × 0 as cost', 'sta"te')
  const year = { name: 'year', type: INTEGER, minimum: '1990', maximum: '2002' }
  expect(printPlan(planOf(scan, { parameters: [year] }))).toBe(
    [
      'output "cost × 0 as cost", "sta""te"',
      '  parameter $year: integer from 1990 to 2002',
      '  scan strikes: "cost × 0 as cost", "sta""te"',
    ].join('\n'),
  )
})

it('prints every plan without a control character', () => {
  fc.assert(
    fc.property(anyPlan, plan => {
      expect(printPlan(plan).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    }),
    { seed: 23, numRuns: 100 },
  )
})

it('prints types in a word', () => {
  expect(printType(INTEGER)).toBe('int64')
  expect(printType({ kind: 'integer', bits: 8, signed: false })).toBe('uint8')
  expect(printType({ kind: 'decimal', precision: 10, scale: 2 })).toBe('decimal(10,2)')
  expect(printType({ kind: 'float', bits: 32 })).toBe('float32')
  expect(printType({ kind: 'timestamp' })).toBe('timestamp')
})
