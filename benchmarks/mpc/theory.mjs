/**
 * What protocols of three parties need by theory: rounds, and bytes that the three send together, put together from those
 * of a product, a conjunction and an opening. It follows the papers that `docs/mpc.md` names, not the code.
 *
 * @typedef {{ rounds: number, bytes: number }} Cost
 */

const ELEMENT = 8
const LANE = 4
/** Quotients and roots of values below 2^59. */
const WIDEST = 59

/** One after the other. @param {Cost[]} costs @returns {Cost} */
export const inTurn = (...costs) => ({
  rounds: costs.reduce((sum, { rounds }) => sum + rounds, 0),
  bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0),
})

/** Side by side. @param {Cost[]} costs @returns {Cost} */
export const atOnce = (...costs) => ({
  ...inTurn(...costs),
  rounds: Math.max(...costs.map(cost => cost.rounds)),
})

/** So often, one after the other. @returns {Cost} */
export const times = (count, { rounds, bytes }) => ({ rounds: count * rounds, bytes: count * bytes })

/** Each party sends so many elements in one round. @returns {Cost} */
export const elements = count => ({ rounds: 1, bytes: 3 * ELEMENT * count })

export const products = elements
export const opening = elements

/** What is done value by value takes so many at once, and its rounds for each such block. */
const BLOCK = 2 ** 20
const blocks = values => Math.max(1, Math.ceil(values / BLOCK))

/** Conjunctions of a bit of each value, by each party, and what party 0 sends beside; planes are whole words of 64 values. */
const conjunctions = (rounds, each, first, values) => ({
  rounds: rounds * blocks(values),
  bytes: (3 * each + first) * Math.ceil(values / 64) * ELEMENT,
})

export const negative = values => conjunctions(8, 181, 64, values)
export const zero = values => conjunctions(7, 63, 64, values)

/** Packed bits as a column of zeros and ones: an element of each party, and another of party 0. */
export const unpacked = bits => ({ rounds: 2 * blocks(bits), bytes: 4 * ELEMENT * bits })

/** The same of several planes in one, each filled up to whole words. */
const unpackedPlanes = (values, planes) => unpacked(planes * padded(values))

const padded = values => 64 * Math.ceil(values / 64)

/** The lowest bits of values: a summand of party 0, and Sklansky's adder. */
export function toBits(values, bits) {
  const [rounds, each] = adder(bits)
  return conjunctions(1 + rounds, each, bits, values)
}

/** Rounds, and conjunctions a value: those that generate a carry, and those of a prefix tree over all planes but the highest. */
function adder(planes) {
  let each = planes - 1
  let rounds = 1
  for (let span = 1; span < planes - 1; span *= 2, rounds++) {
    for (let plane = 0; plane < planes - 1; plane++)
      if ((plane & span) !== 0) each += plane >= 2 * span ? 2 : 1
  }
  return [rounds, each]
}

/** The carries out of the lowest planes and out of all: a tree for each part, the upper with what it propagates. */
export function truncation(values, bits) {
  const levels = [bits, 64 - bits].map(planes => Math.ceil(Math.log2(planes)))
  const each = 64 + (2 * (bits - 1) - levels[0]) + 2 * (63 - bits) + 1
  const carries = conjunctions(1 + Math.max(...levels) + 1, each, 64, values)
  return inTurn({ rounds: 1, bytes: ELEMENT * values }, carries, unpackedPlanes(values, 2))
}

/** One digit of a quotient or a root: which multiples are reached, how many, and what is left. */
const digit = (values, multiples) =>
  inTurn(negative(multiples * padded(values)), unpackedPlanes(values, multiples), products(values))

export function division(values, { bits = WIDEST, base = 2, digits = 0 } = {}) {
  return inTurn(
    atOnce(negative(2 * padded(values)), zero(values)),
    unpackedPlanes(values, 3),
    products(3 * values),
    atOnce(toBits(values, bits), products(values)),
    unpackedPlanes(values, bits),
    times(Math.ceil(bits / 2), digit(values, 3)),
    times(digits, digit(values, base - 1)),
    products(values),
  )
}

