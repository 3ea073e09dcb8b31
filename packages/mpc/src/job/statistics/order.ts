import { extremes as smallestAndLargest } from '../../protocols/replicated/extremes.js'
import { multiply } from '../../protocols/replicated/multiply.js'
import { openEach, reaching } from '../../protocols/replicated/opening.js'
import type { Party } from '../../protocols/replicated/party.js'
import { kthLargest, quantiles as ofWhole } from '../../protocols/replicated/quantiles.js'
import {
  type QuantileFraction,
  type Rank,
  type RankedCells,
  ranked,
} from '../../protocols/replicated/ranked.js'
import { type Arithmetic, concatenate, known, slice, total } from '../../protocols/replicated/shares.js'
import type { SortKey } from '../../protocols/replicated/sort.js'
import type { Protocol } from '../../session/protocol.js'
import { scaled, unscaled } from '../decimal.js'
import type { Numeric } from '../expression.js'
import { invalid } from '../invalid.js'
import { checkAllowed, checkExtreme, checkSortable } from '../ordered.js'
import { groupsOf, type Query } from '../query.js'
import { type Asked, boundOf, type ChosenRows, column, namesOf, type StatisticKind, scaleOf } from './kind.js'
import type { Statistic, StatisticOf } from './schema.js'

// What is opened here is somebody's value: its owners allow it, column by column.

/** The smallest and the largest value. */
export const extremes: StatisticKind<StatisticOf<'extremes'>> = {
  columns: [1, 1],
  grouped: true,
  check: asked => {
    checkAllowed(valuesOf(asked))
    checkExtreme(boundOf(asked.query))
  },
  elements: ({ query }) => 26 * groupsOf(query).length,
  shape: ({ query }) => ({ cells: groupsOf(query).length, values: 2 }),
  *open(party, rows, { query, minimum }, receivers) {
    const { values } = rows.measures[0]!
    const cells = yield* cellsOf(party, rows)
    const counts = countsOf(party, cells, query.rows)
    // of no rows there is nothing to compare, and nothing is opened
    const { smallest, largest } =
      query.rows === 0
        ? { smallest: counts, largest: counts }
        : yield* smallestAndLargest(party, values, cells)
    const conditions = [reaching(party, counts, BigInt(minimum))]
    return yield* openEach(party, conditions, [smallest, largest], receivers)
  },
  table: ({ query }, { passed, values }) => ({
    columns: [...groupColumns(query), column('smallest', 'value'), column('largest', 'value')],
    rows: groupsOf(query).map((group, cell) => [
      ...group,
      ...values.map(cells => shown(passed[cell], cells[cell]!, query)),
    ]),
  }),
}

/** Values at stated fractions of the order. */
export const quantiles: StatisticKind<StatisticOf<'quantiles'>> = {
  columns: [1, 1],
  grouped: true,
  check: asked => {
    checkAllowed(valuesOf(asked))
    checkSortable(asked.query.rows)
    if (fractionsOf(asked.statistic).includes(undefined))
      throw invalid(asked.at, 'the fractions are no numbers of 0 to 1, of six digits at most')
  },
  elements: sorting,
  shape: ({ query, statistic }) => ({ cells: groupsOf(query).length, values: statistic.fractions.length }),
  *open(party, rows, { statistic, query, minimum }, receivers) {
    const fractions = fractionsOf(statistic) as QuantileFraction[]
    const key = keyOf(rows, query)
    const cells = yield* cellsOf(party, rows)
    let found: RankedCells
    if (cells === undefined) {
      const { values, count } = yield* ofWhole(party, key, fractions)
      found = { values: fractions.map((_, i) => slice(values, i, i + 1)), counts: count }
    } else found = yield* ranked(party, key, cells, fractions)
    const conditions = [reaching(party, found.counts, BigInt(minimum))]
    return yield* openEach(party, conditions, found.values, receivers)
  },
  table: ({ query, statistic }, { passed, values }) => ({
    columns: [...groupColumns(query), column('fraction', 'key'), column('value', 'value')],
    rows: groupsOf(query).flatMap((group, cell) =>
      statistic.fractions.map((fraction, i) => [
        ...group,
        fraction,
        shown(passed[cell], values[i]![cell]!, query),
      ]),
    ),
  }),
}

