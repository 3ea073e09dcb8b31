export { atLeast, isNegative, isZero, lessThan } from './compare.js'
export { bitsToArithmetic, planesToArithmetic, toBits } from './convert.js'
export { type DivideOptions, divide, type Fraction, squareRoot } from './divide.js'
export { extreme, extremes } from './extremes.js'
export {
  firstOfEach,
  type GroupOptions,
  groupBy,
  groupsIn,
  type OpenedGroups,
  openGroups,
  type SecretGroups,
} from './group.js'
export { histogram } from './histogram.js'
export { bitsOf, inputOf, provide, receiveFrom } from './input.js'
export { type Joined, type JoinSide, join } from './join.js'
export { meansIn, type OpenedMeans, openMeans } from './means.js'
export { completeCases, correlations, covariances, type Sample, type Scatter, scatter } from './moments.js'
export { and, innerProducts, multiply } from './multiply.js'
export { open, receiveOpened } from './open.js'
export {
  eachIn,
  type OpenedEach,
  type OpenedStatistics,
  openEach,
  openFromEntities,
  openWhere,
  reaching,
  statisticsIn,
} from './opening.js'
export { establish, type Index, type Party } from './party.js'
export { kthLargest, type OrderStatistics, quantiles } from './quantiles.js'
export { type QuantileFraction, type Rank, type RankedCells, ranked } from './ranked.js'
export { regress } from './regression.js'
export { score } from './score.js'
export {
  type Arithmetic,
  add,
  affineOf,
  type Binary,
  concatenate,
  gather,
  known,
  not,
  padded,
  slice,
  subtract,
  total,
  xor,
} from './shares.js'
export { type Permutations, permutations, shuffle, unshuffle } from './shuffle.js'
export { MAXIMUM_SORT_ROWS, rearranged, type SortKey, sortBy, sortingPermutation } from './sort.js'
export {
  type Cells,
  cellsIn,
  type Measure,
  noneOrEnough,
  type OpenedCells,
  openAtLeast,
  totals,
} from './totals.js'
export { divideByPublic, truncate, truncateProbabilistically } from './truncate.js'
