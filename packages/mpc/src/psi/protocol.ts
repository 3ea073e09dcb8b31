import type { Protocol } from '../session/protocol.js'
import type { ItemHashes } from './item-hash.js'
import type { Ristretto } from './ristretto.js'

/** The connection of two participants, as a protocol of private set intersection needs it. */
export interface PsiChannel {
  /** identifier of the session, 64 hexadecimal digits: every hash is bound to it */
  readonly session: string
  /** index of the other participant */
  readonly peer: number
  readonly group: Ristretto
  /** intersections that together may fail with probability 2^-40; each by itself where absent. The same at both sides */
  readonly runs?: number
  readonly random?: (bytes: number) => Uint8Array
}

/**
 * One intersection, at the side that learns it.
 *
 * @param hashes own items, distinct, bound to the session
 * @param peerCount how many items the other side has; both sides know both numbers
 * @returns 1 for each own item that the other side has too, else 0
 */
export type PsiReceiver = (hashes: ItemHashes, peerCount: number) => Protocol<Uint8Array>

/** One intersection, at the side that learns nothing but the number of items. */
export type PsiSender = (hashes: ItemHashes, peerCount: number) => Protocol<void>

/**
 * A protocol of private set intersection between two. Each side sets up once for a session, which is where the
 * public-key work is, and then runs as many intersections as it wants, one after the other and both sides in the same
 * order; each draws fresh randomness from the setup. A set-up that broke off is never used again.
 *
 * ```ts
 * const group = await loadRistretto()
 * const intersect = await session.run(kkrt16.receiver({ session: session.id, peer: 1, group }))
 * const matched = await session.run(intersect(hashes, 1_000_000))
 * ```
 *
 * Semi-honest: either side may remember everything it sees, and follows the protocol. The receiver learns which of
 * its items the other has; both learn how many items each has.
 */
export interface PsiProtocol {
  readonly name: string
  receiver(channel: PsiChannel): Protocol<PsiReceiver>
  sender(channel: PsiChannel): Protocol<PsiSender>
}
