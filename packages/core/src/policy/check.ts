import { SluiceError } from '../errors.js'
import { nearestNames } from '../names.js'
import type { ColumnSchema, ScalarType } from '../plan/types.js'
import { visibleText } from '../text.js'
import type { Policy } from './types.js'

export interface PolicyCheck {
  /** columns of the dataset that the policy does not name: every use of them is denied */
  readonly unmentioned: readonly string[]
}

/**
 * Does a policy fit a dataset's columns? It sees names and types, never values.
 *
 * @throws SluiceError NAME_UNKNOWN where it names a column that the dataset does not have (all are in
 * `facts.columns`), POLICY_INVALID where bounds stand at a column that is no number
 */
export function checkPolicy(policy: Policy, schema: readonly ColumnSchema[]): PolicyCheck {
  const present = new Map(schema.map(column => [column.name, column]))
  const mentioned = Object.keys(policy.columns)
  const unknown = mentioned.filter(name => !present.has(name))
  const first = unknown[0]
  if (first !== undefined) {
    const near = nearestNames(first, present.keys()).map(visibleText)
    throw new SluiceError(
      'NAME_UNKNOWN',
      `the policy names a column "${visibleText(first)}" that is not there`,
      {
        rule: `columns.${visibleText(first)}`,
        remedy: near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'a column of the dataset',
        facts: { columns: unknown.map(visibleText) },
      },
    )
  }
  for (const [name, column] of Object.entries(policy.columns)) {
    if (column.bounds === null || isNumeric(present.get(name)!.type)) continue
    throw new SluiceError('POLICY_INVALID', `the column "${visibleText(name)}" is not a number`, {
      rule: `columns.${visibleText(name)}.bounds`,
      remedy: 'bounds at numeric columns only',
    })
  }
  return {
    unmentioned: schema.map(column => column.name).filter(name => !Object.hasOwn(policy.columns, name)),
  }
}

function isNumeric(type: ScalarType): boolean {
  return type.kind === 'integer' || type.kind === 'decimal' || type.kind === 'float'
}
