import type { Table, Vector } from 'apache-arrow'
import { type ClassSummary, summaryOf } from '../anonymize/report/report.js'
import { type Risk, riskOf } from '../anonymize/risk/risk.js'
import { SluiceError } from '../errors.js'
import type { RowsAnonymity } from '../plan/review-types.js'

/** What was found of rows that leave; it travels in the result's bytes, to which the ledger's entry commits. */
export interface RowsReport extends RowsAnonymity {
  readonly format: 'sluice-rows-report/1'
  readonly rows: number
  readonly classes: ClassSummary
  readonly risk: Risk
}

/** Key of the report in the released table's metadata. */
export const ROWS_REPORT = 'sluice.anonymity'

/**
 * Holds the rows of a result, as they are, to k-anonymity and distinct ℓ-diversity, and puts them into the order of
 * their own contents, so that their place tells nothing. Rows that agree in every column of `quasi` are a class; where
 * none of these leaves, all rows are one. No rows are too few, like fewer than k.
 *
 * @throws SluiceError DISCLOSURE_REFUSED `k-anonymity` or `l-diversity`; the error does not say how many rows there are
 */
export async function checkRows(table: Table, anonymity: RowsAnonymity): Promise<Table> {
  const columns = new Map(table.schema.fields.map(({ name }, at) => [name, ranksOf(table.getChildAt(at)!)]))
  const { of, count } = classesOf(
    anonymity.quasi.map(name => columns.get(name)!),
    table.numRows,
  )
  const sizes = new Uint32Array(count)
  for (const index of of) sizes[index]! += 1
  if (table.numRows === 0 || sizes.some(size => size < anonymity.k)) {
    throw refused('k-anonymity', anonymity, `classes of at least ${anonymity.k} rows`)
  }
  for (const name of anonymity.sensitive) {
    if (fewestValues(of, count, columns.get(name)!) >= anonymity.l) continue
    throw refused('l-diversity', anonymity, `at least ${anonymity.l} sensitive values in every class`)
  }
  const report: RowsReport = {
    format: 'sluice-rows-report/1',
    ...anonymity,
    rows: table.numRows,
    classes: summaryOf(sizes),
    risk: riskOf(sizes, null)!,
  }
  const [{ gather }, { RecordBatch, Schema, Table }] = await Promise.all([
    import('../columns/gather.js'),
    import('apache-arrow'),
  ])
  const sorted = gather(table, contentOrder([...columns.values()], table.numRows))
  const metadata = new Map([...sorted.schema.metadata, [ROWS_REPORT, JSON.stringify(report)]])
  const schema = new Schema(sorted.schema.fields, metadata)
  return new Table(
    schema,
    sorted.batches.map(batch => new RecordBatch(schema, batch.data)),
  )
}

/** Each value's rank among the column's distinct ones, by its text: nothing of the order of rows is in it. */
function ranksOf(vector: Vector): Uint32Array {
  const known = new Map<string, number>()
  const texts = Array.from({ length: vector.length }, (_, row) => textOf(vector.get(row)))
  for (const text of [...new Set(texts)].sort()) known.set(text, known.size)
  return Uint32Array.from(texts, text => known.get(text)!)
}

/** A decimal is a list of words; a missing value sorts first. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  return ArrayBuffer.isView(value) ? `=${(value as Uint32Array).join()}` : `=${String(value)}`
}

function classesOf(columns: readonly Uint32Array[], rows: number): { of: Uint32Array; count: number } {
  let of = new Uint32Array(rows)
  let count = Math.min(1, rows)
  for (const ranks of columns) {
    const known = new Map<number, number>()
    const next = new Uint32Array(rows)
    for (let row = 0; row < rows; row++) {
      // both are 32-bit, and results have far fewer rows than 2^26
      const key = of[row]! * 2 ** 26 + ranks[row]!
      const index = known.get(key) ?? known.size
      known.set(key, index)
      next[row] = index
    }
    of = next
    count = known.size
  }
  return { of, count }
}

function fewestValues(of: Uint32Array, count: number, ranks: Uint32Array): number {
  const seen = Array.from({ length: count }, () => new Set<number>())
  of.forEach((index, row) => {
    seen[index]!.add(ranks[row]!)
  })
  return seen.reduce((fewest, values) => Math.min(fewest, values.size), Number.POSITIVE_INFINITY)
}

function contentOrder(columns: readonly Uint32Array[], rows: number): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => {
    for (const ranks of columns) if (ranks[a] !== ranks[b]) return ranks[a]! - ranks[b]!
    return 0
  })
}

function refused(
  rule: 'k-anonymity' | 'l-diversity',
  { dataset }: RowsAnonymity,
  wanted: string,
): SluiceError {
  return new SluiceError('DISCLOSURE_REFUSED', `the rows of "${dataset}" would single people out`, {
    rule,
    remedy: `Ask for ${wanted}: fewer or coarser columns, or wider conditions.`,
  })
}
