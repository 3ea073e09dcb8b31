import type { Protocol } from '@sluice/mpc'
import {
  type Arithmetic,
  completeCases,
  concatenate,
  correlations,
  covariances,
  histogram,
  inputOf,
  type OpenedStatistics,
  open,
  openAtLeast,
  openFromEntities,
  openMeans,
  type Party,
  regress,
  scatter,
  score,
} from '@sluice/mpc/replicated'
import { describe, expect, it } from 'vitest'
import {
  correlation as fixedCorrelation,
  fit as fixedPoint,
  type Moments,
  moments,
  roots,
} from './fixed-point.js'
import { column, fieldValues, pairs, signed, stream, three } from './local.js'

const ALL = [0, 1, 2]
type Value = bigint | null

/** Columns of different owners; a null is shared as zero with a flag beside it. */
function* shared(party: Party, columns: readonly (readonly Value[])[]) {
  const given: { values: Arithmetic; present?: Arithmetic }[] = []
  for (const [place, own] of columns.entries()) {
    const owner = (place % 3) as 0 | 1 | 2
    const share = (values: (bigint | number)[]) =>
      inputOf(party, owner, party.index === owner ? column(values) : values.length)
    const values = yield* share(own.map(value => value ?? 0n))
    const nullable = own.some(value => value === null)
    given.push({
      values,
      ...(nullable && { present: yield* share(own.map(value => (value === null ? 0 : 1))) }),
    })
  }
  return given
}

/** Random columns whose entries are related to the first, a part of them missing. */
function related(seed: string, rows: number, count: number, bound: bigint, missing = 0n): Value[][] {
  const words = stream(seed).words(rows * count * 2)
  const own = (c: number, r: number): bigint => {
    const half = bound / 2n
    const noise = (words[c * rows + r]! % (2n * half + 1n)) - half
    const first = (words[r]! % (2n * half + 1n)) - half
    return c === 0 ? first : noise / BigInt(c) + (c % 2 === 0 ? first : -first)
  }
  return Array.from({ length: count }, (_, c) =>
    Array.from({ length: rows }, (_, r) =>
      missing > 0n && words[(count + c) * rows + r]! % missing === 0n ? null : own(c, r),
    ),
  )
}

/** Complete rows as numbers, by column. */
function complete(columns: readonly (readonly Value[])[]): number[][] {
  const rows = columns[0]!.flatMap((_, r) => (columns.every(values => values[r] !== null) ? [r] : []))
  return columns.map(values => rows.map(r => Number(values[r]!)))
}

const completeIntegers = (columns: readonly (readonly Value[])[]): bigint[][] => {
  const rows = columns[0]!.flatMap((_, r) => (columns.every(values => values[r] !== null) ? [r] : []))
  return columns.map(values => rows.map(r => values[r]!))
}

const mean = (x: readonly number[]) => x.reduce((sum, value) => sum + value, 0) / x.length
function deviation(x: readonly number[], y: readonly number[]): number {
  const [a, b] = [mean(x), mean(y)]
  return x.reduce((sum, value, i) => sum + (value - a) * (y[i]! - b), 0)
}
const correlation = (x: readonly number[], y: readonly number[]) =>
  deviation(x, y) / Math.sqrt(deviation(x, x) * deviation(y, y))
const upper = <T>(columns: readonly T[], diagonal: boolean): [T, T][] =>
  columns.flatMap((x, i) => columns.slice(diagonal ? i : i + 1).map((y): [T, T] => [x, y]))

type Made = (
  party: Party,
  given: Arithmetic[],
  present: Arithmetic | undefined,
) => Protocol<OpenedStatistics | undefined>

/** What party 0 gets; every receiver has to get the same. */
function opened(columns: readonly (readonly Value[])[], made: Made): OpenedStatistics {
  const { outputs } = three(function* (party): Protocol<OpenedStatistics> {
    const cases = yield* completeCases(party, yield* shared(party, columns))
    return (yield* made(party, cases.columns, cases.present))!
  })
  expect(outputs[1]).toEqual(outputs[0])
  expect(outputs[2]).toEqual(outputs[0])
  return outputs[0]!
}

