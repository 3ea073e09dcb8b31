import { SluiceError } from '../errors.js'
import { firstVerdict, type Verdicts } from './judge.js'
import type { RawContents } from './results.js'

/** Which rows are released and in what order. */
export interface Arrangement {
  /** rows of the raw table, as they will stand */
  readonly rows: Uint32Array
  /** how many rows had to be left out because being there would tell something, by the verdict against them */
  readonly leftOut: ReadonlyMap<number, number>
}

/**
 * Applies what stands above the aggregate. A row is left out where its group is unsafe and its keys are not public,
 * or where a condition was computed from an unsafe cell. Rows whose place depends on an unsafe cell come last, in
 * the order of their keys.
 */
export function arrange(contents: RawContents, verdicts: Verdicts, publicKeys: boolean): Arrangement {
  const { keep, keepDependsOn, rank, rankDependsOn, keyRank, limit, table } = contents
  const count = table.numRows
  const kept = new Uint32Array(count)
  let size = 0
  const leftOut = new Map<number, number>()
  const keepVerdict = firstVerdict(keepDependsOn, verdicts.cells)
  for (let row = 0; row < count; row++) {
    const hidden = !publicKeys && verdicts.group[row] !== 0 ? verdicts.group[row]! : keepVerdict(row)
    if (keep !== null && keep[row] === 0 && keepVerdict(row) === 0) continue
    if (hidden !== 0) leftOut.set(hidden, (leftOut.get(hidden) ?? 0) + 1)
    else kept[size++] = row
  }
  const ordered = inOrder(kept.subarray(0, size), { rank, rankDependsOn, keyRank }, verdicts)
  const from = limit?.offset ?? 0
  const rows = ordered.subarray(from, limit === null || limit.count === null ? undefined : from + limit.count)
  return { rows, leftOut }
}

function inOrder(
  kept: Uint32Array,
  { rank, rankDependsOn, keyRank }: Pick<RawContents, 'rank' | 'rankDependsOn' | 'keyRank'>,
  { cells }: Verdicts,
): Uint32Array {
  const order = rank ?? keyRank
  if (order === null) return kept
  const placeVerdict = firstVerdict(rankDependsOn, cells)
  const placed = kept.filter(row => placeVerdict(row) === 0)
  if (placed.length === kept.length) return byRank(kept, order)
  if (keyRank === null) {
    throw new SluiceError('ENGINE_FAILED', 'the engine gave no order by the group keys', {
      rule: 'result.key-rank',
    })
  }
  const rows = new Uint32Array(kept.length)
  rows.set(byRank(placed, order))
  rows.set(
    byRank(
      kept.filter(row => placeVerdict(row) !== 0),
      keyRank,
    ),
    placed.length,
  )
  return rows
}

/** @param order a permutation, so that every rank is one row's */
function byRank(rows: Uint32Array, order: Uint32Array): Uint32Array {
  const rowsByRank = new Uint32Array(order.length)
  const taken = new Uint8Array(order.length)
  for (const row of rows) {
    rowsByRank[order[row]!] = row
    taken[order[row]!] = 1
  }
  return rowsByRank.filter((_, rank) => taken[rank] === 1)
}
