import type { Table } from 'apache-arrow'
import { SluiceError } from '../errors.js'
import type { ReleaseShape, ReviewedPlan } from '../plan/review-types.js'
import { withContributors } from './contributors.js'
import { checkForm } from './form.js'
import { firstVerdict, judge, type Reason, type Verdicts } from './judge.js'
import { type Arrangement, arrange } from './order.js'
import {
  type CheckedResult,
  openRawResult,
  type RawContents,
  type RawResult,
  type Suppression,
  sealCheckedResult,
} from './results.js'

/**
 * The one door: holds every cell of a result to every rule of every dataset that it was computed from. A cell that
 * is not provably safe becomes null. A group that is too small loses all its cells; where its keys are not public
 * knowledge the row itself is left out. What stands above the aggregate (HAVING, ORDER BY, LIMIT) is applied to
 * checked cells only, so that neither the presence nor the order of rows tells of an unsafe one.
 *
 * Rows about people are held to k-anonymity and ℓ-diversity as they are, and refused where they fail: `checkRows`.
 *
 * @throws SluiceError DISCLOSURE_REFUSED where a policy refuses the run instead (`facts` count by rule, to the step);
 * EVIDENCE_UNDEFINED, ENGINE_FAILED where the engine's answer is not whole; BRAND_INVALID for anything that no
 * executor sealed
 */
export async function checkDisclosure(raw: RawResult): Promise<CheckedResult> {
  const contents = openRawResult(raw)
  const { reviewed } = contents.approved
  checkForm(contents)
  if (reviewed.release.mode === 'public') return sealed(contents, contents.table, [], {})
  if (reviewed.release.mode === 'rows') {
    const { anonymity } = reviewed.release
    if (anonymity === null) return sealed(contents, contents.table, [], {})
    // loaded where it is needed: most results are aggregates
    const { checkRows } = await import('./rows.js')
    return sealed(contents, await checkRows(contents.table, anonymity), [], {})
  }

  const rows = contents.table.numRows
  const obligations = withContributors(reviewed.obligations, contents.contributors)
  const verdicts = judge(obligations, reviewed.release.cells, contents.evidence, rows)
  const arrangement = arrange(contents, verdicts, reviewed.release.publicKeys)
  const { suppressions, nulls } = suppress(reviewed.release, verdicts, arrangement)
  refuseIfDemanded(suppressions, reviewed)

  const unchanged = nulls.size === 0 && isIdentity(arrangement.rows, rows)
  const table = unchanged
    ? contents.table
    : (await import('../columns/gather.js')).gather(contents.table, arrangement.rows, nulls)
  return sealed(contents, table, told(suppressions), counted(suppressions, reviewed))
}

/** A suppression before it is told. */
interface Suppressed extends Suppression {
  readonly reason: Reason
  /** rows that it stands for: more than one only where whole rows are left out */
  readonly times: number
}

function suppress(
  release: Extract<ReleaseShape, { mode: 'aggregate' }>,
  { cells, reasons }: Verdicts,
  { rows, leftOut }: Arrangement,
): { suppressions: Suppressed[]; nulls: Map<number, Uint8Array> } {
  const suppressions: Suppressed[] = []
  const nulls = new Map<number, Uint8Array>()
  const entry = (row: number | null, column: string | null, verdict: number, times: number) => {
    const reason = reasons[verdict - 1]!
    suppressions.push({ row, column, rule: reason.rule, dataset: reason.obligation.dataset, reason, times })
  }
  for (const [verdict, times] of leftOut) entry(null, null, verdict, times)
  for (const [index, { name, aggregates }] of release.outputs.entries()) {
    if (aggregates.length === 0) continue
    const verdictOf = firstVerdict(aggregates, cells)
    for (let row = 0; row < rows.length; row++) {
      const verdict = verdictOf(rows[row]!)
      if (verdict === 0) continue
      entry(row, name, verdict, 1)
      const column = nulls.get(index) ?? new Uint8Array(rows.length)
      column[row] = 1
      nulls.set(index, column)
    }
  }
  return { suppressions, nulls }
}

function refuseIfDemanded(suppressions: readonly Suppressed[], reviewed: ReviewedPlan): void {
  const refusing = suppressions.filter(({ reason }) => reason.obligation.onFailure === 'refuse')
  const first = refusing[0]
  if (first === undefined) return
  throw new SluiceError('DISCLOSURE_REFUSED', `cells of the result are not safe for "${first.dataset}"`, {
    rule: first.rule,
    remedy:
      'Use coarser groups or wider conditions, so that every cell has enough entities and none dominates.',
    facts: { ...counted(refusing, reviewed), datasets: [...new Set(refusing.map(({ dataset }) => dataset))] },
  })
}

function told(suppressions: readonly Suppressed[]): Suppression[] {
  const rows = new Set<string>()
  return suppressions
    .map(({ row, column, rule, dataset }) => ({ row, column, rule, dataset }))
    .filter(({ row, rule, dataset }) => {
      if (row !== null) return true
      const key = JSON.stringify([rule, dataset])
      return rows.has(key) ? false : rows.add(key)
    })
}

function counted(
  suppressions: readonly Suppressed[],
  { step }: ReviewedPlan,
): Partial<Record<Suppression['rule'], number>> {
  const counts: Partial<Record<Suppression['rule'], number>> = {}
  for (const { rule, times } of suppressions) counts[rule] = (counts[rule] ?? 0) + times
  for (const rule of Object.keys(counts) as Suppression['rule'][]) {
    counts[rule] = Math.ceil(counts[rule]! / step.rows) * step.rows
  }
  return counts
}

function isIdentity(rows: Uint32Array, count: number): boolean {
  return rows.length === count && rows.every((row, index) => row === index)
}

function sealed(
  { approved, isolation, milliseconds }: RawContents,
  table: Table,
  suppressions: readonly Suppression[],
  suppressed: Partial<Record<Suppression['rule'], number>>,
): CheckedResult {
  return sealCheckedResult({ approved, table, suppressions, suppressed, isolation, milliseconds })
}
