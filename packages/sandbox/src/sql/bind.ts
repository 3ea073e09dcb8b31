import { type Position, SluiceError } from '@sluice/core'
import {
  expressionsIn,
  expressionsOf,
  type FunctionName,
  nodesOf,
  outputColumns,
  type Plan,
  type ScalarType,
  sameType,
  scansOf,
} from '@sluice/core/plan'
import { aggregateEngineNames, engineNames } from './emit/engine-names.js'
import { MASK_FUNCTIONS } from './emit/mask/mask.js'
import { LOOKUP_SCHEMA, ZONE_CATALOG, ZONE_SCHEMA } from './emit/names.js'
import { sqlType } from './emit/types.js'
import { type Ast, isAst } from './syntax/ast.js'
import { parseNumbersAsText } from './syntax/json.js'
import { knownType } from './translate/type-names.js'

/** The operators that emitted text binds to. A new one has to be looked at before it is let in. */
const OPERATORS = new Set([
  'LOGICAL_AGGREGATE_AND_GROUP_BY',
  'LOGICAL_ANY_JOIN',
  'LOGICAL_COMPARISON_JOIN',
  'LOGICAL_CROSS_PRODUCT',
  'LOGICAL_DISTINCT',
  'LOGICAL_DUMMY_SCAN',
  'LOGICAL_EMPTY_RESULT',
  'LOGICAL_FILTER',
  'LOGICAL_GET',
  'LOGICAL_LIMIT',
  'LOGICAL_ORDER_BY',
  'LOGICAL_PROJECTION',
  'LOGICAL_UNION',
])
/** What the engine adds by itself: a hidden null check of a left join's side, and sums kept exact. */
const PASS_THROUGH = new Set(['LOGICAL_LIMIT', 'LOGICAL_ORDER_BY', 'LOGICAL_FILTER', 'LOGICAL_DISTINCT'])

/**
 * Compares what the engine bound with the plan that the text was emitted from: the same tables as often, no function
 * that the plan does not have, output columns of the plan's types.
 *
 * @throws SluiceError INTERNAL `bind.tables`, `bind.functions`, `bind.type`, `bind.operators`; SQL_REFUSED
 * `bind.engine` where the engine would not run the text
 * @param position where the query stands that the plan was made from
 */
export function checkBound(json: string, plan: Plan, position?: Position): void {
  const answer = parseNumbersAsText(json)
  if (!isAst(answer) || answer.error !== false) {
    throw new SluiceError('SQL_REFUSED', 'the engine does not accept the query', {
      rule: 'bind.engine',
      remedy: 'Simplify the expressions, or cast their operands to one type.',
      ...(position && { position }),
      ...(isAst(answer) && { cause: answer.error_message }),
    })
  }
  const [root, second] = Array.isArray(answer.plans) ? answer.plans : []
  if (!isAst(root) || second !== undefined) throw disagreement('bind.operators')
  const bound = new Bound()
  bound.operator(root)
  sameTables(bound, plan)
  knownFunctions(bound, plan)
  sameTypes(root, plan)
}

/** What a bound plan reads and calls. */
class Bound {
  readonly tables: string[] = []
  readonly functions = new Set<string>()

  operator(ast: Ast): void {
    const type = String(ast.type)
    if (!OPERATORS.has(type)) throw disagreement('bind.operators', { operator: type })
    if (type === 'LOGICAL_GET') this.#table(ast)
    for (const [key, value] of Object.entries(ast)) {
      if (key === 'children') for (const input of asList(value)) this.operator(input)
      else this.#expressions(value)
    }
  }

