import {
  completeCases,
  correlations,
  covariances,
  pairsOf,
  type Sample,
  scaleFor,
  scatter,
} from '../../protocols/replicated/moments.js'
import {
  type OpenedEach,
  type OpenedStatistics,
  openFromEntities,
} from '../../protocols/replicated/opening.js'
import type { Party } from '../../protocols/replicated/party.js'
import { regress } from '../../protocols/replicated/regression.js'
import type { Protocol } from '../../session/protocol.js'
import { decimalOf } from '../decimal.js'
import type { Query } from '../query.js'
import { type Asked, boundOf, type ChosenRows, column, namesOf, type StatisticKind, scaleOf } from './kind.js'
import type { StatisticOf } from './schema.js'

const MOST_COLUMNS = 16

/** Of every two columns, and of each with itself. */
export const covariance: StatisticKind<StatisticOf<'covariance'>> = {
  ...overWhole(1),
  shape: ({ query: { measures } }) => ({ cells: 1, values: pairsOf(measures.length).length }),
  *open(party, rows, { statistic, query, minimum }, receivers) {
    const all = yield* scatter(party, yield* sampleOf(party, rows, query))
    const values = yield* covariances(party, all, { fraction: { base: 10, digits: statistic.digits } })
    return each(yield* openFromEntities(party, { count: all.count, values }, BigInt(minimum), receivers))
  },
  table: (asked, opened) => {
    const scales = asked.query.measures.map(scaleOf)
    return ofPairs(asked, opened, true, (i, j) => asked.statistic.digits + scales[i]! + scales[j]!)
  },
}

/** Of every two different columns. */
export const correlation: StatisticKind<StatisticOf<'correlation'>> = {
  ...overWhole(2),
  shape: ({ query: { measures } }) => ({
    cells: 1,
    values: pairsOf(measures.length).length - measures.length,
  }),
  *open(party, rows, { statistic, query, minimum }, receivers) {
    const all = yield* scatter(party, yield* sampleOf(party, rows, query))
    const values = yield* correlations(party, all, { fraction: { base: 10, digits: statistic.digits } })
    return each(yield* openFromEntities(party, { count: all.count, values }, BigInt(minimum), receivers))
  },
  table: (asked, opened) => ofPairs(asked, opened, false, () => asked.statistic.digits),
}

/** The last column, explained by those before it. */
export const regression: StatisticKind<StatisticOf<'regression'>> = {
  ...overWhole(2),
  shape: ({ query: { measures } }) => ({ cells: 1, values: measures.length }),
  *open(party, rows, { statistic: { digits }, query, minimum }, receivers) {
    const sample = yield* sampleOf(party, rows, query)
    return each(yield* regress(party, sample, { minimum: BigInt(minimum), digits, receivers }))
  },
  table: ({ statistic, query }, { passed, values }) => {
    const names = namesOf(query, 'value')
    const scales = query.measures.map(scaleOf)
    const explained = statistic.digits + scales.at(-1)!
    return {
      columns: [column('column', 'key'), column('coefficient', 'value')],
      rows: values.map(([value], j) => {
        const intercept = j === values.length - 1
        return [
          intercept ? 'intercept' : names[j]!,
          passed[0] === 1n ? decimalOf(value!, intercept ? explained : explained - scales[j]!) : null,
        ]
      }),
    }
  },
}

/** Without groups, over all rows that have a value in every column. */
function overWhole(least: number): Pick<StatisticKind, 'columns' | 'grouped' | 'check' | 'elements'> {
  return {
    columns: [least, MOST_COLUMNS],
    grouped: false,
    check: ({ query }) => {
      scaleFor(BigInt(query.rows), boundOf(query))
    },
    elements: () => 0,
  }
}

function* sampleOf(party: Party, { measures }: ChosenRows, query: Query): Protocol<Sample> {
  return { ...(yield* completeCases(party, measures)), bound: boundOf(query) }
}

/** One cell of several values. */
function each(opened: OpenedStatistics | undefined): OpenedEach | undefined {
  return (
    opened && {
      passed: new BigUint64Array([opened.passed ? 1n : 0n]),
      values: Array.from(opened.values, value => new BigInt64Array([value])),
    }
  )
}

function ofPairs(
  { statistic, query }: Asked<StatisticOf<'covariance' | 'correlation'>>,
  { passed, values }: OpenedEach,
  diagonal: boolean,
  digitsOf: (i: number, j: number) => number,
) {
  const names = namesOf(query, 'value')
  const pairs = pairsOf(names.length).filter(([i, j]) => diagonal || i !== j)
  return {
    columns: [column('column', 'key'), column('with', 'key'), column(statistic.kind, 'value')],
    rows: pairs.map(([i, j], place) => [
      names[i]!,
      names[j]!,
      passed[0] === 1n ? decimalOf(values[place]![0]!, digitsOf(i, j)) : null,
    ]),
  }
}
