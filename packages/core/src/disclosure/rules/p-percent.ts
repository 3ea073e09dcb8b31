import { type DisclosureRule, marksOfContributions, provablyAtMost } from './rule.js'

/**
 * The p % rule: a cell is unsafe if total − x1 − x2 < p/100 · x1, since the second largest contributor could then
 * estimate the largest within p % (Handbook on Statistical Disclosure Control, section 4.2.2).
 */
export const pPercent: DisclosureRule = {
  name: 'p-percent',
  part: 'cell',
  applies: obligation => obligation.pPercent !== null,
  unsafe: (obligation, evidence) => {
    const p = obligation.pPercent!
    return marksOfContributions(evidence, ({ total, largest }, row) => {
      const first = largest[0]?.[row] ?? Number.NaN
      const two = largest[1]?.[row] ?? Number.NaN
      // all moved to one side, so that only numbers of one sign are added
      return provablyAtMost(p * first + 100 * two, 100 * total[row]!)
    })
  },
}
