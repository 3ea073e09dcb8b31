import type { Evidence } from '@sluice/core/disclosure'
import {
  type CellSpecification,
  type ColumnId,
  type Expression,
  type Obligation,
  outputColumns,
  type PlanNode,
  type ReleaseShape,
} from '@sluice/core/plan'

/**
 * Evidence by brute force: plans are interpreted over rows in memory, every row knows which row of every scan it came
 * from, and entities and contributions are counted one by one. Shares nothing with the engine but the plan.
 */
export type Value = string | number | bigint | boolean | null
export type TableRows = readonly Readonly<Record<string, Value>>[]

interface Row {
  readonly values: ReadonlyMap<ColumnId, Value>
  /** by source: the row's number in its table, null where a left join found none */
  readonly origin: ReadonlyMap<number, number | null>
}

export interface OracleGroup {
  readonly key: readonly Value[]
  readonly evidence: readonly OracleEvidence[]
}

export interface OracleEvidence {
  readonly source: number
  readonly part: Evidence['part']
  readonly entities: number
  /** by contribution of the cell: the entities' sums, largest first */
  readonly contributions: readonly (readonly number[])[]
}

export function oracleGroups(
  release: Extract<ReleaseShape, { mode: 'aggregate' }>,
  obligations: readonly Obligation[],
  tables: Readonly<Record<string, TableRows>>,
): OracleGroup[] {
  const { aggregate, cells } = release
  const sources: string[] = []
  const rows = evaluateNode(aggregate.input, tables, sources)
  const groups = new Map<string, { key: Value[]; rows: Row[] }>()
  if (aggregate.keys.length === 0) groups.set('[]', { key: [], rows: [] })
  for (const row of rows) {
    const key = aggregate.keys.map(({ expression }) => evaluate(expression, row.values))
    const text = keyText(key)
    const group = groups.get(text) ?? { key, rows: [] }
    groups.set(text, group)
    group.rows.push(row)
  }
  return [...groups.values()].map(({ key, rows: members }) => ({
    key,
    evidence: obligations.flatMap(obligation =>
      partsOf(cells).map(({ part, rows: chosen, contributions }) => {
        const shares = new Map<Value, number[]>()
        for (const row of members) {
          if (chosen !== null && evaluate(chosen, row.values) !== true) continue
          const entity = entityOf(obligation, row, tables[sources[obligation.source]!]!)
          if (entity === null) continue
          const sums = shares.get(entity) ?? contributions.map(() => 0)
          shares.set(entity, sums)
          contributions.forEach((expression, index) => {
            sums[index] = sums[index]! + Math.abs(Number(evaluate(expression, row.values) ?? 0))
          })
        }
        return {
          source: obligation.source,
          part,
          entities: shares.size,
          contributions: contributions.map((_, index) =>
            [...shares.values()].map(sums => sums[index]!).sort((a, b) => b - a),
          ),
        }
      }),
    ),
  }))
}

export function keyText(key: readonly unknown[]): string {
  return JSON.stringify(key.map(value => (typeof value === 'bigint' ? Number(value) : value)))
}

function partsOf(cells: readonly CellSpecification[]): {
  part: Evidence['part']
  rows: Expression | null
  contributions: readonly Expression[]
}[] {
  return [
    { part: { kind: 'group' }, rows: null, contributions: [] },
    ...cells.flatMap(({ id, contributes, complement, differences, contributions }) => [
      { part: { kind: 'cell', id } as const, rows: contributes, contributions },
      ...(complement === null
        ? []
        : [{ part: { kind: 'complement', id } as const, rows: complement, contributions }]),
      ...differences.map((rows, index) => ({
        part: { kind: 'difference', id, index } as const,
        rows,
        contributions,
      })),
    ]),
  ]
}

function entityOf({ source, entity }: Obligation, row: Row, table: TableRows): Value {
  const at = row.origin.get(source) ?? null
  if (at === null) return null
  if (entity.kind === 'row') return at
  const value = table[at]![entity.column] ?? null
  return value === null || entity.notEntities.includes(String(value)) ? null : String(value)
}

