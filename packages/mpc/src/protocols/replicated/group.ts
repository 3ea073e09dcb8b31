import { SluiceError } from '@sluice/core'
import { type Protocol, together } from '../../session/protocol.js'
import { elementsInBlocks } from './blocks.js'
import { atLeast } from './compare.js'
import { bitsToArithmetic, planesToArithmetic } from './convert.js'
import { destinations } from './destinations.js'
import { type LaneShares, type Lanes, lanesOf } from './lanes.js'
import { and, multiply } from './multiply.js'
import { open } from './open.js'
import type { Party } from './party.js'
import { equalToBefore, running, stepsWithin } from './runs.js'
import {
  type Arithmetic,
  affineOf,
  type Binary,
  concatenate,
  gather,
  known,
  not,
  padded,
  slice,
  total,
} from './shares.js'
import { fromLanes, inLanes, permutationsInTime, shuffleLanes } from './shuffle.js'
import { placed, rearranged, restored, type SortKey, sortBy, sortingPermutation } from './sort.js'
import type { Measure } from './totals.js'

export interface GroupOptions {
  /** 1 for rows that count, 0 for others; all count unless it is given */
  readonly where?: Arithmetic
  /** who is counted: the different values of this column within a group; without it each row is somebody */
  readonly entities?: SortKey
  /** columns of which in a group each has to reach the minimum too, zero in rows that do not count */
  readonly distinct?: readonly Arithmetic[]
  /** more keys than these, of rows that do not count too, are an error; as many as there are rows unless it is given */
  readonly maximumGroups?: number
}

/** Groups by a secret key, in the order of the key, filled up with rows of zeros to a public number. */
export interface SecretGroups {
  readonly keys: readonly Arithmetic[]
  /** entities in the group, of rows that count */
  readonly members: Arithmetic
  /** sums of what else has to reach the minimum */
  readonly distinct: readonly Arithmetic[]
  /** by measure: its sum, how many rows have a value where some may have none, and what has to reach the minimum too */
  readonly measures: readonly {
    readonly sum: Arithmetic
    readonly count?: Arithmetic
    readonly distinct: readonly Arithmetic[]
  }[]
}

/** The groups that were opened, in random order. */
export interface OpenedGroups {
  /** by key, by group: two's complement */
  readonly keys: readonly BigInt64Array[]
  readonly members: BigUint64Array
  /** by measure: where its count is below the minimum, `passed` is 0, and so are count and sum */
  readonly measures: readonly {
    readonly passed: BigUint64Array
    readonly count: BigUint64Array
    readonly sum: BigInt64Array
  }[]
}

/**
 * Sums and counts by a key that nobody sees. Rows are sorted by the key; a prefix sum needs no message; the last row of
 * each group, which has the sum of all groups up to its own, is moved to the front; and the differences are the groups'
 * sums (the aggregation by sorting of Hamada, Ikarashi, Chida and Takahashi, ePrint 2014/121, and of Araki et al., CCS
 * 2021). Neither keys nor the number of groups are learnt, only whether there are more than `maximumGroups`.
 *
 * Costs a sort by all keys (and entities), a test of equality for each row and key, and a pass of a sort by one bit.
 *
 * @throws SluiceError PARAMETER_INVALID, RESULT_TOO_LARGE where there are more groups than `maximumGroups`
 */
export function* groupBy(
  party: Party,
  keys: readonly SortKey[],
  measures: readonly Measure[],
  options: GroupOptions = {},
): Protocol<SecretGroups> {
  const { entities, distinct = [], maximumGroups } = options
  check(measures, entities)
  const rows = keys[0]?.values.own.length ?? 0
  const { groups, moving } = yield* summedUp(party, keys, measures, options)
  const bound = Math.min(rows, maximumGroups ?? rows)
  const front = (yield* placed(party, moving)).map(column => slice(fromLanes(column), 0, bound))
  if (bound < rows) yield* refuseMore(party, groups, bound)
  const results = yield* differences(party, front, keys.length)
  return {
    keys: results.splice(0, keys.length),
    members: results.shift()!,
    distinct: results.splice(0, distinct.length),
    measures: measures.map(({ present, distinct: also = [] }) => ({
      sum: results.shift()!,
      ...(present !== undefined && { count: results.shift()! }),
      distinct: results.splice(0, also.length),
    })),
  }
}

