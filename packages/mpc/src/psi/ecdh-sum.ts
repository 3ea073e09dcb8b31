import { randomBytes } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import type { Protocol } from '../session/protocol.js'
import { ITEMS_AT_ONCE, maskedItems, refuseRepeated, tagsOf } from './ecdh.js'
import { HashIndex, scattering } from './hash-index.js'
import { ITEM_BYTES, type ItemHashes } from './item-hash.js'
import { permuted, randomPermutation } from './permutation.js'
import { POINT_BYTES, type Ristretto, scalarOf } from './ristretto.js'

export interface EcdhSumOptions {
  /** the other party's index in the session */
  readonly peer: number
  /** this party's items, distinct, bound to the session */
  readonly hashes: ItemHashes
  /** how many items the other party has */
  readonly peerCount: number
  /** at their owner: one value for each item, in two's complement; none for those that only pad, the last */
  readonly values?: BigUint64Array<ArrayBuffer>
  /** who learns the total: the owner of the values, or the party that has none */
  readonly receiver: 'owner' | 'other'
  /**
   * below this the receiver learns nothing but that it is below: the owner because the other gives nothing, the other
   * because it asks for nothing, which is its promise
   */
  readonly minimum: number
  /** identifier of the session, hexadecimal */
  readonly session: string
  readonly group: Ristretto
  readonly random?: (bytes: number) => Uint8Array
  readonly onProgress?: (fraction: number) => void
}

/** What the receiver learns; nothing is in it for the other. */
export interface EcdhSum {
  /** the intersection is below the minimum, and nothing else is known of it */
  readonly withheld?: boolean
  readonly count?: number
  /** the generator times the total: `logarithm` finds it, within `count` times what a value may be */
  readonly total?: Uint8Array<ArrayBuffer>
}

/**
 * Total over the intersection between two (Ion, Kreuter, Nergiz, Patel, Saxena, Seth, Raykova, Shanahan and Yung, "On
 * Deploying Secure Computation: Private Intersection-Sum-with-Cardinality", EuroS&P 2020, section 3.1, figure 2): the
 * sets are intersected by Diffie and Hellman in orders that hide which items match, and beside each masked item its
 * owner sends the value under a key of its own; the other adds up the ciphertexts of what both have.
 *
 * Values are under ElGamal's encryption in the exponent, over ristretto255. A fresh encryption of zero makes a sum of
 * ciphertexts as random as a fresh one: it says nothing of what was added up, also to the holder of the key, and
 * perfectly so, where encryption over lattices would need noise to drown the noise of the terms. A total is opened in
 * one piece, not in digits, whose totals would tell of the carries between them; so it has to be searched for, and
 * bounds are smaller than with a helper.
 *
 * Secure against one party that follows the protocol (decisional Diffie-Hellman, random oracle). The party without
 * values learns how many items both have, whoever receives. The owner learns that and the total where it receives, and
 * else nothing: the total is blinded before it opens it. Each learns how many items the other has, as padded. A party
 * without values that does not follow the protocol can have any one value opened in place of a total.
 *
 * Messages one way: 32 bytes an item of the party without values, 16 back, 96 an item of the owner, and the total.
 *
 * @throws SluiceError PROTOCOL_VIOLATION where a received point is none, or a set comes with an item twice
 */
export function* ecdhSum(options: EcdhSumOptions): Protocol<EcdhSum> {
  return options.values === undefined ? yield* adding(options) : yield* owning(options)
}

