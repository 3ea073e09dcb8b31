import { describe, expect, it } from 'vitest'
import {
  arena,
  correlatedReceiver,
  correlatedSender,
  receiverStock,
  senderStock,
  voleReceiver,
  voleSender,
  voleShape,
} from '../../dist/psi/parts.js'
import { seeded } from '../protocols/local.js'
import { elements, product } from './gf128.js'
import { channels, two } from './local.js'

describe('GF(2^128)', () => {
  it('products with one factor are those of big integers, edges among them', () => {
    const count = 200
    const { kernels, at, bytes } = arena({ factor: 16, table: 65_536, a: 16 * count, out: 16 * count })
    for (const seed of ['one', 'two', 'three']) {
      bytes.factor.set(seeded(seed)(16))
      bytes.a.set(seeded(`${seed} column`)(16 * count))
      bytes.a.fill(0, 0, 16)
      bytes.a.fill(0xff, 16, 32)
      for (let bit = 0; bit < 128; bit++) {
        bytes.a.fill(0, 16 * (bit + 2), 16 * (bit + 3))
        bytes.a[16 * (bit + 2) + (bit >> 3)] = 1 << (bit & 7)
      }
      bytes.out.set(seeded(`${seed} before`)(16 * count))
      const before = elements(bytes.out)
      kernels.gfTable(at.factor, at.table)
      kernels.gfMultiplyInto(at.a, at.table, at.out, count)
      const factor = elements(bytes.factor)[0]!
      expect(elements(bytes.out)).toEqual(elements(bytes.a).map((a, i) => before[i]! ^ product(a, factor)))
    }
  })

  it('combines 128 rows with the powers of x', () => {
    const { kernels, at, bytes } = arena({ rows: 3 * 128 * 16, out: 48 })
    bytes.rows.set(seeded('rows')(bytes.rows.length))
    kernels.gfCombine(at.rows, 3, at.out)
    const rows = elements(bytes.rows)
    const expected = [0, 1, 2].map(group =>
      rows
        .slice(128 * group, 128 * (group + 1))
        .reduce((sum, row, k) => sum ^ product(row, 1n << BigInt(k)), 0n),
    )
    expect(elements(bytes.out)).toEqual(expected)
  })
})

describe('bits of columns to rows', () => {
  it.each([
    [64, 64],
    [128, 192],
    [512, 64],
  ])('%i columns of %i bits', (columns, count) => {
    const { kernels, at, bytes } = arena({ columns: (columns * count) / 8, rows: (columns * count) / 8 })
    bytes.columns.set(seeded('bits')(bytes.columns.length))
    kernels.columnsToRows(at.columns, count / 8, columns / 64, count, at.rows)
    const bit = (from: Uint8Array, width: number, row: number, column: number) =>
      (from[(row * width) / 8 + (column >> 3)]! >> (column & 7)) & 1
    for (let row = 0; row < count; row++) {
      for (let column = 0; column < columns; column += 7) {
        expect(bit(bytes.rows, columns, row, column)).toBe(bit(bytes.columns, count, column, row))
      }
    }
  })
})

describe('correlated oblivious transfer', () => {
  it('gives t = q ⊕ choice · Δ, extension after extension', () => {
    const [receiving, sending] = channels('correlated')
    const counts = [1, 63, 64, 65, 1000]
    const choices = counts.map(count => seeded(`choices ${count}`)(Math.ceil(count / 8)))
    const { outputs, bytesSent } = two(
      (function* () {
        const correlated = yield* correlatedReceiver(receiving)
        const rows: bigint[][] = []
        for (const [i, count] of counts.entries())
          rows.push(elements(yield* correlated.extend(choices[i]!, count)))
        return rows
      })(),
      (function* () {
        const correlated = yield* correlatedSender(sending)
        const rows: bigint[][] = []
        for (const count of counts) rows.push(elements(yield* correlated.extend(count)))
        return { delta: elements(correlated.delta)[0]!, rows }
      })(),
    )
    const [received, { delta, rows }] = outputs
    counts.forEach((count, i) => {
      expect(received[i]).toHaveLength(count)
      received[i]!.forEach((t, row) => {
        const choice = (choices[i]![row >> 3]! >> (row & 7)) & 1
        expect(t ^ rows[i]![row]!).toBe(choice === 1 ? delta : 0n)
      })
    })
    expect(delta).not.toBe(0n)
    expect(new Set(rows.flat()).size).toBe(counts.reduce((sum, count) => sum + count, 0))
    expect(bytesSent[0]! - 128 * 32).toBe(16 * (64 + 64 + 64 + 128 + 1024))
  })
})