function evaluateNode(node: PlanNode, tables: Readonly<Record<string, TableRows>>, sources: string[]): Row[] {
  switch (node.kind) {
    case 'scan': {
      const source = sources.push(node.dataset) - 1
      return tables[node.dataset]!.map((row, at) => ({
        values: new Map(node.columns.map(({ id, name }) => [id, row[name] ?? null])),
        origin: new Map([[source, at]]),
      }))
    }
    case 'filter':
      return evaluateNode(node.input, tables, sources).filter(
        row => evaluate(node.predicate, row.values) === true,
      )
    case 'project':
      return evaluateNode(node.input, tables, sources).map(row => ({
        ...row,
        values: new Map(node.columns.map(({ id, expression }) => [id, evaluate(expression, row.values)])),
      }))
    case 'join': {
      const left = evaluateNode(node.left, tables, sources)
      const before = sources.length
      const right = evaluateNode(node.right, tables, sources)
      const missing: Row = {
        values: new Map(outputColumns(node.right).map(({ id }) => [id, null])),
        origin: new Map(sources.slice(before).map((_, index) => [before + index, null])),
      }
      return left.flatMap(row => {
        const matches = right
          .map(other => merge(row, other))
          .filter(merged => evaluate(node.condition, merged.values) === true)
        return matches.length > 0 || node.type === 'inner' ? matches : [merge(row, missing)]
      })
    }
    default:
      throw new Error(`the oracle does not know ${node.kind}`)
  }
}

function merge(a: Row, b: Row): Row {
  return { values: new Map([...a.values, ...b.values]), origin: new Map([...a.origin, ...b.origin]) }
}

function evaluate(expression: Expression, values: ReadonlyMap<ColumnId, Value>): Value {
  switch (expression.kind) {
    case 'literal': {
      const { type, value } = expression
      const numeric = type.kind === 'integer' || type.kind === 'decimal' || type.kind === 'float'
      return typeof value === 'string' && numeric ? Number(value) : value
    }
    case 'column':
      return values.get(expression.id) ?? null
    case 'cast':
      return evaluate(expression.argument, values)
    case 'case': {
      const branch = expression.branches.find(({ when }) => evaluate(when, values) === true)
      return evaluate(branch?.then ?? expression.otherwise, values)
    }
    case 'in': {
      const argument = evaluate(expression.argument, values)
      if (argument === null) return null
      return expression.list.some(item => same(evaluate(item, values), argument))
    }
    case 'call':
      return call(
        expression.function,
        expression.arguments.map(argument => evaluate(argument, values)),
      )
    default:
      throw new Error('the oracle binds no parameters')
  }
}

function call(name: string, operands: readonly Value[]): Value {
  const [a = null, b = null] = operands
  switch (name) {
    case 'isNull':
      return a === null
    case 'isNotNull':
      return a !== null
    case 'and':
      return operands.includes(false) ? false : operands.includes(null) ? null : true
    case 'or':
      return operands.includes(true) ? true : operands.includes(null) ? null : false
    case 'distinctFrom':
      return !same(a, b)
    case 'notDistinctFrom':
      return same(a, b)
    case 'coalesce':
      return operands.find(operand => operand !== null) ?? null
  }
  if (a === null || (b === null && operands.length > 1)) return null
  switch (name) {
    case 'not':
      return !a
    case 'equal':
      return same(a, b)
    case 'notEqual':
      return !same(a, b)
    case 'less':
      return a < b!
    case 'lessOrEqual':
      return a <= b!
    case 'greater':
      return a > b!
    case 'greaterOrEqual':
      return a >= b!
    case 'absolute':
      return Math.abs(Number(a))
    case 'negate':
      return -Number(a)
    case 'add':
      return Number(a) + Number(b)
    case 'subtract':
      return Number(a) - Number(b)
    case 'multiply':
      return Number(a) * Number(b)
    default:
      throw new Error(`the oracle does not know ${name}`)
  }
}

function same(a: Value, b: Value): boolean {
  return a === b || (a !== null && b !== null && typeof a !== 'string' && Number(a) === Number(b))
}
