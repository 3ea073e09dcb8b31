import type { OpenedEach } from '../../protocols/replicated/opening.js'
import type { Party } from '../../protocols/replicated/party.js'
import type { Arithmetic } from '../../protocols/replicated/shares.js'
import type { Measure as SharedMeasure } from '../../protocols/replicated/totals.js'
import type { Protocol } from '../../session/protocol.js'
import type { Query } from '../query.js'
import type { JointTable } from '../result.js'
import type { Statistic } from './schema.js'

/** A statistic as a job asks for it. */
export interface Asked<S extends Statistic> {
  readonly statistic: S
  readonly query: Query
  /** no cell of fewer entities is opened */
  readonly minimum: number
  /** the operation, as an error names it */
  readonly at: string
}

/** A plan's rows on shares: rows that its condition leaves out count as rows without a value. */
export interface ChosenRows {
  readonly measures: readonly SharedMeasure[]
  /** for each group key, a column of zeros and ones for each of its categories */
  readonly keys: readonly (readonly Arithmetic[])[]
}

/** One kind of statistic: what it is over, what it needs, computes and shows. A cell is what is opened or not as one. */
export interface StatisticKind<S extends Statistic = Statistic> {
  /** columns of numbers, at least and at most */
  readonly columns: readonly [number, number]
  /** whether the plan's columns of categories are groups, of which each has its own */
  readonly grouped: boolean
  /** @throws SluiceError where it cannot be computed, before anybody signs */
  check(asked: Asked<S>): void
  /** ring elements for each row, beside its shares and the plan's columns, that a party holds at the height */
  elements(asked: Asked<S>): number
  /** how many cells there are, and how many values are opened of each */
  shape(asked: Asked<S>): { readonly cells: number; readonly values: number }
  open(
    party: Party,
    rows: ChosenRows,
    asked: Asked<S>,
    receivers: readonly number[],
  ): Protocol<OpenedEach | undefined>
  table(asked: Asked<S>, opened: OpenedEach): Omit<JointTable, 'operation'>
}

export function namesOf({ outputs }: Query, is: 'key' | 'value'): string[] {
  return outputs.filter(output => output.is === is).map(({ name }) => name)
}

/** The largest magnitude that a value of any of the columns may have, scaled. */
export function boundOf({ measures }: Query): bigint {
  let bound = 1n
  for (const measure of measures)
    if (measure.kind !== 'rows' && measure.value.bound > bound) bound = measure.value.bound
  return bound
}

export function scaleOf(measure: Query['measures'][number]): number {
  return measure.kind === 'rows' ? 0 : measure.value.scale
}

export function column(name: string, is: 'key' | 'value'): JointTable['columns'][number] {
  return { name, is }
}
