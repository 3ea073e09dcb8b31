import { join } from 'node:path'
import { SluiceError } from '@sluice/core'
import type { Tallying } from '@sluice/ledger/party'
import { type PsiJob, psiJobDigest } from '../../psi/job/job.js'

/** Where the keys of what is kept lie, as the beginning of their files' names: in the directory of a party's ledger. */
export function keptKeys(ledger: string): string {
  return join(ledger, 'kept')
}

/** Whether this session of this job was counted. */
export function isCounted(counted: Tallying, job: PsiJob, session: string | undefined): boolean {
  return session !== undefined && counted.run(session)?.jobDigest === psiJobDigest(job)
}

/** The rule of a meeting that would put an end to a finished result. */
export const FINISHED = 'psi.finished'

export function finished(): SluiceError {
  return new SluiceError('JOB_MISMATCH', 'an earlier run of this job was finished, with another approval', {
    rule: FINISHED,
    remedy: 'Its rows are written first; start the same command again for another run.',
  })
}

export function cutOtherwise(party: string): SluiceError {
  return new SluiceError('JOB_MISMATCH', `"${party}" cuts its set into other buckets`, {
    rule: 'psi.buckets',
    remedy: 'Ask that party which version runs there; nothing was computed.',
    facts: { party },
  })
}
