import { createHash, randomBytes } from 'node:crypto'
import type { Protocol } from '../session/protocol.js'
import { domainKey } from './domain.js'
import type { PsiChannel } from './protocol.js'
import { POINT_BYTES, type Ristretto } from './ristretto.js'

/** Bytes of a key that an oblivious transfer gives. */
export const OT_KEY_BYTES = 16

/**
 * Endemic oblivious transfer (Masny and Rindal, "Endemic Oblivious Transfer", CCS 2019, the construction from
 * Diffie-Hellman key agreement) over ristretto255: one message each way, both at the same time. The receiver gets one
 * of two random keys; the sender does not learn which. Semi-honest use here.
 *
 * One round; the sender sends 32 bytes a transfer, the receiver 64. About five multiplications a transfer.
 *
 * @returns `count` pairs of keys of 16 bytes, key 0 before key 1
 * @throws SluiceError PROTOCOL_VIOLATION where a point of the receiver is none
 */
export function* sendBaseOts(
  { session, peer, group, random = randomBytes }: PsiChannel,
  count: number,
): Protocol<Uint8Array<ArrayBuffer>> {
  const scalars = Array.from({ length: count }, () => group.randomScalar(random))
  const message = joined(scalars.map(scalar => group.multiplyBase(scalar)))
  const [received] = yield {
    send: [{ to: peer, bytes: message }],
    receive: [{ from: peer, bytes: 2 * POINT_BYTES * count }],
  }
  const oracle = new Oracle(session, group)
  const keys = new Uint8Array(2 * OT_KEY_BYTES * count)
  scalars.forEach((scalar, index) => {
    const points = [pointAt(received!, 2 * index), pointAt(received!, 2 * index + 1)] as const
    for (const choice of [0, 1] as const) {
      const shared = group.multiply(
        scalar,
        group.add(points[choice], oracle.point(index, choice, points[1 - choice]!)),
      )
      keys.set(oracle.key(index, choice, pointAt(message, index), points, shared), keyOffset(index, choice))
    }
  })
  return keys
}

/**
 * The receiver's side.
 *
 * @param choices one byte a transfer, 0 or 1
 * @returns the chosen key of each transfer, 16 bytes each
 * @throws SluiceError PROTOCOL_VIOLATION where a point of the sender is none
 */
export function* receiveBaseOts(
  { session, peer, group, random = randomBytes }: PsiChannel,
  choices: Uint8Array,
): Protocol<Uint8Array<ArrayBuffer>> {
  const oracle = new Oracle(session, group)
  const scalars = Array.from(choices, () => group.randomScalar(random))
  const pairs = scalars.map((scalar, index): readonly [Point, Point] => {
    const choice = choices[index]! as 0 | 1
    const other = group.derive(random(64))
    const chosen = group.subtract(group.multiplyBase(scalar), oracle.point(index, choice, other))
    return choice === 0 ? [chosen, other] : [other, chosen]
  })
  const [received] = yield {
    send: [{ to: peer, bytes: joined(pairs.flat()) }],
    receive: [{ from: peer, bytes: POINT_BYTES * choices.length }],
  }
  const keys = new Uint8Array(OT_KEY_BYTES * choices.length)
  scalars.forEach((scalar, index) => {
    const sent = pointAt(received!, index)
    const shared = group.multiply(scalar, sent)
    const choice = choices[index]! as 0 | 1
    keys.set(oracle.key(index, choice, sent, pairs[index]!, shared), OT_KEY_BYTES * index)
  })
  return keys
}

type Point = Uint8Array

/** The random oracles, one for each transfer and choice, bound to the session. */
class Oracle {
  readonly #group: Ristretto
  readonly #points: Uint8Array
  readonly #keys: Uint8Array

  constructor(session: string, group: Ristretto) {
    this.#group = group
    this.#points = domainKey(session, 'base ot points')
    this.#keys = domainKey(session, 'base ot keys')
  }

  point(index: number, choice: 0 | 1, other: Point): Point {
    const hash = createHash('sha512').update(this.#points).update(numbered(index, choice)).update(other)
    return this.#group.derive(hash.digest())
  }

  key(index: number, choice: 0 | 1, sent: Point, pair: readonly Point[], shared: Point): Uint8Array {
    const hash = createHash('sha256').update(this.#keys).update(numbered(index, choice)).update(sent)
    for (const point of pair) hash.update(point)
    return hash.update(shared).digest().subarray(0, OT_KEY_BYTES)
  }
}

function numbered(index: number, choice: number): Uint8Array {
  return new Uint8Array(new Uint32Array([index, choice]).buffer)
}

function pointAt(points: Uint8Array, index: number): Point {
  return points.subarray(POINT_BYTES * index, POINT_BYTES * (index + 1))
}

function keyOffset(index: number, choice: number): number {
  return OT_KEY_BYTES * (2 * index + choice)
}

function joined(points: readonly Point[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(POINT_BYTES * points.length)
  points.forEach((point, index) => {
    bytes.set(point, POINT_BYTES * index)
  })
  return bytes
}
