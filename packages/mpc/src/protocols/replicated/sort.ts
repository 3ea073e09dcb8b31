import { SluiceError } from '@sluice/core'
import { fromPlanes } from '../../ring/kernels.js'
import { PAUSE, type Protocol, together } from '../../session/protocol.js'
import { blocksOf } from './blocks.js'
import { toBits } from './convert.js'
import { destinations } from './destinations.js'
import { elementLanes, type LaneShares, type Lanes, lanesOf, openLanes } from './lanes.js'
import type { Party } from './party.js'
import { type Arithmetic, affineOf, type Binary, concatenate, not, slice } from './shares.js'
import {
  fromLanes,
  gather,
  inLanes,
  permutationsInTime,
  scatter,
  shuffleLanes,
  unshuffleLanes,
} from './shuffle.js'

/** One key of an order: values of a stated size. */
export interface SortKey {
  readonly values: Arithmetic
  /** values lie within 0 and 2^bits, or within ±2^(bits−1) where they are signed; of others the place is wrong */
  readonly bits: number
  readonly signed?: boolean
  readonly descending?: boolean
}

/** Beyond so many rows a sort is refused: it holds whole columns in memory, some 400 bytes a row at its height. */
export const MAXIMUM_SORT_ROWS = 1 << 24

/**
 * Columns in the order of the keys, the first key first; rows with equal keys stay in their order. Nobody learns
 * anything of the keys or of where a row went.
 *
 * @see sortingPermutation for source and cost; to move the columns costs seven rounds, and 12 bytes and for each column
 * 16 a row from each party
 * @throws SluiceError PARAMETER_INVALID
 */
export function* sortBy(
  party: Party,
  keys: readonly SortKey[],
  columns: readonly Arithmetic[],
): Protocol<Arithmetic[]> {
  const rows = keys[0]?.values.own.length ?? 0
  if ([...keys.map(({ values }) => values), ...columns].some(({ own }) => own.length !== rows)) {
    throw invalid('the columns to sort differ in length', 'Give columns of the same rows.')
  }
  return yield* rearranged(party, yield* sortingPermutation(party, keys), columns)
}

/**
 * For each place in the order, which row belongs there, shared bit by bit: a stable radix sort (Hamada, Ikarashi,
 * Chida and Takahashi, "Oblivious Radix Sort", ePrint 2014/121; in the form of Chida et al., ePrint 2019/695). Each
 * digit gives every row its destination; digits, row numbers and destinations are shuffled together, and only then
 * the destinations are opened: a random permutation that says nothing.
 *
 * Seven rounds for each digit of up to three bits, beside those of `toBits`. For a digit of three bits the parties
 * send 45 lanes of 4 bytes a row between them while one lane of 32 key bits is left, and six more for each further.
 *
 * @throws SluiceError PARAMETER_INVALID
 */
export function* sortingPermutation(party: Party, keys: readonly SortKey[]): Protocol<LaneShares> {
  const rows = keys[0]?.values.own.length ?? 0
  check(keys, rows)
  const numbers = new Uint32Array(rows).map((_, row) => row)
  let index = constant(party, numbers)
  let lanes = yield* keyLanes(party, keys)
  const total = keys.reduce((bits, key) => bits + key.bits, 0)
  for (let start = 0; start < total; start += LANE_BITS) {
    const size = Math.min(LANE_BITS, total - start)
    for (let shift = 0; shift < size; shift += DIGIT_BITS) {
      const bits = Math.min(DIGIT_BITS, size - shift)
      const target = yield* destinations(party, lanes[0]!, shift, bits)
      // a lane whose digits are done stays behind
      const kept = shift + bits < size ? lanes : lanes.slice(1)
      const [movedIndex, ...moved] = yield* placed(party, [target, index, ...kept])
      index = movedIndex!
      lanes = moved
    }
  }
  return index
}

/** Columns with row `index[i]` at place i. Neither the index nor where a row went is learnt. */
export function* rearranged(
  party: Party,
  index: LaneShares,
  columns: readonly Arithmetic[],
): Protocol<Arithmetic[]> {
  const order = yield* permutationsInTime(party, index.own.length)
  const [shuffled] = yield* shuffleLanes(party, [index], order)
  const rows = checked(yield* openLanes(party, shuffled!))
  const picked = columns.map(column => each(inLanes(column), part => gather(part, rows, 2)))
  return (yield* unshuffleLanes(party, picked, order)).map(fromLanes)
}

/** The inverse: what is at place i goes to row `index[i]`. */
export function* restored(
  party: Party,
  index: LaneShares,
  columns: readonly Arithmetic[],
): Protocol<Arithmetic[]> {
  return (yield* placed(party, [index, ...columns.map(inLanes)])).map(fromLanes)
}

