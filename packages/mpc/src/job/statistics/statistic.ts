import { multiply } from '../../protocols/replicated/multiply.js'
import { receiveOpened } from '../../protocols/replicated/open.js'
import { eachIn, type OpenedEach } from '../../protocols/replicated/opening.js'
import type { Party } from '../../protocols/replicated/party.js'
import type { Measure as SharedMeasure } from '../../protocols/replicated/totals.js'
import type { Protocol } from '../../session/protocol.js'
import type { Chunk } from '../clear.js'
import { invalid, memoryExceeded, refused } from '../invalid.js'
import { type JointJob, type JointOperation, partyIndex } from '../job.js'
import { ELEMENT_BYTES, type Running } from '../protocol.js'
import type { Query } from '../query.js'
import type { JointTable } from '../result.js'
import { SharedRows, shareRows } from '../shared.js'
import type { Asked, ChosenRows, StatisticKind } from './kind.js'
import { correlation, covariance, regression } from './moments.js'
import { extremes, quantiles, threshold } from './order.js'
import { type StatisticOf, totalledBy, type Whole } from './schema.js'

/**
 * @throws SluiceError JOB_INVALID where the columns are not what the statistic is over, SQL_REFUSED where an owner does
 *   not allow it, PARAMETER_INVALID where their bounds are too large for it
 */
export function checkStatistic(
  job: Pick<JointJob, 'minimumEntities'>,
  operation: JointOperation,
  query: Query,
): void {
  const asked = askedOf(job, operation, query)
  if (asked === undefined) return
  const { kind } = asked.statistic
  const {
    columns: [least, most],
    grouped,
    check,
  } = kindOf(kind)
  if (!grouped && query.keys.length > 0)
    throw refused('key', `a ${kind} has no groups: "${query.keys[0]!.column.name}" is no number`)
  if (query.measures.length < least || query.measures.length > most)
    throw invalid(asked.at, `a ${kind} is over ${least} to ${most} columns`)
  check(asked)
}

/**
 * A statistic needs its columns whole: so much memory at a party, at most.
 *
 * @throws SluiceError MEMORY_EXCEEDED
 */
export function checkMemory({ job, operation, query, shares }: Running): void {
  const asked = askedOf(job, operation, query)!
  const elements = kindOf(asked.statistic.kind).elements(asked)
  const needed = query.rows * (2 * shares.length + 8 * query.measures.length + elements + 4) * ELEMENT_BYTES
  if (needed <= job.limits.memory) return
  throw memoryExceeded(needed, job.limits.memory)
}

/** Shares all rows, computes and opens, to the operation's receivers alone. */
export function* openStatistic(run: Running, own: Chunk | undefined): Protocol<OpenedEach | undefined> {
  const { job, operation, query, shares, self, party } = run
  const receivers = operation.receivers.map(name => partyIndex(job, name))
  const participant = {
    self,
    indexOf: (owner: string) => partyIndex(job, owner),
    ...(party !== undefined && { party }),
  }
  const columns = yield* shareRows(shares, participant, query.rows, own)
  const asked = askedOf(job, operation, query)!
  const kind = kindOf(asked.statistic.kind)
  if (party === undefined) {
    if (!receivers.includes(self)) return undefined
    const { cells, values } = kind.shape(asked)
    return eachIn(yield* receiveOpened(cells * (1 + values)), values)
  }
  const rows = yield* chosen(party, new SharedRows(party, query.rows, columns), query)
  return yield* kind.open(party, rows, asked, receivers)
}

/** What was opened, under the columns' names. */
export function statisticTable(
  job: Pick<JointJob, 'minimumEntities'>,
  operation: JointOperation,
  query: Query,
  opened: OpenedEach,
): JointTable {
  const asked = askedOf(job, operation, query)!
  return { operation: operation.name, ...kindOf(asked.statistic.kind).table(asked, opened) }
}

const KINDS: { readonly [K in Whole['kind']]: StatisticKind<StatisticOf<K>> } = {
  covariance,
  correlation,
  regression,
  extremes,
  quantiles,
  threshold,
}

/** What a kind is asked for is of that kind: the table says so, which a call through it cannot. */
function kindOf(kind: Whole['kind']): StatisticKind {
  return KINDS[kind] as StatisticKind
}

function askedOf(
  { minimumEntities: minimum }: Pick<JointJob, 'minimumEntities'>,
  { name, statistic }: JointOperation,
  query: Query,
): Asked<Whole> | undefined {
  if (statistic === undefined || totalledBy(statistic)) return undefined
  return { statistic, query, minimum, at: `operations.${name}` }
}

function* chosen(party: Party, shared: SharedRows, query: Query): Protocol<ChosenRows> {
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
  return { measures, keys: query.keys.map(key => shared.categories(key)) }
}