/** Rows by the key, as they go to the front: how many groups there are, and what moves. */
interface Summed {
  readonly groups: Arithmetic
  /** where each goes, whether it is the last of its group, its keys, and what is summed up to it: members and the rest */
  readonly moving: LaneShares[]
}

/** The first half of `groupBy`: a protocol of its own, so that what it worked with is gone when rows move. */
function* summedUp(
  party: Party,
  keys: readonly SortKey[],
  measures: readonly Measure[],
  { where, entities, distinct = [] }: GroupOptions,
): Protocol<Summed> {
  const rows = keys[0]?.values.own.length ?? 0
  const counted = yield* countedOnly(party, measures, where)
  const absent = where === undefined ? [] : [{ values: affineOf(party, where, MINUS_ONE, 1n), bits: 1 }]
  const order = entities === undefined ? keys : [...keys, ...absent, entities]
  const flow = [
    ...keys.map(({ values }) => values),
    ...(entities === undefined ? [] : [entities.values]),
    ...(where === undefined ? [] : [where]),
    ...distinct,
    ...counted.flatMap(({ values, present, distinct: also = [] }) => [
      values,
      ...(present === undefined ? [] : [present]),
      ...also,
    ]),
  ]
  const sorted = yield* sortBy(party, order, flow)
  const sortedKeys = sorted.splice(0, keys.length)
  const [sortedEntities] = entities === undefined ? [] : sorted.splice(0, 1)
  const [sortedWhere] = where === undefined ? [] : sorted.splice(0, 1)
  const same = yield* equalToBefore(party, sortedKeys)
  const target = yield* destinations(party, notLast(same, rows), 0, 1)
  const first = yield* bitsToArithmetic(party, not(party, same), rows)
  const members = yield* membersOf(party, same, sortedEntities, sortedWhere, rows)
  const last = followed(party, first)
  const sums = [members, ...sorted].map(running)
  return { groups: total(last), moving: [target, ...[last, ...sortedKeys, ...sums].map(inLanes)] }
}

/** The groups' keys and sums, zero in rows that fill up: by the first column, which says where a group is. */
function* differences(party: Party, front: readonly Arithmetic[], keys: number): Protocol<Arithmetic[]> {
  const [isLast, ...found] = front as [Arithmetic, ...Arithmetic[]]
  const kept = yield* together(
    ...found.map((column, i) =>
      elementsInBlocks(party, column.own.length, (start, end) => {
        const cells = i < keys ? slice(column, start, end) : stepsWithin(column, start, end)
        return multiply(party, slice(isLast, start, end), cells)
      }),
    ),
  )
  return [...kept]
}

/**
 * Marks, for each different value of the keys, one of the rows that count: what sums up to how many there are.
 *
 * Costs a sort by all keys and one bit, a test of equality for each row and key, and the way back.
 *
 * @returns 1 for that row, 0 for all others, in the rows' own order
 */
export function* firstOfEach(
  party: Party,
  keys: readonly SortKey[],
  where?: Arithmetic,
): Protocol<Arithmetic> {
  const absent = where === undefined ? [] : [{ values: affineOf(party, where, MINUS_ONE, 1n), bits: 1 }]
  const index = yield* sortingPermutation(party, [...keys, ...absent])
  const flow = [...keys.map(({ values }) => values), ...(where === undefined ? [] : [where])]
  const sorted = yield* rearranged(party, index, flow)
  const same = yield* equalToBefore(party, sorted.slice(0, keys.length))
  const first = yield* bitsToArithmetic(party, not(party, same), index.own.length)
  const marked = where === undefined ? first : yield* multiply(party, first, sorted.at(-1)!)
  return (yield* restored(party, index, [marked]))[0]!
}

