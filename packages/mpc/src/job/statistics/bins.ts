import { scaled } from '../decimal.js'
import type { Numeric } from '../expression.js'
import { invalid, refused } from '../invalid.js'
import type { JointColumn, JointInput, JointJob } from '../job.js'
import type { Measure, Output, Query } from '../query.js'
import type { StatisticOf } from './schema.js'

/** A dimension of public bins beside a plan's groups: a row is where its value, or its score, lies. */
export interface Bins {
  /** a row is in a bin only where all of these have a value */
  readonly columns: readonly Numeric[]
  /** the columns' secret weights; not given where the one column itself is binned */
  readonly model?: Model
  /** rising, of the value's scale; the last bin has no end where there are as many bins as edges */
  readonly edges: readonly bigint[]
  /** by bin, how its edges are written */
  readonly labels: readonly (readonly string[])[]
}

/** An input of one row whose values are weights. */
export interface Model {
  readonly input: JointInput
  /** by column, and last the intercept: a weight times its factor has the scores' scale with its column */
  readonly weights: readonly { readonly column: JointColumn | undefined; readonly factor: bigint }[]
}

/**
 * The plan's rows counted by bin, and its columns in `totals` summed.
 *
 * @throws SluiceError JOB_INVALID where columns, edges or model are not as the plan and the job have them, SQL_REFUSED
 *   `mpc.bound` where a score could be too large to compare
 */
export function binnedQuery(
  job: Pick<JointJob, 'inputs'>,
  at: string,
  statistic: StatisticOf<'histogram' | 'score'>,
  rows: Query,
): Query {
  const named = new Map(
    rows.outputs.flatMap(({ name, is, at: place }) =>
      is === 'value' ? [[name, rows.measures[place]!] as const] : [],
    ),
  )
  const totals = statistic.totals ?? []
  const unknown = totals.find(name => !named.has(name))
  if (unknown !== undefined) throw invalid(at, `the plan has no column of numbers "${unknown}"`)
  // in an order that all parties have, however the job's file is written
  const valued = statistic.kind === 'score' ? Object.keys(statistic.weights).sort() : namesBut(named, totals)
  const columns = valued.map(name => numericIn(named, name, at))
  const forgotten = [...named.keys()].find(name => !valued.includes(name) && !totals.includes(name))
  if (forgotten !== undefined) throw invalid(at, `"${forgotten}" has no weight and is no total`)
  const { scale, bound, model } =
    statistic.kind === 'score' ? scoring(job, at, statistic, valued, columns, rows) : binning(columns, at)
  const edges = edgesOf(statistic, scale, at)
  if (edges.some(edge => bound + (edge < 0n ? -edge : edge) >= LARGEST))
    throw refused('bound', 'a comparison’s two sides are too far apart for 64 bits')
  const texts = 'threshold' in statistic ? [statistic.threshold!] : statistic.edges!
  const open = texts.length === 1
  const labels = open ? [texts] : texts.slice(1).map((below, bin) => [texts[bin]!, below])
  const keys: Output[] = rows.outputs.filter(({ is }) => is === 'key')
  const ends = (open ? ['from'] : ['from', 'below']).map(
    (name, place): Output => ({ name, is: 'key', at: keys.length + place }),
  )
  const measures: Measure[] = [{ kind: 'rows' }, ...totals.map(name => named.get(name)!)]
  const sums = totals.map((name, place): Output => ({ name, is: 'sum', at: 1 + place }))
  return {
    ...rows,
    measures,
    outputs: [...keys, ...ends, { name: 'count', is: 'count', at: 0 }, ...sums],
    bins: { columns, edges, labels, ...(model !== undefined && { model }) },
  }
}

/** Differences of a value and an edge stay below it. */
const LARGEST = 2n ** 63n
const MOST_DIGITS = 18

function namesBut(named: ReadonlyMap<string, Measure>, totals: readonly string[]): string[] {
  return [...named.keys()].filter(name => !totals.includes(name))
}

function numericIn(named: ReadonlyMap<string, Measure>, name: string, at: string): Numeric {
  const measure = named.get(name)
  if (measure === undefined || measure.kind === 'rows')
    throw invalid(at, `the plan has no column of numbers "${name}"`)
  return measure.value
}

interface Valued {
  readonly scale: number
  readonly bound: bigint
  readonly model?: Model
}

function binning(columns: readonly Numeric[], at: string): Valued {
  if (columns.length !== 1) throw invalid(at, 'a histogram is of one column, beside its totals')
  return { scale: columns[0]!.scale, bound: columns[0]!.bound }
}

function scoring(
  job: Pick<JointJob, 'inputs'>,
  at: string,
  { model: name, weights, intercept }: StatisticOf<'score'>,
  names: readonly string[],
  columns: readonly Numeric[],
  { inputs }: Query,
): Valued {
  const input = job.inputs.find(candidate => candidate.name === name)
  if (input === undefined) throw invalid(at, `there is no input "${name}"`)
  if (input.rows !== 1 || inputs.includes(input))
    throw invalid(at, `the model "${name}" is no input of one row, apart from those of the plan`)
  if (columns.length === 0) throw invalid(at, 'no column has a weight')
  const parts = names.map((column, j) => ({
    column: weightIn(input, weights[column]!, at),
    scale: columns[j]!.scale,
    bound: columns[j]!.bound,
  }))
  if (intercept !== undefined) parts.push({ column: weightIn(input, intercept, at), scale: 0, bound: 1n })
  const scale = Math.max(...parts.map(part => part.scale + part.column.type.scale))
  if (scale > MOST_DIGITS)
    throw refused('bound', `a score has more than ${MOST_DIGITS} digits after the point`)
  const factors = parts.map(part => 10n ** BigInt(scale - part.scale - part.column.type.scale))
  const bound = parts.reduce(
    (sum, part, j) =>
      sum + scaled(part.column.type.bound, part.column.type.scale)! * part.bound * factors[j]!,
    0n,
  )
  const weighted: Model['weights'][number][] = parts.map(({ column }, j) => ({ column, factor: factors[j]! }))
  if (intercept === undefined) weighted.push({ column: undefined, factor: 0n })
  return { scale, bound, model: { input, weights: weighted } }
}

/** A column of weights: always there, and a number. */
function weightIn(input: JointInput, name: string, at: string) {
  const column = input.columns.find(candidate => candidate.name === name)
  if (column === undefined) throw invalid(`inputs.${input.name}`, `there is no column "${name}"`)
  const { type } = column
  if (type.kind !== 'number' || column.nullable)
    throw invalid(at, `the weight "${name}" is no number that is always there`)
  return { ...column, type }
}

function edgesOf(
  statistic: StatisticOf<'histogram' | 'score'>,
  scale: number,
  at: string,
): readonly bigint[] {
  const texts = statistic.edges ?? []
  const threshold = 'threshold' in statistic ? statistic.threshold : undefined
  if ((threshold === undefined) === (texts.length === 0))
    throw invalid(at, 'a score has either edges or a threshold')
  const edges = (threshold === undefined ? texts : [threshold]).map(edge => scaled(edge, scale))
  if (edges.some((edge, i) => edge === undefined || (i > 0 && edge <= edges[i - 1]!)))
    throw invalid(at, 'the edges are no rising numbers of the column’s digits')
  return edges as bigint[]
}
