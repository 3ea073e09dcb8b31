import { SluiceError } from '../errors.js'
import type { ColumnId, Expression } from './expression.js'
import type { AggregateColumn, PlanNode, Scan } from './node.js'
import type { ScalarType } from './types.js'
import { nodesOf, outputColumns } from './visit.js'

/** What made a column. */
export type Definition =
  | BaseColumn
  | { readonly kind: 'expression'; readonly expression: Expression; readonly type: ScalarType }
  | { readonly kind: 'key'; readonly expression: Expression; readonly type: ScalarType }
  | { readonly kind: 'aggregate'; readonly aggregate: AggregateColumn; readonly type: ScalarType }
  | { readonly kind: 'union'; readonly branches: readonly ColumnId[]; readonly type: ScalarType }

/** A column of a registered dataset, as one scan reads it. */
export interface BaseColumn {
  readonly kind: 'base'
  readonly id: ColumnId
  readonly source: number
  readonly dataset: string
  readonly column: string
  readonly type: ScalarType
  /** its values are not those of the dataset: what is known of these (keys, nulls, ranges) is not known of them */
  readonly masked: boolean
}

export type Definitions = ReadonlyMap<ColumnId, Definition>

/** Every column of a plan by its id. The plan has to be valid (see `validatePlan`). */
export function definitionsOf(root: PlanNode): Definitions {
  const definitions = new Map<ColumnId, Definition>()
  const scans: Scan[] = []
  for (const node of nodesOf(root)) {
    if (node.kind === 'scan') {
      const source = scans.push(node) - 1
      for (const { id, name, type, mask } of node.columns) {
        const masked = mask !== undefined
        definitions.set(id, { kind: 'base', id, source, dataset: node.dataset, column: name, type, masked })
      }
    } else if (node.kind === 'project') {
      for (const { id, expression, type } of node.columns) {
        definitions.set(id, { kind: 'expression', expression, type })
      }
    } else if (node.kind === 'aggregate') {
      for (const { id, expression, type } of node.keys) definitions.set(id, { kind: 'key', expression, type })
      for (const aggregate of node.aggregates) {
        definitions.set(aggregate.id, { kind: 'aggregate', aggregate, type: aggregate.type })
      }
    } else if (node.kind === 'union') {
      for (const [index, { id, type }] of node.columns.entries()) {
        const branches = node.inputs.map(input => outputColumns(input)[index]!.id)
        definitions.set(id, { kind: 'union', branches, type })
      }
    }
  }
  return definitions
}

export function definitionOf(definitions: Definitions, id: ColumnId): Definition {
  const definition = definitions.get(id)
  if (definition === undefined)
    throw new SluiceError('INTERNAL', 'a plan refers to a column that it does not make')
  return definition
}