function* adding(options: EcdhSumOptions): Protocol<EcdhSum> {
  const { peer, hashes, peerCount, receiver, minimum, session, group, random = randomBytes } = options
  const count = hashes.length / ITEM_BYTES
  const progress = progressOf(options)
  const scalar = group.randomScalar(random)
  const shuffled = permuted(hashes, randomPermutation(count, random), ITEM_BYTES)
  for (let start = 0; start < count; start += ITEMS_AT_ONCE) {
    yield { send: [{ to: peer, bytes: maskedItems(shuffled, start, scalar, options) }], receive: [] }
    progress(Math.min(ITEMS_AT_ONCE, count - start))
  }
  const [answer, key] = yield {
    send: [],
    receive: [
      { from: peer, bytes: count * ITEM_BYTES },
      { from: peer, bytes: POINT_BYTES },
    ],
  }
  requireElements(group, key!)
  const theirs = new Uint8Array(peerCount * ITEM_BYTES)
  let shared = 0
  let sum = encryptedZero(group, key!, random)
  // what does not match is added up too, to nowhere: the other is not to see by the time how many do
  let rest = encryptedZero(group, key!, random)
  const scattered = scattering(random)
  const own = new HashIndex(scattered(answer!))
  for (let start = 0; start < peerCount; start += ITEMS_AT_ONCE) {
    const due = Math.min(ITEMS_AT_ONCE, peerCount - start)
    const [points, ciphertexts] = yield {
      send: [],
      receive: [
        { from: peer, bytes: due * POINT_BYTES },
        { from: peer, bytes: due * CIPHERTEXT_BYTES },
      ],
    }
    // all of them, matched or not: a refusal says nothing of what matches
    requireElements(group, ciphertexts!)
    const tags = tagsOf(points!, scalar, session, group)
    theirs.set(tags, start * ITEM_BYTES)
    own.places(scattered(tags)).forEach((place, i) => {
      const ciphertext = ciphertexts!.subarray(i * CIPHERTEXT_BYTES, (i + 1) * CIPHERTEXT_BYTES)
      if (place < 0) rest = added(group, rest, ciphertext)
      else {
        sum = added(group, sum, ciphertext)
        shared++
      }
    })
    progress(due)
  }
  refuseRepeated(theirs)
  if (receiver === 'owner') {
    const told = new Uint8Array(TOLD_BYTES)
    if (shared >= minimum) {
      told[0] = 1
      new DataView(told.buffer).setUint32(1, shared, true)
      told.set(sum, 5)
    }
    yield { send: [{ to: peer, bytes: told }], receive: [] }
    return {}
  }
  const blind = group.multiplyBase(group.randomScalar(random))
  const asked = shared >= minimum ? sum : encryptedZero(group, key!, random)
  const blinded = Uint8Array.from(asked)
  blinded.set(group.add(asked.subarray(POINT_BYTES), blind), POINT_BYTES)
  const [opened] = yield {
    send: [{ to: peer, bytes: blinded }],
    receive: [{ from: peer, bytes: POINT_BYTES }],
  }
  if (shared < minimum) return { withheld: true }
  return { count: shared, total: group.subtract(opened!, blind) }
}

function* owning(options: EcdhSumOptions): Protocol<EcdhSum> {
  const { peer, hashes, peerCount, receiver, session, group, random = randomBytes } = options
  const count = hashes.length / ITEM_BYTES
  const progress = progressOf(options)
  const scalar = group.randomScalar(random)
  const secret = group.randomScalar(random)
  const tags = new Uint8Array(peerCount * ITEM_BYTES)
  for (let start = 0; start < peerCount; start += ITEMS_AT_ONCE) {
    const due = Math.min(ITEMS_AT_ONCE, peerCount - start)
    const [points] = yield { send: [], receive: [{ from: peer, bytes: due * POINT_BYTES }] }
    tags.set(tagsOf(points!, scalar, session, group), start * ITEM_BYTES)
    progress(due)
  }
  refuseRepeated(tags)
  yield {
    send: [
      { to: peer, bytes: permuted(tags, randomPermutation(peerCount, random), ITEM_BYTES) },
      { to: peer, bytes: group.multiplyBase(secret) },
    ],
    receive: [],
  }
  const order = randomPermutation(count, random)
  const shuffled = permuted(hashes, order, ITEM_BYTES)
  for (let start = 0; start < count; start += ITEMS_AT_ONCE) {
    const points = maskedItems(shuffled, start, scalar, options)
    const due = points.length / POINT_BYTES
    const ciphertexts = new Uint8Array(due * CIPHERTEXT_BYTES)
    for (let i = 0; i < due; i++) {
      const value = BigInt.asIntN(64, options.values![order[start + i]!] ?? 0n)
      ciphertexts.set(encrypted(group, secret, value, random), i * CIPHERTEXT_BYTES)
    }
    yield {
      send: [
        { to: peer, bytes: points },
        { to: peer, bytes: ciphertexts },
      ],
      receive: [],
    }
    progress(due)
  }
  if (receiver === 'other') {
    const [blinded] = yield { send: [], receive: [{ from: peer, bytes: CIPHERTEXT_BYTES }] }
    yield { send: [{ to: peer, bytes: opening(group, secret, blinded!) }], receive: [] }
    return {}
  }
  const [told] = yield { send: [], receive: [{ from: peer, bytes: TOLD_BYTES }] }
  if (told![0] !== 1) return { withheld: true }
  const shared = new DataView(told!.buffer, told!.byteOffset).getUint32(1, true)
  if (shared > Math.min(count, peerCount)) throw violated('more items are said to be shared than there are')
  return { count: shared, total: opening(group, secret, told!.subarray(5)) }
}

