import { SluiceError } from '@sluice/core'
import { histogram } from '../protocols/replicated/histogram.js'
import {
  completeCases,
  correlations,
  covariances,
  pairsOf,
  type Sample,
  scaleFor,
  scatter,
} from '../protocols/replicated/moments.js'
import { multiply } from '../protocols/replicated/multiply.js'
import { receiveOpened } from '../protocols/replicated/open.js'
import { type OpenedStatistics, openFromEntities, statisticsIn } from '../protocols/replicated/opening.js'
import type { Party } from '../protocols/replicated/party.js'
import { regress } from '../protocols/replicated/regression.js'
import {
  cellsIn,
  type OpenedCells,
  openAtLeast,
  type Measure as SharedMeasure,
} from '../protocols/replicated/totals.js'
import type { Protocol } from '../session/protocol.js'
import type { Chunk } from './clear.js'
import { scaled, unscaled } from './decimal.js'
import { invalid } from './invalid.js'
import { type JointOperation, partyIndex, type Statistic } from './job.js'
import { ELEMENT_BYTES, type Running } from './protocol.js'
import type { Query } from './query.js'
import type { JointTable } from './result.js'
import { SharedRows, shareRows } from './shared.js'

/** For each pair, bin or coefficient its value; null where the minimum, or another condition, was not met. */
export type OpenedValues = readonly (bigint | null)[]

const MOST_COLUMNS = 16

/**
 * @throws SluiceError JOB_INVALID where the columns are not what the statistic is over, PARAMETER_INVALID where their
 * bounds are too large for it
 */
export function checkStatistic({ name, statistic }: JointOperation, { measures, rows }: Query): void {
  if (statistic === undefined) return
  const at = `operations.${name}`
  const [least, most] = COLUMNS[statistic.kind]
  if (measures.length < least || measures.length > most)
    throw invalid(at, `a ${statistic.kind} is over ${least} to ${most} columns`)
  if (statistic.kind === 'histogram') {
    const edges = edgesOf(statistic, scaleOf(measures[0]!))
    if (edges.some((edge, i) => edge === undefined || (i > 0 && edge <= edges[i - 1]!)))
      throw invalid(at, 'the edges are no rising numbers of the column’s digits')
  } else scaleFor(BigInt(rows), boundOf(measures))
}

/** The largest magnitude that a value of any of the columns may have, scaled. */
function boundOf(measures: Query['measures']): bigint {
  let bound = 1n
  for (const measure of measures)
    if (measure.kind !== 'rows' && measure.value.bound > bound) bound = measure.value.bound
  return bound
}

/**
 * A statistic needs its columns whole: so much memory at a party, at most.
 *
 * @throws SluiceError MEMORY_EXCEEDED
 */
export function checkMemory({ job, operation, query, shares }: Running): void {
  const { statistic } = operation
  const edges = statistic?.kind === 'histogram' ? statistic.edges.length : 0
  const needed = query.rows * (2 * shares.length + 8 * query.measures.length + 12 * edges + 4) * ELEMENT_BYTES
  if (needed <= job.limits.memory) return
  throw new SluiceError(
    'MEMORY_EXCEEDED',
    `an operation needs ${needed} bytes of memory, and the job allows ${job.limits.memory}`,
    {
      rule: 'job.limits',
      remedy: 'Make a job that allows more memory, or an operation of fewer cells.',
      facts: { needed, allowed: job.limits.memory },
    },
  )
}

/** Shares all rows, computes and opens, to the operation's receivers alone. */
export function* openStatistic(run: Running, own: Chunk | undefined): Protocol<OpenedValues | undefined> {
  const { job, operation, query, shares, self, party } = run
  const receivers = operation.receivers.map(name => partyIndex(job, name))
  const participant = {
    self,
    indexOf: (owner: string) => partyIndex(job, owner),
    ...(party !== undefined && { party }),
  }
  const columns = yield* shareRows(shares, participant, query.rows, own)
  const statistic = operation.statistic!
  if (party === undefined) {
    if (!receivers.includes(self)) return undefined
    const length = lengthOf(statistic, query.measures.length)
    if (statistic.kind === 'histogram') return countsIn(cellsIn(yield* receiveOpened(3 * length), 1))
    return valuesIn(statisticsIn(yield* receiveOpened(1 + length)))
  }
  const shared = new SharedRows(party, query.rows, columns)
  const measures = yield* chosen(party, shared, query)
  const minimum = BigInt(job.minimumEntities)
  if (statistic.kind === 'histogram') {
    const edges = edgesOf(statistic, scaleOf(query.measures[0]!)) as bigint[]
    const counts = yield* histogram(party, measures[0]!, edges)
    const opened = yield* openAtLeast(party, { counts: [counts], sums: [counts] }, minimum, receivers)
    return opened && countsIn(opened)
  }
  const sample: Sample = { ...(yield* completeCases(party, measures)), bound: boundOf(query.measures) }
  const { digits } = statistic
  if (statistic.kind === 'regression') {
    const opened = yield* regress(party, sample, { minimum, digits, receivers })
    return opened && valuesIn(opened)
  }
  const all = yield* scatter(party, sample)
  const fraction = { base: 10, digits } as const
  const values =
    statistic.kind === 'covariance'
      ? yield* covariances(party, all, { fraction })
      : yield* correlations(party, all, { fraction })
  const opened = yield* openFromEntities(party, { count: all.count, values }, minimum, receivers)
  return opened && valuesIn(opened)
}

