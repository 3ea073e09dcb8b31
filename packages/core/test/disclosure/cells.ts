import type { ContributionEvidence, Evidence } from '@sluice/core/disclosure'

/** One row of the data that a test makes up: `entity` null is nobody. */
export interface Row {
  readonly entity: number | null
  readonly group: number
  readonly amount: number | null
  readonly flag: boolean
}

type Part = Evidence['part']

/** Exact evidence of a part, counted row by row; the way in which an engine would, in one process and slowly. */
export function exactEvidence(
  rows: readonly Row[],
  groups: number,
  part: Part,
  takesPart: (row: Row) => boolean,
  contributions: readonly ((row: Row) => number)[],
  largest = 3,
): Evidence {
  return evidence(rows, groups, part, takesPart, contributions, largest, entity => entity, 1)
}

/** Bounds by buckets of entities: never more than the distinct entities, never less than their contributions. */
export function boundsEvidence(
  rows: readonly Row[],
  groups: number,
  part: Part,
  takesPart: (row: Row) => boolean,
  contributions: readonly ((row: Row) => number)[],
  buckets: number,
): Evidence {
  return evidence(rows, groups, part, takesPart, contributions, 3, entity => entity % buckets, 0)
}

function evidence(
  rows: readonly Row[],
  groups: number,
  part: Part,
  takesPart: (row: Row) => boolean,
  contributions: readonly ((row: Row) => number)[],
  largest: number,
  bucket: (entity: number) => number,
  exact: 0 | 1,
): Evidence {
  const entities = new Float64Array(groups)
  const summed: ContributionEvidence[] = contributions.map(() => ({
    total: new Float64Array(groups),
    largest: Array.from({ length: largest }, () => new Float64Array(groups)),
  }))
  for (let group = 0; group < groups; group++) {
    const inside = rows.filter(row => row.group === group && row.entity !== null && takesPart(row))
    entities[group] = new Set(inside.map(row => bucket(row.entity!))).size
    for (const [index, contribution] of contributions.entries()) {
      const byBucket = new Map<number, number>()
      for (const row of inside) {
        const key = bucket(row.entity!)
        byBucket.set(key, (byBucket.get(key) ?? 0) + contribution(row))
      }
      const sorted = [...byBucket.values()].sort((a, b) => b - a)
      summed[index]!.total[group] = sorted.reduce((sum, value) => sum + value, 0)
      let running = 0
      for (let i = 0; i < largest; i++) {
        running += sorted[i] ?? 0
        summed[index]!.largest[i]![group] = running
      }
    }
  }
  return { source: 0, part, entities, exact: new Uint8Array(groups).fill(exact), contributions: summed }
}
