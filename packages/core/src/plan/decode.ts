import { ScanRule } from '../desensitize/scan.js'
import { SluiceError, unreachable } from '../errors.js'
import type { Expression } from './expression.js'
import { AGGREGATE_FUNCTIONS, FUNCTIONS } from './functions.js'
import {
  type AggregateColumn,
  type ParameterSchema,
  PLAN_LANGUAGE,
  type Plan,
  type PlanColumn,
  type PlanNode,
  type ScanColumn,
} from './node.js'
import type { ColumnSchema, ScalarType } from './types.js'

/** How deep nodes and expressions may nest, each. */
export const DEEPEST = 128
const MOST_ITEMS = 4096
const LONGEST_NAME = 256
const LONGEST_TEXT = 16 * 1024

/** The form of an encoded plan, key for key; what the parts mean together `validatePlan` checks. */
export function decodePlanValue(value: unknown): Plan {
  const plan = record(value, 'plan', ['kind', 'language', 'root', 'output', 'parameters'])
  word(plan.kind, 'plan.kind', ['plan'])
  word(plan.language, 'plan.language', [PLAN_LANGUAGE])
  return {
    kind: 'plan',
    language: PLAN_LANGUAGE,
    root: node(plan.root, 'root', 0),
    output: list(plan.output, 'output', (item, path) => {
      const { name, id } = record(item, path, ['name', 'id'])
      return { name: text(name, `${path}.name`, LONGEST_NAME), id: natural(id, `${path}.id`) }
    }),
    parameters: list(plan.parameters, 'parameters', parameter),
  }
}

/** A list of `{name, type}`, as a registration's entry carries it. */
export function decodeColumnSchemas(value: unknown): ColumnSchema[] {
  return list(value, 'schema', (item, path) => {
    const column = record(item, path, ['name', 'type'])
    return { name: text(column.name, `${path}.name`, LONGEST_NAME), type: type(column.type, `${path}.type`) }
  })
}

const NODE_KINDS = [
  'scan',
  'filter',
  'project',
  'join',
  'aggregate',
  'distinct',
  'union',
  'sort',
  'limit',
] as const

function node(value: unknown, path: string, depth: number): PlanNode {
  if (depth > DEEPEST) throw invalid(path, 'is nested too deeply')
  const kind: PlanNode['kind'] = word(kindOf(value, path), `${path}.kind`, NODE_KINDS)
  const inner = (input: unknown, name: string) => node(input, `${path}.${name}`, depth + 1)
  switch (kind) {
    case 'scan': {
      const { dataset, columns } = record(value, path, ['kind', 'dataset', 'columns'])
      return {
        kind,
        dataset: text(dataset, `${path}.dataset`, LONGEST_NAME),
        columns: list(columns, `${path}.columns`, scanColumn),
      }
    }
    case 'filter': {
      const { input, predicate } = record(value, path, ['kind', 'input', 'predicate'])
      return { kind, input: inner(input, 'input'), predicate: expression(predicate, `${path}.predicate`, 0) }
    }
    case 'project': {
      const { input, columns } = record(value, path, ['kind', 'input', 'columns'])
      return { kind, input: inner(input, 'input'), columns: list(columns, `${path}.columns`, computedColumn) }
    }
    case 'join': {
      const { type: joined, left, right, condition } = record(value, path, JOIN_KEYS)
      return {
        kind,
        type: word(joined, `${path}.type`, ['inner', 'left']),
        left: inner(left, 'left'),
        right: inner(right, 'right'),
        condition: expression(condition, `${path}.condition`, 0),
      }
    }
    case 'aggregate': {
      const { input, keys, aggregates } = record(value, path, ['kind', 'input', 'keys', 'aggregates'])
      return {
        kind,
        input: inner(input, 'input'),
        keys: list(keys, `${path}.keys`, computedColumn),
        aggregates: list(aggregates, `${path}.aggregates`, aggregateColumn),
      }
    }
    case 'distinct':
      return { kind, input: inner(record(value, path, ['kind', 'input']).input, 'input') }
    case 'union': {
      const { inputs, columns } = record(value, path, ['kind', 'inputs', 'columns'])
      return {
        kind,
        inputs: list(inputs, `${path}.inputs`, (item, itemPath) => node(item, itemPath, depth + 1)),
        columns: list(columns, `${path}.columns`, planColumn),
      }
    }
    case 'sort': {
      const { input, keys } = record(value, path, ['kind', 'input', 'keys'])
      return {
        kind,
        input: inner(input, 'input'),
        keys: list(keys, `${path}.keys`, (item, itemPath) => {
          const key = record(item, itemPath, ['expression', 'descending', 'nullsFirst'])
          return {
            expression: expression(key.expression, `${itemPath}.expression`, 0),
            descending: flag(key.descending, `${itemPath}.descending`),
            nullsFirst: flag(key.nullsFirst, `${itemPath}.nullsFirst`),
          }
        }),
      }
    }
    case 'limit': {
      const { input, count, offset } = record(value, path, ['kind', 'input', 'count', 'offset'])
      return {
        kind,
        input: inner(input, 'input'),
        count: count === null ? null : natural(count, `${path}.count`),
        offset: natural(offset, `${path}.offset`),
      }
    }
    default:
      return unreachable(kind)
  }
}

