import { SluiceError } from '../errors.js'
import { firstVerdict, type Verdicts } from './judge.js'
import type { RawContents } from './results.js'

/** Which rows are released and in what order. */
export interface Arrangement {
  /** rows of the raw table, as they will stand */
  readonly rows: Uint32Array
  /** the verdicts against rows that had to be left out because being there would tell something */
  readonly leftOut: readonly number[]
}

/**
 * Applies what stands above the aggregate. A row is left out where its group is unsafe and its keys are not public,
 * or where a condition was computed from an unsafe cell. Rows whose place depends on an unsafe cell come last, in
 * the order of their keys.
 */
export function arrange(contents: RawContents, verdicts: Verdicts, publicKeys: boolean): Arrangement {
  const { keep, keepDependsOn, rank, rankDependsOn, keyRank, limit, table } = contents
  const kept: number[] = []
  const leftOut: number[] = []
  const keepVerdict = firstVerdict(keepDependsOn, verdicts.cells)
  for (let row = 0; row < table.numRows; row++) {
    const hidden = !publicKeys && verdicts.group[row] !== 0 ? verdicts.group[row]! : keepVerdict(row)
    if (keep !== null && keep[row] === 0 && keepVerdict(row) === 0) continue
    if (hidden !== 0) leftOut.push(hidden)
    else kept.push(row)
  }

  const order = rank ?? keyRank
  if (order !== null) {
    const placeVerdict = firstVerdict(rankDependsOn, verdicts.cells)
    const placed = kept.filter(row => placeVerdict(row) === 0)
    const unplaced = kept.filter(row => placeVerdict(row) !== 0)
    if (unplaced.length > 0 && keyRank === null) {
      throw new SluiceError('ENGINE_FAILED', 'the engine gave no order by the group keys', {
        rule: 'result.key-rank',
      })
    }
    placed.sort((a, b) => order[a]! - order[b]!)
    unplaced.sort((a, b) => keyRank![a]! - keyRank![b]!)
    kept.splice(0, kept.length, ...placed, ...unplaced)
  }
  const from = limit?.offset ?? 0
  const rows = kept.slice(from, limit === null || limit.count === null ? undefined : from + limit.count)
  return { rows: Uint32Array.from(rows), leftOut }
}