/**
 * Opens the groups with at least `minimum` members, and of them the measures with at least `minimum` values, to the
 * receivers alone; where other columns have to reach the minimum too, only those of which they do. The rule runs on
 * shares, before anything is opened. Groups are shuffled first, so that their places say nothing of the keys between
 * them. **How many groups are opened, every party learns**; of the others nothing is.
 *
 * 16 rounds: eight for the comparison, two for its bits, one for products, three to shuffle, two to open; and one more
 * for each further column that has to reach the minimum.
 *
 * @throws SluiceError PARAMETER_INVALID for a minimum below 1, which would open the rows that fill up
 */
export function* openGroups(
  party: Party,
  groups: SecretGroups,
  minimum: bigint,
  receivers: readonly number[],
): Protocol<OpenedGroups | undefined> {
  if (minimum < 1n) throw invalid('the minimum is below 1', 'Give a minimum of 1 or more.')
  const kept = yield* passed(party, groups, minimum)
  const order = yield* permutationsInTime(party, groups.members.own.length)
  const [flags, ...shuffled] = (yield* shuffleLanes(party, kept, order)).map(fromLanes)
  const everybody = [0, 1, 2, ...receivers.filter(receiver => receiver > 2)]
  const opened = placesOf((yield* open(party, flags!, everybody))!)
  const picked = shuffled.map(column => gather(column, opened))
  const results = yield* open(party, concatenate(picked), receivers)
  return results === undefined ? undefined : groupsIn(results, groups.keys.length, groups.measures.length)
}

/** Which groups and which of their measures passed, and then both, zero where they did not; as lanes that move. */
function* passed(
  party: Party,
  { keys, members, distinct, measures }: SecretGroups,
  minimum: bigint,
): Protocol<LaneShares[]> {
  const rules = [
    [members, ...distinct],
    // where no value is missing, the rows that have one are the group's
    ...measures.map(({ count, distinct: also }) =>
      count === undefined && also.length === 0 ? [] : [count ?? members, ...also],
    ),
  ]
  const [enough, ...enoughOf] = yield* passing(party, rules, minimum, members.own.length)
  const factors = [
    ...[...keys, members].map(column => [enough!, column] as const),
    ...measures.flatMap(({ sum, count }, i) => [
      [enoughOf[i]!, sum] as const,
      [enoughOf[i]!, count ?? members] as const,
    ]),
  ]
  const kept = yield* together(...factors.map(([flag, column]) => multiply(party, flag, column)))
  return [enough!, ...enoughOf, ...kept].map(inLanes)
}

/** For each list of columns where all of them reach the minimum; where a list is empty, as the first. */
function* passing(
  party: Party,
  rules: readonly (readonly Arithmetic[])[],
  minimum: bigint,
  rows: number,
): Protocol<Arithmetic[]> {
  const reached = yield* atLeast(party, padded(rules.flat()), minimum)
  const words = Math.ceil(rows / 64)
  let start = 0
  const bits: Binary[] = []
  for (const rule of rules.filter(({ length }) => length > 0)) {
    let all: Binary | undefined
    for (const _ of rule) {
      const own = slice(reached, start * words, ++start * words)
      all = all === undefined ? own : yield* and(party, all, own)
    }
    bits.push(all!)
  }
  const columns = yield* planesToArithmetic(party, concatenate(bits), bits.length, rows)
  const [first, ...others] = columns
  return [first!, ...rules.slice(1).map(({ length }) => (length === 0 ? first! : others.shift()!))]
}

