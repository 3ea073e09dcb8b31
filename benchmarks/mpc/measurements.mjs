import {
  divide,
  groupBy,
  innerProducts,
  inputOf,
  isZero,
  join,
  lessThan,
  multiply,
  openAtLeast,
  openGroups,
  shuffle,
  slice,
  sortBy,
  subtract,
  totals,
  truncate,
} from '@sluice/mpc/replicated'

const ELEMENT = 8
const CELLS = 120
const LANE = 4

/**
 * What is measured: a protocol on columns that are shared already, and what it needs by theory, all three parties
 * together. `peer` is the operation of jiff-mpc.
 */
export const measurements = [
  ...[10_000, 100_000, 1_000_000, 10_000_000].map(count => ({
    name: `multiply ${count}`,
    count,
    unit: 'products',
    peer: 'smult',
    theory: { rounds: 1, bytes: 3 * ELEMENT * count },
    *protocol(party, x, y) {
      yield* multiply(party, x, y)
    },
  })),
  ...[10_000, 100_000, 1_000_000].map(comparing),
  {
    name: 'equal 1000000',
    count: 1_000_000,
    unit: 'tests',
    peer: 'seq',
    theory: { rounds: 7, bytes: bits(3 * 63 + 64, 1_000_000) },
    *protocol(party, x, y) {
      yield* isZero(party, subtract(x, y))
    },
  },
  {
    name: 'inner product of 10000000',
    count: 10_000_000,
    unit: 'rows',
    theory: { rounds: 1, bytes: 3 * ELEMENT },
    *protocol(party, x, y) {
      yield* innerProducts(party, [[x, y]])
    },
  },
  {
    name: 'truncate 1000000 by 20 bits',
    count: 1_000_000,
    unit: 'values',
    theory: { rounds: 11, bytes: bits(3 * 312 + 256, 1_000_000) },
    *protocol(party, x) {
      yield* truncate(party, x, 20)
    },
  },
  {
    name: 'divide 1024 by 1024 of 24 bits',
    count: 1_024,
    unit: 'quotients',
    theory: divisionTheory(1_024),
    *protocol(party, x, y) {
      yield* divide(party, x, y, { bits: 24 })
    },
  },
  {
    name: 'shuffle 1000000',
    count: 1_000_000,
    unit: 'rows',
    theory: { rounds: 3, bytes: 6 * ELEMENT * 1_000_000 },
    *protocol(party, x) {
      yield* shuffle(party, [x])
    },
  },
  ...[10_000, 100_000, 1_000_000].map(sorting),
  ...[10_000, 100_000, 1_000_000].map(grouping),
  {
    name: 'join 100000 rows with one by a secret key of 32 bits',
    count: 100_000,
    unit: 'rows',
    times: 3,
    theory: joinTheory(100_000),
    *protocol(party, x, y) {
      const one = slice(y, 0, 1)
      const key = values => [{ values, bits: 32 }]
      yield* join(party, { keys: key(x) }, { keys: key(one), columns: [one] })
    },
  },
  {
    name: `sum and count of 1000000 rows in ${CELLS} public cells, opened from 10 rows on`,
    count: 1_000_000,
    unit: 'rows',
    // a weighting of the first dimension, the cells' counts and sums, then the rule and the opening
    theory: {
      rounds: 1 + 2 + 12,
      bytes:
        3 * ELEMENT * (6 * 1_000_000 + 2 * CELLS) + bits(3 * 181 + 64, CELLS) + ELEMENT * CELLS * (4 + 6 + 9),
    },
    *protocol(party, x, y) {
      const dimensions = [Array(6).fill(x), Array(20).fill(y)]
      yield* openAtLeast(party, yield* totals(party, dimensions, [{ values: x }]), 10n, [0, 1, 2])
    },
  },
]

/**
 * What takes minutes and, for a sort, some 4 GB in each of the three processes: with `--growth`, once each, and nothing
 * else. Sorts end at 2^24 rows.
 */
export const growth = [comparing, sorting, grouping].map(of => ({ ...of(10_000_000), times: 1 }))

