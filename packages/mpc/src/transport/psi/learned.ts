import { SluiceError } from '@sluice/core'
import { unscaled } from '../../job/decimal.js'
import type { PsiItems } from '../../psi/job/items.js'
import { type PsiJob, psiLearns } from '../../psi/job/job.js'
import type { PsiOutcome } from '../../psi/job/protocol.js'
import type { BucketResult } from './resumable.js'

/** What a party learned, but for columns that it was handed. */
export interface Learned {
  /** the intersection is smaller than the job's minimum, which another party enforced */
  readonly withheld?: boolean
  /** by row of this party's file, 1 where its key is shared; where this party learns which */
  readonly matched?: Uint8Array
  /** how many different keys are shared */
  readonly count?: number
  /** a decimal number as text */
  readonly sum?: string
  /** of a run in buckets whose rows are handed over: the shared keys alone, which `payload` counts */
  readonly shared?: PsiItems
}

/** What buckets say, as of the shared items alone: all of them are. */
export function outcomeOf(result: BucketResult | undefined): PsiOutcome {
  if (result === undefined) return {}
  const { count, withheld, shared } = result
  return {
    ...(withheld !== undefined && { withheld }),
    ...(count !== undefined && { count }),
    ...(shared !== undefined && { matched: new Uint8Array(count!).fill(1) }),
  }
}

export function told(job: PsiJob, { sum, ...learned }: BucketResult = {}): Learned {
  return { ...learned, ...(sum !== undefined && { sum: unscaled(sum, job.sum!.scale) }) }
}

/** In plain intersection of two sets nobody but the receiver can hold it to the minimum. */
export function isBelow(job: PsiJob, self: number, { count, withheld }: PsiOutcome): boolean {
  const below = withheld === true || (count !== undefined && count < job.minimumIntersection)
  return below && psiLearns(job, self) !== undefined
}

export function belowMinimum(): SluiceError {
  return new SluiceError(
    'DISCLOSURE_REFUSED',
    'the intersection is smaller than the minimum of the job, and is not given out',
    {
      rule: 'psi.minimumIntersection',
      remedy: 'Nothing was written. A smaller minimum needs a new job that every party signs.',
    },
  )
}

/** What is recorded of it: never which items. */
export function figuresOf({ count, sum }: Learned): { count?: number; sum?: string } {
  return { ...(count !== undefined && { count }), ...(sum !== undefined && { sum }) }
}

export function shown(
  job: PsiJob,
  { withheld, matched, count, sum }: PsiOutcome,
  items: PsiItems | undefined,
): Learned {
  return {
    ...(withheld !== undefined && { withheld }),
    ...(count !== undefined && { count }),
    ...(sum !== undefined && { sum: unscaled(sum, job.sum!.scale) }),
    ...(matched !== undefined && items !== undefined && { matched: byRow(items, matched) }),
  }
}

/** @param matched by item */
function byRow({ itemOf }: PsiItems, matched: Uint8Array): Uint8Array {
  const flags = new Uint8Array(itemOf.length)
  for (let row = 0; row < flags.length; row++) {
    const item = itemOf[row]!
    if (item >= 0) flags[row] = matched[item]!
  }
  return flags
}
