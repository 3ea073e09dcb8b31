import { SluiceError } from '@sluice/core'
import { type Protocol, together } from '../../session/protocol.js'
import { bitsInBlocks } from './blocks.js'
import { isZero } from './compare.js'
import { bitsToArithmetic } from './convert.js'
import type { LaneShares } from './lanes.js'
import { and, multiply } from './multiply.js'
import { open } from './open.js'
import type { Party } from './party.js'
import { equalToBefore, running, steps } from './runs.js'
import {
  type Arithmetic,
  affineOf,
  type Binary,
  concatenate,
  known,
  not,
  slice,
  subtract,
  total,
} from './shares.js'
import { fromLanes, inLanes } from './shuffle.js'
import { placed, rearranged, type SortKey, sortBy, sortingPermutation } from './sort.js'

/** One side of a join. */
export interface JoinSide {
  readonly keys: readonly SortKey[]
  /** 1 for rows that have a key, 0 for those that meet nobody; all have one unless it is given */
  readonly present?: Arithmetic
}

/** A row for every row of the left side, in its order: nobody learns which have a partner. */
export interface Joined {
  /** 1 where the row has a partner */
  readonly matched: Arithmetic
  /** the partner's columns; zero where there is none */
  readonly columns: readonly Arithmetic[]
}

/**
 * Inner join of many to one on a secret key: each row of the left side with the row of the right side that has its key,
 * of which there is at most one. Both sides are sorted as one column of keys, the right side first among equals; what
 * each row of the right side adds to the one before is summed up along the order, which needs no message and leaves in
 * every row the columns of the nearest row of the right side before it; and rows whose key is not that row's have no
 * partner. (A sort-merge join as of Blanton and Aguiar, "Private and Oblivious Set and Multiset Operations", ASIACCS
 * 2012, with the prefix sums of Hamada et al., ePrint 2014/121.)
 *
 * The output has the left side's rows, so that sizes say nothing; `matched` is the filter of what follows. Costs a sort
 * of the right side, one of both, and a test of equality for each row and key. All learn whether the right side has a
 * key twice, which ends the run.
 *
 * @throws SluiceError PARAMETER_INVALID where a key is twice on the right side, or keys differ in kind
 */
export function* join(
  party: Party,
  left: JoinSide,
  right: JoinSide & { readonly columns: readonly Arithmetic[] },
): Protocol<Joined> {
  const kinds = ({ keys }: JoinSide): string =>
    JSON.stringify(keys.map(key => [key.bits, key.signed ?? false]))
  if (kinds(left) !== kinds(right)) {
    throw invalid(
      'the keys of the two sides differ in kind',
      'Give keys of the same sizes, in the same order.',
    )
  }
  const [many, few] = [left, right].map(rowsOf) as [number, number]
  const moving = yield* filledDown(party, yield* bothInOrder(party, left, right), left.keys.length)
  const back = (yield* placed(party, moving)).map(fromLanes)
  const [same, after, ...columns] = back.map(column => slice(column, few, few + many))
  let matched = yield* multiply(party, same!, after!)
  if (left.present !== undefined) matched = yield* multiply(party, matched, left.present)
  return { matched, columns: yield* together(...columns.map(column => multiply(party, column, matched))) }
}

/** Both sides as one, the right side's rows first. */
interface BothSides {
  /** for each place in the order of the keys, which row belongs there */
  readonly index: LaneShares
  /** the keys; then what each row adds to what is there, to the right side's keys and to its columns */
  readonly columns: readonly Arithmetic[]
}

/** A protocol of its own, as what follows is, so that what it worked with is gone when it is over. */
function* bothInOrder(
  party: Party,
  left: JoinSide,
  right: JoinSide & { readonly columns: readonly Arithmetic[] },
): Protocol<BothSides> {
  const [many, few] = [left, right].map(rowsOf) as [number, number]
  const ordered = yield* inOrder(party, right, few)
  const zeros = known(party, new BigUint64Array(many))
  const bothKeys = left.keys.map((key, i) => ({
    ...key,
    descending: false,
    values: concatenate([ordered.keys[i]!, key.values]),
  }))
  const absent = concatenate([ordered.absent, zeros])
  const index = yield* sortingPermutation(party, [{ values: absent, bits: 1 }, ...bothKeys])
  const marks = new BigUint64Array(few)
  marks.fill(1n, 0, Math.min(1, few))
  const added = [known(party, marks), ...ordered.keys.map(steps), ...ordered.columns.map(steps)]
  const filled = added.map(column => concatenate([column, zeros]))
  return { index, columns: [...bothKeys.map(({ values }) => values), ...filled] }
}

/**
 * As lanes that move back by the index: whether a row's keys, so many, are those of the nearest row of the right side
 * before it, whether there is one, and its columns.
 */
function* filledDown(party: Party, { index, columns }: BothSides, keys: number): Protocol<LaneShares[]> {
  const sorted = yield* rearranged(party, index, columns)
  const [seen, ...nearest] = sorted.splice(keys).map(running)
  const equal = yield* allEqual(party, sorted, nearest.splice(0, keys))
  const flag = yield* bitsToArithmetic(party, equal, index.own.length)
  return [index, ...[flag, seen!, ...nearest].map(inLanes)]
}

interface OrderedSide {
  readonly keys: readonly Arithmetic[]
  readonly columns: readonly Arithmetic[]
  readonly absent: Arithmetic
}

/** The right side by its key, rows without one last; each key once. */
function* inOrder(
  party: Party,
  { keys, present, columns }: JoinSide & { readonly columns: readonly Arithmetic[] },
  rows: number,
): Protocol<OrderedSide> {
  const there = present ?? known(party, new BigUint64Array(rows).fill(1n))
  const absent = affineOf(party, there, MINUS_ONE, 1n)
  const order = [{ values: absent, bits: 1 }, ...keys.map(key => ({ ...key, descending: false }))]
  const values = keys.map(key => key.values)
  const sorted = yield* sortBy(party, order, [...values, ...columns, there])
  const sortedKeys = sorted.slice(0, keys.length)
  const sortedThere = sorted.at(-1)!
  const same = yield* bitsToArithmetic(party, yield* equalToBefore(party, sortedKeys), rows)
  const twice = total(yield* multiply(party, same, sortedThere))
  const isTwice = yield* bitsToArithmetic(party, not(party, yield* isZero(party, twice)), 1)
  if ((yield* open(party, isTwice, [0, 1, 2]))![0] !== 0n) {
    throw invalid('a key of the right side is there twice', 'Group the right side by its key first.')
  }
  return {
    keys: sortedKeys,
    columns: sorted.slice(keys.length, -1),
    absent: affineOf(party, sortedThere, MINUS_ONE, 1n),
  }
}

/** In which rows every column is the one of the other list, packed. */
function* allEqual(
  party: Party,
  columns: readonly Arithmetic[],
  others: readonly Arithmetic[],
): Protocol<Binary> {
  const zero = yield* together(
    ...columns.map((column, i) =>
      bitsInBlocks(party, column.own.length, (start, end) =>
        isZero(party, subtract(slice(column, start, end), slice(others[i]!, start, end))),
      ),
    ),
  )
  let all = zero[0]!
  for (const other of zero.slice(1)) all = yield* and(party, all, other)
  return all
}

const rowsOf = ({ keys }: JoinSide): number => keys[0]?.values.own.length ?? 0

const MINUS_ONE = 2n ** 64n - 1n

function invalid(reason: string, remedy: string): SluiceError {
  return new SluiceError('PARAMETER_INVALID', reason, { rule: 'mpc.join', remedy })
}
