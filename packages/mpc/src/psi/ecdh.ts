import { hash, randomBytes } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import type { Protocol } from '../session/protocol.js'
import { HashIndex } from './hash-index.js'
import { ITEM_BYTES, type ItemHashes } from './item-hash.js'
import { permuted, randomPermutation } from './permutation.js'
import { POINT_BYTES, type Ristretto } from './ristretto.js'

/** What a party gets to know: which of its own items the other has too, how many, or nothing. */
export type Learns = 'which' | 'count' | 'nothing'

export interface EcdhOptions {
  /** the other party's index in the session */
  readonly peer: number
  /** this party's items, distinct, bound to the session */
  readonly hashes: ItemHashes
  /** how many items the other party has */
  readonly peerCount: number
  /** what this party learns, and what the other does; both sides name the same two */
  readonly learns: { readonly own: Learns; readonly peer: Learns }
  /** identifier of the session, hexadecimal */
  readonly session: string
  readonly group: Ristretto
  readonly random?: (bytes: number) => Uint8Array
  readonly onProgress?: (fraction: number) => void
}

export interface Intersection {
  /** 1 for each own item that the other has; where `which` is learned */
  readonly matched?: Uint8Array
  /** how many items both have; where anything is learned */
  readonly count?: number
}

/**
 * Intersection by Diffie and Hellman (Meadows, "A More Efficient Cryptographic Matchmaking Protocol", S&P 1986;
 * Huberman, Franklin and Hogg, EC 1999): each side masks its hashed items with a secret scalar, the other masks them
 * again, and items are equal where both masks together give one point. Over ristretto255 with a proper hash to the
 * group, so that no masked point says anything about its item (decisional Diffie-Hellman, random oracle).
 *
 * Secure against one party that follows the protocol. Each learns how many items the other has, as padded; who learns
 * `count` gets the answers in an order that the other chose, and who learns `nothing` gets none. A party that does
 * not follow the protocol can put in other items than its own, and make the other's answer wrong; an item that it puts
 * in several times, so as to tell it by its number among answers that are counted, is refused.
 *
 * A message for each 512 items one way and 16 bytes an item back; 32 + 16 bytes an item, four multiplications a pair.
 *
 * @throws SluiceError PROTOCOL_VIOLATION where a received point is none, or a set or an answer comes with an item twice
 */
export function* ecdhPsi(options: EcdhOptions): Protocol<Intersection> {
  const { peer, hashes, peerCount, learns, session, group, random = randomBytes, onProgress } = options
  const count = hashes.length / ITEM_BYTES
  const scalar = group.randomScalar(random)
  const order = randomPermutation(count, random)
  const shuffled = permuted(hashes, order, ITEM_BYTES)
  const theirs = new Uint8Array(peerCount * ITEM_BYTES)
  const total = Math.max(count, peerCount)
  for (let start = 0; start < total; start += ITEMS_AT_ONCE) {
    const masked = maskedItems(shuffled, start, scalar, options)
    const due = Math.max(0, Math.min(ITEMS_AT_ONCE, peerCount - start))
    const [points] = yield {
      send: [{ to: peer, bytes: masked }],
      receive: [{ from: peer, bytes: due * POINT_BYTES }],
    }
    if (due > 0) theirs.set(tagsOf(points!, scalar, session, group), start * ITEM_BYTES)
    onProgress?.(Math.min(1, (start + ITEMS_AT_ONCE) / total))
  }
  refuseRepeated(theirs)
  const answer = answerFor(theirs, learns.peer, random)
  const [tags] = yield {
    send: [{ to: peer, bytes: answer }],
    receive: [{ from: peer, bytes: learns.own === 'nothing' ? 0 : count * ITEM_BYTES }],
  }
  if (learns.own === 'nothing') return {}
  const places = new HashIndex(theirs).places(tags!)
  const found = foundOnce(places, peerCount)
  if (learns.own === 'count') return { count: found }
  const matched = new Uint8Array(count)
  places.forEach((place, i) => {
    if (place >= 0) matched[order[i]!] = 1
  })
  return { matched, count: found }
}

/** How many were found, each another. */
function foundOnce(places: Int32Array, among: number): number {
  const seen = new Uint8Array(among)
  let found = 0
  for (const place of places) {
    if (place < 0) continue
    if (seen[place] === 1) throw repeated()
    seen[place] = 1
    found++
  }
  return found
}

/**
 * An item twice would count twice.
 *
 * @param tags which the other party cannot choose
 */
export function refuseRepeated(tags: ItemHashes): void {
  const firsts = new HashIndex(tags).places(tags)
  if (firsts.some((first, item) => first !== item)) throw repeated()
}

function repeated(): SluiceError {
  return new SluiceError('PROTOCOL_VIOLATION', 'a set came with one item twice', {
    rule: 'psi.distinct',
    remedy: 'Ask the other party which version runs there, then start the job again on both sides.',
  })
}

/** Items a message: some tenths of a second of work, between which connections are served. */
export const ITEMS_AT_ONCE = 512

/** The next items, from `start` on, as points times the scalar. */
export function maskedItems(
  items: ItemHashes,
  start: number,
  scalar: Uint8Array,
  { session, group }: Pick<EcdhOptions, 'session' | 'group'>,
): Uint8Array<ArrayBuffer> {
  const domain = Buffer.from(`sluice-psi/1 ecdh ${session}`)
  const chunk = items.subarray(start * ITEM_BYTES, (start + ITEMS_AT_ONCE) * ITEM_BYTES)
  const points = new Uint8Array((chunk.length / ITEM_BYTES) * POINT_BYTES)
  for (let i = 0; i * POINT_BYTES < points.length; i++) {
    const item = chunk.subarray(i * ITEM_BYTES, (i + 1) * ITEM_BYTES)
    points.set(group.multiply(scalar, group.hashToGroup(item, domain)), i * POINT_BYTES)
  }
  return points
}

/** Sixteen bytes of each point's hash once it is masked again: nobody computes on, it is only compared. */
export function tagsOf(
  points: Uint8Array,
  scalar: Uint8Array,
  session: string,
  group: Ristretto,
): ItemHashes {
  const tags = new Uint8Array((points.length / POINT_BYTES) * ITEM_BYTES)
  const salt = Buffer.from(session, 'hex')
  for (let i = 0; i * ITEM_BYTES < tags.length; i++) {
    const point = points.subarray(i * POINT_BYTES, (i + 1) * POINT_BYTES)
    const digest = hash('sha256', Buffer.concat([salt, group.multiply(scalar, point)]), 'buffer')
    tags.set(digest.subarray(0, ITEM_BYTES), i * ITEM_BYTES)
  }
  return tags
}

function answerFor(tags: ItemHashes, learns: Learns, random: (bytes: number) => Uint8Array): ItemHashes {
  switch (learns) {
    case 'which':
      return tags
    case 'count':
      return permuted(tags, randomPermutation(tags.length / ITEM_BYTES, random), ITEM_BYTES)
    case 'nothing':
      return new Uint8Array(0)
  }
}
