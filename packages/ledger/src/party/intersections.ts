import { canonicalBytes, isSluiceError, SluiceError } from '@sluice/core'
import { commit } from '../entries/commitment.js'
import type { PsiLink, PsiQuota, PsiRotation, PsiSet, PsiStart } from '../entries/predicates.js'
import type { ExclusiveOptions } from '../store/types.js'
import type { PartyLedger } from './party-ledger.js'
import type { Tallying } from './tally.js'

export type BegunIntersection = Omit<PsiStart, 'kind' | 'time' | 'quota'>

/** Which run it is the outcome of, and what went over its connections. */
export interface IntersectionOutcome {
  readonly jobDigest: string
  readonly session: string
  readonly links: readonly PsiLink[]
}

/**
 * Refuses what `beginIntersection` would refuse, and records nothing.
 *
 * @throws SluiceError as `beginIntersection`
 */
export async function requireWithinQuota(
  ledger: PartyLedger,
  begun: BegunIntersection,
  quota: PsiQuota,
  options: ExclusiveOptions = {},
): Promise<void> {
  refuseBeyond(await ledger.counted(options), begun, quota)
}

/**
 * Counts an intersection against its quotas and records it, durably, before it is computed.
 *
 * @throws SluiceError APPROVAL_EXHAUSTED where a quota would be overrun, JOB_MISMATCH where the key of the prepared set was
 *   replaced, and as `PartyLedger.record` does: then nothing may be computed
 */
export async function beginIntersection(
  ledger: PartyLedger,
  begun: BegunIntersection,
  quota: PsiQuota,
  options: ExclusiveOptions = {},
): Promise<void> {
  await ledger.record(tally => {
    refuseBeyond(tally, begun, quota)
    return { kind: 'psi-start', ...begun, quota }
  }, options)
}

/**
 * Records that it ended well. What was learned lies outside, where it can be erased; the entry holds the commitment.
 *
 * @param learned how many items are shared, and the total over them, as far as this party is told
 */
export async function endIntersection(
  ledger: PartyLedger,
  { jobDigest, session, links }: IntersectionOutcome,
  learned: { readonly count?: number; readonly sum?: string },
  options: ExclusiveOptions = {},
): Promise<void> {
  let resultCommitment: { readonly resultCommitment?: string } = {}
  if (learned.count !== undefined || learned.sum !== undefined) {
    const { commitment, salt } = commit('result', canonicalBytes(learned))
    await ledger.keep(session, { commitment, salt, learned })
    resultCommitment = { resultCommitment: commitment }
  }
  const digests = links.map(digestsOf)
  await ledger.record(
    () => ({ kind: 'psi-end', jobDigest, session, links: digests, ...resultCommitment }),
    options,
  )
}

/** Records that it broke off, or that its result was refused; one that has ended well stays as it ended. */
export async function breakIntersection(
  ledger: PartyLedger,
  { jobDigest, session, links }: IntersectionOutcome,
  error: unknown,
): Promise<void> {
  const { code, facts } = isSluiceError(error) ? error : { code: 'INTERNAL', facts: undefined }
  const party = facts?.['party']
  const about = links.some(({ peer }) => peer === party) ? (party as string) : null
  await ledger.record(tally => {
    if (tally.run(session)?.ended !== false) return undefined
    return { kind: 'psi-break', jobDigest, session, code, about, links: links.map(digestsOf) }
  })
}

/** Records that a set was prepared. @throws SluiceError JOB_MISMATCH where its key was replaced meanwhile */
export async function recordPrepared(
  ledger: PartyLedger,
  prepared: Omit<PsiSet, 'kind' | 'time'>,
  options: ExclusiveOptions = {},
): Promise<void> {
  await ledger.record(tally => {
    if (tally.set(prepared.set).epoch > prepared.epoch) throw replaced()
    return { kind: 'psi-set', ...prepared }
  }, options)
}

/** Records that a prepared set's key was replaced. @returns how many files are void by it */
export async function recordRotated(
  ledger: PartyLedger,
  rotated: Omit<PsiRotation, 'kind' | 'time' | 'voided'>,
  options: ExclusiveOptions = {},
): Promise<number> {
  let voided = 0
  await ledger.record(tally => {
    voided = tally.set(rotated.set).files.length
    return { kind: 'psi-rotation', ...rotated, voided }
  }, options)
  return voided
}

/** Nothing else that a connection has counted: how long it was can tell how many items are shared. */
function digestsOf({ peer, sent, received }: PsiLink): PsiLink {
  return { peer, sent, received }
}

function refuseBeyond(tally: Tallying, begun: BegunIntersection, quota: PsiQuota): void {
  const { jobDigest, prepared, resumes, input, counterparts } = begun
  if (prepared !== undefined && tally.set(prepared.set).epoch > prepared.epoch) throw replaced()
  const runs = tally.runsOf(jobDigest)
  if (resumes !== undefined) {
    const first = tally.run(resumes)
    if (first?.jobDigest !== jobDigest || first.resumes !== undefined || first.input !== input)
      throw nothingToResume()
  } else if (runs >= quota.runs) {
    throw new SluiceError('APPROVAL_EXHAUSTED', `this job has run ${runs} times, and may no more`, {
      rule: 'psi.runs',
      remedy: 'Agree on a new job; one that broke off has counted too.',
      facts: { runs },
    })
  }
  for (const { name, key, items } of counterparts) {
    // who tests nothing, as in a run that goes on, may have used its quota
    if (items === 0) continue
    const used = tally.testedBy(key)
    if (used + items <= quota.lifetimeItems) continue
    throw new SluiceError(
      'APPROVAL_EXHAUSTED',
      `"${name}" has tested ${used} items, and with ${items} more would be beyond its quota`,
      {
        rule: 'psi.quota',
        remedy: 'Agree on a job with a larger quota, if so many questions are meant to be answered.',
        facts: { party: name, used, items, quota: quota.lifetimeItems },
      },
    )
  }
}

/** Whoever waits for the other party has read the key before. */
function replaced(): SluiceError {
  return new SluiceError(
    'JOB_MISMATCH',
    'the key is another than the one that the job’s set was prepared under',
    {
      rule: 'psi.rotation',
      remedy: 'After a rotation, prepare the set again and agree on a job with the new file.',
    },
  )
}

function nothingToResume(): SluiceError {
  return new SluiceError('JOB_MISMATCH', 'the run that this one would go on with was never recorded', {
    rule: 'psi.kept',
    remedy: 'Use the ledger of that run, or remove what was kept of it and begin anew.',
  })
}