const JOIN_KEYS = ['kind', 'type', 'left', 'right', 'condition'] as const

function planColumn(value: unknown, path: string): PlanColumn {
  return columnOf(record(value, path, ['id', 'name', 'type']), path)
}

function scanColumn(value: unknown, path: string): ScanColumn {
  const column = record(value, path, ['id', 'name', 'type'], ['mask'])
  if (!Object.hasOwn(column, 'mask')) return columnOf(column, path)
  const { rule, from, table } = record(column.mask, `${path}.mask`, ['rule', 'from'], ['table'])
  const parsed = ScanRule.safeParse(rule)
  if (!parsed.success) throw invalid(`${path}.mask.rule`, 'is no rule of a scan')
  const mask = { rule: parsed.data, from: type(from, `${path}.mask.from`) }
  if (table === undefined) return { ...columnOf(column, path), mask }
  if (typeof table !== 'string' || !/^[0-9a-f]{64}$/.test(table)) {
    throw invalid(`${path}.mask.table`, 'is no fingerprint of a table')
  }
  return { ...columnOf(column, path), mask: { ...mask, table } }
}

function columnOf(column: { id: unknown; name: unknown; type: unknown }, path: string): PlanColumn {
  return {
    id: natural(column.id, `${path}.id`),
    name: text(column.name, `${path}.name`, LONGEST_NAME),
    type: type(column.type, `${path}.type`),
  }
}

function computedColumn(value: unknown, path: string): PlanColumn & { readonly expression: Expression } {
  const column = record(value, path, ['id', 'name', 'type', 'expression'])
  return { ...columnOf(column, path), expression: expression(column.expression, `${path}.expression`, 0) }
}

function aggregateColumn(value: unknown, path: string): AggregateColumn {
  const column = record(value, path, AGGREGATE_KEYS, ['rank', 'fraction'])
  const optional = (part: unknown, name: string) =>
    part === null ? null : expression(part, `${path}.${name}`, 0)
  return {
    ...columnOf(column, path),
    function: word(column.function, `${path}.function`, AGGREGATE_FUNCTIONS),
    argument: optional(column.argument, 'argument'),
    distinct: flag(column.distinct, `${path}.distinct`),
    filter: optional(column.filter, 'filter'),
    ...(column.rank !== undefined && { rank: natural(column.rank, `${path}.rank`) }),
    ...(column.fraction !== undefined && { fraction: text(column.fraction, `${path}.fraction`, 8) }),
  }
}

const AGGREGATE_KEYS = ['id', 'name', 'type', 'function', 'argument', 'distinct', 'filter'] as const

const EXPRESSION_KINDS = ['literal', 'parameter', 'column', 'call', 'case', 'cast', 'in'] as const

function expression(value: unknown, path: string, depth: number): Expression {
  if (depth > DEEPEST) throw invalid(path, 'is nested too deeply')
  const kind: Expression['kind'] = word(kindOf(value, path), `${path}.kind`, EXPRESSION_KINDS)
  const inner = (operand: unknown, name: string) => expression(operand, `${path}.${name}`, depth + 1)
  const each = (operand: unknown, operandPath: string) => expression(operand, operandPath, depth + 1)
  switch (kind) {
    case 'literal': {
      const literal = record(value, path, ['kind', 'type', 'value'])
      const of = literal.value
      if (of !== null && typeof of !== 'boolean') text(of, `${path}.value`, LONGEST_TEXT, 0)
      return { kind, type: type(literal.type, `${path}.type`), value: of as string | boolean | null }
    }
    case 'parameter': {
      const { type: of, name } = record(value, path, ['kind', 'type', 'name'])
      return { kind, type: type(of, `${path}.type`), name: text(name, `${path}.name`, LONGEST_NAME) }
    }
    case 'column': {
      const { type: of, id } = record(value, path, ['kind', 'type', 'id'])
      return { kind, type: type(of, `${path}.type`), id: natural(id, `${path}.id`) }
    }
    case 'call': {
      const call = record(value, path, ['kind', 'type', 'function', 'arguments'])
      return {
        kind,
        type: type(call.type, `${path}.type`),
        function: word(call.function, `${path}.function`, FUNCTIONS),
        arguments: list(call.arguments, `${path}.arguments`, each),
      }
    }
    case 'case': {
      const { type: of, branches, otherwise } = record(value, path, ['kind', 'type', 'branches', 'otherwise'])
      return {
        kind,
        type: type(of, `${path}.type`),
        branches: list(branches, `${path}.branches`, (item, itemPath) => {
          const { when, then } = record(item, itemPath, ['when', 'then'])
          return { when: each(when, `${itemPath}.when`), then: each(then, `${itemPath}.then`) }
        }),
        otherwise: inner(otherwise, 'otherwise'),
      }
    }
    case 'cast': {
      const { type: of, argument } = record(value, path, ['kind', 'type', 'argument'])
      return { kind, type: type(of, `${path}.type`), argument: inner(argument, 'argument') }
    }
    case 'in': {
      const { type: of, argument, list: items } = record(value, path, ['kind', 'type', 'argument', 'list'])
      return {
        kind,
        type: type(of, `${path}.type`),
        argument: inner(argument, 'argument'),
        list: list(items, `${path}.list`, each),
      }
    }
    default:
      return unreachable(kind)
  }
}

