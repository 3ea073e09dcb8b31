import type { AggregateColumn, Expression, Plan, PlanNode, ScalarType } from '@sluice/core/plan'
import { describe, expect, it } from 'vitest'
import { computedFrom, nodesAbove } from '../../dist/job/above/above.js'
import { openedOf } from '../../dist/job/above/cells.js'
import { checkComputable, evaluate } from '../../dist/job/above/evaluate.js'

const BOOLEAN: ScalarType = { kind: 'boolean' }
const TEXT: ScalarType = { kind: 'text' }
const FLOAT: ScalarType = { kind: 'float', bits: 64 }
const INTEGER: ScalarType = { kind: 'integer', bits: 64, signed: true }
const money = (scale: number, precision = 38): ScalarType => ({ kind: 'decimal', precision, scale })

type Value = ReturnType<typeof evaluate>

const literal = (value: string | boolean | null, type: ScalarType): Expression => ({
  kind: 'literal',
  type,
  value,
})
const call = (name: string, type: ScalarType, ...given: Expression[]): Expression =>
  ({ kind: 'call', function: name, type, arguments: given }) as Expression
const column = (id: number, type: ScalarType): Expression => ({ kind: 'column', id, type })
const cast = (argument: Expression, type: ScalarType): Expression => ({ kind: 'cast', type, argument })
const nothing = () => null

describe('an expression over cells', () => {
  const NULL = literal(null, BOOLEAN)
  const YES = literal(true, BOOLEAN)
  const NO = literal(false, BOOLEAN)
  const one = (digits: string, scale: number) => literal(digits, money(scale))
  const cases: [string, Expression, Value][] = [
    ['adds numbers of different digits', call('add', money(2), one('1.25', 2), one('-0.5', 1)), 75n],
    ['multiplies exactly', call('multiply', money(3), one('1.25', 2), one('-0.5', 1)), -625n],
    [
      'multiplies beyond 64 bits',
      call('multiply', money(0), one('9000000000000000000', 0), one('9', 0)),
      9n * 9n * 10n ** 18n,
    ],
    ['divides in floating point', call('divide', FLOAT, one('1.00', 2), literal('3', INTEGER)), 1 / 3],
    ['divides by zero', call('divide', FLOAT, one('1', 0), one('0', 0)), Number.POSITIVE_INFINITY],
    ['rounds half away from zero', call('round', money(1), one('-2.25', 2), literal('1', INTEGER)), -23n],
    ['rounds floating point', call('round', FLOAT, literal('-2.675e0', FLOAT), literal('0', INTEGER)), -3],
    ['casts to fewer digits', cast(one('0.05', 2), money(1)), 1n],
    ['casts to more', cast(literal('7', INTEGER), money(2)), 700n],
    ['takes the absolute value', call('absolute', money(2), one('-0.05', 2)), 5n],
    [
      'compares with numbers of more digits than inputs have',
      call('less', BOOLEAN, one(`5.${'0'.repeat(20)}`, 20), one('12345678901234567890123', 0)),
      true,
    ],
    ['takes a root', call('squareRoot', FLOAT, cast(one('6.25', 2), FLOAT)), 2.5],
    [
      'computes in 32 bits where its type has these',
      call(
        'add',
        { kind: 'float', bits: 32 },
        cast(one('0.1', 1), { kind: 'float', bits: 32 }),
        one('0.2', 1),
      ),
      Math.fround(Math.fround(0.1) + 0.2),
    ],
    ['has nothing of nothing', call('add', INTEGER, literal('1', INTEGER), literal(null, INTEGER)), null],
    ['knows that one truth decides', call('or', BOOLEAN, NULL, YES), true],
    ['knows that one falsehood decides', call('and', BOOLEAN, NULL, NO), false],
    ['does not know otherwise', call('and', BOOLEAN, NULL, YES), null],
    ['negates nothing to nothing', call('not', BOOLEAN, NULL), null],
    ['compares by value', call('equal', BOOLEAN, one('1.50', 2), one('1.5', 1)), true],
    ['compares with floating point', call('less', BOOLEAN, one('1.5', 1), literal('1.6', FLOAT)), true],
    [
      'compares texts by code point',
      call('less', BOOLEAN, literal('\uffee', TEXT), literal('𠀀', TEXT)),
      true,
    ],
    [
      'takes the first that there is',
      call('coalesce', money(2), literal(null, INTEGER), one('2.5', 1)),
      250n,
    ],
    ['makes an equal value nothing', call('nullIf', money(1), one('2.5', 1), one('2.50', 2)), null],
    [
      'chooses the first case that is true',
      {
        kind: 'case',
        type: money(1),
        branches: [
          { when: NULL, then: one('1', 0) },
          { when: YES, then: one('2', 0) },
        ],
        otherwise: one('3', 0),
      },
      20n,
    ],
    [
      'knows that a list may hold nothing',
      { kind: 'in', type: BOOLEAN, argument: one('1', 0), list: [one('2', 0), literal(null, money(0))] },
      null,
    ],
  ]

  it.each(cases)('%s', (_, expression, value) => {
    expect(() => checkComputable(expression)).not.toThrow()
    expect(evaluate(expression, nothing)).toBe(value)
  })

  it('is an error where its type does not hold it', async () => {
    const sum = call('add', INTEGER, literal(String(2n ** 63n - 1n), INTEGER), literal('1', INTEGER))
    await expect(() => evaluate(sum, nothing)).toThrowWithCode('RESULT_TOO_LARGE', 'mpc.above')
    const wide = call('multiply', money(0, 4), one('100', 0), one('100', 0))
    await expect(() => evaluate(wide, nothing)).toThrowWithCode('RESULT_TOO_LARGE', 'mpc.above')
    const root = call('squareRoot', FLOAT, literal('-1', FLOAT))
    await expect(() => evaluate(root, nothing)).toThrowWithCode('RESULT_TOO_LARGE', 'mpc.above')
  })

  it.each<[string, Expression]>([
    ['a function of texts', call('lower', TEXT, literal('A', TEXT))],
    ['a cast of a text', cast(literal('1', TEXT), INTEGER)],
    ['a cast from floating point', cast(literal('1.5', FLOAT), INTEGER)],
    ['a date', literal('2001-02-03', { kind: 'date' })],
    [
      'a whole quotient inside',
      call('not', BOOLEAN, call('equal', BOOLEAN, call('integerDivide', INTEGER, one('1', 0)), YES)),
    ],
    ['a number that is rounded to tens', call('round', money(0), one('1', 0), literal('-1', INTEGER))],
    ['digits that are computed', call('round', money(0), one('1', 0), column(1, INTEGER))],
  ])('is refused before anybody signs where it has %s', async (_, expression) => {
    await expect(() => checkComputable(expression)).toThrowWithCode('SQL_REFUSED', 'mpc.above')
  })
})

