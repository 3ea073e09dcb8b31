import { hierarchyOf, orderedColumn, type Records, searchOptimum } from '@sluice/core/anonymize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MODEL } from './tables.js'

/**
 * The nine patients of Li et al. (t-Closeness, ICDE 2007), table 5: three classes of three, and the tree of diseases
 * of figure 1. The distances are worked out by hand from the definition in section 5.2.
 */
const DISEASES: Record<string, string[]> = {
  flu: ['respiratory infection', 'respiratory', 'any'],
  pneumonia: ['respiratory infection', 'respiratory', 'any'],
  bronchitis: ['respiratory infection', 'respiratory', 'any'],
  'gastric ulcer': ['stomach', 'digestive', 'any'],
  gastritis: ['stomach', 'digestive', 'any'],
  'stomach cancer': ['stomach', 'digestive', 'any'],
}
const CLASSES = [
  ['gastric ulcer', 'stomach cancer', 'pneumonia'],
  ['gastritis', 'flu', 'bronchitis'],
  ['gastritis', 'bronchitis', 'stomach cancer'],
]

function patients(): Records {
  const values = Object.keys(DISEASES)
  const rows = CLASSES.flatMap((diseases, group) => diseases.map(disease => ({ group, disease })))
  const names = ['A', 'B', 'C']
  return {
    quasi: [
      orderedColumn(
        'group',
        hierarchyOf('group', names, () => ['*']),
        Uint32Array.from(rows, row => row.group),
      ),
    ],
    sensitive: [
      {
        name: 'disease',
        cardinality: values.length,
        codes: Uint32Array.from(rows, row => values.indexOf(row.disease)),
        hierarchy: hierarchyOf('disease', values, value => DISEASES[value]!),
      },
    ],
    weights: new Uint32Array(9).fill(1),
    population: null,
  }
}

/** Do the classes stand as they are (level 0), or does t force them together. */
async function levelAt(t: number, distance: 'equal' | 'hierarchical'): Promise<number> {
  const model = { ...MODEL, closeness: [{ column: 'disease', t, distance }] }
  const found = await searchOptimum(patients(), { model, suppression: 0, measure: 'discernibility' })
  return found.levels[0]!
}

describe('t-closeness', () => {
  it('by the hierarchical distance: the farthest class is 8/27 away', async () => {
    expect(await levelAt(8 / 27, 'hierarchical')).toBe(0)
    expect(await levelAt(8 / 27 - 1e-6, 'hierarchical')).toBe(1)
  })

  it('by the equal distance: the farthest class is 5/9 away', async () => {
    // the first: 2/9 too much of gastric ulcer and pneumonia each, 1/9 of stomach cancer
    expect(await levelAt(5 / 9, 'equal')).toBe(0)
    expect(await levelAt(5 / 9 - 1e-6, 'equal')).toBe(1)
  })

  it('is the least cost of a transport, by the definition of the earth mover’s distance', async () => {
    const leaves = fc
      .array(fc.nat(6), { minLength: 4, maxLength: 4 })
      .filter(counts => counts.some(count => count > 0))
    await fc.assert(
      fc.asyncProperty(leaves, leaves, async (inClass, others) => {
        const distance = transport(
          inClass,
          inClass.map((count, value) => count + others[value]!),
        )
        const records = twoClasses(inClass, others)
        const passes = async (t: number) => {
          const model = { ...MODEL, k: 1, closeness: [{ column: 's', t, distance: 'hierarchical' as const }] }
          // the second class may be suppressed; the first has no other way to stand at level 0
          return searchOptimum(records, { model, suppression: 1, measure: 'average-class-size' })
        }
        const { failing, classes, levels } = await passes(Math.min(1, distance + 1e-6))
        if (levels[0] === 0) {
          const first = classes.representatives.findIndex(record => records.quasi[0]!.codes[record] === 0)
          expect(failing[first]).toBe(0)
        }
        const tight = distance > 1e-5 ? await passes(distance - 1e-6) : null
        if (tight !== null && tight.levels[0] === 0) {
          const first = tight.classes.representatives.findIndex(
            record => records.quasi[0]!.codes[record] === 0,
          )
          expect(tight.failing[first]).toBe(1)
        }
      }),
      { seed: 7, numRuns: 150 },
    )
  })
})

/** Values 0 and 1 are siblings, 2 and 3 are; a pair is half as far apart as two of different pairs. */
function twoClasses(first: readonly number[], second: readonly number[]): Records {
  const entries = [first, second].flatMap((counts, group) =>
    counts.map((count, value) => ({ group, value, count })).filter(({ count }) => count > 0),
  )
  return {
    quasi: [
      orderedColumn(
        'q',
        hierarchyOf('q', ['A', 'B'], () => ['*']),
        Uint32Array.from(entries, row => row.group),
      ),
    ],
    sensitive: [
      {
        name: 's',
        cardinality: 4,
        codes: Uint32Array.from(entries, row => row.value),
        hierarchy: hierarchyOf('s', ['0', '1', '2', '3'], (_, code) => [`pair ${code >> 1}`, 'any']),
      },
    ],
    weights: Uint32Array.from(entries, row => row.count),
    population: null,
  }
}

/** Least cost to move shares p to q: within a pair first (½ a unit), then across (1), which is optimal in a tree. */
function transport(p: readonly number[], q: readonly number[]): number {
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
  const left = p.map((count, value) => count / sum(p) - q[value]! / sum(q))
  let cost = 0
  const move = (from: number, to: number, price: number) => {
    const amount = Math.min(Math.max(left[from]!, 0), Math.max(-left[to]!, 0))
    left[from]! -= amount
    left[to]! += amount
    cost += amount * price
  }
  for (const near of [true, false]) {
    for (let from = 0; from < 4; from++) {
      for (let to = 0; to < 4; to++) if ((from >> 1 === to >> 1) === near) move(from, to, near ? 0.5 : 1)
    }
  }
  return cost
}
