import { randomBytes } from 'node:crypto'
import type { Protocol } from '../../session/protocol.js'
import { ecdhPsi, type Intersection, type Learns } from '../ecdh.js'
import { boundToSession, ITEM_BYTES, type ItemHashes } from '../item-hash.js'
import { kkrt16 } from '../kkrt16.js'
import type { PsiProtocol } from '../protocol.js'
import type { Ristretto } from '../ristretto.js'
import { rr22 } from '../rr22.js'
import { type PsiJob, psiLearns, psiOwners } from './job.js'
import { hearShared, tellShared } from './told.js'

export interface BetweenTwo {
  readonly job: PsiJob
  readonly self: number
  readonly session: string
  readonly group: Ristretto
  /** intersections that are to come, which together may fail with probability 2^-40; one where absent */
  readonly runs?: number
  readonly random?: (bytes: number) => Uint8Array
  /** of one intersection, by a protocol that takes long over it */
  readonly onProgress?: (fraction: number) => void
}

/** One intersection, of sets that are padded and bound to the session; empty where this party learns nothing. */
export type Intersect = (hashes: ItemHashes, peerCount: number) => Protocol<Intersection>

/** What two parties set up once for a session, and then use for as many intersections as they want, one by one. */
export function* betweenTwo(run: BetweenTwo): Protocol<Intersect> {
  const { job, self, session, group, onProgress, random = randomBytes } = run
  const peer = psiOwners(job).find(index => index !== self)!
  const fast = FAST[job.protocol]
  if (fast !== undefined) return yield* fastBetweenTwo(fast, run, peer, random)
  const learned = (index: number): Learns => {
    const learns = psiLearns(job, index)
    return learns === 'which' || learns === 'count' ? learns : 'nothing'
  }
  const learns = { own: learned(self), peer: learned(peer) }
  const progress = onProgress === undefined ? {} : { onProgress }
  return (hashes, peerCount) =>
    ecdhPsi({ peer, hashes, peerCount, learns, session, group, random, ...progress })
}

const FAST: Readonly<Partial<Record<PsiJob['protocol'], PsiProtocol>>> = { kkrt: kkrt16, rr22 }

/** One side learns by the protocol, the first that the job names; where the other is to learn too, it is told. */
function* fastBetweenTwo(
  protocol: PsiProtocol,
  { job, self, session, group, runs }: BetweenTwo,
  peer: number,
  random: (bytes: number) => Uint8Array,
): Protocol<Intersect> {
  const channel = { session, peer, group, random, ...(runs !== undefined && { runs }) }
  const both = job.receivers.length === 2
  if (job.receivers[0]!.name === job.parties[self]!.name) {
    const intersect = yield* protocol.receiver(channel)
    return function* (hashes, peerCount) {
      const matched = yield* intersect(hashes, peerCount)
      if (both) yield* tellShared(peer, hashes, matched)
      return { matched, count: countOf(matched) }
    }
  }
  const intersect = yield* protocol.sender(channel)
  return function* (hashes, peerCount) {
    yield* intersect(hashes, peerCount)
    if (!both) return {}
    const matched = yield* hearShared(peer, hashes, peerCount)
    return { matched, count: countOf(matched) }
  }
}

/** How many are 1. */
export function countOf(matched: Uint8Array): number {
  let count = 0
  for (const flag of matched) count += flag
  return count
}

/** Bound to the session, and as many as `size`: random items follow the true ones, and match but with probability 2^-128. */
export function paddedToSession(
  hashes: ItemHashes,
  { size, session, random = randomBytes }: Pick<BetweenTwo, 'session' | 'random'> & { readonly size: number },
): ItemHashes {
  const whole = new Uint8Array(size * ITEM_BYTES)
  whole.set(hashes)
  whole.set(random(whole.length - hashes.length), hashes.length)
  return boundToSession(whole, session)
}
