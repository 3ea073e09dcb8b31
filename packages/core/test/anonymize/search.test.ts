import { orderedColumn, type Records, searchOptimum } from '@sluice/core/anonymize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { passingNodes } from './oracle.js'
import { binaryHierarchy, cases, MODEL } from './tables.js'

const SEED = 20_240_611

describe('the search for the optimum', () => {
  it('finds the least loss of all nodes, whatever is monotone and whatever is not', async () => {
    let pruned = 0
    let unreachable = 0
    await fc.assert(
      fc.asyncProperty(cases, async example => {
        const nodes = passingNodes(example)
        if (nodes.length === 0) {
          unreachable++
          await expect(searchOptimum(example.records, example.config)).rejects.toMatchObject({
            code: 'ANONYMITY_UNREACHABLE',
          })
          return
        }
        const found = await searchOptimum(example.records, example.config)
        const least = Math.min(...nodes.map(node => node.loss))
        expect(found.loss).toBeCloseTo(least, 6)
        expect(nodes.find(node => node.levels.join() === found.levels.join())?.loss).toBeCloseTo(least, 6)
        if (found.checked < found.nodes) pruned++
      }),
      { seed: SEED, numRuns: 1500 },
    )
    // the property says nothing about pruning where nothing was pruned, or about tables that always or never pass
    expect(pruned).toBeGreaterThan(300)
    expect(unreachable).toBeGreaterThan(50)
  })

  it('says the same as looking at every node', async () => {
    const records = larger()
    for (const measure of ['non-uniform-entropy', 'discernibility', 'average-class-size'] as const) {
      for (const suppression of [0, 0.02, 0.1]) {
        const config = { model: { ...MODEL, k: 5 }, suppression, measure }
        const pruned = await searchOptimum(records, config)
        const every = await searchOptimum(records, config, { exhaustive: true })
        expect(pruned.loss).toBe(every.loss)
        expect(every.checked).toBe(every.nodes)
        expect(pruned.checked).toBeLessThan(every.nodes)
      }
    }
  })

  it('tells keys beyond 32 bits apart', async () => {
    const rows = 4000
    const quasi = Array.from({ length: 5 }, (_, column) => {
      const codes = Uint32Array.from(
        { length: rows },
        (_, row) => (row * (2 * column + 7) + (row >> 5)) % 1000,
      )
      return orderedColumn(`q${column}`, binaryHierarchy(1000, 2), codes)
    })
    const records = { quasi, sensitive: [], weights: new Uint32Array(rows).fill(1), population: null }
    const { classes } = await searchOptimum(records, {
      model: { ...MODEL, k: 2 },
      suppression: 1,
      measure: 'average-class-size',
    })
    const keys = new Set(
      Array.from({ length: rows }, (_, row) =>
        quasi.map(({ codes, hierarchy }, at) => hierarchy.codes[classes.levels[at]!]![codes[row]!]).join(),
      ),
    )
    expect(classes.count).toBe(keys.size)
  })

  it('is cancelled', async () => {
    const stop = new AbortController()
    const codes = (column: number) =>
      Uint32Array.from({ length: 5000 }, (_, row) => ((row * (column + 3)) >> 4) & 15)
    const quasi = Array.from({ length: 6 }, (_, at) =>
      orderedColumn(`q${at}`, binaryHierarchy(16, 4), codes(at)),
    )
    const records = { quasi, sensitive: [], weights: new Uint32Array(5000).fill(1), population: null }
    const search = searchOptimum(
      records,
      { model: { ...MODEL, k: 5 }, suppression: 1, measure: 'discernibility' },
      { exhaustive: true, signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) },
    )
    await expect(search).rejects.toThrow('enough')
  })

  it('refuses a table without rows and a lattice beyond what is searched', async () => {
    const config = { model: MODEL, suppression: 0, measure: 'discernibility' as const }
    const empty: Records = { quasi: [], sensitive: [], weights: new Uint32Array(0), population: null }
    await expect(searchOptimum(empty, config)).rejects.toMatchObject({ code: 'FILE_FORMAT' })
    const codes = new Uint32Array(2)
    const quasi = Array.from({ length: 25 }, (_, at) => orderedColumn(`q${at}`, binaryHierarchy(2, 1), codes))
    const wide: Records = { quasi, sensitive: [], weights: new Uint32Array(2).fill(1), population: null }
    await expect(searchOptimum(wide, config)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      rule: 'lattice.size',
    })
  })
})

/** Five columns of 2 to 4 levels, skewed, from a fixed generator. */
function larger(): Records {
  const rows = 1500
  let state = 12_345
  const next = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor(((state >>> 8) / 2 ** 24) ** 2 * below)
  }
  const sizes = [2, 16, 7, 12, 5]
  const codes = sizes.map(() => new Uint32Array(rows))
  for (let row = 0; row < rows; row++) {
    for (const [column, size] of sizes.entries()) codes[column]![row] = next(size)
  }
  return {
    quasi: sizes.map((size, column) =>
      orderedColumn(`q${column}`, binaryHierarchy(size, size > 4 ? 3 : 1), codes[column]!),
    ),
    sensitive: [],
    weights: new Uint32Array(rows).fill(1),
    population: null,
  }
}
