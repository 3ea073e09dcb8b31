import { z } from 'zod'
import { invalid } from './invalid.js'
import type { JointJob } from './job.js'

/** How values are shared among those who compute; three with replicated sharing where a job does not say. */
export const sharing = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('replicated') }),
  /** any `threshold` of the computing parties read everything together, and finish without the others */
  z.strictObject({ kind: z.literal('shamir'), threshold: z.int().min(2).max(16) }),
  /** the party of the role `dealer` makes the triples, and computes nothing else */
  z.strictObject({ kind: z.literal('dealer') }),
])

export type JointSharing = z.infer<typeof sharing>

export function sharingOf({ sharing }: { readonly sharing?: JointSharing }): JointSharing {
  return sharing ?? { kind: 'replicated' }
}

/** Indices of the parties who hold shares: the first of all. */
export function computingOf({ parties }: Pick<JointJob, 'parties'>): number[] {
  return [...parties.keys()].filter(index => parties[index]!.role === 'computing')
}

/**
 * Do the parties' roles, and the order in which they stand, fit the sharing?
 *
 * @throws SluiceError JOB_INVALID, naming the place
 */
export function checkRoles(job: JointJob): void {
  const { parties, inputs, operations } = job
  const size = computingOf(job).length
  const chosen = sharingOf(job)
  const dealers = chosen.kind === 'dealer' ? 1 : 0
  const fits = parties.every(({ role }, index) =>
    role === 'computing' ? index < size : (role === 'dealer') === index < size + dealers,
  )
  switch (chosen.kind) {
    case 'replicated':
      if (!fits || size !== 3)
        throw invalid('parties', 'three that compute come first, and providers after them')
      return
    case 'shamir':
      if (!fits || size < 3)
        throw invalid('parties', 'three or more that compute come first, and providers after them')
      if (size < 2 * chosen.threshold - 1)
        throw invalid('sharing.threshold', 'with a threshold of t, at least 2t − 1 parties compute')
      return
    case 'dealer':
      if (!fits || size < 2 || parties[size]?.role !== 'dealer')
        throw invalid('parties', 'two or more that compute come first, then one dealer, then providers')
      break
  }
  const { name } = parties[size]!
  if (inputs.some(({ owner }) => owner === name)) throw invalid('inputs', 'the dealer gives no input')
  if (operations.some(({ receivers }) => receivers.includes(name)))
    throw invalid('operations', 'to the dealer nothing is opened, for it knows the masks')
}