  #table(ast: Ast): void {
    const { function_data: data } = ast
    if (
      ast.name !== 'seq_scan' ||
      !isAst(data) ||
      data.catalog !== ZONE_CATALOG ||
      (data.schema !== ZONE_SCHEMA && data.schema !== LOOKUP_SCHEMA)
    ) {
      throw disagreement('bind.tables')
    }
    this.tables.push(`${data.schema}.${data.table}`)
  }

  #expressions(value: unknown): void {
    if (Array.isArray(value)) {
      for (const item of value) this.#expressions(item)
      return
    }
    if (!isAst(value)) return
    if (value.expression_class === 'BOUND_FUNCTION' || value.expression_class === 'BOUND_AGGREGATE') {
      // A function that the engine specialised while binding has neither catalogue nor schema.
      const home = [value.catalog_name ?? 'system', value.schema_name ?? 'main'].join('.')
      if (home !== 'system.main') throw disagreement('bind.functions')
      this.functions.add(String(value.name))
    }
    for (const part of Object.values(value)) this.#expressions(part)
  }
}

function sameTables({ tables }: Bound, plan: Plan): void {
  const expected = scansOf(plan.root).flatMap(({ dataset, columns }) => [
    `${ZONE_SCHEMA}.${dataset}`,
    ...columns.flatMap(({ mask }) => (mask?.table === undefined ? [] : [`${LOOKUP_SCHEMA}.${mask.table}`])),
  ])
  if (JSON.stringify([...tables].sort()) !== JSON.stringify(expected.sort()))
    throw disagreement('bind.tables')
}

function knownFunctions({ functions }: Bound, plan: Plan): void {
  const known = new Set<string>()
  for (const node of nodesOf(plan.root)) {
    if (node.kind === 'scan' && node.columns.some(({ mask }) => mask !== undefined)) {
      for (const name of MASK_FUNCTIONS) known.add(name)
    }
    if (node.kind === 'aggregate') {
      for (const aggregate of node.aggregates)
        for (const name of aggregateEngineNames(aggregate)) known.add(name)
    }
    for (const expression of expressionsOf(node)) {
      for (const part of expressionsIn(expression)) {
        if (part.kind === 'call')
          for (const name of engineNames(part.function as FunctionName)) known.add(name)
      }
    }
  }
  const unknown = [...functions].filter(name => !known.has(name))
  if (unknown.length > 0) throw disagreement('bind.functions', { functions: unknown })
}

function sameTypes(root: Ast, plan: Plan): void {
  let top = root
  while (PASS_THROUGH.has(String(top.type))) top = asList(top.children)[0] ?? root
  if (top.type !== 'LOGICAL_PROJECTION') throw disagreement('bind.operators')
  const bound = asList(top.expressions).map(typeOf)
  const types = new Map(outputColumns(plan.root).map(({ id, type }) => [id, type]))
  plan.output.forEach(({ id, name }, index) => {
    const expected = types.get(id)
    const found = bound[index] ?? null
    if (expected !== undefined && found !== null && sameType(expected, found)) return
    throw disagreement('bind.type', {
      column: name,
      plan: expected === undefined ? 'none' : sqlType(expected),
      engine: found === null ? 'unknown' : sqlType(found),
    })
  })
}

function typeOf(expression: Ast): ScalarType | null {
  if (isAst(expression.return_type)) return knownType(expression.return_type)
  if (isAst(expression.value) && isAst(expression.value.type)) return knownType(expression.value.type)
  // Comparisons and conjunctions carry no type: there is only one that they can have.
  return /^BOUND_(COMPARISON|CONJUNCTION|BETWEEN)$/.test(String(expression.expression_class)) ||
    /^(OPERATOR_IS|OPERATOR_NOT|COMPARE_)/.test(String(expression.type))
    ? { kind: 'boolean' }
    : null
}

function asList(value: unknown): readonly Ast[] {
  return Array.isArray(value) ? value.filter(isAst) : []
}

function disagreement(rule: string, facts: Record<string, string | readonly string[]> = {}): SluiceError {
  return new SluiceError(
    'INTERNAL',
    'the engine understands the emitted query otherwise than its plan says',
    {
      rule,
      remedy: 'Report this query as a defect; nothing was run.',
      facts,
    },
  )
}
