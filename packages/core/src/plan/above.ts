import type { SluiceError } from '../errors.js'
import type { Aggregate, PlanNode } from './node.js'

/** What may stand above a plan's aggregate and works row by row on its cells. */
export type AboveNode = Exclude<PlanNode, { kind: 'scan' | 'join' | 'aggregate' | 'distinct' | 'union' }>

/**
 * A plan's aggregate, and the nodes above it from the lowest upwards. A LIMIT has to be the last of those that choose
 * rows: what is dropped is dropped once, at the end.
 *
 * @param refused the error for a node that stands where it cannot: another kind, or a LIMIT below what chooses
 */
export function splitAtAggregate(
  root: PlanNode,
  refused: (node: PlanNode) => SluiceError,
): { readonly aggregate: Aggregate; readonly above: readonly AboveNode[] } {
  const above: AboveNode[] = []
  let choosing = false
  let node = root
  for (; node.kind !== 'aggregate'; node = node.input) {
    if (node.kind !== 'project' && node.kind !== 'filter' && node.kind !== 'sort' && node.kind !== 'limit') {
      throw refused(node)
    }
    if (node.kind === 'limit' && choosing) throw refused(node)
    choosing ||= node.kind !== 'project'
    above.unshift(node)
  }
  return { aggregate: node, above }
}