const sampleOf = (columns: Arithmetic[], present: Arithmetic | undefined, bound: bigint) => ({
  columns,
  bound,
  ...(present !== undefined && { present }),
})

describe('means', () => {
  it('of cells are exact, and of suppressed cells nothing is opened', () => {
    const counts = [0, 1, 9, 10, 11, 1000, 7_000_000]
    const sums = [0n, 5n, -8n, -101n, 12_345n, -999_999_999n, 2n ** 58n]
    const { outputs } = three(function* (party) {
      const [first, second] = yield* shared(party, [counts.map(BigInt), sums])
      const cells = { counts: first!.values, sums: second!.values }
      const wanted = { minimum: 10n, fraction: { base: 10, digits: 2 } } as const
      return yield* openMeans(party, cells, wanted, [0, 2])
    })
    const expected = sums.map((sum, cell) =>
      counts[cell]! >= 10 ? (sum * 100n) / BigInt(counts[cell]!) : 0n,
    )
    expect([...outputs[0]!.means]).toEqual(expected)
    expect([...outputs[0]!.passed]).toEqual(counts.map(count => (count >= 10 ? 1n : 0n)))
    expect(outputs[2]).toEqual(outputs[0])
    expect(outputs[1]).toBeUndefined()
  })
})

describe('means of thousands of cells', () => {
  it('agree with integer division, at every edge', () => {
    const sums = [...fieldValues(3000, 'sums of cells', 59)]
    const counts = [...fieldValues(3000, 'counts of cells', 30)].map(count => (count < 0n ? -count : count))
    const { outputs } = three(function* (party) {
      const [first, second] = yield* shared(party, [counts, sums])
      const wanted = { minimum: 3n, fraction: { base: 10, digits: 1 } } as const
      return yield* openMeans(party, { counts: first!.values, sums: second!.values }, wanted, ALL)
    })
    const fits = (mean: bigint) => mean < 2n ** 63n && mean > -(2n ** 63n)
    sums.forEach((sum, cell) => {
      const mean = counts[cell]! >= 3n ? (sum * 10n) / counts[cell]! : 0n
      expect(outputs[0]!.passed[cell]).toBe(counts[cell]! >= 3n ? 1n : 0n)
      if (fits(mean)) expect(outputs[0]!.means[cell]).toBe(mean)
    })
  })
})

