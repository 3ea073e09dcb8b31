import { randomBytes } from 'node:crypto'
import type { Protocol } from '../../session/protocol.js'
import { ecdhSum } from '../ecdh-sum.js'
import { type HelperRoles, helperPsi } from '../helper.js'
import { ITEM_BYTES, type ItemHashes } from '../item-hash.js'
import type { Ristretto } from '../ristretto.js'
import { betweenTwo, paddedToSession } from './between-two.js'
import type { PsiItems } from './items.js'
import { type PsiJob, psiLearns, psiOwners, psiPartyIndex } from './job.js'
import type { OpenedInput } from './opening.js'
import { BEFORE_SEARCH } from './total.js'

/** What a party learns of an intersection; empty where it learns nothing. */
export interface PsiOutcome {
  /** by whoever enforces the minimum: it is below the minimum, and nothing else is known of it */
  readonly withheld?: boolean
  /** by own item, 1 where all others have it too */
  readonly matched?: Uint8Array
  readonly count?: number
  /** scaled */
  readonly sum?: bigint
  /** between two: the group's generator times the scaled total, which `openTotal` finds */
  readonly total?: Uint8Array
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
  const { job, self, others, items, random = randomBytes } = run
  const hashes = items === undefined ? undefined : paddedToSession(items.hashes, { ...run, random })
  let outcome: PsiOutcome
  if (job.protocol === 'helper') outcome = yield* withHelper(run, hashes)
  else if (job.sum !== undefined) outcome = yield* totalBetweenTwo(run, hashes!)
  else {
    const intersect = yield* betweenTwo(run)
    const peer = psiOwners(job).find(index => index !== self)!
    outcome = yield* intersect(hashes!, others.get(peer)!.size)
  }
  if (outcome.matched === undefined || items === undefined) return outcome
  return { ...outcome, matched: outcome.matched.subarray(0, items.hashes.length / ITEM_BYTES) }
}

function* totalBetweenTwo(run: PsiRun, hashes: ItemHashes): Protocol<PsiOutcome> {
  const { job, self, others, session, group, items, random, onProgress } = run
  const { owner } = job.sum!
  // who receives the total searches for it after that
  const share = psiLearns(job, self) === undefined ? 1 : BEFORE_SEARCH
  const peer = psiOwners(job).find(index => index !== self)!
  return yield* ecdhSum({
    peer,
    hashes,
    peerCount: others.get(peer)!.size,
    ...(job.parties[self]!.name === owner && { values: items!.values! }),
    receiver: job.receivers[0]!.name === owner ? 'owner' : 'other',
    minimum: job.minimumIntersection,
    session,
    group,
    ...(random !== undefined && { random }),
    ...(onProgress !== undefined && { onProgress: fraction => onProgress(share * fraction) }),
  })
}

function* withHelper(run: PsiRun, hashes: ItemHashes | undefined): Protocol<PsiOutcome> {
  const { job, self, others, session, random, items, size } = run
  const sizes = new Map([...others].map(([index, opened]) => [index, opened.size]))
  if (hashes !== undefined) sizes.set(self, size)
  return yield* helperPsi({
    ...helperRoles(job, self),
    sizes,
    session,
    ...(random !== undefined && { random }),
    ...(hashes !== undefined && { hashes }),
    ...(items?.values !== undefined && { values: items.values }),
  })
}

/** Who does what in a job with a helper. */
export function helperRoles(job: PsiJob, self: number): HelperRoles {
  const [{ name, learns }] = job.receivers as [PsiJob['receivers'][number]]
  return {
    self,
    helper: psiPartyIndex(job, job.helper!),
    owners: psiOwners(job),
    nameOf: owner => job.parties[owner]!.name,
    receiver: psiPartyIndex(job, name),
    learns,
    minimum: job.minimumIntersection,
    ...(job.sum !== undefined && { sumOwner: psiPartyIndex(job, job.sum.owner) }),
  }
}
