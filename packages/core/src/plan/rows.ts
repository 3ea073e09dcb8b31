import { DEFAULT_L } from '../policy/complete.js'
import type { ColumnRole } from '../policy/types.js'
import { visibleText } from '../text.js'
import type { Definitions } from './definitions.js'
import { definitionOf } from './definitions.js'
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
 * several times, and for an entity that is a column but no unique key.
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
  const comesFrom = (roles: readonly ColumnRole[]) =>
    plan.output
      .filter(({ id }) =>
        baseColumnsOf({ kind: 'column', id, type: definitionOf(definitions, id).type }, definitions).some(
          ({ dataset, column }) => {
            const role = roleOf(dataset, column)
            return role !== null && roles.includes(role)
          },
        ),
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