/** The value that the k largest reach. */
export const threshold: StatisticKind<StatisticOf<'threshold'>> = {
  columns: [1, 1],
  grouped: true,
  check: asked => {
    checkAllowed(valuesOf(asked))
    checkSortable(asked.query.rows)
    const { statistic, minimum, query, at } = asked
    if (statistic.k < minimum) throw invalid(at, 'k is below the minimum of entities')
    if (statistic.k > query.rows) throw invalid(at, 'k is more than the rows that there are')
  },
  elements: sorting,
  shape: ({ query }) => ({ cells: groupsOf(query).length, values: 1 }),
  *open(party, rows, { statistic: { k }, query }, receivers) {
    const key = keyOf(rows, query)
    const found =
      rows.keys.length === 0
        ? yield* ofAll(party, key, k, rows.measures[0]!.present)
        : yield* ranked(party, key, (yield* cellsOf(party, rows))!, [{ largest: k } satisfies Rank])
    return yield* openEach(party, [reaching(party, found.counts, BigInt(k))], found.values, receivers)
  },
  table: ({ query }, { passed, values }) => ({
    columns: [...groupColumns(query), column('value', 'value')],
    rows: groupsOf(query).map((group, cell) => [...group, shown(passed[cell], values[0]![cell]!, query)]),
  }),
}

const FRACTION_DIGITS = 6

function valuesOf({ query }: Asked<Statistic>): Numeric[] {
  return query.measures.flatMap(measure => (measure.kind === 'rows' ? [] : [measure.value]))
}

/** A sort's lanes, and of each cell its flags and what they are made of. */
function sorting({ query }: Asked<Statistic>): number {
  return 26 + 4 * groupsOf(query).length
}

function* ofAll(
  party: Party,
  key: SortKey,
  k: number,
  present: Arithmetic | undefined,
): Protocol<RankedCells> {
  const { values, count } = yield* kthLargest(party, key, k, present)
  return { values: [values], counts: count }
}

function keyOf({ measures }: ChosenRows, query: Query): SortKey {
  const bits = boundOf(query).toString(2).length + 1
  return { values: measures[0]!.values, bits, signed: true }
}

/** By group, in which rows it has a value; undefined where there are no groups and no value can be missing. */
function* cellsOf(party: Party, { measures, keys }: ChosenRows): Protocol<Arithmetic[] | undefined> {
  const { present } = measures[0]!
  const [first, ...others] = keys
  if (first === undefined) return present && [present]
  let cells = [...first]
  for (const flags of others) cells = yield* products(party, cells, flags)
  return present === undefined ? cells : yield* products(party, cells, [present])
}

/** Every column of one list times every column of the other, in one round. */
function* products(party: Party, a: readonly Arithmetic[], b: readonly Arithmetic[]): Protocol<Arithmetic[]> {
  const rows = a[0]!.own.length
  const pairs = a.flatMap(x => b.map(y => [x, y] as const))
  const all = yield* multiply(party, concatenate(pairs.map(([x]) => x)), concatenate(pairs.map(([, y]) => y)))
  return pairs.map((_, i) => slice(all, i * rows, (i + 1) * rows))
}

function countsOf(party: Party, cells: readonly Arithmetic[] | undefined, rows: number): Arithmetic {
  if (cells === undefined) return known(party, new BigUint64Array([BigInt(rows)]))
  return concatenate(cells.map(total))
}

function groupColumns(query: Query) {
  return namesOf(query, 'key').map(name => column(name, 'key'))
}

function shown(passed: bigint | undefined, value: bigint, query: Query): string | null {
  return passed === 1n ? unscaled(value, scaleOf(query.measures[0]!)) : null
}

function fractionsOf({ fractions }: StatisticOf<'quantiles'>): (QuantileFraction | undefined)[] {
  const denominator = 10 ** FRACTION_DIGITS
  return fractions.map(text => {
    const numerator = Number(scaled(text, FRACTION_DIGITS) ?? -1n)
    return numerator >= 0 && numerator <= denominator ? { numerator, denominator } : undefined
  })
}
