import { SluiceError } from '../../errors.js'
import type { PrivacyModel } from '../config/config.js'
import type { Records } from '../table.js'
import type { Criterion } from './criterion.js'
import { deltaPresence } from './delta-presence.js'
import { kAnonymity } from './k-anonymity.js'
import { lDiversity } from './l-diversity.js'
import { tCloseness } from './t-closeness.js'

/** Every criterion of a model, cheapest first. @throws SluiceError CONFIG_INVALID where a column or the population is not there */
export function criteriaOf(model: PrivacyModel, records: Records): Criterion[] {
  const indexOf = (name: string) => {
    const index = records.sensitive.findIndex(column => column.name === name)
    if (index >= 0) return index
    throw new SluiceError('CONFIG_INVALID', 'a criterion is about a column that is not sensitive', {
      rule: 'criteria.column',
      remedy: 'Name a column of role sensitive.',
    })
  }
  const closeness = model.closeness.map(({ column, t, distance }) => {
    const index = indexOf(column)
    const { hierarchy } = records.sensitive[index]!
    if (distance === 'hierarchical' && hierarchy === null) {
      throw new SluiceError('CONFIG_INVALID', 'the hierarchical distance needs a hierarchy', {
        rule: 'closeness.distance',
      })
    }
    return tCloseness(t, index, sharesOf(records, index), distance === 'hierarchical' ? hierarchy : null)
  })
  if (model.presence !== null && records.population === null) {
    throw new SluiceError('CONFIG_INVALID', 'δ-presence needs the population', {
      rule: 'presence.population',
    })
  }
  return [
    kAnonymity(model.k),
    ...(model.presence === null ? [] : [deltaPresence(model.presence.min, model.presence.max)]),
    ...model.diversity.map(diversity => lDiversity(diversity, indexOf(diversity.column))),
    ...closeness,
  ]
}

function sharesOf({ sensitive, weights }: Records, index: number): Float64Array {
  const { codes, cardinality } = sensitive[index]!
  const shares = new Float64Array(cardinality)
  let rows = 0
  for (let record = 0; record < weights.length; record++) {
    shares[codes[record]!] = shares[codes[record]!]! + weights[record]!
    rows += weights[record]!
  }
  return shares.map(count => count / rows)
}
