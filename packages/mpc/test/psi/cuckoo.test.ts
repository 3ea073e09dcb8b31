import { describe, expect, it } from 'vitest'
import { arena, cuckooBins } from '../../dist/psi/parts.js'
import { stream } from '../protocols/local.js'

const NOBODY = 0xffff_ffff

function inserted(count: number, bins: number, fill: (hashes: Uint8Array) => void, limit = 10_000) {
  const { kernels, at, bytes } = arena({ hashes: 16 * count, places: 16 * count, table: 4 * bins })
  fill(bytes.hashes)
  kernels.threeBins(at.hashes, count, bins, at.places)
  const placed = kernels.cuckooInsert(at.places, count, at.table, bins, limit)
  const words = (bytes: Uint8Array, from: number) => new Uint32Array(bytes.buffer, from, bytes.length / 4)
  return { placed, places: words(bytes.places, at.places), table: words(bytes.table, at.table) }
}

describe('cuckoo hashing', () => {
  it.each([1, 2, 100, 5000])('puts each of %i items into one of its three different bins', count => {
    const bins = cuckooBins(count)
    const { placed, places, table } = inserted(count, bins, hashes => stream(`${count}`).fill(hashes))
    expect(placed).toBe(count)
    const seen = new Set<number>()
    table.forEach((entry, bin) => {
      if (entry === NOBODY) return
      expect(places[4 * (entry >> 2) + (entry & 3)]).toBe(bin)
      seen.add(entry >> 2)
    })
    expect(seen.size).toBe(count)
    for (let item = 0; item < count; item++) {
      const three = places.subarray(4 * item, 4 * item + 3)
      expect(new Set(three).size).toBe(3)
      expect(Math.max(...three)).toBeLessThan(bins)
    }
  })

  it('says so where four items share three bins', () => {
    const { placed } = inserted(4, 64, hashes => hashes.fill(7), 100)
    expect(placed).toBe(3)
  })

  it('fails no more often than the formula says, where failures can be counted', () => {
    const bits = (count: number, bins: number) => (240 * bins) / count - Math.log2(count) - 256
    let failed = 0
    for (const wanted of [1, 3, 5]) {
      const [count, attempts] = [512, 500]
      const bins = Math.ceil((count * (wanted + Math.log2(count) + 256)) / 240)
      const random = stream(`bins at ${wanted}`)
      let here = 0
      for (let attempt = 0; attempt < attempts; attempt++) {
        if (inserted(count, bins, hashes => random.fill(hashes), 2000).placed < count) here++
      }
      const expected = attempts * 2 ** -bits(count, bins)
      expect(here).toBeLessThan(expected + 4 * Math.sqrt(expected))
      failed += here
    }
    expect(failed).toBeGreaterThan(0)
    expect(bits(2 ** 20, cuckooBins(2 ** 20))).toBeGreaterThanOrEqual(40)
  })
})
