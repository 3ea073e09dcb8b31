import type { MaskSource } from '../../ring/kernels.js'
import { type Outgoing, PAUSE, type Protocol } from '../../session/protocol.js'
import {
  drawLanes,
  elementLanes,
  type LaneShares,
  type Lanes,
  laneBytes,
  lanesFrom,
  lanesOf,
  minus,
  pairsOf,
  plus,
} from './lanes.js'
import { next, type Party, previous } from './party.js'
import { type Arithmetic, arithmetic } from './shares.js'

/**
 * Three permutations, one after the other, of which each party knows its own and the next party's: together they are a
 * uniformly random permutation that no party knows.
 */
export interface Permutations {
  readonly own: Lanes
  readonly next: Lanes
}

/** Fresh permutations of so many rows, drawn from the keys that two parties share; without a message. */
export function permutations(party: Party, rows: number): Permutations {
  const drawing = permutationsInTime(party, rows)
  let step = drawing.next()
  while (!step.done) step = drawing.next([])
  return step.value
}

/** The same, with pauses. */
export function* permutationsInTime(party: Party, rows: number): Protocol<Permutations> {
  return { own: yield* permutation(party.own, rows), next: yield* permutation(party.next, rows) }
}

/**
 * Columns in a random order that no party knows, the same for all of them (Laur, Willemson and Zhang, "Round-efficient
 * Oblivious Database Manipulation", ISC 2011; replicated as by Araki, Furukawa, Ohara, Pinkas, Rosemarin and
 * Tsuchida, "Secure Graph Analysis at Scale", CCS 2021). Each of three times, the two parties who know a
 * permutation apply it to a sharing between the two, and share afresh with the third, from whom they need nothing.
 *
 * Three rounds, of which a party takes part in two; it sends two ring elements for each value.
 */
export function* shuffle(
  party: Party,
  columns: readonly Arithmetic[],
  order?: Permutations,
): Protocol<Arithmetic[]> {
  const by = order ?? (yield* permutationsInTime(party, columns[0]?.own.length ?? 0))
  return (yield* shuffleLanes(party, columns.map(inLanes), by)).map(fromLanes)
}

/** The inverse of `shuffle` with the same permutations, and its cost. */
export function* unshuffle(
  party: Party,
  columns: readonly Arithmetic[],
  order: Permutations,
): Protocol<Arithmetic[]> {
  return (yield* unshuffleLanes(party, columns.map(inLanes), order)).map(fromLanes)
}

/**
 * `shuffle` for columns of any group. Columns are taken out of the list one by one, so that of what is held nowhere else
 * never more than one copy is in memory.
 */
export function* shuffleLanes(
  party: Party,
  columns: LaneShares[],
  order: Permutations,
): Protocol<LaneShares[]> {
  let moved = columns
  for (const index of [0, 1, 2]) moved = yield* permuted(party, moved, index, order, gather)
  return moved
}

/** The inverse, with the list as of `shuffleLanes`. */
export function* unshuffleLanes(
  party: Party,
  columns: LaneShares[],
  order: Permutations,
): Protocol<LaneShares[]> {
  let moved = columns
  for (const index of [2, 1, 0]) moved = yield* permuted(party, moved, index, order, scatter)
  return moved
}

/** out[i] = values[order[i]], elements of one or two lanes. */
export function gather(values: Lanes, order: Lanes, lanes: 1 | 2): Lanes {
  const out = new Uint32Array(order.length * lanes)
  if (lanes === 1) for (let i = 0; i < order.length; i++) out[i] = values[order[i]!]!
  else {
    for (let i = 0; i < order.length; i++) {
      const from = 2 * order[i]!
      out[2 * i] = values[from]!
      out[2 * i + 1] = values[from + 1]!
    }
  }
  return out
}

/** out[order[i]] = values[i] */
export function scatter(values: Lanes, order: Lanes, lanes: 1 | 2): Lanes {
  const out = new Uint32Array(order.length * lanes)
  if (lanes === 1) for (let i = 0; i < order.length; i++) out[order[i]!] = values[i]!
  else {
    for (let i = 0; i < order.length; i++) {
      const to = 2 * order[i]!
      out[to] = values[2 * i]!
      out[to + 1] = values[2 * i + 1]!
    }
  }
  return out
}

