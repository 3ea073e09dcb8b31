import { SluiceError } from '../errors.js'
import type { Obligation } from '../plan/review-types.js'

/**
 * What is left to check of obligations when an engine added the contributions of so many organizations without seeing
 * them: there are enough of them, and where the policy accepts their number in place of dominance, dominance and p % are
 * not asked. An engine that saw the rows (`contributors` undefined) is held to every limit as it stands.
 *
 * @throws SluiceError DISCLOSURE_REFUSED `contributors.minimum`
 */
export function withContributors(
  obligations: readonly Obligation[],
  contributors: number | undefined,
): readonly Obligation[] {
  if (contributors === undefined) return obligations
  return obligations.map(obligation => {
    const limits = obligation.contributors
    if (limits === undefined) return obligation
    if (contributors < limits.minimum) throw tooFew(obligation.dataset, limits.minimum)
    return limits.inPlaceOfDominance ? { ...obligation, dominance: null, pPercent: null } : obligation
  })
}

function tooFew(dataset: string, minimum: number): SluiceError {
  return new SluiceError(
    'DISCLOSURE_REFUSED',
    `too few organizations contributed for the policy of "${dataset}"`,
    {
      rule: 'contributors.minimum',
      remedy: `Have at least ${minimum} contribute.`,
      facts: { minimum },
    },
  )
}
