import { randomBytes } from 'node:crypto'
import type { Protocol } from '../../session/protocol.js'
import { ecdhPsi } from '../ecdh.js'
import { helperPsi } from '../helper.js'
import { boundToSession, ITEM_BYTES, type ItemHashes } from '../item-hash.js'
import { kkrt16 } from '../kkrt16.js'
import type { PsiProtocol } from '../protocol.js'
import type { Ristretto } from '../ristretto.js'
import { rr22 } from '../rr22.js'
import type { PsiItems } from './items.js'
import { type PsiJob, psiLearns, psiOwners, psiPartyIndex } from './job.js'
import type { OpenedInput } from './opening.js'
import { hearShared, tellShared } from './told.js'

/** What a party learns of an intersection; empty where it learns nothing. */
export interface PsiOutcome {
  /** with a helper: it is below the minimum, and nothing else is known of it */
  readonly withheld?: boolean
  /** by own item, 1 where all others have it too */
  readonly matched?: Uint8Array
  readonly count?: number
  /** scaled */
  readonly sum?: bigint
}

export interface PsiRun {
  readonly job: PsiJob
  readonly self: number
  /** not given by a helper */
  readonly items?: PsiItems
  /** this party's own set as padded, and the other owners' */
  readonly size: number
  readonly others: ReadonlyMap<number, OpenedInput>
  readonly session: string
  readonly group: Ristretto
  readonly random?: (bytes: number) => Uint8Array
  readonly onProgress?: (fraction: number) => void
}

/** The protocol that the job names, over sets that are padded and bound to the session. */
export function* psiProtocol(run: PsiRun): Protocol<PsiOutcome> {
  const { job, items, random = randomBytes } = run
  const hashes = items === undefined ? undefined : boundToSession(padded(items.hashes, run), run.session)
  const outcome =
    job.protocol === 'helper' ? yield* withHelper(run, hashes) : yield* betweenTwo(run, hashes!, random)
  if (outcome.matched === undefined || items === undefined) return outcome
  return { ...outcome, matched: outcome.matched.subarray(0, items.hashes.length / ITEM_BYTES) }
}

function* betweenTwo(
  run: PsiRun,
  hashes: ItemHashes,
  random: (bytes: number) => Uint8Array,
): Protocol<PsiOutcome> {
  const { job, self, others, session, group, onProgress } = run
  const peer = psiOwners(job).find(index => index !== self)!
  const learned = (index: number) => {
    const learns = psiLearns(job, index)
    return learns === 'which' || learns === 'count' ? learns : 'nothing'
  }
  const fast = FAST[job.protocol]
  if (fast !== undefined) return yield* fastBetweenTwo(fast, run, hashes, peer, random)
  return yield* ecdhPsi({
    peer,
    hashes,
    peerCount: others.get(peer)!.size,
    learns: { own: learned(self), peer: learned(peer) },
    session,
    group,
    random,
    ...(onProgress !== undefined && { onProgress }),
  })
}

const FAST: Readonly<Partial<Record<PsiJob['protocol'], PsiProtocol>>> = { kkrt: kkrt16, rr22 }

/** One side learns by the protocol, the first that the job names; where the other is to learn too, it is told. */
function* fastBetweenTwo(
  protocol: PsiProtocol,
  { job, self, others, session, group }: PsiRun,
  hashes: ItemHashes,
  peer: number,
  random: (bytes: number) => Uint8Array,
): Protocol<PsiOutcome> {
  const channel = { session, peer, group, random }
  const peerCount = others.get(peer)!.size
  const both = job.receivers.length === 2
  if (job.receivers[0]!.name === job.parties[self]!.name) {
    const intersect = yield* protocol.receiver(channel)
    const matched = yield* intersect(hashes, peerCount)
    if (both) yield* tellShared(peer, hashes, matched)
    return { matched, count: countOf(matched) }
  }
  const intersect = yield* protocol.sender(channel)
  yield* intersect(hashes, peerCount)
  if (!both) return {}
  const matched = yield* hearShared(peer, hashes, peerCount)
  return { matched, count: countOf(matched) }
}

function countOf(matched: Uint8Array): number {
  return matched.reduce((sum, flag) => sum + flag, 0)
}

function* withHelper(run: PsiRun, hashes: ItemHashes | undefined): Protocol<PsiOutcome> {
  const { job, self, others, session, random, items, size } = run
  const [{ name, learns }] = job.receivers as [PsiJob['receivers'][number]]
  const sizes = new Map([...others].map(([index, opened]) => [index, opened.size]))
  if (hashes !== undefined) sizes.set(self, size)
  return yield* helperPsi({
    self,
    helper: psiPartyIndex(job, job.helper!),
    owners: psiOwners(job),
    sizes,
    receiver: psiPartyIndex(job, name),
    learns,
    minimum: job.minimumIntersection,
    session,
    ...(random !== undefined && { random }),
    ...(hashes !== undefined && { hashes }),
    ...(job.sum !== undefined && { sumOwner: psiPartyIndex(job, job.sum.owner) }),
    ...(items?.values !== undefined && { values: items.values }),
  })
}

/** Random items follow the true ones, and match nothing but with probability 2^-128. */
function padded(hashes: ItemHashes, { size, random = randomBytes }: PsiRun): ItemHashes {
  const whole = new Uint8Array(size * ITEM_BYTES)
  whole.set(hashes)
  whole.set(random(whole.length - hashes.length), hashes.length)
  return whole
}