/**
 * Row i goes to place `target[i]`, which are the first column: targets and columns are shuffled together, and only then the targets are opened, a
 * random permutation that says nothing ("shuffle and reveal", Hamada et al., ePrint 2014/121).
 *
 * Four rounds; a party sends three lanes a row for the targets and two for each lane of the columns.
 *
 * @param columns taken out of the list one by one, as by `shuffleLanes`
 */
export function* placed(party: Party, columns: LaneShares[]): Protocol<LaneShares[]> {
  const order = yield* permutationsInTime(party, columns[0]!.own.length)
  const moved = yield* shuffleLanes(party, columns, order)
  const places = checked(yield* openLanes(party, moved.shift()!))
  const found: LaneShares[] = []
  while (moved.length > 0) {
    const column = moved.shift()!
    found.push(each(column, part => scatter(part, places, elementLanes(column))))
    yield PAUSE
  }
  return found
}

/** The keys' bits in lanes of 32, those of the last key lowest: what compares first comes last. */
function* keyLanes(party: Party, keys: readonly SortKey[]): Protocol<LaneShares[]> {
  const rows = keys[0]!.values.own.length
  const count = keys.reduce((bits, key) => bits + key.bits, 0)
  const lanes = Array.from({ length: Math.ceil(count / LANE_BITS) }, (): LaneShares => {
    return { group: 'xor', own: new Uint32Array(rows), next: new Uint32Array(rows) }
  })
  for (const [start, end] of blocksOf(party, rows)) {
    const planes = yield* keyPlanes(party, keys, start, end)
    const width = Math.ceil((end - start) / 64)
    for (const [place, { own, next }] of lanes.entries()) {
      const part = slice(planes, place * LANE_BITS * width, Math.min((place + 1) * LANE_BITS, count) * width)
      own.set(lane(part.own, end - start, width), start)
      next.set(lane(part.next, end - start, width), start)
    }
  }
  return lanes
}

/** The same bits of some rows, in planes. */
function* keyPlanes(party: Party, keys: readonly SortKey[], start: number, end: number): Protocol<Binary> {
  const planes = yield* together(
    ...keys.map(function* ({ values, bits, signed, descending }): Protocol<Binary> {
      const offset = signed === true ? 1n << BigInt(bits - 1) : 0n
      const found = yield* toBits(party, affineOf(party, slice(values, start, end), 1n, offset), bits)
      return descending === true ? not(party, found) : found
    }),
  )
  return concatenate([...planes].reverse())
}

/** Up to 32 planes as a lane for each value. */
function lane(planes: Binary['own'], rows: number, width: number): Lanes {
  const square = new BigUint64Array(64 * width)
  square.set(planes)
  const pairs = lanesOf(fromPlanes(square, rows))
  const out = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) out[row] = pairs[2 * row]!
  return out
}

/** What everybody knows, in the place of share 0. */
function constant(party: Party, values: Lanes): LaneShares {
  const zeros = new Uint32Array(values.length)
  return {
    group: 'xor',
    own: party.index === 0 ? values : zeros,
    next: party.index === 2 ? values : zeros,
  }
}

const each = ({ group, own, next }: LaneShares, of: (part: Lanes) => Lanes): LaneShares => ({
  group,
  own: of(own),
  next: of(next),
})

/** Opened places are a permutation unless a party did not follow the protocol. */
function checked(places: Lanes): Lanes {
  const seen = new Uint8Array(places.length)
  for (const place of places) {
    if (place >= places.length || seen[place] === 1) {
      throw new SluiceError('PROTOCOL_VIOLATION', 'the parties’ shares do not make a permutation', {
        remedy: 'See that all parties run the same version; then everybody starts the job again.',
      })
    }
    seen[place] = 1
  }
  return places
}

const LANE_BITS = 32
const DIGIT_BITS = 3

function check(keys: readonly SortKey[], rows: number): void {
  if (keys.length === 0) throw invalid('there is no key to sort by', 'Name at least one key.')
  if (keys.some(({ bits }) => !Number.isInteger(bits) || bits < 1 || bits > 64)) {
    throw invalid(
      'a key has not 1 to 64 bits',
      'State for each key how many bits its values have, at most 64.',
    )
  }
  if (keys.some(({ values }) => values.own.length !== rows)) {
    throw invalid('the keys differ in length', 'Give keys of the same rows.')
  }
  if (rows > MAXIMUM_SORT_ROWS) {
    throw invalid(
      `there are ${rows} rows to sort, and at most ${MAXIMUM_SORT_ROWS}`,
      'Filter or aggregate the rows at their owners first.',
    )
  }
}

function invalid(reason: string, remedy: string): SluiceError {
  return new SluiceError('PARAMETER_INVALID', reason, { rule: 'mpc.parameters', remedy })
}
