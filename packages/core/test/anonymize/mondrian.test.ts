import {
  anonymizeRecords,
  orderedColumn,
  partitionMondrian,
  type Records,
  SUPPRESSED,
} from '@sluice/core/anonymize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { binaryHierarchy, cases, MODEL, SENSITIVE } from './tables.js'

describe('Mondrian', () => {
  it('puts every row into a region that meets the model, or says that none can', async () => {
    let parted = 0
    await fc.assert(
      fc.asyncProperty(cases, async ({ records, config }) => {
        const model = { ...config.model, presence: null }
        const regions = await partitionMondrian(records, { model }).catch((error: { code?: string }) => {
          expect(error.code).toBe('ANONYMITY_UNREACHABLE')
          return null
        })
        if (regions === null) return
        if (regions.count > 1) parted++
        const sizes = new Map<number, number>()
        const values = new Map<number, Set<number>>()
        for (let record = 0; record < records.weights.length; record++) {
          const region = regions.of[record]!
          sizes.set(region, (sizes.get(region) ?? 0) + records.weights[record]!)
          values.set(region, (values.get(region) ?? new Set()).add(records.sensitive[0]!.codes[record]!))
        }
        expect([...sizes.keys()].sort((a, b) => a - b)).toEqual(
          Array.from({ length: regions.count }, (_, at) => at),
        )
        for (const [region, size] of sizes) {
          expect(regions.sizes[region]).toBe(size)
          expect(size).toBeGreaterThanOrEqual(model.k)
          for (const item of model.diversity) {
            if (item.kind === 'distinct') expect(values.get(region)!.size).toBeGreaterThanOrEqual(item.l)
          }
        }
        // strict: rows with the same quasi-identifiers stand together
        const seen = new Map<string, number>()
        for (let record = 0; record < records.weights.length; record++) {
          const key = records.quasi.map(({ codes }) => codes[record]).join()
          expect(seen.get(key) ?? regions.of[record]).toBe(regions.of[record])
          seen.set(key, regions.of[record]!)
        }
      }),
      { seed: 11, numRuns: 400 },
    )
    expect(parted).toBeGreaterThan(30)
  })

  it('cuts at medians: eight even values and k = 2 give four regions of two, written as ranges', async () => {
    const records: Records = {
      quasi: [
        orderedColumn(
          'n',
          binaryNumbers(8),
          Uint32Array.from({ length: 8 }, (_, row) => row),
        ),
      ],
      sensitive: [],
      weights: new Uint32Array(8).fill(1),
      population: null,
    }
    const config = {
      columns: {},
      model: MODEL,
      suppression: 0,
      method: 'mondrian' as const,
      measure: 'discernibility' as const,
      populationFile: null,
      populationRows: null,
    }
    const { sizes, labels, of } = await anonymizeRecords(records, config)
    expect([...sizes]).toEqual([2, 2, 2, 2])
    expect([...labels[0]!].sort()).toEqual(['[0, 1]', '[2, 3]', '[4, 5]', '[6, 7]'])
    expect(of.includes(SUPPRESSED)).toBe(false)
  })

  it('writes the lowest label that covers a region where values are no numbers', async () => {
    const records: Records = {
      quasi: [
        orderedColumn(
          't',
          binaryHierarchy(8, 3),
          Uint32Array.from({ length: 8 }, (_, row) => row),
        ),
      ],
      sensitive: [{ name: SENSITIVE, hierarchy: null, cardinality: 1, codes: new Uint32Array(8) }],
      weights: new Uint32Array(8).fill(2),
      population: null,
    }
    const { labels } = await anonymizeRecords(records, {
      columns: {},
      model: { ...MODEL, k: 4 },
      suppression: 0,
      method: 'mondrian',
      measure: 'discernibility',
      populationFile: null,
      populationRows: null,
    })
    expect([...labels[0]!].sort()).toEqual(['0:0', '0:1', '0:2', '0:3'])
  })
})

function binaryNumbers(count: number) {
  const { codes, labels } = binaryHierarchy(count, 3)
  return { codes, labels: [Array.from({ length: count }, (_, value) => String(value)), ...labels.slice(1)] }
}
