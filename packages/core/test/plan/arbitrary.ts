import {
  AGGREGATE_FUNCTIONS,
  type AggregateColumn,
  DATE_PARTS,
  type Expression,
  isOrderStatistic,
  outputColumns,
  type Plan,
  type PlanColumn,
  type PlanNode,
  type ScalarType,
} from '@sluice/core/plan'
import fc from 'fast-check'
import { BOOLEAN, planOf } from './plans.ts'

type Gen = fc.GeneratorValue

const TYPES: readonly ScalarType[] = [
  BOOLEAN,
  { kind: 'integer', bits: 32, signed: true },
  { kind: 'decimal', precision: 12, scale: 2 },
  { kind: 'float', bits: 64 },
  { kind: 'text' },
  { kind: 'date' },
  { kind: 'time' },
  { kind: 'timestamp' },
]

const LITERALS: Record<ScalarType['kind'], readonly (string | boolean)[]> = {
  boolean: [true, false],
  integer: ['0', '-12', '2147483647'],
  decimal: ['0.50', '-123.4', '7'],
  float: ['1.5e3', '-0.25', '1e-7'],
  text: ['', 'it’s', '数闸😀', "o'clock", '\u202eevil'],
  date: ['2001-02-03', '1999-12-31'],
  time: ['10:20:30.5', '00:00:00'],
  timestamp: ['2001-02-03T10:20:30'],
}

/** Valid plans of every node and every kind of expression; none of them has to make sense. */
export const anyPlan: fc.Arbitrary<Plan> = fc.gen().map(gen => {
  let next = 0
  const pick = <T>(items: readonly T[]): T => items[gen(fc.nat, { max: items.length - 1 })]!
  const flip = () => gen(fc.boolean)
  const named = (type: ScalarType): PlanColumn => ({
    id: next++,
    name: pick(['a', 'b', '列', 'a\u200bb']),
    type,
  })

  const literal = (type: ScalarType): Expression => ({
    kind: 'literal',
    type,
    value: gen(fc.nat, { max: 5 }) === 0 ? null : pick(LITERALS[type.kind]),
  })

  function value(scope: readonly PlanColumn[], type: ScalarType, depth: number): Expression {
    const columns = scope.filter(column => column.type === type)
    const choice = gen(fc.nat, { max: depth > 2 ? 1 : 5 })
    if (choice === 0 && columns.length > 0) return { kind: 'column', id: pick(columns).id, type }
    if (choice <= 1)
      return type === BOOLEAN || flip()
        ? literal(type)
        : { kind: 'parameter', type, name: `p${TYPES.indexOf(type)}` }
    if (choice === 2) return { kind: 'cast', type, argument: value(scope, pick(TYPES), depth + 1) }
    if (choice === 3) {
      return {
        kind: 'case',
        type,
        branches: [{ when: condition(scope, depth + 1), then: value(scope, type, depth + 1) }],
        otherwise: value(scope, type, depth + 1),
      }
    }
    if (type === BOOLEAN) return condition(scope, depth)
    if (type.kind === 'integer') {
      const unit: Expression = { kind: 'literal', type: { kind: 'text' }, value: pick(DATE_PARTS) }
      const date = value(scope, TYPES[5]!, depth + 1)
      return { kind: 'call', type, function: 'datePart', arguments: [unit, date] }
    }
    const both = [value(scope, type, depth + 1), value(scope, type, depth + 1)]
    return {
      kind: 'call',
      type,
      function: pick(['add', 'coalesce', 'nullIf', 'least'] as const),
      arguments: both,
    }
  }

  function condition(scope: readonly PlanColumn[], depth: number): Expression {
    const type = pick(TYPES)
    const left = value(scope, type, depth + 1)
    if (flip()) return { kind: 'in', type: BOOLEAN, argument: left, list: [literal(type), literal(type)] }
    const name = pick(['equal', 'less', 'notDistinctFrom'] as const)
    return { kind: 'call', type: BOOLEAN, function: name, arguments: [left, value(scope, type, depth + 1)] }
  }

  function node(depth: number): PlanNode {
    if (depth === 0) {
      return {
        kind: 'scan',
        dataset: pick(['loans', '贷款']),
        columns: TYPES.filter(flip).concat(TYPES[1]!).map(named),
      }
    }
    const input = node(depth - 1)
    const scope = outputColumns(input)
    const computed = () => {
      const type = pick(TYPES)
      return { ...named(type), expression: value(scope, type, 0) }
    }
    switch (gen(fc.nat, { max: 7 })) {
      case 0:
        return { kind: 'filter', input, predicate: condition(scope, 0) }
      case 1:
        return { kind: 'project', input, columns: [computed(), computed()] }
      case 2: {
        const right = node(depth - 1)
        const both = [...scope, ...outputColumns(right)]
        return {
          kind: 'join',
          type: pick(['inner', 'left'] as const),
          left: input,
          right,
          condition: condition(both, 0),
        }
      }
      case 3: {
        const aggregate = (): AggregateColumn => {
          const called = pick(AGGREGATE_FUNCTIONS)
          const ordered = isOrderStatistic(called)
          const of = ordered ? pick(TYPES.slice(1)) : TYPES[1]!
          return {
            ...named(ordered ? of : TYPES[3]!),
            function: called,
            argument: value(scope, of, 0),
            distinct: ordered ? false : flip(),
            filter: flip() ? condition(scope, 0) : null,
            ...(called === 'quantile' && { fraction: pick(['0.5', '0.25', '0.000001']) }),
            ...(ordered && called !== 'quantile' && flip() && { rank: pick([2, 10, 1000]) }),
          }
        }
        return {
          kind: 'aggregate',
          input,
          keys: flip() ? [computed()] : [],
          aggregates: [aggregate(), aggregate()],
        }
      }
      case 4:
        return { kind: 'distinct', input }
      case 5: {
        const columns = scope.map(({ type }) => named(type))
        const again = { kind: 'project', input: node(depth - 1), columns: [] as never } as PlanNode & {
          kind: 'project'
        }
        const other = outputColumns(again.input)
        const second: PlanNode = {
          ...again,
          columns: scope.map(({ type }) => ({ ...named(type), expression: value(other, type, 1) })),
        }
        return { kind: 'union', inputs: [input, second], columns }
      }
      case 6: {
        const expression = value(scope, pick(TYPES), 0)
        return { kind: 'sort', input, keys: [{ expression, descending: flip(), nullsFirst: flip() }] }
      }
      default:
        return { kind: 'limit', input, count: flip() ? null : gen(fc.nat), offset: gen(fc.nat, { max: 9 }) }
    }
  }

  const root = node(gen(fc.nat, { max: 4 }))
  return planOf(root, {
    output: outputColumns(root).map(({ id }, index) => ({ id, name: `c${index}` })),
    parameters: TYPES.filter(type => type !== BOOLEAN).map(type => ({
      name: `p${TYPES.indexOf(type)}`,
      type,
      ...(type.kind === 'integer' && { minimum: '1990', maximum: '2002', default: '2001' }),
      ...(type.kind === 'text' && { values: ['a', 'b'] }),
    })),
  })
})

export type { Gen }
