import {
  type AggregateColumn,
  type AggregateFunction,
  type Expression,
  type FunctionName,
  isOrderStatistic,
  type OrderStatistic,
  type Plan,
  type PlanNode,
  type ScalarType,
} from '@sluice/core/plan'
import { type InputForm, schemaOf } from '@sluice/mpc'

const BOOLEAN: ScalarType = { kind: 'boolean' }
const TEXT: ScalarType = { kind: 'text' }

const TYPES: Readonly<Record<Exclude<AggregateFunction, OrderStatistic>, ScalarType>> = {
  count: { kind: 'integer', bits: 64, signed: true },
  sum: { kind: 'decimal', precision: 38, scale: 2 },
  average: { kind: 'float', bits: 64 },
}

type Operand = string | number | bigint | Expression

interface Asked {
  readonly inputs: readonly InputForm[]
  /** the inputs that `columnsOf` had, where they are more or in another order */
  readonly of?: readonly InputForm[]
  /** what joins each further input; the equality of its entity with the first one's unless it is given */
  readonly on?: readonly Expression[]
  readonly where?: Expression
  readonly groupBy?: readonly (string | Expression)[]
  /** function, argument, and which rows it picks */
  readonly aggregates: Readonly<
    Record<
      string,
      readonly [
        AggregateFunction,
        (Operand | undefined)?,
        (Expression | null)?,
        Pick<AggregateColumn, 'rank' | 'fraction'>?,
      ]
    >
  >
}

/** Ids of all inputs' columns, entities first, as `query` scans them. */
function idsOf(inputs: readonly InputForm[]): Map<string, { id: number; type: ScalarType }> {
  const ids = new Map<string, { id: number; type: ScalarType }>()
  for (const form of inputs)
    for (const { name, type } of schemaOf(form)) ids.set(name, { id: ids.size, type })
  return ids
}

/** Small constructors for expressions over the inputs' columns; a number is a constant, a text a column. */
export function columnsOf(inputs: readonly InputForm[]) {
  const ids = idsOf(inputs)
  const expression = (operand: Operand): Expression => {
    if (typeof operand === 'object') return operand
    if (typeof operand === 'string') return { kind: 'column', ...ids.get(operand)! }
    const value = String(operand)
    const scale = value.includes('.') ? value.length - value.indexOf('.') - 1 : 0
    return { kind: 'literal', type: { kind: 'decimal', precision: 18, scale }, value }
  }
  const call =
    (name: FunctionName, type = BOOLEAN) =>
    (...operands: Operand[]): Expression => ({
      kind: 'call',
      type,
      function: name,
      arguments: operands.map(expression),
    })
  const NUMBER: ScalarType = { kind: 'decimal', precision: 38, scale: 4 }
  const text = (value: string): Expression => ({ kind: 'literal', type: TEXT, value })
  return {
    expression,
    text,
    and: call('and'),
    or: call('or'),
    not: call('not'),
    equal: call('equal'),
    notEqual: call('notEqual'),
    less: call('less'),
    lessOrEqual: call('lessOrEqual'),
    greater: call('greater'),
    greaterOrEqual: call('greaterOrEqual'),
    isNull: call('isNull'),
    isNotNull: call('isNotNull'),
    add: call('add', NUMBER),
    subtract: call('subtract', NUMBER),
    multiply: call('multiply', NUMBER),
    negate: call('negate', NUMBER),
    divide: call('divide', { kind: 'float', bits: 64 }),
    either: (when: Expression, then: Operand, otherwise: Operand): Expression => ({
      kind: 'case',
      type: NUMBER,
      branches: [{ when, then: expression(then) }],
      otherwise: expression(otherwise),
    }),
    among: (column: string, list: readonly string[]): Expression => ({
      kind: 'in',
      type: BOOLEAN,
      argument: expression(column),
      list: list.map(text),
    }),
  }
}

/** One aggregate over inputs joined by their entities. */
export function query({ inputs, of = inputs, on, where, groupBy = [], aggregates }: Asked): Plan {
  const ids = idsOf(of)
  const { expression } = columnsOf(of)
  const scan = (form: InputForm): PlanNode => ({
    kind: 'scan',
    dataset: form.name,
    columns: schemaOf(form).map(({ name }) => ({ name, ...ids.get(name)! })),
  })
  const [first, ...others] = inputs
  const joined = others.reduce<PlanNode>(
    (left, input, place) => ({
      kind: 'join',
      type: 'inner',
      left,
      right: scan(input),
      condition: on?.[place] ?? {
        kind: 'call',
        type: BOOLEAN,
        function: 'equal',
        arguments: [expression(first!.entity), expression(input.entity)],
      },
    }),
    scan(first!),
  )
  const input: PlanNode = where === undefined ? joined : { kind: 'filter', input: joined, predicate: where }
  const keys = groupBy.map((key, index) => {
    const found = expression(key)
    const name = typeof key === 'string' ? key : `key ${index}`
    return { id: 1000 + index, name, type: found.type, expression: found }
  })
  const cells = Object.entries(aggregates).map(([name, [called, operand, filter, more]], index) => ({
    id: 2000 + index,
    name,
    type: isOrderStatistic(called) ? expression(operand!).type : TYPES[called],
    function: called,
    argument: operand === undefined ? null : expression(operand),
    distinct: false,
    filter: filter ?? null,
    ...more,
  }))
  return {
    kind: 'plan',
    language: 'sluice-plan/1',
    root: { kind: 'aggregate', input, keys, aggregates: cells },
    output: [...keys, ...cells].map(({ name, id }) => ({ name, id })),
    parameters: [],
  }
}
