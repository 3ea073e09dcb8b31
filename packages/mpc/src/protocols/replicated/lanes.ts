import type { MaskSource, Words } from '../../ring/kernels.js'
import { combine } from '../../ring/kernels.js'
import type { Protocol } from '../../session/protocol.js'
import { next, type Party, previous } from './party.js'

/** A column of 32-bit lanes; an element of 64 bits is two of them, the lower first. */
export type Lanes = Uint32Array<ArrayBuffer>

/**
 * Party i's two shares of a column of lanes, whose sum is that of the group: of Z_2^32 (`add32`), of Z_2^64 in pairs of
 * lanes (`add64`), or bit by bit (`xor`). Positions of rows need no more than 32 bits, and half the bytes.
 */
export interface LaneShares {
  readonly group: 'add32' | 'add64' | 'xor'
  readonly own: Lanes
  readonly next: Lanes
}

/** Lanes that an element of the column has. */
export const elementLanes = ({ group }: Pick<LaneShares, 'group'>): 1 | 2 => (group === 'add64' ? 2 : 1)

/** @param out a new column unless another is named, which may be one of the two */
export function plus(
  group: LaneShares['group'],
  a: Lanes,
  b: Lanes,
  out: Lanes = new Uint32Array(a.length),
): Lanes {
  if (group === 'add64') combine('add', pairsOf(a), pairsOf(b), pairsOf(out))
  else if (group === 'xor') for (let i = 0; i < out.length; i++) out[i] = a[i]! ^ b[i]!
  else for (let i = 0; i < out.length; i++) out[i] = a[i]! + b[i]!
  return out
}

/** @param out as of `plus` */
export function minus(
  group: LaneShares['group'],
  a: Lanes,
  b: Lanes,
  out: Lanes = new Uint32Array(a.length),
): Lanes {
  if (group === 'add64') combine('sub', pairsOf(a), pairsOf(b), pairsOf(out))
  else if (group === 'xor') return plus(group, a, b, out)
  else for (let i = 0; i < out.length; i++) out[i] = a[i]! - b[i]!
  return out
}

/** The next lanes of a stream. */
export function drawLanes(source: MaskSource, length: number): Lanes {
  const lanes = new Uint32Array(length)
  source.fill(laneBytes(lanes))
  return lanes
}

/** Opens a column to all three. One round; a party sends the column once. */
export function* openLanes(party: Party, { group, own, next: after }: LaneShares): Protocol<Lanes> {
  const [missing] = yield {
    send: [{ to: next(party.index), bytes: laneBytes(own) }],
    receive: [{ from: previous(party.index), bytes: own.byteLength }],
  }
  const opened = lanesFrom(missing!)
  return plus(group, plus(group, opened, own, opened), after, opened)
}

/** The column's bytes, without a copy. */
export function laneBytes(lanes: Lanes): Uint8Array<ArrayBuffer> {
  return new Uint8Array(lanes.buffer, lanes.byteOffset, lanes.byteLength)
}

export function lanesFrom(bytes: Uint8Array<ArrayBuffer>): Lanes {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4)
}

/** Words as pairs of lanes, and back, without a copy. */
export function lanesOf(words: Words): Lanes {
  return new Uint32Array(words.buffer, words.byteOffset, words.length * 2)
}

export function pairsOf(lanes: Lanes): Words {
  return new BigUint64Array(lanes.buffer, lanes.byteOffset, lanes.length / 2)
}