/** r·G and r·Y + m·G, for the public key Y */
const CIPHERTEXT_BYTES = 2 * POINT_BYTES
/** whether it is given, how many, and the sum */
const TOLD_BYTES = 1 + 4 + CIPHERTEXT_BYTES

type Ciphertext = Uint8Array<ArrayBuffer>
type Random = (bytes: number) => Uint8Array

/** A fresh encryption of zero. */
function encryptedZero(group: Ristretto, key: Uint8Array, random: Random): Ciphertext {
  const nonce = group.randomScalar(random)
  return joined(group.multiplyBase(nonce), group.multiply(nonce, key))
}

/** A fresh encryption by whoever has the secret key, in two multiplications of the generator, which cost less. */
function encrypted(group: Ristretto, secret: Uint8Array, value: bigint, random: Random): Ciphertext {
  const nonce = group.randomScalar(random)
  const exponent = group.multiplyAdd(nonce, secret, scalarOf(value))
  return joined(group.multiplyBase(nonce), group.multiplyBase(exponent))
}

function added(group: Ristretto, a: Ciphertext, b: Uint8Array): Ciphertext {
  return joined(
    group.add(a.subarray(0, POINT_BYTES), b.subarray(0, POINT_BYTES)),
    group.add(a.subarray(POINT_BYTES), b.subarray(POINT_BYTES)),
  )
}

/** The generator times what is encrypted; all zeros, the identity, where that is zero. */
function opening(group: Ristretto, secret: Uint8Array, ciphertext: Uint8Array): Uint8Array<ArrayBuffer> {
  const masked = group.multiply(secret, ciphertext.subarray(0, POINT_BYTES))
  return group.subtract(ciphertext.subarray(POINT_BYTES), masked)
}

function joined(first: Uint8Array, second: Uint8Array): Ciphertext {
  const bytes = new Uint8Array(CIPHERTEXT_BYTES)
  bytes.set(first)
  bytes.set(second, POINT_BYTES)
  return bytes
}

function requireElements(group: Ristretto, points: Uint8Array): void {
  for (let at = 0; at < points.length; at += POINT_BYTES) {
    if (!group.has(points.subarray(at, at + POINT_BYTES))) {
      throw violated('a point that was received is none of the group')
    }
  }
}

function violated(message: string): SluiceError {
  return new SluiceError('PROTOCOL_VIOLATION', message, {
    rule: 'psi.sum',
    remedy: 'Ask the other party which version runs there, then start the job again on both sides.',
  })
}

function progressOf({ hashes, peerCount, onProgress }: EcdhSumOptions): (items: number) => void {
  const total = hashes.length / ITEM_BYTES + peerCount
  let done = 0
  return items => {
    done += items
    onProgress?.(done / total)
  }
}
