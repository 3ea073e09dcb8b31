import { randomBytes, timingSafeEqual } from 'node:crypto'
import { canonicalBytes, SluiceError } from '@sluice/core'
import type { Protocol } from '../session/protocol.js'
import { ITEM_BYTES, type ItemHashes } from './item-hash.js'
import { Oprf } from './oprf.js'
import { POINT_BYTES, type Ristretto } from './ristretto.js'

/** What a prepared set says of itself. */
export interface PreparedHead {
  readonly version: 'sluice-psi-set/1'
  /** 64 random hexadecimal digits: items are hashed under it, by `itemHashes` */
  readonly set: string
  /** the key's public half, hexadecimal: which key of a set that rotates this one is prepared under */
  readonly key: string
  readonly count: number
}

/** A large set that its owner evaluated once: anybody may have it, and only with the owner's help test an item. */
export interface PreparedSet {
  readonly head: PreparedHead
  /** `count` values of 12 bytes, ascending: no more is needed for 2^23 items and 2^20 questions to err below 2^-53 */
  readonly values: Uint8Array<ArrayBuffer>
}

/** What the owner keeps: whoever has it can test every item of the set. A new one voids all that was prepared before. */
export interface PreparedKey {
  readonly set: string
  /** 32 bytes */
  readonly scalar: Uint8Array<ArrayBuffer>
}

const VALUE_BYTES = 12
const CHUNK = 256

export function newPreparedKey(
  group: Ristretto,
  random: (bytes: number) => Uint8Array = randomBytes,
): PreparedKey {
  return { set: Buffer.from(random(32)).toString('hex'), scalar: group.randomScalar(random) }
}

/**
 * Evaluates the function on every item of a large set, once (Freedman, Ishai, Pinkas and Reingold, "Keyword Search and
 * Oblivious Pseudorandom Functions", TCC 2005, over RFC 9497): a multiplication an item. Yields between pieces, with
 * the part that is done, so that the caller can show it, stop, and serve others meanwhile.
 *
 * @param hashes the set, distinct, hashed under `key.set`
 */
export function* prepareSet(
  key: PreparedKey,
  hashes: ItemHashes,
  group: Ristretto,
): Generator<number, PreparedSet, void> {
  const oprf = new Oprf(group)
  const count = hashes.length / ITEM_BYTES
  const values = new Uint8Array(count * VALUE_BYTES)
  for (let item = 0; item < count; item++) {
    const value = oprf.evaluate(key.scalar, hashes.subarray(item * ITEM_BYTES, (item + 1) * ITEM_BYTES))
    values.set(value.subarray(0, VALUE_BYTES), item * VALUE_BYTES)
    if (item % CHUNK === CHUNK - 1) yield (item + 1) / count
  }
  const head = { version: VERSION, set: key.set, key: publicHalf(key, group), count } as const
  return { head, values: sorted(values) }
}

/** A prepared set as a file: the head's canonical JSON in one line, then the values. */
export function encodePrepared({ head, values }: PreparedSet): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([canonicalBytes(head), Buffer.from('\n'), values]))
}

/** @throws SluiceError FILE_FORMAT */
export function decodePrepared(bytes: Uint8Array<ArrayBuffer>): PreparedSet {
  const end = bytes.subarray(0, HEAD_BYTES).indexOf(10)
  const head = headIn(bytes.subarray(0, Math.max(0, end)))
  const values = bytes.subarray(end + 1)
  if (head === undefined || values.length !== head.count * VALUE_BYTES) {
    throw new SluiceError('FILE_FORMAT', 'this is no prepared set, or not all of one', {
      rule: 'psi.prepared',
      remedy: 'Ask its owner for the file again.',
    })
  }
  return { head, values }
}

export interface AskOptions {
  readonly peer: number
  readonly prepared: PreparedSet
  /** own items, distinct, hashed under the prepared set's `set` */
  readonly hashes: ItemHashes
  readonly group: Ristretto
  readonly random?: (bytes: number) => Uint8Array
}

/**
 * The side with the small set. One round for each 256 items: 32 bytes an item each way.
 *
 * @returns 1 for each own item that is in the prepared set
 * @throws SluiceError PROTOCOL_VIOLATION where a point is none
 */
export function* askPrepared({ peer, prepared, hashes, group, random }: AskOptions): Protocol<Uint8Array> {
  const oprf = new Oprf(group)
  const count = hashes.length / ITEM_BYTES
  const matched = new Uint8Array(count)
  const find = finder(prepared.values)
  yield { send: [{ to: peer, bytes: new Uint8Array(Buffer.from(prepared.head.key, 'hex')) }], receive: [] }
  for (let start = 0; start < count; start += CHUNK) {
    const size = Math.min(CHUNK, count - start)
    const inputs = Array.from({ length: size }, (_, i) =>
      hashes.subarray((start + i) * ITEM_BYTES, (start + i + 1) * ITEM_BYTES),
    )
    const blinds = inputs.map(() => group.randomScalar(random))
    const blinded = new Uint8Array(Buffer.concat(inputs.map((input, i) => oprf.blind(input, blinds[i]!))))
    const [evaluated] = yield {
      send: [{ to: peer, bytes: blinded }],
      receive: [{ from: peer, bytes: size * POINT_BYTES }],
    }
    for (const [i, input] of inputs.entries()) {
      const element = evaluated!.subarray(i * POINT_BYTES, (i + 1) * POINT_BYTES)
      const value = oprf.finalize(input, blinds[i]!, element).subarray(0, VALUE_BYTES)
      if (find(value)) matched[start + i] = 1
    }
  }
  return matched
}

