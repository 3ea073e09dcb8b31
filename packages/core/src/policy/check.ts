import { definitionOf, type Rule } from '../desensitize/rules/registry.js'
import { scanRule } from '../desensitize/scan.js'
import { isSluiceError, SluiceError } from '../errors.js'
import { nearestNames } from '../names.js'
import type { ColumnSchema, ScalarType } from '../plan/types.js'
import { sameType } from '../plan/validate.js'
import { visibleText } from '../text.js'
import type { ColumnPolicy, Policy } from './types.js'

export interface PolicyCheck {
  /** columns of the dataset that the policy does not name: every use of them is denied */
  readonly unmentioned: readonly string[]
}

/**
 * Does a policy fit a dataset's columns? It sees names and types, never values.
 *
 * @throws SluiceError NAME_UNKNOWN where it names a column that the dataset does not have (all are in
 * `facts.columns`) and does not drop, POLICY_INVALID where bounds stand at a column that is no number a scan's rule at
 * one whose type it does not know, or another rule at one that it plainly has not been applied to
 */
export function checkPolicy(policy: Policy, schema: readonly ColumnSchema[]): PolicyCheck {
  const present = new Map(schema.map(column => [column.name, column]))
  const mentioned = Object.keys(policy.columns)
  const unknown = mentioned.filter(name => !present.has(name) && policy.columns[name]!.rule?.kind !== 'drop')
  const first = unknown[0]
  if (first !== undefined) {
    const near = nearestNames(first, present.keys()).map(visibleText)
    throw new SluiceError(
      'NAME_UNKNOWN',
      `the policy names a column "${visibleText(first)}" that is not there`,
      {
        rule: `columns.${visibleText(first)}`,
        remedy: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Name a column of the dataset.',
        facts: { columns: unknown.map(visibleText) },
      },
    )
  }
  for (const [name, column] of Object.entries(policy.columns)) {
    const type = present.get(name)?.type
    // dropped, and not there
    if (type === undefined) continue
    checkRule(name, column, type)
    if (column.bounds === null || isNumeric(type)) continue
    throw new SluiceError('POLICY_INVALID', `the column "${visibleText(name)}" is not a number`, {
      rule: `columns.${visibleText(name)}.bounds`,
      remedy: 'Give bounds to numeric columns only.',
    })
  }
  return {
    unmentioned: schema.map(column => column.name).filter(name => !Object.hasOwn(policy.columns, name)),
  }
}

/**
 * What the provider applies has to be applied already. A column that the rule would still turn into another type, or
 * drop, is as it was; more cannot be told without a look at values.
 */
function checkRule(name: string, column: ColumnPolicy, type: ScalarType): void {
  const rule = scanRule(column.rule)
  if (rule === null) {
    if (column.rule === undefined || !wouldChange(column.rule, type)) return
    throw new SluiceError(
      'POLICY_INVALID',
      `the rule ${column.rule.kind} of the column "${visibleText(name)}" has not been applied to the file`,
      {
        rule: `columns.${visibleText(name)}.rule`,
        remedy:
          'Run `sluice desensitize --for-zone` with this policy first, and register the file that it writes.',
      },
    )
  }
  try {
    definitionOf(rule).resultType(rule, type)
  } catch (cause) {
    if (!isSluiceError(cause) || cause.code !== 'RULE_INVALID') throw cause
    throw new SluiceError('POLICY_INVALID', `the column "${visibleText(name)}": ${cause.message}`, {
      rule: `columns.${visibleText(name)}.rule`,
      ...(cause.remedy !== undefined && { remedy: cause.remedy }),
      cause,
    })
  }
}

function wouldChange(rule: Rule, type: ScalarType): boolean {
  try {
    const result = definitionOf(rule).resultType(rule, type)
    return result === null || !sameType(result, type)
  } catch (cause) {
    // it does not know the type, as may be where its own text was read as numbers
    if (isSluiceError(cause) && cause.code === 'RULE_INVALID') return false
    throw cause
  }
}

function isNumeric(type: ScalarType): boolean {
  return type.kind === 'integer' || type.kind === 'decimal' || type.kind === 'float'
}
