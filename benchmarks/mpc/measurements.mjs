import {
  bitsToArithmetic,
  correlations,
  covariances,
  divide,
  extreme,
  groupBy,
  histogram,
  innerProducts,
  inputOf,
  isZero,
  join,
  known,
  kthLargest,
  lessThan,
  multiply,
  open,
  openAtLeast,
  openGroups,
  openMeans,
  quantiles,
  regress,
  scatter,
  score,
  shuffle,
  slice,
  sortBy,
  squareRoot,
  subtract,
  total,
  totals,
  truncate,
} from '@sluice/mpc/replicated'
import * as theory from './theory.mjs'

const CELLS = 120
const ROWS = 1_000_000
const EDGES = Array.from({ length: 11 }, (_, edge) => BigInt(edge))
const BOUND = 1_000n
/** Digits of a coefficient after the point, and the bits that `regress` allows before it for 10^6 rows. */
const REGRESSION = { digits: 4, limit: 23 }
const FRACTION = { base: 10, digits: 6 }
const KEY = values => ({ values, bits: 32 })

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
    theory: theory.products(count),
    *protocol(party, x, y) {
      yield* multiply(party, x, y)
    },
  })),
  ...[10_000, 100_000, 1_000_000].map(comparing),
  {
    name: `equal ${ROWS}`,
    count: ROWS,
    unit: 'tests',
    peer: 'seq',
    theory: theory.zero(ROWS),
    *protocol(party, x, y) {
      yield* isZero(party, subtract(x, y))
    },
  },
  {
    name: 'sum of 10000000, opened',
    count: 10_000_000,
    unit: 'rows',
    theory: theory.opening(1),
    *protocol(party, x) {
      yield* open(party, total(x), [0, 1, 2])
    },
  },
  {
    name: 'inner product of 10000000',
    count: 10_000_000,
    unit: 'rows',
    theory: theory.products(1),
    *protocol(party, x, y) {
      yield* innerProducts(party, [[x, y]])
    },
  },
  {
    name: `count and sum of ${ROWS} where one column is below another`,
    count: ROWS,
    unit: 'rows',
    theory: theory.inTurn(theory.negative(ROWS), theory.unpacked(ROWS), theory.products(1)),
    *protocol(party, x, y) {
      const flags = yield* bitsToArithmetic(party, yield* lessThan(party, x, y), ROWS)
      total(flags)
      yield* innerProducts(party, [[flags, x]])
    },
  },
  {
    name: `truncate ${ROWS} by 20 bits`,
    count: ROWS,
    unit: 'values',
    theory: theory.truncation(ROWS, 20),
    *protocol(party, x) {
      yield* truncate(party, x, 20)
    },
  },
  {
    name: 'divide 1024 by 1024 of 24 bits',
    count: 1_024,
    unit: 'quotients',
    peer: 'sdiv',
    theory: theory.division(1_024, { bits: 24 }),
    *protocol(party, x, y) {
      yield* divide(party, x, y, { bits: 24 })
    },
  },
  {
    name: 'square root of 1024 below 2^59',
    count: 1_024,
    unit: 'roots',
    theory: theory.root(1_024),
    *protocol(party, x) {
      yield* squareRoot(party, x)
    },
  },
  {
    name: `means of ${CELLS} cells to six decimal places, opened from 10 rows on`,
    count: CELLS,
    unit: 'cells',
    theory: theory.inTurn(theory.division(CELLS, FRACTION), theory.openingEach(CELLS)),
    *protocol(party, counts, sums) {
      yield* openMeans(party, { counts, sums }, { minimum: 10n, fraction: FRACTION }, [0, 1, 2])
    },
  },
  {
    name: `variance of ${ROWS} rows`,
    count: ROWS,
    unit: 'rows',
    times: 3,
    theory: theory.inTurn(theory.scatters(1), theory.covariance(1, FRACTION.digits)),
    *protocol(party, x) {
      const all = yield* scatter(party, { columns: [x], bound: BOUND })
      yield* covariances(party, all, { fraction: FRACTION })
    },
  },
  {
    name: `variances and covariance of two columns of ${ROWS} rows`,
    count: ROWS,
    unit: 'rows',
    times: 3,
    theory: theory.inTurn(theory.scatters(2), theory.covariance(2, FRACTION.digits)),
    *protocol(party, x, y) {
      const all = yield* scatter(party, { columns: [x, y], bound: BOUND })
      yield* covariances(party, all, { fraction: FRACTION })
    },
  },
  {
    name: `correlation of two columns of ${ROWS} rows`,
    count: ROWS,
    unit: 'rows',
    times: 3,
    theory: theory.inTurn(theory.scatters(2), theory.correlation(2, FRACTION.digits)),
    *protocol(party, x, y) {
      const all = yield* scatter(party, { columns: [x, y], bound: BOUND })
      yield* correlations(party, all, { fraction: FRACTION })
    },
  },
  {
    name: `linear regression on two columns of ${ROWS} rows`,
    count: ROWS,
    unit: 'rows',
    times: 3,
    // a coefficient has so many bits before the point that the intercept of so many rows still fits
    theory: theory.regression(2, REGRESSION.digits, REGRESSION.limit),
    *protocol(party, x, y) {
      const { digits } = REGRESSION
      yield* regress(
        party,
        { columns: [x, y, x], bound: BOUND },
        { digits, minimum: 10n, receivers: [0, 1, 2] },
      )
    },
  },
  {
    name: `smallest of ${ROWS}`,
    count: ROWS,
    unit: 'rows',
    times: 3,
    theory: theory.knockOut(ROWS),
    *protocol(party, x) {
      yield* extreme(party, 'smallest', x)
    },
  },
  {
    name: `largest of ${ROWS}`,
    count: ROWS,
    unit: 'rows',
    times: 3,
    theory: theory.knockOut(ROWS),
    *protocol(party, x) {
      yield* extreme(party, 'largest', x)
    },
  },
  {
    name: 'median and quartiles of 100000 of 32 bits',
    count: 100_000,
    unit: 'rows',
    times: 3,
    theory: theory.sort(100_000, 1),
    *protocol(party, x) {
      const quarters = [1, 2, 3].map(numerator => ({ numerator, denominator: 4 }))
      yield* quantiles(party, KEY(x), quarters)
    },
  },
  {
    name: 'threshold of the 100 largest of 100000 of 32 bits',
    count: 100_000,
    unit: 'rows',
    times: 3,
    theory: theory.sort(100_000, 1),
    *protocol(party, x) {
      yield* kthLargest(party, KEY(x), 100)
    },
  },
  {
    name: `histogram of ${ROWS} in ten bins`,
    count: ROWS,
    unit: 'rows',
    times: 3,
    theory: theory.histogramOf(ROWS, EDGES.length),
    *protocol(party, x) {
      yield* histogram(party, { values: x }, EDGES)
    },
  },
  {
    name: `scores of ${ROWS} rows with ten secret weights`,
    count: ROWS,
    unit: 'rows',
    theory: theory.products(ROWS),
    *protocol(party, x, y) {
      yield* score(party, Array(10).fill(x), slice(y, 0, 11))
    },
  },
  {
    name: `shuffle ${ROWS}`,
    count: ROWS,
    unit: 'rows',
    theory: { rounds: 3, bytes: 2 * theory.products(ROWS).bytes },
    *protocol(party, x) {
      yield* shuffle(party, [x])
    },
  },
  ...[10_000, 100_000, 1_000_000].map(sorting),
  ...[10_000, 100_000, 1_000_000].map(grouping),
  joining(100_000, 1),
  {
    name: `sum and count of ${ROWS} rows in ${CELLS} public cells, opened from 10 rows on`,
    count: ROWS,
    unit: 'rows',
    // a weighting of the first dimension, the cells' counts and sums, then the rule and the opening
    theory: theory.inTurn(
      theory.products(6 * ROWS),
      theory.products(CELLS),
      theory.products(CELLS),
      theory.negative(CELLS),
      theory.unpacked(CELLS),
      theory.products(2 * CELLS),
      theory.opening(3 * CELLS),
    ),
    *protocol(party, x, y) {
      const dimensions = [Array(6).fill(x), Array(20).fill(y)]
      yield* openAtLeast(party, yield* totals(party, dimensions, [{ values: x }]), 10n, [0, 1, 2])
    },
  },
]

