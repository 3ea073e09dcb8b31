import { HashIndex } from '../hash-index.js'
import { ITEM_BYTES } from '../item-hash.js'
import { randomPermutation } from '../permutation.js'
import { loadRistretto, POINT_BYTES, type Ristretto } from '../ristretto.js'
import { bucketBound, bucketCount, goesInBuckets } from './buckets.js'
import { PSI_PROTOCOLS, type PsiJob, type PsiProtocolName, psiOwners } from './job.js'

export interface PsiEstimate {
  readonly protocol: PsiProtocolName
  /** of the protocol, on this machine; reading and writing files come beside it */
  readonly seconds: number
  /** that this party sends and receives */
  readonly bytes: number
  /** what a party holds at most, in bytes */
  readonly memory: number
  /** what its temporary files take; 0 where it works in memory */
  readonly disk: number
  /** can it do what the job asks for? */
  readonly fits: boolean
  /** the fastest of those that can */
  readonly chosen: boolean
}

/**
 * What each protocol would cost for so many rows on either side: measured on this machine, in less than a second, on
 * few items, and multiplied.
 */
export async function estimatePsi(job: PsiJob, rows: number): Promise<PsiEstimate[]> {
  const { step, ceiling } = job.size
  const items = Math.min(ceiling, Math.max(1, Math.ceil(rows / step)) * step)
  const owners = psiOwners(job).length
  const group = await loadRistretto()
  // an item is masked here, and one of the other side is masked again
  const masking = secondsEach(64, () => maskOnce(group))
  const finding = secondsEach(1, () => findMany()) / SAMPLE
  const rowsHeld = ROW_BYTES * rows
  const costs: Record<PsiProtocolName, Cost> = {
    ecdh: {
      seconds: items * (masking * (job.sum === undefined ? 1 : SUM_TIMES_MASKING) + finding),
      bytes: items * (2 * (POINT_BYTES + ITEM_BYTES) + (job.sum === undefined ? 0 : 3 * POINT_BYTES)),
      memory: rowsHeld + items * 6 * ITEM_BYTES,
    },
    kkrt: {
      // an item of either side costs some hashes and AES blocks, in bulk; beside it, 512 base transfers
      seconds: 512 * 3 * masking + items * KKRT_TIMES_FINDING * finding,
      bytes: items * KKRT_BYTES,
      memory: rowsHeld + items * 8 * ITEM_BYTES,
    },
    rr22: {
      // as much in bulk; beside it, 128 base transfers and the linear evaluation's half megabyte
      seconds: 128 * 3 * masking + (RR22_LEAST + items) * RR22_TIMES_FINDING * finding,
      bytes: RR22_LEAST_BYTES + items * RR22_BYTES,
      memory: rowsHeld + items * 22 * ITEM_BYTES,
    },
    oprf: {
      // an item is blinded and opened here, and evaluated at the other side meanwhile
      seconds: items * masking * 1.2,
      bytes: 2 * items * POINT_BYTES,
      memory: rowsHeld + items * 2 * POINT_BYTES,
    },
    helper: {
      seconds: items * owners * HELPER_TIMES_FINDING * finding,
      bytes: items * ITEM_BYTES + (job.sum === undefined ? 0 : items * 8),
      memory: rowsHeld + items * (5 * ITEM_BYTES + (job.sum === undefined ? 0 : 64)),
    },
  }
  const estimates = PSI_PROTOCOLS.map(protocol => ({
    protocol,
    ...inBuckets({ ...job, protocol }, { rows, items }, costs[protocol]),
    fits: fits(job, protocol),
  }))
  const best = Math.min(...estimates.filter(estimate => estimate.fits).map(({ seconds }) => seconds))
  return estimates.map(estimate => ({ ...estimate, chosen: estimate.fits && estimate.seconds === best }))
}

type Cost = Omit<PsiEstimate, 'protocol' | 'fits' | 'chosen' | 'disk'>

/** Where sets may be too large for memory: that of a bucket, a byte a row of the result, and the set on disk. */
function inBuckets(
  job: PsiJob,
  { rows, items }: { readonly rows: number; readonly items: number },
  cost: Cost,
): Cost & { readonly disk: number } {
  if (!goesInBuckets(job)) return { ...cost, disk: 0 }
  const bucket = bucketBound(items, bucketCount(job, [items, items]))
  const memory = rows + CUTTING_BYTES + (bucket / items) * (cost.memory - ROW_BYTES * rows)
  // with a helper, rows are cut once more, and have their values
  const row = job.helper === undefined ? ROW_BYTES : 2 * (ROW_BYTES + (job.sum === undefined ? 0 : 8))
  return { ...cost, memory: Math.round(memory), disk: row * rows + Math.ceil(items / 8) }
}

/** a hash of a row's key, and the row's number or its key's */
const ROW_BYTES = ITEM_BYTES + 4
/** of the parts of a set while it is cut */
const CUTTING_BYTES = 2 ** 24

/** A job names its helper or its prepared set, or has none: no kind of protocol does for another. The fast ones tell which alone. */
function fits(job: PsiJob, protocol: PsiProtocolName): boolean {
  if (protocol === 'oprf' || job.prepared !== undefined)
    return protocol === 'oprf' && job.prepared !== undefined
  if (protocol === 'kkrt' || protocol === 'rr22') {
    return job.helper === undefined && job.receivers.every(({ learns }) => learns === 'which')
  }
  return (protocol === 'helper') === (job.helper !== undefined)
}

/** seen: an item of KKRT takes so many times what finding one in an index does */
const KKRT_TIMES_FINDING = 16
/** 64 a bin, 1.3 bins an item, and three values of eight bytes */
const KKRT_BYTES = 108
/** seen, as for KKRT; a run costs what so many items do at the least */
const RR22_TIMES_FINDING = 18
const RR22_LEAST = 20_000
/** seen: a side masks while the other masks again, adds up or encrypts; searching for a small total comes beside it */
const SUM_TIMES_MASKING = 2
/** seen, with a total */
const HELPER_TIMES_FINDING = 10
/** 16 a column, 1.3 columns an item, a value of ten bytes, and what the linear evaluation sends */
const RR22_BYTES = 32
const RR22_LEAST_BYTES = 700_000
const SAMPLE = 1 << 15

function maskOnce(group: Ristretto): void {
  const scalar = group.randomScalar()
  const point = group.multiply(scalar, group.hashToGroup(scalar, scalar))
  group.multiply(scalar, point)
}

function findMany(): void {
  const order = randomPermutation(SAMPLE)
  const hashes = new Uint8Array(SAMPLE * ITEM_BYTES)
  const words = new Uint32Array(hashes.buffer)
  for (let i = 0; i < SAMPLE; i++) words[i * 4] = Math.imul(order[i]!, 0x9e3779b1)
  new HashIndex(hashes).places(hashes)
}

function secondsEach(times: number, action: () => void): number {
  action()
  const start = performance.now()
  for (let i = 0; i < times; i++) action()
  return (performance.now() - start) / 1000 / times
}
