import { type DisclosureRule, marksOfContributions, provablyAtMost } from './rule.js'

/**
 * (n,k)-dominance: a cell is unsafe if the n largest contributions exceed k % of the total (Handbook on Statistical
 * Disclosure Control, section 4.2.2). It has to hold for each contribution of the cell.
 */
export const dominance: DisclosureRule = {
  name: 'dominance',
  part: 'cell',
  applies: obligation => obligation.dominance !== null,
  unsafe: (obligation, evidence) => {
    const { n, percent } = obligation.dominance!
    return marksOfContributions(evidence, ({ total, largest }, row) =>
      provablyAtMost((largest[n - 1]?.[row] ?? Number.NaN) * 100, percent * total[row]!),
    )
  },
}