describe('variances and covariances', () => {
  it.each([
    { rows: 0, bound: 100n, missing: 0n },
    { rows: 1, bound: 100n, missing: 0n },
    { rows: 9, bound: 100n, missing: 1n },
    { rows: 2, bound: 100n, missing: 0n },
    { rows: 3, bound: 2n ** 20n, missing: 0n },
    { rows: 50, bound: 10n, missing: 4n },
    { rows: 1000, bound: 2n ** 20n, missing: 0n },
    { rows: 3000, bound: 2n ** 22n, missing: 5n },
  ])(
    'of three columns with $rows rows within $bound agree with a plain computation',
    ({ rows, bound, missing }) => {
      const columns = related(`cov ${rows}`, rows, 3, bound, missing)
      const of = rows % 2 === 0 ? 'sample' : 'population'
      const fraction = { base: 10, digits: 3 } as const
      const { passed, values } = opened(columns, function* (party, given, present) {
        const all = yield* scatter(party, sampleOf(given, present, 2n * bound))
        const wanted = yield* covariances(party, all, { fraction, of })
        return yield* openFromEntities(party, { count: all.count, values: wanted }, 0n, ALL)
      })
      const plain = complete(columns)
      const divisor = Math.max(0, plain[0]!.length - (of === 'sample' ? 1 : 0))
      expect(passed).toBe(true)
      const expected = upper(plain, true).map(([x, y]) => (divisor === 0 ? 0 : deviation(x, y) / divisor))
      // to the last digit where fixed-point integers are divided without any sharing
      const all = moments(completeIntegers(columns), rows, 2n * bound)
      const below = all.scale * BigInt(divisor)
      const exact = upper([0, 1, 2], true).map(([i, j]) =>
        below === 0n ? 0n : (all.deviations[i]![j]! * 1000n) / below,
      )
      expect([...values]).toEqual(exact)
      for (const [place, value] of expected.entries()) {
        const error = Math.abs(Number(values[place]!) / 1000 - value)
        expect(error).toBeLessThanOrEqual(0.001 + 1 / Math.max(1, divisor) + Math.abs(value) * 1e-12)
      }
    },
  )

  it('are exact where the ring has room', () => {
    const columns = [
      [1n, 2n, 4n, 4n],
      [-1n, 0n, 0n, 3n],
    ]
    const { values } = opened(columns, function* (party, given, present) {
      const all = yield* scatter(party, sampleOf(given, present, 4n))
      const wanted = yield* covariances(party, all, { fraction: { base: 10, digits: 6 }, of: 'sample' })
      return yield* openFromEntities(party, { count: all.count, values: wanted }, 1n, ALL)
    })
    expect([...values]).toEqual([2_250_000n, 1_833_333n, 3_000_000n])
  })

  it('of too few entities are not opened', () => {
    const columns = related('few', 30, 2, 1000n, 3n)
    const entities = BigInt(complete(columns)[0]!.length)
    for (const minimum of [entities, entities + 1n]) {
      const { passed, values } = opened(columns, function* (party, given, present) {
        const all = yield* scatter(party, sampleOf(given, present, 2000n))
        const wanted = yield* covariances(party, all, { fraction: { base: 10, digits: 2 } })
        return yield* openFromEntities(party, { count: all.count, values: wanted }, minimum, ALL)
      })
      expect(passed).toBe(minimum === entities)
      expect([...values].some(value => value !== 0n)).toBe(passed)
    }
  })

  it('refuse what does not fit the ring', async () => {
    const columns = [[1n, 2n, 3n]]
    const wanted = (bound: bigint, digits: number) => () =>
      opened(columns, function* (party, given) {
        const all = yield* scatter(party, { columns: given, bound })
        const values = yield* covariances(party, all, { fraction: { base: 10, digits } })
        return yield* openFromEntities(party, { count: all.count, values }, 1n, ALL)
      })
    await expect(wanted(2n ** 29n, 0)).toThrowWithCode('PARAMETER_INVALID')
    await expect(wanted(2n ** 20n, 8)).toThrowWithCode('PARAMETER_INVALID')
    await expect(wanted(-1n, 0)).toThrowWithCode('PARAMETER_INVALID')
  })
})

describe('correlations', () => {
  it.each([
    { rows: 3, bound: 5n, missing: 0n },
    { rows: 200, bound: 100n, missing: 6n },
    { rows: 3000, bound: 2n ** 22n, missing: 0n },
  ])(
    'of three columns with $rows rows within $bound agree with a plain computation',
    ({ rows, bound, missing }) => {
      const columns = related(`cor ${rows}`, rows, 3, bound, missing)
      const { values } = opened(columns, function* (party, given, present) {
        const all = yield* scatter(party, sampleOf(given, present, 2n * bound))
        const wanted = yield* correlations(party, all, { fraction: { base: 10, digits: 7 } })
        return yield* openFromEntities(party, { count: all.count, values: wanted }, 1n, ALL)
      })
      for (const [place, [x, y]] of upper(complete(columns), false).entries()) {
        const expected = correlation(x, y)
        expect(Math.abs(Number(values[place]!) / 1e7 - expected)).toBeLessThan(2e-7)
      }
      const all = moments(completeIntegers(columns), rows, 2n * bound)
      const root = roots(all)
      const exact = upper([0, 1, 2], false).map(pair => fixedCorrelation(all, root, pair, 10n ** 7n))
      expect([...values]).toEqual(exact)
    },
  )

  it('are never further off than is proven, over 4,000 tables', () => {
    let worst = 0
    for (let table = 0; table < 4000; table++) {
      const [rows, bound] = [2 + (table % 31), 2n ** BigInt(1 + (table % 20))]
      const given = related(`pair ${table}`, rows, 2, bound) as bigint[][]
      const all = moments(given, rows, table % 3 === 0 ? 2n ** 24n : 2n * bound)
      const [x, y] = given.map(values => values.map(Number)) as [number[], number[]]
      const least = Number(all.scale) * Math.min(deviation(x, x), deviation(y, y))
      if (least < 4) continue
      const found = Number(fixedCorrelation(all, roots(all), [0, 1], 1n << 40n)) * 2 ** -40
      const allowed = 2 ** -26 + 4 / least + 2 ** -40
      worst = Math.max(worst, Math.abs(found - correlation(x, y)) / allowed)
    }
    expect(worst).toBeLessThan(1)
    expect(worst).toBeGreaterThan(0.1)
  })

  it('are 1, −1 and 0 where they are, and 0 of a column that does not vary', () => {
    const x = Array.from({ length: 20 }, (_, i) => BigInt(i) ** 3n)
    const columns = [x, x.map(value => 7n - 3n * value), Array(20).fill(5n)]
    const { values } = opened(columns, function* (party, given, present) {
      const all = yield* scatter(party, sampleOf(given, present, 100_000n))
      const wanted = yield* correlations(party, all, { fraction: { base: 10, digits: 6 } })
      return yield* openFromEntities(party, { count: all.count, values: wanted }, 1n, ALL)
    })
    expect(values[0]! + 1_000_000n).toBeLessThanOrEqual(1n)
    expect(values[1]).toBe(0n)
    expect(values[2]).toBe(0n)
  })
})

