import { SluiceError } from '@sluice/core'
import { type DatasetFacts, hasTable, type MaskedColumn, maskedColumn } from '@sluice/core/plan'
import type { RequestDocument } from '../request/document.js'
import type { DatasetState, ZoneState } from '../zone/state.js'

/**
 * What names in a query resolve against: every dataset that is not retired. A column whose rule lacks its table, as in
 * zones from before tables were registered, is not there.
 */
export function catalogueOf(state: ZoneState): { name: string; columns: readonly MaskedColumn[] }[] {
  return [...state.datasets.values()]
    .filter(dataset => !dataset.retired)
    .map(({ facts: { name, columns, policy, tables } }) => ({
      name,
      columns: columns.flatMap(column => {
        const { rule } = Object.hasOwn(policy.columns, column.name) ? policy.columns[column.name]! : {}
        return hasTable(rule, tables) ? [maskedColumn(column, rule, tables)] : []
      }),
    }))
}

/** @throws SluiceError NAME_UNKNOWN where there is none, or it is retired */
export function findDataset(state: ZoneState, name: string): DatasetState {
  const dataset = state.datasets.get(name)
  if (dataset && !dataset.retired) return dataset
  throw new SluiceError('NAME_UNKNOWN', `there is no dataset "${name}"${dataset ? ': it is retired' : ''}`, {
    remedy: 'List them with `sluice dataset list`.',
  })
}

/** The registered facts of the datasets that a request binds, as they are now. */
export function factsFor(state: ZoneState, document: RequestDocument): DatasetFacts[] {
  return document.datasets.map(binding => findDataset(state, binding.name).facts)
}
