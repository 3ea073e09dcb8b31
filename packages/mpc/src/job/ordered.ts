import { SluiceError } from '@sluice/core'
import { leastEntities } from '@sluice/core/plan'
import { extremes } from '../protocols/replicated/extremes.js'
import { multiply } from '../protocols/replicated/multiply.js'
import type { Party } from '../protocols/replicated/party.js'
import { type Rank, ranked } from '../protocols/replicated/ranked.js'
import { type Arithmetic, add, known } from '../protocols/replicated/shares.js'
import { MAXIMUM_SORT_ROWS } from '../protocols/replicated/sort.js'
import type { Cells } from '../protocols/replicated/totals.js'
import { type Protocol, together } from '../session/protocol.js'
import { ones } from './clear.js'
import { type Numeric, sourcesOf } from './expression.js'
import { memoryExceeded, refused } from './invalid.js'
import type { JointJob } from './job.js'
import { ELEMENT_BYTES, type Running } from './protocol.js'
import { groupsOf, type Measure, type OneOf, type Query, rowsOfGuard } from './query.js'
import type { SharedRows } from './shared.js'
import { written } from './written.js'

/** A measure of which one value is opened, and its place among the query's. */
interface Picked {
  readonly at: number
  readonly measure: Extract<Measure, { kind: 'values' }>
  readonly one: OneOf
}

/** The aggregates of a query that open one of the values, in place of a total. */
export function pickedIn({ measures }: Query): Picked[] {
  return measures.flatMap((measure, at) =>
    measure.kind === 'values' && measure.one !== undefined ? [{ at, measure, one: measure.one }] : [],
  )
}

/** How many entities a cell needs before a measure of it is opened. */
export function leastOf(measure: Measure, minimum: number): number {
  const order = measure.kind === 'values' ? measure.one?.order : undefined
  return order === undefined ? minimum : leastEntities(order, minimum)
}

/**
 * @throws SluiceError SQL_REFUSED `mpc.order` where an owner does not allow that single values are opened, or no number
 *   of entities is enough for a rank; PARAMETER_INVALID where there are too many rows, or a bound is too large
 */
export function checkPicked({ minimumEntities }: Pick<JointJob, 'minimumEntities'>, query: Query): void {
  const picked = pickedIn(query)
  for (const { measure, one } of picked) {
    checkAllowed([measure.value])
    checkProtected(measure.value, query)
    if (typeof one.place === 'string') checkExtreme(measure.value.bound)
    else checkSortable(query.rows)
    if (!Number.isFinite(leastOf(measure, minimumEntities)))
      throw refused('order', 'a rank, or the distance to another, is below the minimum of entities')
  }
}

/**
 * Distances are kept within an operation. So a column has ranks in one alone, or the very same in several: what they
 * count in different operations may be the same people, but for a few.
 *
 * @throws SluiceError SQL_REFUSED `mpc.order`
 */
export function checkPickedTogether(
  operations: readonly { readonly name: string; readonly query: Query }[],
): void {
  const ranked = operations.flatMap(({ name, query }) =>
    pickedIn(query)
      .filter(({ one }) => typeof one.place !== 'string')
      .map(({ measure, one }) => ({
        name,
        value: JSON.stringify(sourcesOf(measure.value).map(({ input, column }) => [input, column.name])),
        asked: JSON.stringify([query.keys, query.condition, measure.where, one.place], written),
      })),
  )
  for (const [at, { name, value, asked }] of ranked.entries()) {
    const other = ranked
      .slice(0, at)
      .find(earlier => earlier.name !== name && earlier.value === value && earlier.asked !== asked)
    if (other === undefined) continue
    throw refused(
      'order',
      `"${other.name}" and "${name}" ask for quantiles or ranks of one column, and their distance is kept in one operation alone`,
      'Ask for all quantiles and ranks of a column in one operation.',
    )
  }
}

/** @throws SluiceError SQL_REFUSED `mpc.order` of a reference table's column over rows of people */
function checkProtected(value: Numeric, { inputs }: Query): void {
  const isReference = (name: string) => inputs.some(input => input.name === name && input.reference === true)
  if (inputs.every(input => input.reference === true)) return
  const found = sourcesOf(value).find(({ input }) => isReference(input))
  if (found === undefined) return
  throw refused(
    'order',
    `a minimum, a maximum or a quantile of "${found.column.name}" of the reference table "${found.input}", over rows of people, tells what one of them is joined by`,
    'Ask for it of a column of a table that is about people.',
  )
}

/** @throws SluiceError SQL_REFUSED `mpc.order` where an owner did not allow that single values are opened */
export function checkAllowed(values: readonly Numeric[]): void {
  for (const { column, input } of values.flatMap(sourcesOf)) {
    if (column.type.kind === 'number' && column.type.orderStatistics === true) continue
    throw refused(
      'order',
      `what is opened would be somebody’s value of "${column.name}", which the owner of "${input}" does not allow`,
    )
  }
}