export const root = (values, digits = 0) =>
  inTurn(
    toBits(values, WIDEST),
    unpackedPlanes(values, WIDEST),
    times(Math.ceil(WIDEST / 2) + digits, digit(values, 1)),
  )

/** Values of a statistic, opened where conditions hold. */
export const openingWhere = (conditions, values) =>
  inTurn(
    negative(conditions),
    unpacked(conditions),
    zero(1),
    unpacked(1),
    products(values),
    opening(1 + values),
  )

/** Cells opened where they reach the minimum, with one value each. */
export const openingEach = cells =>
  inTurn(negative(cells), unpacked(cells), products(cells), opening(2 * cells))

const pairs = columns => (columns * (columns + 1)) / 2

/** Sums of squares about the means of so many columns: products of pairs, means, and corrections. */
export const scatters = columns =>
  inTurn(
    products(pairs(columns)),
    division(columns),
    products(columns),
    products(3 * pairs(columns)),
    division(pairs(columns)),
  )

export const covariance = (columns, digits) => division(pairs(columns), { base: 10, digits })

const ROOT_DIGITS = 28

/** Correlations of all columns, of which the roots are there. */
const correlated = (columns, fraction) => {
  const values = pairs(columns) - columns
  return inTurn(division(values, { digits: 2 * ROOT_DIGITS }), division(values, fraction))
}

export const correlation = (columns, digits) =>
  inTurn(root(columns, ROOT_DIGITS), correlated(columns, { base: 10, digits }))

const FIXED = 24
const fixedProducts = values => inTurn(products(values), truncation(values, FIXED))

/**
 * Coefficients of so many columns and an intercept: correlations, their decomposition, a substitution, and scaling back.
 *
 * @param {number} limit bits that a coefficient may have before the point
 */
export function regression(features, digits, limit) {
  const steps = Array.from({ length: features }, (_, step) => features - step)
  const decomposed = steps.map(below =>
    inTurn(division(below, { bits: FIXED + 8, digits: FIXED }), fixedProducts(pairs(below))),
  )
  const substituted = Array.from({ length: features - 1 }, (_, found) => fixedProducts(found + 1))
  return inTurn(
    scatters(features + 1),
    root(features + 1, ROOT_DIGITS),
    correlated(features + 1, { digits: FIXED }),
    ...decomposed,
    ...substituted,
    truncation(features + 1, 3),
    truncation(features, FIXED),
    products(2 * features),
    truncation(features, FIXED),
    division(features, { base: 10, digits }),
    truncation(features, limit),
    products(2 * features),
    division(1),
    openingWhere(1 + 5 * features, features + 1),
  )
}

/** The least of a column: neighbours are compared until one is left. */
export function knockOut(values) {
  const levels = []
  for (let left = values; left > 1; left = Math.ceil(left / 2)) {
    const compared = Math.floor(left / 2)
    levels.push(inTurn(negative(compared), unpacked(compared), products(compared)))
  }
  return inTurn(...levels)
}

/** Counts between edges, of which each is compared with every value. */
export const histogramOf = (values, edges) =>
  atOnce(...Array(edges).fill(inTurn(negative(values), unpacked(values))))

const LANE_BITS = 32
const DIGIT_BITS = 3

/**
 * The keys' bits; for each digit of three bits the indicators, destinations, their shuffle with row numbers and what is left
 * of the keys, and their opening, in lanes of 4 bytes; then the row numbers, shuffled and opened, and the columns.
 *
 * @param {number[]} keys bits of each
 */
export function sort(rows, columns, keys = [32]) {
  const digits = digitsOf(keys.reduce((sum, bits) => sum + bits, 0))
  const moved = rearranged(rows, columns)
  return inTurn(
    atOnce(...keys.map(bits => toBits(rows, bits))),
    ...digits.map(({ bits, left }) => ({
      rounds: 5 + 2 * blocks(rows),
      bytes: rows * LANE * (3 * (2 ** bits - 1) + 3 + 6 * (2 + left) + 3),
    })),
    moved,
  )
}

