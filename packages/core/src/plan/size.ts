import type { PlanNode, Scan } from './node.js'
import { foldPlan } from './visit.js'

/** How many joins lie on top of each other in a plan, at most: nine tables. */
export const JOIN_LIMIT = 8
/** How often one dataset may be joined with itself: every time multiplies the rows of whatever repeats. */
export const SELF_JOIN_LIMIT = 3

export interface PlanSize {
  readonly joins: number
  /** by dataset: its scans below the same join */
  readonly scans: ReadonlyMap<string, readonly Scan[]>
}

/** What is joined with what. Sides of a union are computed one after the other: the larger counts. */
export function sizeOf(root: PlanNode): PlanSize {
  return foldPlan<PlanSize>(root, (node, parts) => {
    if (node.kind === 'scan') return { joins: 0, scans: new Map([[node.dataset, [node]]]) }
    const joins = parts.map(part => part.joins)
    const scans = new Map<string, readonly Scan[]>()
    for (const [dataset, found] of parts.flatMap(part => [...part.scans])) {
      const known = scans.get(dataset) ?? []
      if (node.kind === 'join') scans.set(dataset, [...known, ...found])
      else if (found.length > known.length) scans.set(dataset, found)
    }
    return {
      joins: node.kind === 'join' ? joins.reduce((sum, each) => sum + each, 1) : Math.max(...joins),
      scans,
    }
  })
}
