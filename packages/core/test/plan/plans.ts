import {
  type AggregateColumn,
  type AggregateFunction,
  type ColumnSchema,
  type DatasetFacts,
  type Expression,
  type FunctionName,
  type Join,
  outputColumns,
  PLAN_LANGUAGE,
  type Plan,
  type PlanColumn,
  type PlanNode,
  type ScalarType,
  type Scan,
} from '@sluice/core/plan'
import { parsePolicy, policyDigest } from '@sluice/core/policy'

/** Plans by hand, as short as a test wants them. Ids are counted for each builder on its own. */
export const INTEGER: ScalarType = { kind: 'integer', bits: 64, signed: true }
export const TEXT: ScalarType = { kind: 'text' }
export const BOOLEAN: ScalarType = { kind: 'boolean' }

export const int = (value: number): Expression => ({ kind: 'literal', type: INTEGER, value: String(value) })
export const nothing: Expression = { kind: 'literal', type: INTEGER, value: null }
export const text = (value: string): Expression => ({ kind: 'literal', type: TEXT, value })
export const call = (name: FunctionName, ...operands: Expression[]): Expression => ({
  kind: 'call',
  type: INTEGER,
  function: name,
  arguments: operands,
})
export const test = (name: FunctionName, ...operands: Expression[]): Expression => ({
  kind: 'call',
  type: BOOLEAN,
  function: name,
  arguments: operands,
})
export const when = (condition: Expression, then: Expression, otherwise: Expression): Expression => ({
  kind: 'case',
  type: then.type,
  branches: [{ when: condition, then }],
  otherwise,
})
export const cast = (argument: Expression, type: ScalarType = INTEGER): Expression => ({
  kind: 'cast',
  type,
  argument,
})
export const column = (node: PlanNode, name: string): Expression => {
  const found = outputColumns(node).find(candidate => candidate.name === name)
  if (found === undefined) throw new Error(`no column ${name}`)
  return { kind: 'column', id: found.id, type: found.type }
}

export class Plans {
  #next = 0

  scan(dataset: string, ...columns: (string | ColumnSchema)[]): Scan {
    return {
      kind: 'scan',
      dataset,
      columns: columns.map(given => {
        const schema = typeof given === 'string' ? schemaOf(given) : given
        return { id: this.#next++, ...schema }
      }),
    }
  }

  filter(input: PlanNode, predicate: Expression): PlanNode {
    return { kind: 'filter', input, predicate }
  }

  project(input: PlanNode, columns: Record<string, Expression>): PlanNode {
    return { kind: 'project', input, columns: this.#computed(columns) }
  }

  join(left: PlanNode, right: PlanNode, condition: Expression, type: Join['type'] = 'inner'): PlanNode {
    return { kind: 'join', type, left, right, condition }
  }

  aggregate(
    input: PlanNode,
    keys: Record<string, Expression>,
    aggregates: Record<string, [AggregateFunction, Expression | null, Partial<AggregateColumn>?]>,
  ): PlanNode {
    return {
      kind: 'aggregate',
      input,
      keys: this.#computed(keys),
      aggregates: Object.entries(aggregates).map(([name, [of, argument, more]]) => ({
        id: this.#next++,
        name,
        type: INTEGER,
        function: of,
        argument,
        distinct: false,
        filter: null,
        ...more,
      })),
    }
  }

  union(...inputs: PlanNode[]): PlanNode {
    const columns = outputColumns(inputs[0]!).map(({ name, type }) => ({ id: this.#next++, name, type }))
    return { kind: 'union', inputs, columns }
  }

  #computed(columns: Record<string, Expression>): (PlanColumn & { expression: Expression })[] {
    return Object.entries(columns).map(([name, expression]) => ({
      id: this.#next++,
      name,
      type: expression.type,
      expression,
    }))
  }
}

/** The plan that releases all columns of its root. */
export function planOf(root: PlanNode, more: Partial<Plan> = {}): Plan {
  const output = outputColumns(root).map(({ id, name }) => ({ id, name }))
  return { kind: 'plan', language: PLAN_LANGUAGE, root, output, parameters: [], ...more }
}

/** Integers, but for names that end in `name`, `state` or `id`. */
function schemaOf(name: string): ColumnSchema {
  return { name, type: /(?:name|state|id)$/.test(name) ? TEXT : INTEGER }
}

export function dataset(name: string, columns: readonly string[], policy: string): DatasetFacts {
  const parsed = parsePolicy(policy)
  return {
    name,
    version: 1,
    fingerprint: '00'.repeat(32),
    owner: parsed.owner,
    columns: columns.map(schemaOf),
    uniqueKeys: [],
    policy: parsed,
    policyDigest: policyDigest(parsed),
  }
}
