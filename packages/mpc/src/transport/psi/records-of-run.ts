import { isSluiceError, SluiceError } from '@sluice/core'
import { type IntersectionRecord, readIntersections } from '@sluice/ledger/intersections'
import { type PsiJob, psiJobDigest } from '../../psi/job/job.js'

/** A party's record; nothing where it has none yet. @throws SluiceError LEDGER_CORRUPT */
export async function recordsOf(record: string): Promise<readonly IntersectionRecord[]> {
  return readIntersections(record).then(
    read => read.records,
    error => {
      if (isSluiceError(error) && error.code === 'FILE_MISSING') return []
      throw error
    },
  )
}

/** Whether this session of this job was counted. */
export function isCounted(
  records: readonly IntersectionRecord[],
  job: PsiJob,
  session: string | undefined,
): boolean {
  const digest = psiJobDigest(job)
  return records.some(entry => entry.kind === 'begun' && entry.job === digest && entry.session === session)
}

/** A run's first session, and those that went on with it. */
export function sessionsOf(
  records: readonly IntersectionRecord[],
  first: string | undefined,
): ReadonlySet<string> {
  const later = records.flatMap(entry =>
    entry.kind === 'begun' && entry.resumes === first ? [entry.session] : [],
  )
  return new Set(first === undefined ? [] : [first, ...later])
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