/** @throws SluiceError PARAMETER_INVALID `mpc.order` */
export function checkSortable(rows: number): void {
  if (rows <= MAXIMUM_SORT_ROWS) return
  throw new SluiceError('PARAMETER_INVALID', `there are ${rows} rows to sort`, {
    rule: 'mpc.order',
    remedy: `Sort ${MAXIMUM_SORT_ROWS} rows at most: filter or aggregate them at their owners first.`,
  })
}

/** @throws SluiceError PARAMETER_INVALID `mpc.order` */
export function checkExtreme(bound: bigint): void {
  if (bound < LARGEST_EXTREME) return
  throw new SluiceError('PARAMETER_INVALID', 'The column’s bound is too large to find its extremes', {
    rule: 'mpc.order',
    remedy: 'Give a bound below 2^61, digits after the point included.',
  })
}

const LARGEST_EXTREME = 2n ** 61n

/**
 * Rows are needed whole: so much memory at a party, at most.
 *
 * @throws SluiceError MEMORY_EXCEEDED
 */
export function checkPickedMemory({ job, query, shares }: Running): void {
  const guarded = (query.guards ?? []).flatMap(rowsOfGuard).length
  const elements =
    2 * shares.length + 8 * (query.measures.length + guarded) + 30 * groupsOf(query).length + 30
  const needed = query.rows * elements * ELEMENT_BYTES
  if (needed > job.limits.memory) throw memoryExceeded(needed, job.limits.memory)
}

/**
 * Puts in place of sums the values that are wanted of each cell. Ranks of one column over the same rows take one sort, its
 * minimum and maximum one knock-out.
 *
 * @param dimensions as `totals` has them
 */
export function* withPicked(
  party: Party,
  shared: SharedRows,
  query: Query,
  dimensions: readonly (readonly Arithmetic[])[],
  cells: Cells,
): Protocol<Cells> {
  // of no rows there is nothing to compare, and no cell is opened
  if (query.rows === 0) return cells
  let groups: readonly Arithmetic[] | undefined
  for (const dimension of dimensions)
    groups = groups === undefined ? dimension : yield* products(party, groups, dimension)
  const sums = [...cells.sums]
  for (const picked of bySameRows(query)) {
    const { measure } = picked[0]!
    const { values, present } = yield* shared.measure(measure)
    const inside = present === undefined ? groups : yield* products(party, groups, [present])
    const ofKind = (wanted: 'ranks' | 'extremes') =>
      picked.filter(({ one }) => (typeof one.place === 'string') === (wanted === 'extremes'))
    const ends = ofKind('extremes')
    if (ends.length > 0) {
      const found = yield* extremes(party, values, inside)
      for (const { at, one } of ends) sums[at] = one.place === 'smallest' ? found.smallest : found.largest
    }
    const ranks = ofKind('ranks')
    if (ranks.length === 0) continue
    const all = inside ?? [known(party, ones(query.rows))]
    const key = {
      values: yield* multiply(party, values, all.reduce(add)),
      bits: measure.value.bound.toString(2).length + 1,
      signed: true,
    }
    const found = yield* ranked(
      party,
      key,
      all,
      ranks.map(({ one }) => one.place as Rank),
    )
    for (const [place, { at }] of ranks.entries()) sums[at] = found.values[place]!
  }
  return { ...cells, sums }
}

/** Those of one column over the same rows together. */
function bySameRows(query: Query): Picked[][] {
  const found = new Map<string, Picked[]>()
  for (const picked of pickedIn(query)) {
    const { value, where } = picked.measure
    const name = JSON.stringify([value, where], written)
    found.set(name, [...(found.get(name) ?? []), picked])
  }
  return [...found.values()]
}

/** Every column of one list times every column of the other, in one round. */
function* products(
  party: Party,
  a: readonly Arithmetic[] | undefined,
  b: readonly Arithmetic[],
): Protocol<readonly Arithmetic[]> {
  if (a === undefined) return b
  return yield* together(...a.flatMap(x => b.map(y => multiply(party, x, y))))
}

/**
 * What is opened beside a value says nothing of how many there are: in place of its count stands the minimum, and the
 * count itself, less what the value asks for beyond the minimum, is one more that has to reach it.
 */
export function holdPicked(
  party: Party,
  query: Query,
  { counts, sums }: Cells,
  minimum: bigint,
  further: readonly (readonly Arithmetic[])[],
): { readonly cells: Cells; readonly further: Arithmetic[][] } {
  const held = counts.map(count => count)
  const tests = query.measures.map((_, at) => [...(further[at] ?? [])])
  for (const { at, measure } of pickedIn(query)) {
    const beyond = minimum - BigInt(leastOf(measure, Number(minimum)))
    const cells = counts[at]!.own.length
    tests[at]!.push(
      add(counts[at]!, known(party, new BigUint64Array(cells).fill(BigInt.asUintN(64, beyond)))),
    )
    held[at] = known(party, new BigUint64Array(cells).fill(minimum))
  }
  return { cells: { counts: held, sums }, further: tests }
}