/**
 * What takes minutes and, for a sort, gigabytes in each of the three processes: with `--growth`, once each, in processes of
 * their own, and nothing else. Sorts end at 2^24 rows, both sides of a join together.
 */
export const growth = [
  comparing(10_000_000),
  sorting(10_000_000),
  grouping(10_000_000),
  joining(1_000_000, 1_000_000),
  joining(10_000_000, 1),
].map(measurement => ({ ...measurement, times: 1 }))

function comparing(count) {
  return {
    name: `compare ${count}`,
    count,
    unit: 'comparisons',
    peer: 'slt',
    theory: theory.negative(count),
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
    theory: theory.sort(count, 1),
    *protocol(party, x, y) {
      yield* sortBy(party, [KEY(x)], [y])
    },
  }
}

function grouping(count) {
  return {
    name: `sum of ${count} by a secret key of 32 bits, opened from 10 rows on`,
    count,
    unit: 'rows',
    times: 3,
    theory: theory.group(count),
    *protocol(party, x, y) {
      const groups = yield* groupBy(party, [KEY(x)], [{ values: y }])
      yield* openGroups(party, groups, 10n, [0, 1, 2])
    },
  }
}

function joining(many, few) {
  return {
    name: `join ${many} rows with ${few} by a secret key of 32 bits`,
    count: many,
    unit: 'rows',
    times: 3,
    theory: theory.join(many, few),
    *protocol(party, x) {
      // each key once on the right side, for a key that is there twice ends the run
      const right = known(
        party,
        BigUint64Array.from({ length: few }, (_, row) => BigInt(row)),
      )
      yield* join(party, { keys: [KEY(x)] }, { keys: [KEY(right)], columns: [right] })
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