describe('vector oblivious linear evaluation', () => {
  it.each([1, 500, 3000, 20_000])('%i elements: c = b ⊕ a · Δ, twice on one set-up', count => {
    const [receiving, sending] = channels(`vole ${count}`)
    const { outputs, rounds } = two(
      (function* () {
        const correlated = yield* correlatedReceiver(receiving)
        const got = []
        for (const run of [0, 1]) {
          got.push(yield* (yield* voleReceiver(receiving, correlated, run, count))())
        }
        return got
      })(),
      (function* () {
        const correlated = yield* correlatedSender(sending)
        const got = []
        for (const run of [0, 1]) got.push(yield* voleSender(sending, correlated, run, count))
        return { delta: elements(correlated.delta)[0]!, got }
      })(),
    )
    const [received, { delta, got }] = outputs
    const seen = new Set<bigint>()
    received.forEach(({ a, c }, run) => {
      const [as, bs, cs] = [a, got[run]!, c].map(elements) as [bigint[], bigint[], bigint[]]
      expect([as.length, bs.length, cs.length]).toEqual([count, count, count])
      const looked =
        count > 3000 ? Array.from({ length: 300 }, (_, i) => i * Math.floor(count / 300)) : as.keys()
      for (const i of looked) expect(cs[i]! ^ bs[i]!).toBe(product(as[i]!, delta))
      for (const value of [...as, ...bs]) seen.add(value)
    })
    // as random values are, all are different and none is zero
    expect(seen.size).toBe(4 * count)
    expect(seen.has(0n)).toBe(false)
    expect(rounds).toBe(5)
  })

  it('small runs of a session share evaluations, and no element serves two', () => {
    const counts = [300, 5, 200, 95, 1, 600, 100, 2500, 40]
    const [receiving, sending] = channels('stock')
    const { outputs, views } = two(
      (function* () {
        const evaluate = receiverStock(receiving, yield* correlatedReceiver(receiving))
        const got = []
        for (const count of counts) got.push(yield* (yield* evaluate(count))())
        return got
      })(),
      (function* () {
        const correlated = yield* correlatedSender(sending)
        const evaluate = senderStock(sending, correlated)
        const got = []
        for (const count of counts) got.push(yield* evaluate(count))
        return { delta: elements(correlated.delta)[0]!, got }
      })(),
    )
    const [received, { delta, got }] = outputs
    const seen = new Set<bigint>()
    received.forEach(({ a, c }, run) => {
      const [as, bs, cs] = [a, got[run]!, c].map(elements) as [bigint[], bigint[], bigint[]]
      expect([as.length, bs.length, cs.length]).toEqual(new Array(3).fill(counts[run]))
      for (const i of as.keys()) expect(cs[i]! ^ bs[i]!).toBe(product(as[i]!, delta))
      for (const value of as) seen.add(value)
    })
    expect(seen.size).toBe(counts.reduce((sum, count) => sum + count, 0))
    // after the set-up, evaluations of 300, 300 for three runs, 600, 601, 1201, 2500 and 3801
    expect(views.map(view => view.length)).toEqual([1 + 7, 1 + 7])
  })

  it('each bit of a is as often one as zero: within 5 standard deviations, which zeroed noise is not', () => {
    const count = 20_000
    const [receiving, sending] = channels('bias')
    const { outputs } = two(
      (function* () {
        const correlated = yield* correlatedReceiver(receiving)
        return (yield* (yield* voleReceiver(receiving, correlated, 0, count))()).a
      })(),
      (function* () {
        yield* voleSender(sending, yield* correlatedSender(sending), 0, count)
        return undefined
      })(),
    )
    const bias = (bytes: Uint8Array) => {
      const ones = new Array<number>(128).fill(0)
      for (let i = 0; i < count; i++) {
        for (let bit = 0; bit < 128; bit++) ones[bit]! += (bytes[16 * i + (bit >> 3)]! >> (bit & 7)) & 1
      }
      return Math.max(...ones.map(number => Math.abs(number - count / 2) / Math.sqrt(count / 4)))
    }
    expect(bias(outputs[0])).toBeLessThan(5)
    const holes = outputs[0].map((byte, index) => (index % 160 < 16 ? 0 : byte))
    expect(bias(holes)).toBeGreaterThan(5)
  })

  it('takes at least the noise that 128 bits ask for, in twice the output', () => {
    for (const count of [1, 100, 5000, 100_000, 1_400_000, 13_000_000]) {
      const { trees, depth, half } = voleShape(count)
      expect(trees).toBeGreaterThanOrEqual(256)
      expect(trees).toBeLessThanOrEqual(513)
      expect(2 * half).toBe(trees * 2 ** depth)
      expect(half).toBeGreaterThanOrEqual(count)
    }
  })
})