/** What was opened, under the columns' names. */
export function statisticTable(operation: JointOperation, query: Query, values: OpenedValues): JointTable {
  const names = query.outputs.map(({ name }) => name)
  const scales = query.measures.map(scaleOf)
  const statistic = operation.statistic!
  const table = (keys: readonly string[], value: string, rows: readonly (string | null)[][]): JointTable => ({
    operation: operation.name,
    columns: [...keys.map(name => ({ name, is: 'key' as const })), { name: value, is: 'value' as const }],
    rows,
  })
  switch (statistic.kind) {
    case 'histogram':
      return table(
        ['from', 'below'],
        'count',
        values.map((count, bin) => [
          statistic.edges[bin]!,
          statistic.edges[bin + 1]!,
          count === null ? null : count.toString(),
        ]),
      )
    case 'regression':
      return table(
        ['column'],
        'coefficient',
        values.map((value, j) => {
          const explained = statistic.digits + scales.at(-1)!
          const intercept = j === values.length - 1
          return [
            intercept ? 'intercept' : names[j]!,
            written(value, intercept ? explained : explained - scales[j]!),
          ]
        }),
      )
    case 'covariance':
    case 'correlation': {
      const pairs = pairsOf(names.length).filter(([i, j]) => statistic.kind === 'covariance' || i !== j)
      return table(
        ['column', 'with'],
        statistic.kind,
        values.map((value, place) => {
          const [i, j] = pairs[place]!
          const digits = statistic.digits + (statistic.kind === 'covariance' ? scales[i]! + scales[j]! : 0)
          return [names[i]!, names[j]!, written(value, digits)]
        }),
      )
    }
  }
}

const COLUMNS: Readonly<Record<Statistic['kind'], readonly [number, number]>> = {
  histogram: [1, 1],
  covariance: [1, MOST_COLUMNS],
  correlation: [2, MOST_COLUMNS],
  regression: [2, MOST_COLUMNS],
}

/** Rows that the condition leaves out count as rows without a value. */
function* chosen(party: Party, shared: SharedRows, query: Query): Protocol<SharedMeasure[]> {
  const flags = query.condition === null ? undefined : yield* shared.condition(query.condition)
  const measures: SharedMeasure[] = []
  for (const measure of query.measures) {
    const { values, present } = yield* shared.measure(measure)
    if (flags === undefined) measures.push({ values, ...(present !== undefined && { present }) })
    else {
      measures.push({
        values: yield* multiply(party, values, flags),
        present: present === undefined ? flags : yield* multiply(party, present, flags),
      })
    }
  }
  return measures
}

function lengthOf(statistic: Statistic, columns: number): number {
  switch (statistic.kind) {
    case 'histogram':
      return statistic.edges.length - 1
    case 'covariance':
      return (columns * (columns + 1)) / 2
    case 'correlation':
      return (columns * (columns - 1)) / 2
    case 'regression':
      return columns
  }
}

function countsIn({ passed, counts }: OpenedCells): OpenedValues {
  return Array.from(counts[0]!, (count, bin) => (passed[0]![bin] === 1n ? count : null))
}

function valuesIn({ passed, values }: OpenedStatistics): OpenedValues {
  return Array.from(values, value => (passed ? value : null))
}

function edgesOf(
  statistic: Extract<Statistic, { kind: 'histogram' }>,
  scale: number,
): (bigint | undefined)[] {
  return statistic.edges.map(edge => scaled(edge, scale))
}

function scaleOf(measure: Query['measures'][number]): number {
  return measure.kind === 'rows' ? 0 : measure.value.scale
}

/** A value that was scaled by a power of ten, which may be below one. */
function written(value: bigint | null, digits: number): string | null {
  if (value === null) return null
  return digits >= 0 ? unscaled(value, digits) : unscaled(value * 10n ** BigInt(-digits), 0)
}
