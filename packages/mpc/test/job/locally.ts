import { type JointColumn, type JointJob, type JointOperation, type Protocol, runLocally } from '@sluice/mpc'
import { establish, type Index } from '@sluice/mpc/replicated'
import { Utf8, vectorFromArray } from 'apache-arrow'
import { prepare } from '../../dist/job/columns.js'
import { addCells, openTotals, running, totalRows } from '../../dist/job/protocol.js'
import { queryOf } from '../../dist/job/query.js'
import { cellTable, shownTable } from '../../dist/job/result.js'
import { shareWeights } from '../../dist/job/statistics/binning.js'
import { checkStatistic, openStatistic, statisticTable } from '../../dist/job/statistics/statistic.js'

/** A row of all inputs: numbers scaled, categories as text. */
export type Row = Readonly<Record<string, bigint | string | null>>

/** Rows as their owners prepare them. */
export function columnsFor({ inputs }: Pick<ReturnType<typeof queryOf>, 'inputs'>, rows: readonly Row[]) {
  return new Map(
    inputs.flatMap(({ columns }) =>
      columns.map(column => {
        const values = rows.map(row => row[column.name]!)
        return [column, preparedOf(column, values)] as const
      }),
    ),
  )
}

function preparedOf(column: JointColumn, values: readonly Row[string][]) {
  switch (column.type.kind) {
    case 'number':
      return numbersOf(values)
    case 'category':
      return codesOf(values, column.type.categories)
    case 'code':
      return prepare(vectorFromArray(values as (string | null)[], new Utf8()), column)
  }
}

function numbersOf(values: readonly Row[string][]) {
  return {
    kind: 'number' as const,
    values: BigUint64Array.from(values, value => BigInt.asUintN(64, (value as bigint | null) ?? 0n)),
    present: BigUint64Array.from(values, value => (value === null ? 0n : 1n)),
  }
}

function codesOf(values: readonly Row[string][], categories: readonly string[]) {
  const places = new Map<Row[string], number>([...categories].map((category, place) => [category, place]))
  return {
    kind: 'category' as const,
    codes: Int32Array.from(values, value => (value === null ? -1 : (places.get(value) ?? -2))),
  }
}

type Opened = ReturnType<typeof openStatistic> extends Protocol<infer T> ? T : never

/** What three parties open of a statistic, without a network; checked as a job is before. */
export function statisticOf(job: JointJob, operation: JointOperation, rows: readonly Row[]) {
  const found = queryOf(job, operation)
  checkStatistic(job, operation, found)
  function* party(self: Index): Protocol<Opened> {
    const run = running(job, operation, found, self, yield* establish(self, '00'.repeat(32)))
    return yield* openStatistic(run, { rows: rows.length, columns: columnsFor(found, rows) })
  }
  const run = runLocally([party(0), party(1), party(2)])
  const opened = run.outputs as Opened[]
  const { columns, rows: table } = statisticTable(job, operation, found, opened[0]!)
  return { opened, columns: columns.map(({ name }) => name), rows: table, ...run }
}

type Cells = ReturnType<typeof openTotals> extends Protocol<infer T> ? T : never

/** What three parties open of totals, so many rows at a time, without a network. */
export function totalsOf(
  job: JointJob,
  operation: JointOperation,
  rows: readonly Row[],
  { size = 64, model }: { size?: number; model?: Row } = {},
) {
  const found = queryOf(job, operation)
  function* party(self: Index): Protocol<Cells> {
    const run = running(job, operation, found, self, yield* establish(self, '00'.repeat(32)))
    const own = model && { rows: 1, columns: columnsFor({ inputs: [found.bins!.model!.input] }, [model]) }
    const weights = yield* shareWeights(run, own)
    let cells: Parameters<typeof addCells>[0]
    for (let start = 0; start === 0 || start < rows.length; start += size) {
      const part = rows.slice(start, start + size)
      const chunk = { rows: part.length, columns: columnsFor(found, part) }
      cells = addCells(cells, (yield* totalRows(run, part.length, chunk, weights))!)
    }
    return yield* openTotals(run, cells)
  }
  const run = runLocally([party(0), party(1), party(2)])
  const outputs = run.outputs as Cells[]
  return { ...run, found, outputs, table: shownTable(operation, found, cellTable(found, outputs[0]!)) }
}
