import type { Records } from '@sluice/core/anonymize'
import type { Case } from './tables.js'

/** Every node, by the definitions alone, with maps of texts: shares nothing with the search. */
export interface Node {
  readonly levels: readonly number[]
  readonly loss: number
}

export function passingNodes({ records, config }: Case): Node[] {
  const heights = records.quasi.map(({ hierarchy }) => hierarchy.codes.length - 1)
  const nodes: Node[] = []
  for (const levels of combinations(heights)) {
    const loss = lossAt(records, config, levels)
    if (loss !== null) nodes.push({ levels, loss })
  }
  return nodes
}

export function combinations(heights: readonly number[]): number[][] {
  return heights.reduce<number[][]>(
    (all, height) =>
      all.flatMap(levels => Array.from({ length: height + 1 }, (_, level) => [...levels, level])),
    [[]],
  )
}

interface Group {
  size: number
  population: number
  readonly records: number[]
  readonly sensitive: Map<number, number>
}

export function groupsAt(records: Records, levels: readonly number[]): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (let record = 0; record < records.weights.length; record++) {
    const key = JSON.stringify(
      records.quasi.map(({ codes, hierarchy }, column) => hierarchy.codes[levels[column]!]![codes[record]!]),
    )
    const group: Group = groups.get(key) ?? { size: 0, population: 0, records: [], sensitive: new Map() }
    groups.set(key, group)
    const weight = records.weights[record]!
    group.size += weight
    group.population += records.population?.[record] ?? 0
    group.records.push(record)
    const code = records.sensitive[0]!.codes[record]!
    group.sensitive.set(code, (group.sensitive.get(code) ?? 0) + weight)
  }
  return groups
}

function lossAt(
  records: Records,
  { model, suppression, measure }: Case['config'],
  levels: readonly number[],
): number | null {
  const groups = [...groupsAt(records, levels).values()]
  const rows = groups.reduce((sum, { size }) => sum + size, 0)
  const whole = groupsAt(
    records,
    records.quasi.map(({ hierarchy }) => hierarchy.codes.length - 1),
  )
  const shares = [...whole.values()][0]!.sensitive
  const holds = ({ size, population, sensitive }: Group): boolean => {
    const counts = [...sensitive.values()].sort((a, b) => b - a)
    if (size < model.k) return false
    for (const item of model.diversity) {
      if (item.kind === 'distinct' && counts.length < item.l) return false
      if (item.kind === 'entropy') {
        const entropy = counts.reduce((sum, count) => sum - (count / size) * Math.log(count / size), 0)
        if (entropy < Math.log(item.l) - 1e-9) return false
      }
      if (item.kind === 'recursive') {
        const tail = counts.slice(item.l - 1).reduce((sum, count) => sum + count, 0)
        if (!(counts[0]! < item.c * tail)) return false
      }
    }
    for (const { t } of model.closeness) {
      let distance = 0
      for (const [code, count] of shares)
        distance += Math.abs((sensitive.get(code) ?? 0) / size - count / rows) / 2
      if (distance > t + 1e-9) return false
    }
    if (model.presence === null) return true
    const share = size / population
    return share >= model.presence.min - 1e-9 && share <= model.presence.max + 1e-9
  }
  const failing = groups.filter(group => !holds(group))
  const suppressed = failing.reduce((sum, { size }) => sum + size, 0)
  if (suppressed > Math.floor(suppression * rows + 1e-9)) return null
  const kept = groups.length - failing.length
  switch (measure) {
    case 'discernibility':
      return groups.reduce(
        (sum, group) => sum + group.size * (failing.includes(group) ? rows : group.size),
        0,
      )
    case 'average-class-size':
      return rows / (kept + (failing.length > 0 ? 1 : 0)) / model.k
    case 'non-uniform-entropy':
      return entropyLoss(records, levels, failing, rows)
  }
}

function entropyLoss(
  records: Records,
  levels: readonly number[],
  failing: readonly Group[],
  rows: number,
): number {
  const out = new Set(failing.flatMap(group => group.records))
  let bits = 0
  for (const [column, { codes, hierarchy }] of records.quasi.entries()) {
    const above = hierarchy.codes[levels[column]!]!
    const count = (same: (record: number) => boolean) =>
      records.weights.reduce((sum, weight, record) => sum + (same(record) ? weight : 0), 0)
    for (let record = 0; record < codes.length; record++) {
      const own = count(other => codes[other] === codes[record])
      const shown = out.has(record) ? rows : count(other => above[codes[other]!] === above[codes[record]!])
      bits -= records.weights[record]! * Math.log2(own / shown)
    }
  }
  return bits
}