describe('what stands above the aggregate', () => {
  const scan: PlanNode = { kind: 'scan', dataset: 't', columns: [{ id: 0, name: 'k', type: TEXT }] }
  const count: AggregateColumn = {
    id: 2,
    name: 'n',
    type: INTEGER,
    function: 'count',
    argument: null,
    distinct: false,
    filter: null,
  }
  const aggregate: PlanNode = {
    kind: 'aggregate',
    input: scan,
    keys: [{ id: 1, name: 'k', type: TEXT, expression: column(0, TEXT) }],
    aggregates: [count],
  }
  const planOf = (root: PlanNode): Plan => ({
    kind: 'plan',
    language: 'sluice-plan/1',
    root,
    output: [{ name: 'k', id: 1 }],
    parameters: [],
  })
  const cells = new Map<number, Value[]>([
    [1, ['b', 'c', 'a', 'd']],
    [2, [30n, null, 30n, 12n]],
  ])

  it('marks what passes and ranks all rows, ties by the keys, what is suppressed last', () => {
    const root: PlanNode = {
      kind: 'limit',
      count: 1,
      offset: 1,
      input: {
        kind: 'sort',
        keys: [{ expression: column(2, INTEGER), descending: true, nullsFirst: true }],
        input: {
          kind: 'filter',
          predicate: call('greater', BOOLEAN, column(2, INTEGER), literal('20', INTEGER)),
          input: aggregate,
        },
      },
    }
    const { keep, keepDependsOn, rank, rankDependsOn, keyRank, limit, columns } = computedFrom(
      planOf(root),
      cells,
      4,
    )
    expect([...keep!]).toEqual([1, 0, 1, 0])
    expect(keepDependsOn).toEqual([2])
    expect([...rank!]).toEqual([1, 3, 0, 2])
    expect(rankDependsOn).toEqual([2])
    expect([...keyRank]).toEqual([1, 2, 0, 3])
    expect(limit).toEqual({ count: 1, offset: 1 })
    expect(columns).toEqual([['b', 'c', 'a', 'd']])
  })

  it('takes a suppressed cell for no null: what depends on it is null, is left out, or comes last', () => {
    const n = column(2, INTEGER)
    const missing = call('isNull', BOOLEAN, n)
    const made: Expression[] = [
      call('coalesce', INTEGER, n, literal('0', INTEGER)),
      {
        kind: 'case',
        type: TEXT,
        branches: [
          { when: call('greater', BOOLEAN, n, literal('20', INTEGER)), then: literal('above', TEXT) },
        ],
        otherwise: literal('below', TEXT),
      },
      missing,
      column(1, TEXT),
    ]
    const project = (input: PlanNode): PlanNode => ({
      kind: 'project',
      input,
      columns: made.map((expression, at) => ({
        id: 10 + at,
        name: `c${at}`,
        type: expression.type,
        expression,
      })),
    })
    const output = made.map((_, at) => ({ name: `c${at}`, id: 10 + at }))
    const { columns } = computedFrom({ ...planOf(project(aggregate)), output }, cells, 4)
    expect(columns).toEqual([
      [30n, null, 30n, 12n],
      ['above', null, 'above', 'below'],
      [false, null, false, false],
      ['b', 'c', 'a', 'd'],
    ])
    const having: PlanNode = { kind: 'filter', predicate: column(12, BOOLEAN), input: project(aggregate) }
    expect([...computedFrom({ ...planOf(having), output }, cells, 4).keep!]).toEqual([0, 0, 0, 0])
    // by an expression that knows nothing of nulls any more
    const keys = [
      { expression: column(1, TEXT), descending: true, nullsFirst: true },
      { expression: column(10, INTEGER), descending: false, nullsFirst: true },
    ]
    const suppressed = new Map([...cells, [2, [30n, null, null, 12n] as Value[]] as const])
    const sorted: PlanNode = { kind: 'sort', keys, input: project(aggregate) }
    expect([...computedFrom({ ...planOf(sorted), output }, suppressed, 4).rank!]).toEqual([1, 3, 2, 0])
  })

  it('takes a NaN for equal to itself and greater than every number, as DuckDB orders it', () => {
    const NaNs = call('divide', FLOAT, literal('0', FLOAT), literal('0', FLOAT))
    const infinite = call('divide', FLOAT, literal('1', FLOAT), literal('0', FLOAT))
    const holds = (name: string, a: Expression, b: Expression) => evaluate(call(name, BOOLEAN, a, b), nothing)
    expect(holds('equal', NaNs, NaNs)).toBe(true)
    expect(holds('greater', NaNs, infinite)).toBe(true)
    expect(holds('less', NaNs, literal('1', INTEGER))).toBe(false)
    expect(holds('less', literal('1', INTEGER), NaNs)).toBe(true)
    const ratio = column(2, FLOAT)
    const ratios = new Map<number, Value[]>([
      [1, ['a', 'b', 'c', 'd', 'e']],
      [2, [Number.NaN, 3, Number.POSITIVE_INFINITY, Number.NaN, -1]],
    ])
    const ranksOf = (descending: boolean) => {
      const keys = [{ expression: ratio, descending, nullsFirst: false }]
      return [...computedFrom(planOf({ kind: 'sort', keys, input: aggregate }), ratios, 5).rank!]
    }
    expect(ranksOf(false)).toEqual([3, 1, 2, 4, 0])
    expect(ranksOf(true)).toEqual([0, 3, 2, 1, 4])
  })

  it('reads a key of more digits than inputs have', () => {
    const product = money(20)
    const keyed: PlanNode = {
      ...aggregate,
      keys: [{ id: 1, name: 'k', type: product, expression: column(0, product) }],
    }
    const predicate = call('greater', BOOLEAN, column(1, product), literal('0.5', money(1)))
    const plan = planOf({ kind: 'filter', predicate, input: keyed })
    const query = {
      computed: plan,
      outputs: [{ name: 'k', is: 'key', at: 0 }],
      measures: [{ kind: 'rows' }],
      cells: [
        { id: 1, type: product, is: 'key', at: 0 },
        { id: 2, type: INTEGER, is: 'count', at: 0 },
      ],
    } as unknown as Parameters<typeof openedOf>[1]
    const opened = { count: 12n, sum: 0n }
    const groups = [[`0.${'5'.padEnd(20, '0')}`], [`0.${'5'.padEnd(19, '0')}1`]]
    const operation = { name: 'asked' } as Parameters<typeof openedOf>[0]
    const { table } = openedOf(operation, query, { groups, measures: [[opened, opened]] })
    expect(table().rows).toEqual([groups[1]])
  })

  it('is refused where a LIMIT stands below what chooses rows, or nothing is aggregated', async () => {
    const limited: PlanNode = { kind: 'limit', count: 1, offset: 0, input: aggregate }
    const sorted: PlanNode = { kind: 'sort', keys: [], input: limited }
    await expect(() => nodesAbove(sorted)).toThrowWithCode('SQL_REFUSED', 'mpc.shape')
    await expect(() => nodesAbove(scan)).toThrowWithCode('SQL_REFUSED', 'mpc.shape')
  })
})
