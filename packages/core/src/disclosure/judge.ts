import { SluiceError } from '../errors.js'
import type { ColumnId } from '../plan/expression.js'
import { leastEntities } from '../plan/order-statistics.js'
import type { CellSpecification, Obligation } from '../plan/review-types.js'
import type { Evidence } from './evidence.js'
import { RULES } from './rules/registry.js'

/** Why a row or a cell is unsafe: positions in `reasons`, counted from 1; 0 is safe. */
export interface Verdicts {
  readonly reasons: readonly Reason[]
  /** by row: the whole group */
  readonly group: Uint16Array
  /** by aggregate column and row; a group that is unsafe is unsafe in all its cells */
  readonly cells: ReadonlyMap<ColumnId, Uint16Array>
}

export interface Reason {
  readonly rule: (typeof RULES)[number]['name']
  readonly obligation: Obligation
}

/**
 * Applies every rule that the obligations demand to every part.
 *
 * @throws SluiceError EVIDENCE_UNDEFINED `evidence.missing` where an obligation has no evidence for a part of a cell,
 * or it is not of the right form
 */
export function judge(
  obligations: readonly Obligation[],
  cells: readonly CellSpecification[],
  evidence: readonly Evidence[],
  rows: number,
): Verdicts {
  const reasons: Reason[] = []
  const group = new Uint16Array(rows)
  const byCell = new Map(cells.map(cell => [cell.id, new Uint16Array(rows)]))
  const mark = (
    target: Uint16Array,
    part: Evidence['part']['kind'],
    obligation: Obligation,
    given: Evidence,
  ) => {
    for (const rule of RULES) {
      if (rule.part !== ruledAs(part) || !rule.applies(obligation)) continue
      const reason = reasons.push({ rule: rule.name, obligation })
      const unsafe = rule.unsafe(obligation, given)
      for (let row = 0; row < rows; row++) if (unsafe[row] === 1 && target[row] === 0) target[row] = reason
    }
  }
  for (const obligation of obligations) {
    const required = (part: Evidence['part'], contributions: number) =>
      evidenceFor(evidence, obligation, part, contributions, rows)
    const ofGroup = required({ kind: 'group' }, 0)
    mark(group, 'group', obligation, ofGroup)
    for (const cell of cells) {
      const { id, contributes, complement, differences, contributions } = cell
      const target = byCell.get(id)!
      // where every row takes part and nothing is summed, the cell is the group
      if (contributes === null && contributions.length === 0) mark(target, 'cell', obligation, ofGroup)
      else
        mark(target, 'cell', heldTo(obligation, cell), required({ kind: 'cell', id }, contributions.length))
      if (complement !== null) {
        mark(target, 'complement', obligation, required({ kind: 'complement', id }, contributions.length))
      }
      for (const index of differences.keys()) {
        const part = { kind: 'difference', id, index } as const
        mark(target, 'difference', obligation, required(part, contributions.length))
      }
    }
  }
  for (const target of byCell.values()) {
    for (let row = 0; row < rows; row++) if (group[row] !== 0) target[row] = group[row]!
  }
  return { reasons, group, cells: byCell }
}

/** A released rank asks for more entities in its cell than others do. */
function heldTo(obligation: Obligation, cell: CellSpecification | undefined): Obligation {
  if (cell?.order === undefined) return obligation
  return { ...obligation, minimumEntities: leastEntities(cell.order, obligation.minimumEntities) }
}

/**
 * For an engine, before it counts exactly: 1 for every row whose bounds in this evidence do not clear it for the
 * obligation. Rows whose evidence is exact are settled either way. Pure; needs no sealed value.
 *
 * @example
 * const open = unsettled(obligation, bounds)     // count these rows exactly, then set `exact` to 1 for them
 * @param cells what the parts are of
 */
export function unsettled(
  obligation: Obligation,
  evidence: Evidence,
  cells: readonly CellSpecification[] = [],
): Uint8Array {
  const { part } = evidence
  const held =
    part.kind === 'cell'
      ? heldTo(
          obligation,
          cells.find(({ id }) => id === part.id),
        )
      : obligation
  const open = new Uint8Array(evidence.entities.length)
  for (const rule of RULES) {
    if (rule.part !== ruledAs(part.kind) || !rule.applies(held)) continue
    const unsafe = rule.unsafe(held, evidence)
    for (let row = 0; row < open.length; row++)
      if (unsafe[row] === 1 && evidence.exact[row] !== 1) open[row] = 1
  }
  return open
}

/** The first verdict against any of the aggregates that something is computed from. */
export function firstVerdict(
  aggregates: readonly ColumnId[],
  cells: ReadonlyMap<ColumnId, Uint16Array>,
): (row: number) => number {
  const verdicts = aggregates.map(id => cells.get(id)!)
  return row => {
    for (const verdict of verdicts) if (verdict[row] !== 0) return verdict[row]!
    return 0
  }
}

function evidenceFor(
  evidence: readonly Evidence[],
  { source, dataset, dominance, pPercent }: Obligation,
  part: Evidence['part'],
  contributions: number,
  rows: number,
): Evidence {
  const found = evidence.find(candidate => candidate.source === source && samePart(candidate.part, part))
  const needed = Math.max(dominance?.n ?? 0, pPercent === null ? 0 : 2)
  const complete =
    found !== undefined &&
    found.entities.length === rows &&
    found.exact.length === rows &&
    (contributions === 0 || needed === 0 || found.contributions.length === contributions) &&
    (contributions === 0 ||
      needed === 0 ||
      found.contributions.every(
        ({ total, largest }) =>
          total.length === rows &&
          largest.length >= needed &&
          largest.slice(0, needed).every(values => values.length === rows),
      ))
  if (complete) return found
  throw new SluiceError(
    'EVIDENCE_UNDEFINED',
    `the engine gave no evidence about the entities of "${dataset}"`,
    {
      rule: 'evidence.missing',
      remedy: 'Use an engine that gives the evidence which the policy demands.',
      facts: { part: part.kind, source },
    },
  )
}

/** What one cell has beyond another is held to the same as what it leaves of its group. */
function ruledAs(part: Evidence['part']['kind']): (typeof RULES)[number]['part'] {
  return part === 'difference' ? 'complement' : part
}

function samePart(a: Evidence['part'], b: Evidence['part']): boolean {
  if (a.kind === 'group' || b.kind === 'group') return a.kind === b.kind
  if (a.kind === 'difference' && b.kind === 'difference' && a.index !== b.index) return false
  return a.kind === b.kind && a.id === b.id
}
