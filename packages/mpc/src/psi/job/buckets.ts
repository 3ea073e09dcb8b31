import { maxLoad } from '../max-load.js'
import { STATISTICAL_BITS } from '../value-bytes.js'
import type { PsiJob } from './job.js'

/** Sets up to this size, as padded, are intersected in one run of the protocol; larger ones in buckets of at most so many. */
export const BUCKET_ITEMS = 2 ** 20

/**
 * Whether sets of this job may be so large that they go to buckets. Between two, a number of shared keys would be told of
 * each; a helper opens what is of all buckets together.
 */
export function goesInBuckets({ protocol, size, receivers }: PsiJob, bucketItems = BUCKET_ITEMS): boolean {
  if (size.ceiling <= bucketItems || protocol === 'oprf') return false
  return protocol === 'helper' || receivers.every(({ learns }) => learns === 'which')
}

/**
 * Into how many buckets the sets are cut, from their padded sizes alone: the fewest, a power of two, that leave no more
 * than `bucketItems` of any to a bucket on average.
 */
export function bucketCount(job: PsiJob, sizes: readonly number[], bucketItems = BUCKET_ITEMS): number {
  if (!goesInBuckets(job, bucketItems)) return 1
  const wanted = Math.max(1, Math.max(...sizes) / bucketItems)
  return Math.min(PARTITIONS, 2 ** Math.ceil(Math.log2(wanted)))
}

/**
 * To how many items each bucket of a set is padded: m balls fall into B bins, each by a uniform hash, and
 *
 *     P[some bin has more than k] ≤ B · Σ_{i > k} C(m, i) (1/B)^i (1 − 1/B)^(m − i) < 2^-41,
 *
 * the union bound over exact binomial tails (Mitzenmacher and Upfal, "Probability and Computing", section 5.2); half of
 * 2^-40 for each of the two sets. A bucket of one alone has the padded set. Items' hashes are keyed by the job's digest:
 * whoever makes keys up after the job can overfill a bucket of its own set, and ends its own run.
 *
 * @param size of the set, as padded
 */
export function bucketBound(size: number, buckets: number): number {
  return maxLoad(size, buckets, STATISTICAL_BITS + 1)
}

/** What is cut once, when it is read, before the other side's size is known: a bucket is some of these, side by side. */
export const PARTITIONS = 64

/** Partition of each item: the six highest bits of its last byte, which nothing else looks at first. */
export function partitionOf(lastByte: number): number {
  return lastByte >> 2
}
