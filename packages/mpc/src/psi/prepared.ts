import { randomBytes } from 'node:crypto'
import type { Protocol } from '../session/protocol.js'
import { ITEM_BYTES, type ItemHashes } from './item-hash.js'
import { Oprf } from './oprf.js'
import { VALUE_BYTES } from './prepared-layout.js'
import type { Questions } from './questions.js'
import { POINT_BYTES, type Ristretto } from './ristretto.js'

/**
 * What the owner of a prepared set keeps: whoever has it can test any item against the set, as often as they like. A
 * new scalar under the next epoch voids all that was prepared before.
 */
export interface PreparedKey {
  /** 64 random hexadecimal digits: items are hashed under it, by `itemHashes` */
  readonly set: string
  /** 1, 2, …: how often the key was drawn */
  readonly epoch: number
  /** 32 bytes */
  readonly scalar: Uint8Array
  /** RFC 3339, UTC: from then on it answers nothing, whatever date a job names; the job's alone counts where absent */
  readonly expires?: string
}

export function newPreparedKey(
  group: Ristretto,
  random: (bytes: number) => Uint8Array = randomBytes,
): PreparedKey {
  return { set: Buffer.from(random(32)).toString('hex'), epoch: 1, scalar: group.randomScalar(random) }
}

/** The same set's next key. */
export function rotatedKey(
  { set, epoch }: PreparedKey,
  group: Ristretto,
  random: (bytes: number) => Uint8Array = randomBytes,
): PreparedKey {
  return { set, epoch: epoch + 1, scalar: group.randomScalar(random) }
}

/**
 * The key's public half, 64 hexadecimal digits: what says under which key a set was prepared. The generator is hashed
 * from the set's name; nobody needs another.
 */
export function publicHalf({ set, scalar }: PreparedKey, group: Ristretto): string {
  const base = group.hashToGroup(Buffer.from(set, 'hex'), Buffer.from('sluice-psi-set/1 key'))
  return Buffer.from(group.multiply(scalar, base)).toString('hex')
}

/**
 * Evaluates the function on each item of a set (Freedman, Ishai, Pinkas and Reingold, "Keyword Search and Oblivious
 * Pseudorandom Functions", TCC 2005, over RFC 9497): some 130 microseconds an item, so that large sets go to threads.
 *
 * @returns a value of 12 bytes for each item, in the items' order
 */
export function evaluateItems(
  scalar: Uint8Array,
  hashes: ItemHashes,
  group: Ristretto,
): Uint8Array<ArrayBuffer> {
  const oprf = new Oprf(group)
  const values = new Uint8Array((hashes.length / ITEM_BYTES) * VALUE_BYTES)
  for (let item = 0; item * ITEM_BYTES < hashes.length; item++) {
    const input = hashes.subarray(item * ITEM_BYTES, (item + 1) * ITEM_BYTES)
    values.set(oprf.evaluate(scalar, input).subarray(0, VALUE_BYTES), item * VALUE_BYTES)
  }
  return values
}

export interface AskOptions {
  readonly peer: number
  /** own items, distinct, hashed under the prepared set's `set` */
  readonly questions: Questions
  readonly onProgress?: (fraction: number) => void
}

/**
 * The side with the small set: the function's value of each of its items, which is in the prepared set where the item
 * is. 32 bytes an item each way, 256 items a message; the next ones are blinded while the other side evaluates.
 *
 * Secure against one side that follows the protocol. The owner of the key learns how many items are asked for. One who
 * uses another key for some of them makes their answers "not there", which this mode of RFC 9497 does not show.
 *
 * @returns 12 bytes an item, in their order
 * @throws SluiceError PROTOCOL_VIOLATION where a point is none
 */
export function* askPrepared({ peer, questions, onProgress }: AskOptions): Protocol<Uint8Array<ArrayBuffer>> {
  const { count } = questions
  const values = new Uint8Array(count * VALUE_BYTES)
  for (let [asked, answered] = [0, 0]; answered < count; ) {
    const end = Math.min(count, asked + CHUNK)
    const [elements] = yield {
      send: end > asked ? [{ to: peer, bytes: questions.blinded(asked, end) }] : [],
      receive: asked > answered ? [{ from: peer, bytes: (asked - answered) * POINT_BYTES }] : [],
    }
    if (asked > answered) values.set(questions.values(answered, elements!), answered * VALUE_BYTES)
    ;[answered, asked] = [asked, end]
    onProgress?.(answered / count)
  }
  return values
}

/**
 * The side that holds the key; it learns how many items are asked for, and of nobody's which are in the set.
 *
 * @param count how many it answers: its quota is taken from before
 * @throws SluiceError PROTOCOL_VIOLATION where a point is none
 */
export function* answerPrepared(
  peer: number,
  scalar: Uint8Array,
  count: number,
  group: Ristretto,
  onProgress?: (fraction: number) => void,
): Protocol<void> {
  const oprf = new Oprf(group)
  let evaluated = new Uint8Array(0)
  for (let start = 0; start < count; start += CHUNK) {
    const size = Math.min(CHUNK, count - start)
    const [blinded] = yield {
      send: start === 0 ? [] : [{ to: peer, bytes: evaluated }],
      receive: [{ from: peer, bytes: size * POINT_BYTES }],
    }
    evaluated = new Uint8Array(size * POINT_BYTES)
    for (let at = 0; at < evaluated.length; at += POINT_BYTES) {
      evaluated.set(oprf.blindEvaluate(scalar, blinded!.subarray(at, at + POINT_BYTES)), at)
    }
    onProgress?.((start + size) / count)
  }
  if (count > 0) yield { send: [{ to: peer, bytes: evaluated }], receive: [] }
}

const CHUNK = 256