describe('variances, covariances and correlations of two thousand pairs of columns', () => {
  const COLUMNS = 34
  const BOUND = 2n ** 20n

  /** Columns of every kind: at the bound, that do not vary, alike, opposite, and random ones of every size. */
  function varied(rows: number, missing: bigint): Value[][] {
    const words = stream(`varied ${rows}`).words(rows * COLUMNS * 2)
    const made = Array.from({ length: COLUMNS }, (_, c) =>
      Array.from({ length: rows }, (_, r): bigint => {
        const word = words[c * rows + r]!
        if (c < 3) return [BOUND, -BOUND, 0n][c]!
        if (c === 3) return r % 2 === 0 ? BOUND : -BOUND
        return BigInt.asIntN(1 + (c % 20), word)
      }),
    )
    made[5] = made[4]!.map(value => -value)
    made[6] = [...made[4]!]
    return made.map((values, c) =>
      values.map((value, r) =>
        missing > 0n && words[(COLUMNS + c) * rows + r]! % (missing * BigInt(COLUMNS)) === 0n ? null : value,
      ),
    )
  }

  it.each([
    { rows: 1, missing: 0n },
    { rows: 3, missing: 0n },
    { rows: 12, missing: 3n },
    { rows: 50, missing: 2n },
  ])('of $rows rows are those of fixed-point integers, to the last digit', ({ rows, missing }) => {
    const columns = varied(rows, missing)
    const { values } = opened(columns, function* (party, given, present) {
      const all = yield* scatter(party, sampleOf(given, present, BOUND))
      const covered = yield* covariances(party, all, { fraction: { base: 10, digits: 3 }, of: 'sample' })
      const correlated = yield* correlations(party, all, { fraction: { base: 10, digits: 7 } })
      const found = concatenate([covered, correlated])
      return yield* openFromEntities(party, { count: all.count, values: found }, 0n, ALL)
    })
    const all = moments(completeIntegers(columns), rows, BOUND)
    const below = all.scale * (all.count > 0n ? all.count - 1n : 0n)
    const places = [...columns.keys()]
    const covered = upper(places, true).map(([i, j]) =>
      below === 0n ? 0n : (all.deviations[i]![j]! * 1000n) / below,
    )
    const root = roots(all)
    const correlated = upper(places, false).map(pair => fixedCorrelation(all, root, pair, 10n ** 7n))
    expect([...values]).toEqual([...covered, ...correlated])
  })
})