function parameter(value: unknown, path: string): ParameterSchema {
  const schema = record(value, path, ['name', 'type'], ['minimum', 'maximum', 'values', 'default'])
  const optional = (key: 'minimum' | 'maximum' | 'default') =>
    schema[key] === undefined ? {} : { [key]: text(schema[key], `${path}.${key}`, LONGEST_TEXT, 0) }
  return {
    name: text(schema.name, `${path}.name`, LONGEST_NAME),
    type: type(schema.type, `${path}.type`),
    ...optional('minimum'),
    ...optional('maximum'),
    ...(schema.values !== undefined && {
      values: list(schema.values, `${path}.values`, (item, itemPath) =>
        text(item, itemPath, LONGEST_TEXT, 0),
      ),
    }),
    ...optional('default'),
  }
}

const TYPE_KINDS = ['boolean', 'integer', 'decimal', 'float', 'text', 'date', 'time', 'timestamp'] as const

function type(value: unknown, path: string): ScalarType {
  const kind: ScalarType['kind'] = word(kindOf(value, path), `${path}.kind`, TYPE_KINDS)
  switch (kind) {
    case 'boolean':
    case 'text':
    case 'date':
    case 'time':
    case 'timestamp':
      record(value, path, ['kind'])
      return { kind }
    case 'integer': {
      const { bits, signed } = record(value, path, ['kind', 'bits', 'signed'])
      return {
        kind,
        bits: word(bits, `${path}.bits`, [8, 16, 32, 64, 128]),
        signed: flag(signed, `${path}.signed`),
      }
    }
    case 'decimal': {
      const decimal = record(value, path, ['kind', 'precision', 'scale'])
      const precision = natural(decimal.precision, `${path}.precision`)
      const scale = natural(decimal.scale, `${path}.scale`)
      if (precision < 1 || precision > 38 || scale > precision) throw invalid(path, 'is not a decimal type')
      return { kind, precision, scale }
    }
    case 'float':
      return { kind, bits: word(record(value, path, ['kind', 'bits']).bits, `${path}.bits`, [32, 64]) }
    default:
      return unreachable(kind)
  }
}

function kindOf(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) throw invalid(path, 'is not an object')
  return (value as { kind?: unknown }).kind
}

function record<K extends string, O extends string = never>(
  value: unknown,
  path: string,
  keys: readonly K[],
  optional: readonly O[] = [],
): Record<K, unknown> & Partial<Record<O, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(path, 'is not an object')
  for (const key of keys) if (!Object.hasOwn(value, key)) throw invalid(`${path}.${key}`, 'is missing')
  const known: readonly string[] = [...keys, ...optional]
  if (Object.keys(value).some(key => !known.includes(key))) throw invalid(path, 'has a key that is not known')
  return value as Record<K, unknown> & Partial<Record<O, unknown>>
}

function list<T>(value: unknown, path: string, item: (value: unknown, path: string) => T): T[] {
  if (!Array.isArray(value)) throw invalid(path, 'is not a list')
  if (value.length > MOST_ITEMS) throw invalid(path, 'is too long')
  return value.map((inner, index) => item(inner, `${path}[${index}]`))
}

function word<T extends string | number>(value: unknown, path: string, words: readonly T[]): T {
  const found = words.find(candidate => candidate === value)
  if (found === undefined) throw invalid(path, 'is none of the known words')
  return found
}

function text(value: unknown, path: string, longest: number, shortest = 1): string {
  if (typeof value !== 'string' || !value.isWellFormed()) throw invalid(path, 'is not text')
  if (value.length < shortest || value.length > longest) throw invalid(path, 'is too short or too long')
  return value
}

function natural(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) {
    throw invalid(path, 'is not a whole number')
  }
  return value
}

function flag(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw invalid(path, 'is neither true nor false')
  return value
}

function invalid(path: string, problem: string): SluiceError {
  return new SluiceError('SCHEMA_INVALID', `an encoded plan is not valid: ${path} ${problem}`, {
    rule: path,
    remedy: 'Give the form that encodePlan writes.',
  })
}