/** The same from what a receiver got: for each group `1 + keys + 3 · measures` values. */
export function groupsIn(opened: BigUint64Array<ArrayBuffer>, keys: number, measures: number): OpenedGroups {
  const width = opened.length / (measures * 3 + keys + 1)
  const part = (place: number): BigUint64Array<ArrayBuffer> =>
    opened.slice(place * width, (place + 1) * width)
  const inSigned = (place: number): BigInt64Array => new BigInt64Array(part(place).buffer)
  const cells = measures + keys + 1
  return {
    keys: Array.from({ length: keys }, (_, key) => inSigned(measures + key)),
    members: part(measures + keys),
    measures: Array.from({ length: measures }, (_, m) => ({
      passed: part(m),
      sum: inSigned(cells + 2 * m),
      count: part(cells + 2 * m + 1),
    })),
  }
}

/** Values and presence are zero in rows that do not count. */
function* countedOnly(
  party: Party,
  measures: readonly Measure[],
  where: Arithmetic | undefined,
): Protocol<Measure[]> {
  if (where === undefined) return [...measures]
  const counted: Measure[] = []
  for (const { values, present, ...more } of measures) {
    const [kept, there] = yield* together(
      multiply(party, values, where),
      ...(present === undefined ? [] : [multiply(party, present, where)]),
    )
    counted.push({ values: kept, ...(there !== undefined && { present: there }), ...more })
  }
  return counted
}

/** 1 for the first row of each entity of a group that counts; for every row that counts where rows are entities. */
function* membersOf(
  party: Party,
  sameKey: Binary,
  entities: Arithmetic | undefined,
  where: Arithmetic | undefined,
  rows: number,
): Protocol<Arithmetic> {
  if (entities === undefined) return where ?? known(party, new BigUint64Array(rows).fill(1n))
  const again = yield* and(party, sameKey, yield* equalToBefore(party, [entities]))
  const first = yield* bitsToArithmetic(party, not(party, again), rows)
  return where === undefined ? first : yield* multiply(party, first, where)
}

/** A row is the last of its group where the next is the first of its own; the last of all is. */
function followed(party: Party, first: Arithmetic): Arithmetic {
  const rows = first.own.length
  return concatenate([
    slice(first, Math.min(1, rows), rows),
    known(party, new BigUint64Array(Math.min(1, rows)).fill(1n)),
  ])
}

/** The same from bits, negated, as lanes. */
function notLast({ own, next }: Binary, rows: number): LaneShares {
  const shifted = (words: Binary['own']): Lanes => {
    const bits = lanesOf(words)
    const out = new Uint32Array(rows)
    for (let row = 1; row < rows; row++) out[row - 1] = (bits[row >>> 5]! >>> (row & 31)) & 1
    return out
  }
  return { group: 'xor', own: shifted(own), next: shifted(next) }
}

function* refuseMore(party: Party, groups: Arithmetic, bound: number): Protocol<void> {
  const more = yield* bitsToArithmetic(party, yield* atLeast(party, groups, BigInt(bound) + 1n), 1)
  const [found] = (yield* open(party, more, [0, 1, 2]))!
  if (found === 0n) return
  throw new SluiceError('RESULT_TOO_LARGE', `there are more than ${bound} groups`, {
    rule: 'mpc.groups',
    remedy: 'Allow more groups, or group by a coarser key.',
  })
}

/** Rows whose flag is one. */
function placesOf(flags: BigUint64Array): number[] {
  const places: number[] = []
  flags.forEach((flag, place) => {
    if (flag === 1n) places.push(place)
    else if (flag !== 0n) {
      throw new SluiceError('PROTOCOL_VIOLATION', 'the parties’ shares do not make a bit', {
        remedy: 'See that all parties run the same version; then everybody starts the job again.',
      })
    }
  })
  return places
}

const MINUS_ONE = 2n ** 64n - 1n

function check(measures: readonly Measure[], entities: SortKey | undefined): void {
  if (entities === undefined || measures.every(({ present }) => present === undefined)) return
  throw invalid(
    'entities are counted for all measures alike, and one has rows without a value',
    'Group by that measure alone, with its presence as `where`.',
  )
}

function invalid(reason: string, remedy: string): SluiceError {
  return new SluiceError('PARAMETER_INVALID', reason, { rule: 'mpc.parameters', remedy })
}