describe('histograms', () => {
  it.each([0, 1, 2000])('of %i values, a part of them missing, agree with a loop', rows => {
    const [a] = pairs(rows, 'histogram', 63)
    const values = Array.from(a, (value, i): Value => (i % 7 === 3 ? null : signed(value)))
    const edges = [-(2n ** 62n), -1000n, -1n, 0n, 1n, 5n, 2n ** 31n, 2n ** 61n]
    for (const given of [values, values.map(value => value ?? 3n)]) {
      const { outputs } = three(function* (party) {
        const [measure] = yield* shared(party, [given])
        return (yield* open(party, yield* histogram(party, measure!, edges), ALL))!
      })
      const expected = edges
        .slice(1)
        .map((edge, i) => given.filter(value => value !== null && value >= edges[i]! && value < edge).length)
      for (const output of outputs) expect(output).toEqual(column(expected))
    }
  })

  it('open no bin below the minimum', () => {
    const { outputs } = three(function* (party) {
      const [measure] = yield* shared(party, [[1n, 1n, 1n, 12n, 12n, 30n]])
      const counts = yield* histogram(party, measure!, [0n, 10n, 20n, 40n])
      return (yield* openAtLeast(party, { counts: [counts], sums: [counts] }, 2n, ALL))!
    })
    expect(outputs[0]!.counts).toEqual([column([3, 2, 0])])
  })

  it.each([[[1n]], [[1n, 1n]], [[2n, 1n, 3n]]])('refuses the edges %s', async edges => {
    await expect(() =>
      three(function* (party) {
        const [measure] = yield* shared(party, [[1n]])
        return yield* histogram(party, measure!, edges)
      }),
    ).toThrowWithCode('PARAMETER_INVALID')
  })
})

describe('scores', () => {
  it.each([0, 1, 2000])('of %i rows under secret weights agree with a loop', rows => {
    const columns = [0, 1, 2, 3].map(c => [...fieldValues(rows, `features ${c}`, 40)])
    const weights = [7n, -3n, 2n ** 20n, -(2n ** 22n), 123_456n]
    const { outputs } = three(function* (party) {
      const given = yield* shared(party, [weights, ...columns])
      const [w, ...features] = given.map(({ values }) => values)
      return (yield* open(party, yield* score(party, features, w!), ALL))!
    })
    const expected = Array.from({ length: rows }, (_, r) =>
      columns.reduce((sum, values, c) => sum + values[r]! * weights[c]!, weights[4]!),
    )
    for (const output of outputs) expect(output).toEqual(column(expected))
  })
})

/** Ordinary least squares by the same formulas in doubles. */
function plainRegression(columns: readonly (readonly number[])[]): number[] {
  const features = columns.length - 1
  const a = Array.from({ length: features }, (_, i) =>
    Array.from({ length: features + 1 }, (_, j) => deviation(columns[i]!, columns[j]!)),
  )
  for (let step = 0; step < features; step++) {
    for (let i = 0; i < features; i++) {
      if (i === step) continue
      const factor = a[i]![step]! / a[step]![step]!
      for (let j = step; j <= features; j++) a[i]![j]! -= factor * a[step]![j]!
    }
  }
  const slopes = a.map((row, i) => row[features]! / row[i]!)
  return [
    ...slopes,
    mean(columns[features]!) - slopes.reduce((sum, slope, i) => sum + slope * mean(columns[i]!), 0),
  ]
}

/** The least eigenvalue of a symmetric matrix, by Jacobi's rotations (Golub and Van Loan, section 8.5). */
function leastEigenvalue(matrix: readonly (readonly number[])[]): number {
  const a = matrix.map(row => [...row])
  for (let sweep = 0; sweep < 12; sweep++) {
    for (const [p, q] of upper([...a.keys()], false)) {
      if (a[p]![q] === 0) continue
      const theta = (a[q]![q]! - a[p]![p]!) / (2 * a[p]![q]!)
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
      const c = 1 / Math.hypot(t, 1)
      for (const row of a) [row[p], row[q]] = [c * (row[p]! - t * row[q]!), c * (t * row[p]! + row[q]!)]
      const [first, second] = [a[p]!, a[q]!]
      a[p] = first.map((x, i) => c * (x - t * second[i]!))
      a[q] = first.map((x, i) => c * (t * x + second[i]!))
    }
  }
  return Math.min(...a.map((row, i) => row[i]!))
}

/**
 * How far off the worst coefficient and the intercept are, as a part of the proven bounds of `regress`; undefined where nothing would be
 * opened, or where the bound does not hold.
 *
 * @param shift added to a standardized coefficient, to see that it would be noticed
 */
