// What a person changed in a draft policy: one line for each thing that reads otherwise.
import { ruleText } from './showing.mjs'

/**
 * @param {import('@sluice/core/policy').Policy} draft
 * @param {import('@sluice/core/policy').Policy} edited
 * @returns {[string, string, string, string][]} column or `policy`, key, in the draft, as edited
 */
export function changesOf(draft, edited) {
  const ofPolicy = differences('policy', without(draft, 'columns'), without(edited, 'columns'))
  const ofColumns = Object.keys(draft.columns).flatMap(name => {
    if (edited.columns[name] === undefined) return [[name, '(column)', 'named', 'not named: dropped']]
    return differences(name, draft.columns[name], { rule: undefined, ...edited.columns[name] })
  })
  return [...ofPolicy, ...ofColumns]
}

function differences(place, before, after) {
  return Object.keys(after)
    .map(key => [place, key, shown(key, before[key]), shown(key, after[key])])
    .filter(([, , was, is]) => was !== is)
}

function shown(key, value) {
  if (key === 'rule') return ruleText(value)
  if (Array.isArray(value)) return value.join(', ') || 'none'
  return value !== null && typeof value === 'object'
    ? Object.values(value).join(' to ')
    : String(value ?? '–')
}

function without(policy, key) {
  const { [key]: _, ...others } = policy
  return others
}
