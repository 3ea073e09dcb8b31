import {
  innerProducts,
  inputOf,
  isZero,
  lessThan,
  multiply,
  openAtLeast,
  sortBy,
  subtract,
  totals,
} from '@sluice/mpc/replicated'

const ELEMENT = 8
const CELLS = 120

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
  ...[10_000, 1_000_000].map(count => ({
    name: `compare ${count}`,
    count,
    unit: 'comparisons',
    peer: 'slt',
    theory: { rounds: 8, bytes: bits(3 * 181 + 64, count) },
    *protocol(party, x, y) {
      yield* lessThan(party, x, y)
    },
  })),
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
  ...[10_000, 100_000, 1_000_000].map(count => ({
    name: `sort ${count} by 32 bits, with a column`,
    count,
    unit: 'rows',
    theory: sortTheory(count, 1),
    *protocol(party, x, y) {
      yield* sortBy(party, [{ values: x, bits: 32 }], [y])
    },
  })),
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
  return {
    rounds: 7 + 11 * 7 + 7,
    bytes: bits(3 * 151 + 32, count) + count * (4 * lanes + 6 * ELEMENT * columns),
  }
}