/** Digits, lane by lane, and how many lanes of keys still follow after each. */
function digitsOf(total) {
  const lanes = Math.ceil(total / LANE_BITS)
  return Array.from({ length: lanes }, (_, lane) => {
    const size = Math.min(LANE_BITS, total - lane * LANE_BITS)
    return Array.from({ length: Math.ceil(size / DIGIT_BITS) }, (_, digit) => {
      const bits = Math.min(DIGIT_BITS, size - digit * DIGIT_BITS)
      const isLast = (digit + 1) * DIGIT_BITS >= size
      return { bits, left: lanes - lane - (isLast ? 1 : 0) }
    })
  }).flat()
}

/** Row numbers shuffled and opened, and the columns shuffled back. */
const rearranged = (rows, columns) => ({ rounds: 7, bytes: rows * (9 * LANE + 6 * ELEMENT * columns) })

/** Targets and columns shuffled, and the targets opened. */
const placed = (rows, columns) => ({ rounds: 4, bytes: rows * (9 * LANE + 6 * ELEMENT * columns) })

/** A sort; equality and its bit; the last rows to the front; products. */
const grouped = (rows, bits) =>
  inTurn(
    sort(rows, 2, [bits]),
    zero(rows),
    unpacked(rows),
    { rounds: 1 + 2 * blocks(rows), bytes: 6 * LANE * rows },
    placed(rows, 4),
    times(blocks(rows), products((3 * rows) / blocks(rows))),
  )

/** The rule, products, a shuffle; which groups are opened to all, and five columns of them. */
const opened = (rows, groups, receivers) =>
  inTurn(
    negative(rows),
    unpackedPlanes(rows, 1),
    products(4 * rows),
    { rounds: 3, bytes: 6 * 6 * ELEMENT * rows },
    opening(rows),
    { rounds: 1, bytes: receivers * 5 * groups * ELEMENT },
  )

export const group = (rows, { bits = 32, groups = 1, receivers = 3 } = {}) =>
  inTurn(grouped(rows, bits), opened(rows, groups, receivers))

/** Both sides sorted, the right one alone before; equality and its bit; back to the left side's order; products. */
export function join(many, few, { bits = 32, columns = 1 } = {}) {
  const rows = many + few
  return inTurn(
    sort(few, 2 + columns, [1, bits]),
    zero(few),
    unpacked(few),
    products(few),
    inTurn(zero(1), unpacked(1), opening(1)),
    sort(rows, 3 + columns, [1, bits]),
    zero(rows),
    unpacked(rows),
    placed(rows, 2 + columns),
    products(many),
    products(columns * many),
  )
}

/** The parties' seeds, once a session. */
const seeds = { rounds: 1, bytes: 3 * 32 }
const shared = (rows, columns) => ({ rounds: 1, bytes: columns * rows * ELEMENT })

/** A joint job: rows with a key and a value, totalled by the key. */
export const groupJob = (rows, { bits, groups, receivers }) =>
  inTurn(seeds, shared(rows, 2), group(rows, { bits, groups, receivers }))

/**
 * A joint job: rows joined with those of another table by a key, and totalled by a category of that one; a category is
 * opened where it has enough rows and enough different keys, one of which is marked in each by a sort.
 */
export function joinJob(many, few, { bits, categories, receivers }) {
  const wide = Math.ceil(Math.log2(categories))
  const first = inTurn(
    sort(many, 3, [wide, bits, 1]),
    atOnce(zero(many), zero(many)),
    conjunctions(1, 1, 0, many),
    unpacked(many),
    products(many),
    placed(many, 1),
  )
  const totalled = inTurn(
    products(many),
    sort(many, 4, [wide]),
    zero(many),
    unpacked(many),
    { rounds: 1 + 2 * blocks(many), bytes: 6 * LANE * many },
    placed(many, 5),
    inTurn(negative(1), unpacked(1), opening(1)),
    products(4 * categories),
  )
  const released = inTurn(
    negative(2 * padded(categories)),
    conjunctions(1, 1, 0, categories),
    unpackedPlanes(categories, 1),
    products(4 * categories),
    { rounds: 3, bytes: 6 * 6 * ELEMENT * categories },
    opening(categories),
    { rounds: 1, bytes: receivers * 5 * categories * ELEMENT },
  )
  return inTurn(
    seeds,
    shared(many, 2),
    shared(few, 3),
    join(many, few, { bits, columns: 2 }),
    products(many),
    first,
    totalled,
    released,
  )
}