function comparing(count) {
  return {
    name: `compare ${count}`,
    count,
    unit: 'comparisons',
    peer: 'slt',
    theory: { rounds: 8, bytes: bits(3 * 181 + 64, count) },
    *protocol(party, x, y) {
      yield* lessThan(party, x, y)
    },
  }
}

function sorting(count) {
  return {
    name: `sort ${count} by 32 bits, with a column`,
    count,
    unit: 'rows',
    times: 3,
    theory: sortTheory(count, 1),
    *protocol(party, x, y) {
      yield* sortBy(party, [{ values: x, bits: 32 }], [y])
    },
  }
}

function grouping(count) {
  return {
    name: `sum of ${count} by a secret key of 32 bits, opened from 10 rows on`,
    count,
    unit: 'rows',
    times: 3,
    theory: groupTheory(count),
    *protocol(party, x, y) {
      const groups = yield* groupBy(party, [{ values: x, bits: 32 }], [{ values: y }])
      yield* openGroups(party, groups, 10n, [0, 1, 2])
    },
  }
}

/** Two columns, one from party 0 and one from party 1. */
export function* columns(party, count) {
  const column = new BigUint64Array(count).fill(1n)
  const x = yield* inputOf(party, 0, party.index === 0 ? column : count)
  const y = yield* inputOf(party, 1, party.index === 1 ? column : count)
  return [x, y]
}

/** Planes are whole words of 64 values. */
function bits(perValue, count) {
  return perValue * Math.ceil(count / 64) * ELEMENT
}

/**
 * The bits of 32-bit keys; for ten digits of three bits and one of two the indicators, destinations, their shuffle with
 * row numbers and what is left of the keys, and their opening, in lanes of 4 bytes; then the columns.
 */
function sortTheory(count, columns) {
  const lanes = 10 * (21 + 3 + 18 + 3) + (9 + 3 + 12 + 3) + 9
  const bytes = bits(3 * 151 + 32, count) + count * (LANE * lanes + 6 * ELEMENT * columns)
  return { rounds: 7 + 11 * 7 + 7, bytes }
}

/** A sort; equality and its bit; the last rows to the front; products; then the rule, a shuffle, and one group. */
function groupTheory(count) {
  const sorted = sortTheory(count, 2)
  const grouped = LANE * (6 + 9) + ELEMENT * (4 + 4 * 6 + 3 * 3)
  const opened = ELEMENT * (4 + 3 * 4 + 6 * 6 + 3)
  const bytes = bits(3 * 63 + 64 + 3 * 181 + 64, count) + count * (grouped + opened) + 3 * ELEMENT * 5
  return { rounds: sorted.rounds + 7 + 2 + 3 + 4 + 1 + 16, bytes: sorted.bytes + bytes }
}

/** Both sides sorted, with the bit of who has no key; equality and its bit; back to the left side's order; products. */
function joinTheory(count) {
  const lanes = 10 * (21 + 3 + 24 + 3) + (9 + 3 + 18 + 3) + (3 + 3 + 12 + 3)
  const rows = count + 1
  const sorted = bits(3 * 151 + 33, rows) + rows * (LANE * (lanes + 9) + 6 * ELEMENT * 4)
  const restored = bits(3 * 63 + 64, rows) + rows * (4 * ELEMENT + LANE * 9 + 6 * ELEMENT * 3)
  const rounds = { right: 98 + 7 + 2 + 1 + 7 + 2 + 1, both: 98 + 7 + 2 + 4 + 1 + 1 }
  return { rounds: rounds.right + rounds.both, bytes: sorted + restored + 6 * ELEMENT * count }
}

/** Signs, conditions and products; the bits of the dividend (24: 104 conjunctions); for each two a digit of three multiples. */
function divisionTheory(count) {
  const conditions = bits(3 * (2 * 181 + 63) + 3 * 64, count) + ELEMENT * count * (3 * 4 + 3 * 3)
  const dividend = bits(3 * 104 + 24, count) + ELEMENT * count * (3 + 24 * 4)
  const digit = bits(3 * (3 * 181 + 64), count) + ELEMENT * count * (3 * 4 + 3)
  return { rounds: 11 + 7 + 2 + 12 * 11 + 1, bytes: conditions + dividend + 12 * digit + 3 * ELEMENT * count }
}
