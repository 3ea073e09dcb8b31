import { PAUSE, type Protocol } from '../../session/protocol.js'
import { blocksOf } from './blocks.js'
import { drawLanes, type LaneShares, type Lanes, laneBytes, lanesFrom, plus } from './lanes.js'
import { next as after, type Party, previous } from './party.js'

/**
 * Where a stable counting sort by one digit puts every row, in Z_2^32: ρ = Σ_k f_k · s_k, where f_k says whether the
 * digit is k and s_k counts the rows with a smaller digit and those with digit k up to this one (Hamada et al., ePrint
 * 2014/121; for digits of several bits Asharov et al., "Efficient Secure Three-Party Sorting", CCS 2022).
 *
 * One round, and two for each 2^20 rows; for a digit of b bits the parties send 3·(2^b − 1) + 3 lanes of 4 bytes a row between them.
 *
 * @param keys bits, shared with ⊕
 */
export function* destinations(
  party: Party,
  keys: LaneShares,
  shift: number,
  bits: number,
): Protocol<LaneShares> {
  const values = 1 << bits
  const rows = keys.own.length
  const own = yield* unmasked(party, keys, shift, values)
  const [mask, unmask] = [drawLanes(party.own, rows), drawLanes(party.next, rows)]
  for (let row = 0; row < rows; row++) own[row] = own[row]! + mask[row]! - unmask[row]!
  const [received] = yield {
    send: [{ to: previous(party.index), bytes: laneBytes(own) }],
    receive: [{ from: after(party.index), bytes: own.byteLength }],
  }
  return { group: 'add32', own, next: lanesFrom(received!) }
}

/** Row by row, whether its digit is 1, 2, and so on: shares in Z_2^32, that for digit 0 being what is left of one. */
interface Indicators {
  readonly own: Lanes
  readonly next: Lanes
}

/** The products' part by itself, so that the indicators are gone when it is sent. */
function* unmasked(party: Party, keys: LaneShares, shift: number, values: number): Protocol<Lanes> {
  return yield* ranked(yield* flagged(party, keys, shift, values), keys.own.length, values, party)
}

/** The indicators of all rows, block after block. */
function* flagged(party: Party, keys: LaneShares, shift: number, values: number): Protocol<Indicators> {
  if (keys.own.length <= party.blockRows) return yield* indicators(party, keys, shift, values)
  const flags = values - 1
  const size = keys.own.length * flags
  const out = { own: new Uint32Array(size), next: new Uint32Array(size) }
  for (const [start, end] of blocksOf(party, keys.own.length)) {
    const [own, next] = [keys.own.subarray(start, end), keys.next.subarray(start, end)]
    const part = yield* indicators(party, { group: 'xor', own, next }, shift, values)
    out.own.set(part.own, start * flags)
    out.next.set(part.next, start * flags)
  }
  return out
}

/**
 * The digit is c ⊕ e, with c known to party 0 and e to the others. Party 0 deals the indicators of c to them, they
 * reorder theirs by e, which turns them into those of c ⊕ e, and share afresh: a shuffle's step whose permutation is
 * e, row by row.
 */
function* indicators(
  party: Party,
  { own, next }: LaneShares,
  shift: number,
  values: number,
): Protocol<Indicators> {
  const size = own.length * (values - 1)
  if (party.index === 0) {
    const rest = dealt(plus('xor', own, next), shift, values, drawLanes(party.next, size))
    yield { send: [{ to: 2, bytes: laneBytes(rest) }], receive: [] }
    const fresh = { own: drawLanes(party.own, size), next: drawLanes(party.next, size) }
    yield { send: [], receive: [] }
    return fresh
  }
  const first = party.index === 1
  const part = first ? drawLanes(party.own, size) : new Uint32Array(0)
  const received = yield { send: [], receive: first ? [] : [{ from: 0, bytes: size * 4 }] }
  const held = first ? part : lanesFrom(received[0]!)
  const mask = drawLanes(first ? party.own : party.next, size)
  const mine = reordered(held, first ? next : own, shift, values, first ? 0 : 1, mask)
  const peer = first ? 2 : 1
  const [other] = yield {
    send: [{ to: peer, bytes: laneBytes(mine) }],
    receive: [{ from: peer, bytes: size * 4 }],
  }
  const both = plus('add32', mine, lanesFrom(other!))
  return first ? { own: mask, next: both } : { own: both, next: mask }
}

