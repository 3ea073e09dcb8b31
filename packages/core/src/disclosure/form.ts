import { SluiceError } from '../errors.js'
import type { RawContents } from './results.js'

/**
 * Is an engine's answer whole: the plan's columns under their names, and every list as long as the table.
 *
 * @throws SluiceError ENGINE_FAILED with the part as rule
 */
export function checkForm(contents: RawContents): void {
  const { approved, table, keep, rank, keyRank, limit } = contents
  const { plan, release } = approved.reviewed
  const names = table.schema.fields.map(field => field.name)
  if (names.length !== plan.output.length || plan.output.some(({ name }, index) => name !== names[index])) {
    throw wrong('columns')
  }
  if (release.mode !== 'aggregate') return
  const rows = table.numRows
  if (keep !== null && keep.length !== rows) throw wrong('keep')
  if (rank !== null && !isPermutation(rank, rows)) throw wrong('rank')
  if (keyRank !== null && !isPermutation(keyRank, rows)) throw wrong('key-rank')
  if (limit !== null && !(isNatural(limit.offset) && (limit.count === null || isNatural(limit.count)))) {
    throw wrong('limit')
  }
  const known = new Set(release.cells.map(cell => cell.id))
  const named = [
    ...contents.keepDependsOn,
    ...contents.rankDependsOn,
    ...release.outputs.flatMap(o => o.aggregates),
  ]
  if (named.some(id => !known.has(id))) throw wrong('depends-on')
}

function isPermutation(ranks: Uint32Array, rows: number): boolean {
  if (ranks.length !== rows) return false
  const seen = new Uint8Array(rows)
  for (const rank of ranks) {
    if (rank >= rows || seen[rank] === 1) return false
    seen[rank] = 1
  }
  return true
}

function isNatural(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function wrong(part: string): SluiceError {
  return new SluiceError('ENGINE_FAILED', 'the engine’s answer does not have the form of the plan', {
    rule: `result.${part}`,
  })
}
