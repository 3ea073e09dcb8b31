import { SluiceError } from '@sluice/core'
import { scaled } from '../../job/decimal.js'
import { type LogarithmOptions, logarithm } from '../logarithm.js'
import type { PsiJob } from './job.js'
import type { PsiOutcome } from './protocol.js'

/** How much of the progress the protocol is, where a search follows it. */
export const BEFORE_SEARCH = 0.8

/**
 * The total of an outcome of two parties, searched for among those that so many values of the job's bound can have; the
 * outcome as it is where there is none to search for.
 *
 * @throws SluiceError PROTOCOL_VIOLATION where no such total is there, MEMORY_EXCEEDED, INTERRUPTED
 */
export async function openTotal(
  job: PsiJob,
  { total, ...outcome }: PsiOutcome,
  options: LogarithmOptions,
): Promise<PsiOutcome> {
  if (total === undefined) return outcome
  const { bound, scale } = job.sum!
  const { onProgress, ...others } = options
  const sum = await logarithm(total, scaled(bound, scale)! * BigInt(outcome.count!), {
    ...others,
    ...(onProgress !== undefined && {
      onProgress: fraction => onProgress(BEFORE_SEARCH + (1 - BEFORE_SEARCH) * fraction),
    }),
  })
  if (sum !== undefined) {
    // small totals are found before the search is over
    onProgress?.(1)
    return { ...outcome, sum }
  }
  throw new SluiceError('PROTOCOL_VIOLATION', 'the total is none that values of the job could add up to', {
    rule: 'psi.sum',
    remedy: 'Ask the other party which version runs there, then start the job again on both sides.',
  })
}