function errorOf(
  plain: readonly (readonly number[])[],
  all: Moments,
  { digits = 6, shift = 0 }: { digits?: number; shift?: number } = {},
): { slope: number; intercept: number } | undefined {
  const features = plain.length - 1
  const squares = plain.map(x => deviation(x, x))
  const leastSquare = Number(all.scale) * Math.min(...squares)
  if (leastSquare < 4) return undefined
  const { standardized, pivots, opened: values } = fixedPoint(all, digits)
  const unit = 2 ** -24
  if (pivots.some(pivot => Number(pivot) * unit < 2 ** -8)) return undefined
  if (standardized.some(value => Math.abs(Number(value) * unit) >= 16)) return undefined
  const explaining = plain.slice(0, features)
  const least = leastEigenvalue(explaining.map(x => explaining.map(y => correlation(x, y))))
  const relative = features ** 2 * 2 ** -22 + (8 * features) / leastSquare
  if (least < 2 * relative) return undefined
  const norm = Math.max(1, Math.hypot(...standardized.map(value => Number(value) * unit)))
  const expected = plainRegression(plain)
  const last = 10 ** -digits
  const slopes = values.slice(0, features).map(value => Number(value) * last)
  const units = squares.slice(0, features).map(square => Math.sqrt(squares[features]! / square))
  // doubles are off too, by some 2^-50 of what is summed
  const doubles = 2 ** -44 / least
  const parts = slopes.map((slope, j) => {
    const allowed = units[j]! * ((norm / least) * relative + doubles) + last
    return Math.abs(slope + units[j]! * shift - expected[j]!) / allowed
  })
  const moved = slopes.reduce((sum, slope, j) => sum + Math.abs((slope - expected[j]!) * mean(plain[j]!)), 0)
  const intercept = Math.abs(Number(values[features]!) * last - expected[features]!)
  const size = plain.reduce((sum, x, j) => sum + Math.abs(mean(x) * (slopes[j] ?? 1)), 0)
  return { slope: Math.max(...parts), intercept: intercept / (moved + last + size * doubles) }
}

describe('linear regression', () => {
  const fit = (columns: readonly (readonly Value[])[], bound: bigint, digits = 6, minimum = 10n) =>
    opened(columns, function* (party, given, present) {
      return yield* regress(party, sampleOf(given, present, bound), { minimum, digits, receivers: ALL })
    })

  it.each([
    { rows: 40, features: 1, bound: 100n, missing: 0n },
    { rows: 500, features: 2, bound: 10_000n, missing: 9n },
    { rows: 3000, features: 4, bound: 2n ** 20n, missing: 0n },
  ])('on $features columns of $rows rows agrees with doubles', ({ rows, features, bound, missing }) => {
    const given = related(`reg ${rows}`, rows, features, bound, missing)
    const noise = stream(`noise ${rows}`).words(rows)
    const y = Array.from({ length: rows }, (_, r) => {
      const explained = given.reduce((sum, values, c) => sum + (values[r] ?? 0n) * BigInt(c + 1), 0n)
      return (explained + (BigInt.asIntN(64, noise[r]!) % bound)) / BigInt(features + 1) + 17n
    })
    const columns = [...given, y]
    const { passed, values } = fit(columns, 4n * bound)
    expect(passed).toBe(true)
    const all = moments(completeIntegers(columns), rows, 4n * bound)
    expect([...values]).toEqual(fixedPoint(all, 6).opened)
    const error = errorOf(complete(columns), all)!
    expect(Math.max(error.slope, error.intercept)).toBeLessThan(1)
  })

  it('is never further off than is proven, over 6,000 tables, good ones and bad ones', () => {
    const worst = { error: 0, opened: 0 }
    for (let table = 0; table < 6000; table++) {
      const features = 1 + (table % 5)
      const rows = features + 2 + (table % 23)
      const bound = 2n ** BigInt(2 + (table % 19))
      const given = related(`table ${table}`, rows, features + 1, bound) as bigint[][]
      // every other table has two columns that are nearly one, nearer and nearer
      const near = 1n + (bound >> BigInt(table % 17))
      if (table % 2 === 1 && features > 1)
        given[1] = given[0]!.map((value, row) => value + (given[1]![row]! % near))
      const loose = table % 3 === 0 ? 2n ** BigInt(22 + (table % 2)) : 2n * bound
      const all = moments(given, rows, loose)
      // so many digits that their rounding hides nothing
      const error = errorOf(
        given.map(values => values.map(Number)),
        all,
        { digits: 12 },
      )
      if (error === undefined) continue
      worst.opened++
      worst.error = Math.max(worst.error, error.slope)
      expect(error.intercept).toBeLessThan(1)
    }
    expect(worst.opened).toBeGreaterThan(4000)
    expect(worst.error).toBeLessThan(1)
    // nor is the bound so wide that nothing comes near it
    expect(worst.error).toBeGreaterThan(0.1)
  })

  it('is not measured by a bound that anything would meet: one coefficient off by 2^-16 is beyond it', () => {
    const given = related('off', 40, 3, 1000n) as bigint[][]
    const plain = given.map(values => values.map(Number))
    const all = moments(given, 40, 2000n)
    expect(errorOf(plain, all)!.slope).toBeLessThan(1)
    expect(errorOf(plain, all, { shift: 2 ** -16 })!.slope).toBeGreaterThan(1)
  })

  it('opens nothing where a column is a combination of others, does not vary, or entities are few', () => {
    const [a, b] = related('collinear', 50, 2, 1000n) as [bigint[], bigint[]]
    const y = a.map((value, i) => value + b[i]!)
    for (const columns of [
      [a, a.map(value => 2n * value), y],
      [a, Array(50).fill(3n), y],
    ]) {
      const { passed, values } = fit(columns, 4000n)
      expect(passed).toBe(false)
      expect([...values]).toEqual([0n, 0n, 0n])
    }
    expect(fit([a, b, y], 4000n, 6, 51n)).toEqual({ passed: false, values: new BigInt64Array(3) })
  })

  it('refuses digits that do not fit, and no column', async () => {
    await expect(() =>
      fit(
        [
          [1n, 2n],
          [2n, 3n],
        ],
        100n,
        18,
      ),
    ).toThrowWithCode('PARAMETER_INVALID')
    await expect(() => fit([[1n, 2n]], 100n)).toThrowWithCode('PARAMETER_INVALID')
  })
})

