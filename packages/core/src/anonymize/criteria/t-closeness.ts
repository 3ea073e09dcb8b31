import type { Hierarchy } from '../hierarchy/hierarchy.js'
import { type Criterion, type Distribution, MARGIN } from './criterion.js'

/**
 * The distribution of a sensitive column in a class is within t of the whole table's, by the earth mover's distance
 * (Li, Li, Venkatasubramanian, ICDE 2007, definition 2). It is convex, so that it holds for the union of two classes
 * for which it holds (section 4, generalization property).
 *
 * @param whole share of each value in the whole table, suppressed rows included
 */
export function tCloseness(
  t: number,
  column: number,
  whole: Float64Array,
  hierarchy: Hierarchy | null,
): Criterion {
  const distance =
    hierarchy === null
      ? (own: Distribution) => equalDistance(own, whole)
      : hierarchicalDistance(hierarchy, whole)
  return {
    name: 't-closeness',
    monotone: 'union',
    column,
    satisfied: view => distance(view.distribution(column)) <= t + MARGIN,
  }
}

/** Every two values are 1 apart (section 5.2, equal distance): half the sum of |p − q|, which is 1 − Σ min(p, q). */
export function equalDistance({ counts, codes, size }: Distribution, whole: Float64Array): number {
  let shared = 0
  for (const code of codes) shared += Math.min(counts[code]! / size, whole[code]!)
  return 1 - shared
}

/**
 * Two values are as far apart as their lowest common ancestor is high, of the height of the tree (section 5.2,
 * hierarchical distance): the cost of a node is its height's share times the lesser of what its children have too
 * much and too little. Values that share no label at the last level meet above it.
 */
export function hierarchicalDistance(
  { codes, labels }: Hierarchy,
  whole: Float64Array,
): (own: Distribution) => number {
  const rooted = labels.at(-1)!.length === 1
  const height = rooted ? codes.length - 1 : codes.length
  const parents = parentsOf(codes, labels)
  return ({ counts, size }) => {
    let extra = whole.map((share, code) => counts[code]! / size - share)
    let cost = 0
    for (let level = 1; level <= height; level++) {
      const parent = parents[level - 1]!
      const count = level < codes.length ? labels[level]!.length : 1
      const [more, less] = [new Float64Array(count), new Float64Array(count)]
      for (let child = 0; child < extra.length; child++) {
        const side = extra[child]! > 0 ? more : less
        side[parent[child]!] = side[parent[child]!]! + Math.abs(extra[child]!)
      }
      for (let node = 0; node < count; node++) cost += (level / height) * Math.min(more[node]!, less[node]!)
      extra = more.map((amount, node) => amount - less[node]!)
    }
    return cost
  }
}

/** For each level, the parent of each of its codes; above the last level there is one root. */
function parentsOf(codes: Hierarchy['codes'], labels: Hierarchy['labels']): Uint32Array[] {
  return codes.map((own, level) => {
    const parent = new Uint32Array(labels[level]!.length)
    const above = codes[level + 1]
    if (above === undefined) return parent
    own.forEach((code, value) => {
      parent[code] = above[value]!
    })
    return parent
  })
}
