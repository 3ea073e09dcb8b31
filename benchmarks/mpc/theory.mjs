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

/** Conjunctions of a bit of each value, by each party, and what party 0 sends beside; planes are whole words of 64 values. */
const conjunctions = (rounds, each, first, values) => ({
  rounds,
  bytes: (3 * each + first) * Math.ceil(values / 64) * ELEMENT,
})

export const negative = values => conjunctions(8, 181, 64, values)
export const zero = values => conjunctions(7, 63, 64, values)

/** Packed bits as a column of zeros and ones: an element of each party, and another of party 0. */
export const unpacked = bits => ({ rounds: 2, bytes: 4 * ELEMENT * bits })

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

/**
 * The bits of 32-bit keys; for ten digits of three bits and one of two the indicators, destinations, their shuffle with
 * row numbers and what is left of the keys, and their opening, in lanes of 4 bytes; then the columns.
 */
export function sort(rows, columns) {
  const lanes = 10 * (21 + 3 + 18 + 3) + (9 + 3 + 12 + 3) + 9
  const moved = { rounds: 11 * 7 + 7, bytes: rows * (LANE * lanes + 6 * ELEMENT * columns) }
  return inTurn(toBits(rows, 32), moved)
}

/** The same with a further bit of who has no key, in a lane of its own. */
function sortOfPresent(rows, columns) {
  const lanes = 10 * (21 + 3 + 24 + 3) + (9 + 3 + 18 + 3) + (3 + 3 + 12 + 3) + 9
  const moved = { rounds: 12 * 7 + 7, bytes: rows * (LANE * lanes + 6 * ELEMENT * columns) }
  return inTurn(atOnce(toBits(rows, 32), toBits(rows, 1)), moved)
}

/** A sort; equality and its bit; the last rows to the front; products; then the rule, a shuffle, and one group. */
export function group(rows) {
  const front = { rounds: 3 + 4, bytes: rows * (LANE * (6 + 9) + 6 * ELEMENT * 4) }
  const shuffled = { rounds: 3, bytes: rows * 6 * ELEMENT * 6 }
  return inTurn(
    sort(rows, 2),
    zero(rows),
    unpacked(rows),
    front,
    products(3 * rows),
    negative(rows),
    unpackedPlanes(rows, 1),
    products(4 * rows),
    shuffled,
    opening(rows),
    opening(5),
  )
}

/** Both sides sorted, the right one alone before; equality and its bit; back to the left side's order; products. */
export function join(many, few) {
  const rows = many + few
  const restored = { rounds: 4, bytes: rows * (LANE * 9 + 6 * ELEMENT * 3) }
  return inTurn(
    sortOfPresent(few, 3),
    zero(few),
    unpacked(few),
    products(few),
    inTurn(zero(1), unpacked(1), opening(1)),
    sortOfPresent(rows, 4),
    zero(rows),
    unpacked(rows),
    restored,
    products(many),
    products(many),
  )
}
