import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  hierarchyFor,
  orderedColumn,
  parseHierarchy,
  type Records,
  searchOptimum,
} from '@sluice/core/anonymize'
import { describe, expect, it } from 'vitest'

/**
 * Optima on the UCI Adult data (30,162 complete rows, nine quasi-identifiers, 12,960 nodes) as ARX's own tests publish
 * them (github.com/arx-deidentifier/arx, TestAnonymizationKAnonymity and TestAnonymizationEntropyLDiversity, commit
 * aacd487f). The data is not ours to ship: SLUICE_ADULT names a directory with adult.csv and adult_hierarchy_*.csv of
 * that repository's `data`.
 */
const directory = process.env['SLUICE_ADULT']
const there = directory !== undefined && existsSync(join(directory, 'adult.csv'))
if (!there) process.stdout.write('adult.test: skipped, SLUICE_ADULT names no directory with adult.csv\n')

describe.skipIf(!there)('on the UCI Adult data', () => {
  it.each([
    [5, 407289.5388925293, [1, 2, 1, 1, 3, 2, 2, 1, 1]],
    [100, 453196.8932458743, [0, 4, 1, 1, 3, 2, 2, 1, 1]],
  ])('%i-anonymity without suppression has the published optimum', async (k, loss, levels) => {
    const found = await searchOptimum(adult([]), {
      model: { k, diversity: [], closeness: [], presence: null },
      suppression: 0,
      measure: 'non-uniform-entropy',
    })
    expect(found.nodes).toBe(12_960)
    expect(found.loss).toBeCloseTo(loss, 4)
    expect(found.levels).toEqual(levels)
  })

  it('entropy 5-diversity of the occupation has the published optimum', async () => {
    const found = await searchOptimum(adult(['occupation']), {
      model: {
        k: 2,
        diversity: [{ column: 'occupation', kind: 'entropy', l: 5 }],
        closeness: [],
        presence: null,
      },
      suppression: 0,
      measure: 'non-uniform-entropy',
    })
    expect(found.loss).toBeCloseTo(324620.5269918692, 4)
    expect(found.levels).toEqual([1, 1, 1, 1, 3, 2, 2, 1])
  })
})

function adult(sensitive: readonly string[]): Records {
  const read = (name: string) => readFileSync(join(directory!, name), 'utf8')
  const [head, ...rows] = read('adult.csv')
    .trim()
    .split(/\r?\n/)
    .map(line => line.split(';'))
  const encode = (name: string) => {
    const at = head!.indexOf(name)
    const known = new Map<string, number>()
    const codes = Uint32Array.from(rows, row => {
      const code = known.get(row[at]!) ?? known.size
      known.set(row[at]!, code)
      return code
    })
    return { codes, values: [...known.keys()] }
  }
  return {
    quasi: head!
      .filter(name => !sensitive.includes(name))
      .map(name => {
        const { codes, values } = encode(name)
        const table = parseHierarchy(read(`adult_hierarchy_${name}.csv`), name)
        return orderedColumn(name, hierarchyFor(name, { values, firstRow: () => null }, null, table), codes)
      }),
    sensitive: sensitive.map(name => {
      const { codes, values } = encode(name)
      return { name, codes, cardinality: values.length, hierarchy: null }
    }),
    weights: new Uint32Array(rows.length).fill(1),
    population: null,
  }
}