/** The indicators of every row's digit, less a mask. */
function dealt(keys: Lanes, shift: number, values: number, mask: Lanes): Lanes {
  const out = new Uint32Array(mask.length)
  for (let i = 0; i < out.length; i++) out[i] = -mask[i]!
  for (let row = 0; row < keys.length; row++) {
    const digit = (keys[row]! >>> shift) & (values - 1)
    if (digit > 0) out[row * (values - 1) + digit - 1]! += 1
  }
  return out
}

/** out_k = held_(k ⊕ digit) − mask_k, where held_0 is what is left of `whole`. */
function reordered(
  held: Lanes,
  keys: Lanes,
  shift: number,
  values: number,
  whole: 0 | 1,
  mask: Lanes,
): Lanes {
  const out = new Uint32Array(held.length)
  const row = new Uint32Array(values)
  for (let start = 0, i = 0; start < held.length; start += values - 1, i++) {
    let rest: number = whole
    for (let k = 1; k < values; k++) {
      const flag = held[start + k - 1]!
      row[k] = flag
      rest -= flag
    }
    row[0] = rest
    const digit = (keys[i]! >>> shift) & (values - 1)
    for (let k = 1; k < values; k++) out[start + k - 1] = row[k ^ digit]! - mask[start + k - 1]!
  }
  return out
}

/** Σ_k of this party's part of the products f_k · s_k, before its mask. */
function* ranked({ own, next }: Indicators, rows: number, values: number, party: Party): Protocol<Lanes> {
  // share 0 holds the constants: the one of which digit 0 is what is left, and that places begin at 0
  const ones = [party.index === 0 ? 1 : 0, party.index === 2 ? 1 : 0]
  const placed = [own, next].map((flags, which) => starts(flags, rows, values, ones[which]!))
  const out = new Uint32Array(rows)
  for (const [from, to] of blocksOf(party, rows)) {
    rank({ own, next }, from, to, values, ones as [number, number], placed as [Int32Array, Int32Array], out)
    yield PAUSE
  }
  return out
}

/** The same of some rows; what was seen goes on. */
function rank(
  { own, next }: Indicators,
  from: number,
  to: number,
  values: number,
  [oneOwn, oneNext]: readonly [number, number],
  [seenOwn, seenNext]: readonly [Int32Array, Int32Array],
  out: Lanes,
): void {
  for (let row = from, start = from * (values - 1); row < to; row++, start += values - 1) {
    let sum = 0
    let [restOwn, restNext] = [oneOwn, oneNext]
    for (let k = values - 1; k >= 0; k--) {
      const flagOwn = k === 0 ? restOwn : own[start + k - 1]! | 0
      const flagNext = k === 0 ? restNext : next[start + k - 1]! | 0
      restOwn = (restOwn - flagOwn) | 0
      restNext = (restNext - flagNext) | 0
      const placeOwn = (seenOwn[k]! + flagOwn) | 0
      const placeNext = (seenNext[k]! + flagNext) | 0
      seenOwn[k] = placeOwn
      seenNext[k] = placeNext
      sum = (sum + Math.imul(flagOwn, (placeOwn + placeNext) | 0) + Math.imul(flagNext, placeOwn)) | 0
    }
    out[row] = sum
  }
}

/** For each digit, how many rows have a smaller one, less one. */
function starts(flags: Lanes, rows: number, values: number, one: number): Int32Array {
  const counts = new Int32Array(values)
  counts[0] = Math.imul(rows, one)
  for (let row = 0, at = 0; row < rows; row++) {
    for (let k = 1; k < values; k++) counts[k]! += flags[at++]!
  }
  for (let k = 1; k < values; k++) counts[0]! -= counts[k]!
  let before = -one
  return counts.map(count => {
    const start = before
    before = (before + count) | 0
    return start
  })
}
