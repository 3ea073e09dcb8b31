import type { MaskedColumn } from '../plan/mask.js'
import type { DatasetFacts } from '../plan/review-types.js'
import type { ScalarType } from '../plan/types.js'
import type { SampleRule } from '../policy/types.js'

/** Where the values of a stand-in's column come from. */
export type ColumnSource =
  /** the drawn rows themselves, as the scan hands them on */
  | { readonly kind: 'rows' }
  /** drawn from the counts of its values, or of bands of them, that passed the disclosure check */
  | { readonly kind: 'marginal' }
  /** numbers around an average that passed the check */
  | { readonly kind: 'mean' }
  /** made up: the form of the type, nothing of the data; each value once where `distinct` */
  | { readonly kind: 'serial'; readonly distinct: boolean }
  /** null: no use allows anything of it */
  | { readonly kind: 'empty' }

/**
 * What a policy lets a stand-in say of a column: no more than a query could be answered that only touches this column.
 *
 * - Identifiers and the entity are made up, never drawn; those of public reference data (`entity: none`) may leave.
 * - `rows`: columns with the use `output` come from drawn rows.
 * - `synthetic`: the use `group` allows the marginal, `aggregate` the average of a number.
 * - A column with another use has the form of its type; one without a use is null.
 */
export function sourceOf(facts: DatasetFacts, column: MaskedColumn, mode: SampleRule['mode']): ColumnSource {
  const { policy } = facts
  const { entity } = policy
  const own = Object.hasOwn(policy.columns, column.name) ? policy.columns[column.name]! : null
  if (own === null) return { kind: 'empty' }
  const isEntity = entity.kind === 'column' && entity.column === column.name
  const identifies = (own.role === 'identifier' && entity.kind !== 'none') || isEntity
  if (own.uses.length === 0 && !isEntity) return { kind: 'empty' }
  const distinct = facts.uniqueKeys.some(key => key.length === 1 && key[0] === column.name)
  if (identifies) return { kind: 'serial', distinct }
  if (mode === 'rows') {
    if (own.uses.includes('output')) return { kind: 'rows' }
    return own.uses.includes('join') ? { kind: 'serial', distinct } : { kind: 'empty' }
  }
  if (own.uses.includes('group')) return { kind: 'marginal' }
  if (own.uses.includes('aggregate') && isNumber(column.type)) return { kind: 'mean' }
  return { kind: 'serial', distinct }
}

export function isNumber(type: ScalarType): boolean {
  return type.kind === 'integer' || type.kind === 'decimal' || type.kind === 'float'
}