export const inLanes = ({ own, next: after }: Arithmetic): LaneShares => ({
  group: 'add64',
  own: lanesOf(own),
  next: lanesOf(after),
})

export const fromLanes = ({ own, next: after }: LaneShares): Arithmetic =>
  arithmetic(pairsOf(own), pairsOf(after))

/**
 * The permutation of that index applied. Its holders, parties i and i−1, sum the column up between them; what each has
 * goes to the other under a mask that it shares with the third party, which keeps the two masks as its shares.
 */
function* permuted(
  party: Party,
  columns: LaneShares[],
  index: number,
  order: Permutations,
  apply: (values: Lanes, order: Lanes, lanes: 1 | 2) => Lanes,
): Protocol<LaneShares[]> {
  const later = party.index === index
  if (!later && next(party.index) !== index) {
    const fresh = yield* taken(columns, ({ group, own }) => ({
      group,
      own: drawLanes(party.own, own.length),
      next: drawLanes(party.next, own.length),
    }))
    yield { send: [], receive: [] }
    return fresh
  }
  const [source, known] = later ? [party.next, order.own] : [party.own, order.next]
  const made = yield* taken(columns, ({ group, own, next: after }) => {
    const mask = drawLanes(source, own.length)
    const part = apply(later ? after : plus(group, own, after), known, elementLanes({ group }))
    return { group, mask, part: minus(group, part, mask, part) }
  })
  const peer = later ? previous(party.index) : next(party.index)
  const received = yield {
    send: made.map(({ part }): Outgoing => ({ to: peer, bytes: laneBytes(part) })),
    receive: made.map(({ part }) => ({ from: peer, bytes: part.byteLength })),
  }
  return made.map(({ group, mask, part }, i) => {
    // not in what was sent, of which the end may still be on its way
    const other = lanesFrom(received[i]!)
    const both = plus(group, part, other, other)
    return later ? { group, own: both, next: mask } : { group, own: mask, next: both }
  })
}

/** Something of each column, which is then out of the list; with pauses. */
function* taken<T>(columns: LaneShares[], make: (column: LaneShares) => T): Protocol<T[]> {
  const found: T[] = []
  while (columns.length > 0) {
    found.push(make(columns.shift()!))
    yield PAUSE
  }
  return found
}

/** A uniform permutation (Fisher and Yates; Knuth, volume 2, section 3.4.2, algorithm P), without the bias of a remainder. */
function* permutation(source: MaskSource, rows: number): Protocol<Lanes> {
  const order = new Uint32Array(rows)
  for (let i = 0; i < rows; i++) order[i] = i
  const draws = { random: new Uint32Array(0), used: 0 }
  for (let left = rows; left > 1; left -= Math.min(left, SPAN)) {
    swap(order, left - 1, Math.max(0, left - 1 - SPAN), source, draws)
    if (left > SPAN) yield PAUSE
  }
  return order
}

/** Its places from the last to the one after `end`. */
function swap(
  order: Lanes,
  start: number,
  end: number,
  source: MaskSource,
  draws: { random: Lanes; used: number },
): void {
  let { random, used } = draws
  for (let last = start; last > end; last--) {
    const among = last + 1
    // below it no draw is refused, and a remainder of so large a number takes longer than all the rest
    const safe = TURN - among
    let drawn: number
    do {
      if (used === random.length) {
        random = drawLanes(source, Math.min(BLOCK, last + SPARE))
        used = 0
      }
      drawn = random[used++]!
    } while (drawn > safe && drawn >= TURN - (TURN % among))
    const other = (drawn >>> 0) % (among >>> 0)
    const kept = order[last]!
    order[last] = order[other]!
    order[other] = kept
  }
  draws.random = random
  draws.used = used
}

const TURN = 2 ** 32
const BLOCK = 1 << 14
const SPARE = 16
/** Places between two pauses. */
const SPAN = 1 << 20