/**
 * The side that holds the key; it learns how many items are asked for.
 *
 * @param count how many it answers: its quota is taken from before
 * @throws SluiceError JOB_MISMATCH where the other has a set that was prepared under another key
 */
export function* answerPrepared(
  peer: number,
  key: PreparedKey,
  count: number,
  group: Ristretto,
): Protocol<void> {
  const oprf = new Oprf(group)
  const [theirs] = yield { send: [], receive: [{ from: peer, bytes: POINT_BYTES }] }
  if (!timingSafeEqual(theirs!, Buffer.from(publicHalf(key, group), 'hex'))) {
    throw new SluiceError('JOB_MISMATCH', 'the other side has a set that was prepared under another key', {
      rule: 'psi.rotation',
      remedy: 'Give it the set that was prepared last.',
    })
  }
  let evaluated = new Uint8Array(0)
  for (let start = 0; start < count; start += CHUNK) {
    const size = Math.min(CHUNK, count - start)
    const [blinded] = yield {
      send: start === 0 ? [] : [{ to: peer, bytes: evaluated }],
      receive: [{ from: peer, bytes: size * POINT_BYTES }],
    }
    evaluated = new Uint8Array(size * POINT_BYTES)
    for (let at = 0; at < evaluated.length; at += POINT_BYTES) {
      evaluated.set(oprf.blindEvaluate(key.scalar, blinded!.subarray(at, at + POINT_BYTES)), at)
    }
  }
  if (count > 0) yield { send: [{ to: peer, bytes: evaluated }], receive: [] }
}

const VERSION = 'sluice-psi-set/1'
const HEAD_BYTES = 1024

function headIn(line: Uint8Array): PreparedHead | undefined {
  try {
    const head = JSON.parse(Buffer.from(line).toString('utf8')) as PreparedHead
    const hex = [head.set, head.key].every(text => /^[0-9a-f]{64}$/.test(text))
    const whole = hex && head.version === VERSION && Number.isSafeInteger(head.count) && head.count >= 0
    return whole && Buffer.from(canonicalBytes(head)).equals(line) ? head : undefined
  } catch {
    return undefined
  }
}

/** The generator is hashed from the set's name: nobody needs another. */
function publicHalf({ set, scalar }: PreparedKey, group: Ristretto): string {
  const base = group.hashToGroup(Buffer.from(set, 'hex'), Buffer.from('sluice-psi-set/1 key'))
  return Buffer.from(group.multiply(scalar, base)).toString('hex')
}

/** Ascending: into buckets by two bytes, each of which is sorted by itself. */
function sorted(values: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const count = values.length / VALUE_BYTES
  const bucketOf = (value: number) => (values[value * VALUE_BYTES]! << 8) | values[value * VALUE_BYTES + 1]!
  const ends = new Uint32Array(65_537)
  for (let i = 0; i < count; i++) ends[bucketOf(i) + 1]!++
  for (let bucket = 0; bucket < 65_536; bucket++) ends[bucket + 1]! += ends[bucket]!
  const order = new Uint32Array(count)
  const next = ends.slice()
  for (let i = 0; i < count; i++) order[next[bucketOf(i)]!++] = i
  const out = new Uint8Array(values.length)
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.length)
  const at = (value: number) => value * VALUE_BYTES
  for (let bucket = 0; bucket < 65_536; bucket++) {
    const part = order.subarray(ends[bucket], ends[bucket + 1])
    part.sort((a, b) => bytes.compare(bytes, at(b), at(b) + VALUE_BYTES, at(a), at(a) + VALUE_BYTES))
    part.forEach((value, i) => {
      out.set(bytes.subarray(at(value), at(value) + VALUE_BYTES), at(ends[bucket]! + i))
    })
  }
  return out
}

/** Binary search among ascending values. */
function finder(values: Uint8Array<ArrayBuffer>): (value: Uint8Array) => boolean {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.length)
  return value => {
    let [low, high] = [0, values.length / VALUE_BYTES]
    while (low < high) {
      const middle = (low + high) >>> 1
      const order = bytes.compare(value, 0, VALUE_BYTES, middle * VALUE_BYTES, (middle + 1) * VALUE_BYTES)
      if (order === 0) return true
      if (order < 0) low = middle + 1
      else high = middle
    }
    return false
  }
}