describe('what it costs', () => {
  it('is what the documentation says: rounds, and ring elements that each party sends', () => {
    const rows = 640
    const columns = [0, 1, 2].map(c => [...fieldValues(rows, `costs ${c}`, 10)])
    const cost = (protocol: (party: Party, given: Arithmetic[]) => Protocol<unknown>) => {
      const [base, full] = [false, true].map(more =>
        three(function* (party) {
          const given = (yield* shared(party, columns)).map(({ values }) => values)
          return more ? yield* protocol(party, given) : undefined
        }),
      )
      return {
        rounds: full!.rounds - base!.rounds,
        elements: full!.bytesSent.map((bytes, index) => (bytes - base!.bytesSent[index]!) / 8),
      }
    }
    const all = (party: Party, given: Arithmetic[]) => scatter(party, { columns: given, bound: 2n ** 10n })
    const weights = {
      kind: 'arithmetic',
      own: new BigUint64Array(4),
      next: new BigUint64Array(4),
    } as Arithmetic
    expect(cost((party, given) => score(party, given, weights))).toEqual({
      rounds: 1,
      elements: [rows, rows, rows],
    })
    const edges = cost((party, given) => histogram(party, { values: given[0]! }, [0n, 1n, 2n]))
    expect(edges).toEqual({
      rounds: 10,
      elements: [(373 / 64) * 3 * rows, (245 / 64) * 3 * rows, (245 / 64) * 3 * rows],
    })
    const moments = cost(all)
    function* allCorrelations(party: Party, given: Arithmetic[]) {
      yield* correlations(party, yield* all(party, given), { fraction: { base: 10, digits: 6 } })
    }
    const related = cost(allCorrelations)
    const fitted = [1, 2].map(features =>
      cost((party, given) => {
        const sample = { columns: given.slice(0, features + 1), bound: 2n ** 10n }
        return regress(party, sample, { minimum: 10n, digits: 6, receivers: ALL })
      }),
    )
    expect(moments.rounds).toBe(707)
    expect(related.rounds - moments.rounds).toBe(2034)
    expect(fitted.map(({ rounds }) => rounds)).toEqual([3764 + 485, 3764 + 2 * 485])
    // however many rows: what is sent is about the results
    expect(Math.max(...moments.elements)).toBeLessThan(90_000)
  })
})
