import { histogram as binned } from '../../protocols/replicated/histogram.js'
import { openEach, reaching } from '../../protocols/replicated/opening.js'
import { scaled } from '../decimal.js'
import { invalid } from '../invalid.js'
import { type Asked, column, type StatisticKind, scaleOf } from './kind.js'
import type { StatisticOf } from './schema.js'

/** How many values lie in each bin; a bin is a cell. */
export const histogram: StatisticKind<StatisticOf<'histogram'>> = {
  columns: [1, 1],
  grouped: false,
  check: asked => {
    const edges = edgesOf(asked)
    if (edges.some((edge, i) => edge === undefined || (i > 0 && edge <= edges[i - 1]!)))
      throw invalid(asked.at, 'the edges are no rising numbers of the column’s digits')
  },
  elements: ({ statistic }) => 12 * statistic.edges.length,
  shape: ({ statistic }) => ({ cells: statistic.edges.length - 1, values: 1 }),
  *open(party, { measures }, asked, receivers) {
    const counts = yield* binned(party, measures[0]!, edgesOf(asked) as bigint[])
    return yield* openEach(party, [reaching(party, counts, BigInt(asked.minimum))], [counts], receivers)
  },
  table: ({ statistic: { edges } }, { passed, values }) => ({
    columns: [column('from', 'key'), column('below', 'key'), column('count', 'value')],
    rows: Array.from(values[0]!, (count, bin) => [
      edges[bin]!,
      edges[bin + 1]!,
      passed[bin] === 1n ? count.toString() : null,
    ]),
  }),
}

function edgesOf({ statistic, query }: Asked<StatisticOf<'histogram'>>): (bigint | undefined)[] {
  return statistic.edges.map(edge => scaled(edge, scaleOf(query.measures[0]!)))
}
