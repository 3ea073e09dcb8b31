import { DEFAULT_L } from '../policy/complete.js'
import type { ColumnRole } from '../policy/types.js'
import { visibleText } from '../text.js'
import type { Definitions } from './definitions.js'
import { definitionOf } from './definitions.js'
import type { Expression } from './expression.js'
import { baseColumnsOf, type SourceUse } from './lineage.js'
import type { Plan, PlanNode } from './node.js'
import type { DatasetFacts, RowsAnonymity } from './review-types.js'
import { nodesOf } from './visit.js'

/** Why rows cannot be held to anything. */
interface Undefined {
  readonly rule: string
  readonly message: string
  readonly remedy: string
}

/**
 * What rows that leave are held to, where the plan touches a column about a person (role `identifier`, `quasi` or
 * `sensitive`) in any way: a condition on one says something about everybody who meets it. Null where it touches none.
 *
 * k is the policy's `disclosure.anonymity`, else its minimum of entities, at least 2. Rows of a class count people only
 * where every row is another person's, so that nothing is defined for joins and unions, which can write one person
 * several times, and for an entity that is a column but no unique key. Nor for rows that are chosen by a sensitive column
 * and leave without it, or with it mixed into another: the values that ℓ counts would not be those of the class.
 */
export function rowsAnonymity(
  plan: Plan,
  facts: readonly DatasetFacts[],
  uses: readonly SourceUse[],
  definitions: Definitions,
): RowsAnonymity | Undefined | null {
  const roleOf = (dataset: string, column: string): ColumnRole | null => {
    const { policy } = facts.find(fact => fact.name === dataset)!
    if (policy.entity.kind === 'none') return null
    return Object.hasOwn(policy.columns, column) ? policy.columns[column]!.role : null
  }
  if (!uses.some(({ dataset, column }) => isPersonal(roleOf(dataset, column)))) return null
  const [only, ...others] = facts
  if (only === undefined || others.length > 0 || ![...nodesOf(plan.root)].every(keepsPeopleApart)) {
    return {
      rule: 'evidence.rows-join',
      message: 'rows about people that are joined or united may stand for the same person',
      remedy: 'Ask for rows of one dataset, or for an aggregate: GROUP BY with count, sum or avg.',
    }
  }
  if (!isRowAnEntity(only)) {
    return {
      rule: 'evidence.rows-entity',
      message: `rows of "${visibleText(only.name)}" may stand for the same entity, so that classes of rows count nobody`,
      remedy: 'Have the policy say entity: row or an entity that is a unique key, or ask for an aggregate.',
    }
  }
  const { anonymity, minimumEntities } = only.policy.disclosure
  const released = plan.output.map(({ name, id }) => {
    const expression: Expression = { kind: 'column', id, type: definitionOf(definitions, id).type }
    const columns = new Set(baseColumnsOf(expression, definitions).map(({ column }) => column))
    return { name, columns: [...columns] }
  })
  const isSensitive = (column: string) => roleOf(only.name, column) === 'sensitive'
  for (const { name, columns } of released) {
    if (columns.length < 2 || !columns.some(isSensitive)) continue
    return {
      rule: 'evidence.rows-mixed',
      message: `the released column "${visibleText(name)}" mixes a sensitive value with another column, so that one value may look like many`,
      remedy: 'Release the sensitive column on its own.',
    }
  }
  const unseen = uses.find(
    ({ column }) => isSensitive(column) && !released.some(({ columns }) => columns.includes(column)),
  )
  if (unseen !== undefined) {
    return {
      rule: 'evidence.rows-sensitive',
      message: `the rows are chosen by the sensitive column "${visibleText(unseen.column)}" and leave without it, so that ℓ-diversity cannot be told`,
      remedy: 'Release that column with them, or do not choose by it.',
    }
  }
  const comesFrom = (roles: readonly ColumnRole[]) =>
    released
      .filter(({ columns }) =>
        columns.some(column => {
          const role = roleOf(only.name, column)
          return role !== null && roles.includes(role)
        }),
      )
      .map(({ name }) => name)
  return {
    dataset: only.name,
    quasi: comesFrom(['identifier', 'quasi']),
    sensitive: comesFrom(['sensitive']),
    k: anonymity?.k ?? Math.max(2, minimumEntities),
    l: anonymity?.l ?? DEFAULT_L,
  }
}

function isPersonal(role: ColumnRole | null): boolean {
  return role === 'identifier' || role === 'quasi' || role === 'sensitive'
}

/** DISTINCT only makes classes smaller than their people are many. */
function keepsPeopleApart({ kind }: PlanNode): boolean {
  return ['scan', 'filter', 'project', 'sort', 'limit', 'distinct'].includes(kind)
}

function isRowAnEntity({ policy: { entity }, uniqueKeys }: DatasetFacts): boolean {
  if (entity.kind !== 'column') return entity.kind === 'row'
  return (
    entity.notEntities.length === 0 && uniqueKeys.some(key => key.length === 1 && key[0] === entity.column)
  )
}
