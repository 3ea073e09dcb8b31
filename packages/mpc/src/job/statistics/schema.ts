import { z } from 'zod'

const number = z.string().max(40)
const name = z.string().min(1).max(200)
const digits = z.int().min(0).max(9)
const edges = z.array(number).min(2).max(200)
const totals = z.array(name).max(32).exactOptional()

/** What is computed of a plan's rows beyond totals; single rows are never opened. */
export const statistic = z.discriminatedUnion('kind', [
  /** of every two columns, and of each with itself its variance; of a sample, with so many digits more */
  z.strictObject({ kind: z.literal('covariance'), digits }),
  z.strictObject({ kind: z.literal('correlation'), digits }),
  /** the last column explained by those before it, by least squares with an intercept */
  z.strictObject({ kind: z.literal('regression'), digits }),
  /** how many values lie from each edge to below the next, decimal numbers as text; and totals of other columns */
  z.strictObject({ kind: z.literal('histogram'), edges, totals }),
  /** the same of scores, which are weights times columns; or only of those from a threshold on */
  z.strictObject({
    kind: z.literal('score'),
    /** an input of one row, whose columns are the weights, a secret of its owner */
    model: name,
    /** by a column of the plan, the model's column that is its weight */
    weights: z.record(name, name),
    intercept: name.exactOptional(),
    edges: edges.exactOptional(),
    threshold: number.exactOptional(),
    totals,
  }),
  /** of each group, with so many digits more; neither its count nor its sum is opened */
  z.strictObject({ kind: z.literal('mean'), digits }),
  /** of a sample, of each group; and its square root, the standard deviation */
  z.strictObject({ kind: z.literal('variance'), digits }),
  z.strictObject({ kind: z.literal('deviation'), digits }),
  /** of each group, the sum of the first column over that of the second */
  z.strictObject({ kind: z.literal('ratio'), digits }),
  /** the smallest and the largest value of each group */
  z.strictObject({ kind: z.literal('extremes') }),
  /** of each group the smallest value that so much of it is at most equal to: 0.5 for the (lower) median */
  z.strictObject({ kind: z.literal('quantiles'), fractions: z.array(z.string().max(8)).min(1).max(20) }),
  /** of each group the value that its k largest reach; k is the job's minimum of entities at least */
  z.strictObject({ kind: z.literal('threshold'), k: z.int().min(1).max(10_000_000) }),
])

export type Statistic = z.infer<typeof statistic>
export type StatisticOf<K extends Statistic['kind']> = Extract<Statistic, { kind: K }>

/** Those that need whole columns. */
export type Whole = Exclude<Statistic, StatisticOf<(typeof TOTALLED)[number]>>

const TOTALLED = ['histogram', 'score', 'mean', 'variance', 'deviation', 'ratio'] as const

/** Is it made of totals, chunk by chunk. */
export function totalledBy(asked: Statistic): asked is StatisticOf<(typeof TOTALLED)[number]> {
  return (TOTALLED as readonly string[]).includes(asked.kind)
}
