import { unreachable } from '../errors.js'
import { visibleText } from '../text.js'
import type { ColumnId, Expression } from './expression.js'
import type { FunctionName } from './functions.js'
import type { ScanMask } from './mask.js'
import type { AggregateColumn, Plan, PlanNode } from './node.js'
import { describeParameter } from './parameters.js'
import type { ScalarType } from './types.js'
import { children, nodesOf, outputColumns } from './visit.js'

/**
 * A plan as people read it: a node a line, what it reads indented below it, no invisible character. Columns are
 * shown by name, with their id where one name stands for several. For reading only; what is signed is `encodePlan`.
 */
export function printPlan(plan: Plan): string {
  const name = columnNames(plan.root)
  const output = plan.output.map(column => {
    const from = name(column.id)
    const to = printName(column.name)
    return from === to ? to : `${to} = ${from}`
  })
  const parameters = plan.parameters.map(
    parameter => `  parameter $${printName(parameter.name)}: ${describeParameter(parameter)}`,
  )
  return [`output ${output.join(', ')}`, ...parameters, ...printNode(plan.root, name, 1)].join('\n')
}

/** A type in a word: `int64`, `decimal(10,2)`, `text`. */
export function printType(type: ScalarType): string {
  switch (type.kind) {
    case 'integer':
      return `${type.signed ? 'int' : 'uint'}${type.bits}`
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'float':
      return `float${type.bits}`
    case 'boolean':
    case 'text':
    case 'date':
    case 'time':
    case 'timestamp':
      return type.kind
    default:
      return unreachable(type)
  }
}

/** In quotes unless it is a plain word, so that no name can pass for an expression. */
function printName(name: string): string {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) ? name : `"${visibleText(name).replaceAll('"', '""')}"`
}

type Namer = (id: ColumnId) => string

/** A column that is handed on under its own name keeps its name; others of one name are told apart by their ids. */
function columnNames(root: PlanNode): Namer {
  const names = new Map<ColumnId, string>()
  const handedOn = new Map<ColumnId, ColumnId>()
  for (const node of nodesOf(root)) {
    for (const { id, name } of outputColumns(node)) names.set(id, printName(name))
    const defined = node.kind === 'project' ? node.columns : node.kind === 'aggregate' ? node.keys : []
    for (const { id, expression } of defined)
      if (expression.kind === 'column') handedOn.set(id, expression.id)
  }
  const originOf = (id: ColumnId): ColumnId => {
    const from = handedOn.get(id)
    return from === undefined || names.get(from) !== names.get(id) ? id : originOf(from)
  }
  const origins = new Map<string, Set<ColumnId>>()
  for (const [id, name] of names) origins.set(name, (origins.get(name) ?? new Set()).add(originOf(id)))
  return id => {
    const name = names.get(id) ?? ''
    return origins.get(name)?.size === 1 ? name : `${name}#${originOf(id)}`
  }
}

function printNode(node: PlanNode, name: Namer, depth: number): string[] {
  return [
    `${'  '.repeat(depth)}${describe(node, name)}`,
    ...children(node).flatMap(child => printNode(child, name, depth + 1)),
  ]
}

function describe(node: PlanNode, name: Namer): string {
  const defined = (columns: readonly { id: ColumnId; expression: Expression }[]) =>
    columns.map(({ id, expression }) => {
      const value = printExpression(expression, name)
      return value === name(id) ? value : `${name(id)} = ${value}`
    })
  switch (node.kind) {
    case 'scan':
      return `scan ${printName(node.dataset)}: ${node.columns
        .map(({ id, mask }) => (mask === undefined ? name(id) : `${name(id)} masked by ${printMask(mask)}`))
        .join(', ')}`
    case 'filter':
      return `filter ${printExpression(node.predicate, name)}`
    case 'project':
      return `project ${defined(node.columns).join(', ')}`
    case 'join':
      return `${node.type} join on ${printExpression(node.condition, name)}`
    case 'aggregate': {
      const keys = node.keys.length === 0 ? '' : ` by ${defined(node.keys).join(', ')}`
      const cells = node.aggregates.map(
        aggregate => `${name(aggregate.id)} = ${printAggregate(aggregate, name)}`,
      )
      return `aggregate${keys}${cells.length === 0 ? '' : `: ${cells.join(', ')}`}`
    }
    case 'distinct':
      return 'distinct'
    case 'union':
      return `union into ${node.columns.map(column => name(column.id)).join(', ')}`
    case 'sort':
      return `sort by ${node.keys
        .map(({ expression, descending, nullsFirst }) =>
          [
            printExpression(expression, name),
            ...(descending ? ['descending'] : []),
            nullsFirst ? 'nulls first' : 'nulls last',
          ].join(' '),
        )
        .join(', ')}`
    case 'limit':
      return `limit ${node.count ?? 'none'}${node.offset === 0 ? '' : ` after ${node.offset}`}`
    default:
      return unreachable(node)
  }
}

/** As a policy has it. */
function printMask({ rule, table }: ScanMask): string {
  const text = visibleText(JSON.stringify(rule))
  return table === undefined ? text : `${text} of the registered table ${table.slice(0, 16)}…`
}

function printAggregate(
  { function: called, argument, distinct, filter, rank, fraction }: AggregateColumn,
  name: Namer,
): string {
  const value = argument === null ? 'rows' : printExpression(argument, name)
  const where = filter === null ? '' : ` where ${printExpression(filter, name)}`
  const place = rank === undefined ? (fraction === undefined ? '' : `${fraction} `) : `${rank}. `
  return `${place}${called}(${distinct ? 'distinct ' : ''}${value})${where}`
}

/** Arithmetic and comparison between their operands, in brackets throughout: precedence is nothing to argue about. */
function printExpression(expression: Expression, name: Namer): string {
  const print = (inner: Expression) => printExpression(inner, name)
  switch (expression.kind) {
    case 'literal':
      return printLiteral(expression.value, expression.type)
    case 'parameter':
      return `$${printName(expression.name)}`
    case 'column':
      return name(expression.id)
    case 'call': {
      const operator = OPERATORS[expression.function]
      const values = expression.arguments.map(print)
      if (operator !== undefined && values.length > 1) return `(${values.join(` ${operator} `)})`
      return `${expression.function}(${values.join(', ')})`
    }
    case 'case':
      return `case ${expression.branches
        .map(({ when, then }) => `when ${print(when)} then ${print(then)}`)
        .join(' ')} else ${print(expression.otherwise)} end`
    case 'cast':
      return `${printType(expression.type)}(${print(expression.argument)})`
    case 'in':
      return `(${print(expression.argument)} in (${expression.list.map(print).join(', ')}))`
    default:
      return unreachable(expression)
  }
}

function printLiteral(value: string | boolean | null, type: ScalarType): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return String(value)
  const numeric = type.kind === 'integer' || type.kind === 'decimal' || type.kind === 'float'
  return numeric ? visibleText(value) : `'${visibleText(value).replaceAll("'", "''")}'`
}

const OPERATORS: Readonly<Partial<Record<FunctionName, string>>> = {
  equal: '=',
  notEqual: '≠',
  less: '<',
  lessOrEqual: '≤',
  greater: '>',
  greaterOrEqual: '≥',
  and: 'and',
  or: 'or',
  add: '+',
  subtract: '−',
  multiply: '×',
  divide: '÷',
}
