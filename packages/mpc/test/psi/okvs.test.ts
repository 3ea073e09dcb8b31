import { describe, expect, it } from 'vitest'
import {
  arena,
  denseNeeded,
  expansion,
  maxLoad,
  okvsEncode,
  okvsEncodingSizes,
  okvsParameters,
  okvsTryEncode,
} from '../../dist/psi/parts.js'
import { seeded, stream } from '../protocols/local.js'

type Parameters = ReturnType<typeof okvsParameters>

function prepared(parameters: Parameters, count: number, seed: string) {
  const memory = arena({ ...okvsEncodingSizes(parameters, count), out: 16 * count })
  memory.bytes.rows.set(seeded(`${seed} rows`)(48 * count))
  memory.bytes.okvs.set(seeded(`${seed} store`)(memory.bytes.okvs.length))
  return memory
}

/** What the store gives for each of its keys, and the values that were put in. */
function decoded(
  { kernels, at, bytes }: ReturnType<typeof prepared>,
  { parts, sparse }: Parameters,
  count: number,
) {
  kernels.okvsTables(at.okvs, parts, sparse, at.tables)
  kernels.okvsDecode(at.rows, count, at.okvs, at.tables, at.out)
  const out = bytes.out.slice()
  kernels.okvsValues(at.rows, count, at.out)
  return [out, bytes.out] as const
}

describe('the store', () => {
  it.each([1, 2, 3, 10, 100, 1000, 20_000, 70_000, 130_000])('gives the values of %i keys', count => {
    const parameters = okvsParameters(count)
    const memory = prepared(parameters, count, `${count}`)
    okvsEncode(memory, parameters, count)
    const [out, values] = decoded(memory, parameters, count)
    expect(Buffer.compare(out, values)).toBe(0)
  })

  it('gives something else for other keys', () => {
    const parameters = okvsParameters(1000)
    const memory = prepared(parameters, 1000, 'others')
    okvsEncode(memory, parameters, 1000)
    memory.bytes.rows.set(seeded('strangers')(48_000))
    memory.kernels.okvsRows(memory.at.rows, 1000, parameters.parts, parameters.sparse)
    const [out, values] = decoded(memory, parameters, 1000)
    for (let i = 0; i < 1000; i++) {
      expect(
        Buffer.compare(out.subarray(16 * i, 16 * i + 16), values.subarray(16 * i, 16 * i + 16)),
      ).not.toBe(0)
    }
  })

  it('solves what peeling leaves: keys that share their sparse columns, and one key twice', () => {
    const parameters = okvsParameters(500)
    const memory = prepared(parameters, 500, 'core')
    const { rows } = memory.bytes
    for (let i = 1; i < 30; i++) rows.copyWithin(48 * i + 24, 24, 40)
    rows.copyWithin(48 * 40, 48 * 41, 48 * 42)
    okvsEncode(memory, parameters, 500)
    const [out, values] = decoded(memory, parameters, 500)
    expect(Buffer.compare(out, values)).toBe(0)
  })

  it('says so where one key has two values', async () => {
    const parameters = okvsParameters(500)
    const memory = prepared(parameters, 500, 'twice')
    const { rows } = memory.bytes
    rows.copyWithin(48 * 40 + 16, 48 * 41 + 16, 48 * 42)
    await expect(() => okvsEncode(memory, parameters, 500)).toThrowWithCode('INTERNAL')
  })

  it('refuses to be one of more than it can hold to 2^-40 together', async () => {
    expect(() => okvsParameters(2 ** 20, 40 + 9)).not.toThrow()
    await expect(() => okvsParameters(2 ** 20, 40 + 20)).toThrowWithCode('PARAMETER_INVALID')
  })

  it('says so where a part has more keys than it has room for', () => {
    const parameters = { ...okvsParameters(500), load: 499 }
    expect(okvsTryEncode(prepared(parameters, 500, 'full'), parameters, 500)).toBe(false)
  })
})

describe('how often encoding fails', () => {
  /** Failures among so many attempts with other randomness. */
  const failures = (parameters: Parameters, count: number, attempts: number, seed: string, same = false) => {
    let failed = 0
    for (let attempt = 0; attempt < attempts; attempt++) {
      const memory = prepared(parameters, count, `${seed} ${attempt}`)
      if (same) for (let i = 1; i < count; i++) memory.bytes.rows.copyWithin(48 * i + 24, 24, 40)
      if (!okvsTryEncode(memory, parameters, count)) failed++
    }
    return failed
  }

  it('dense columns alone: the chance that random bits are dependent, within 4 standard deviations', () => {
    // all keys share their sparse columns, so that n rows (1, random bits) have to be independent
    for (const [count, dense] of [
      [9, 8],
      [8, 8],
      [6, 8],
    ] as const) {
      const parameters = { parts: 1, load: count, sparse: 8, dense }
      let independent = 1
      for (let i = 0; i < count - 1; i++) independent *= 1 - 2 ** (i - dense)
      const expected = 1 - independent
      const found = failures(parameters, count, 600, `dense ${count}`, true) / 600
      expect(Math.abs(found - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / 600))
    }
  })

  it.each([
    [512, 1, 1500],
    [512, 3, 1500],
    [1024, 3, 1500],
    [1024, 5, 2000],
    [2048, 4, 1000],
  ])('sparse columns: peeling %i keys at %i bits, against the formula', (count, bits, attempts) => {
    const sparse = Math.ceil(expansion(count, bits) * count)
    const { kernels, at, bytes } = arena(
      okvsEncodingSizes({ parts: 1, load: count, sparse, dense: 64 }, count),
    )
    const random = stream(`peeling ${count} ${bits}`)
    let stuck = 0
    for (let attempt = 0; attempt < attempts; attempt++) {
      random.fill(bytes.rows)
      bytes.starts.fill(0)
      kernels.okvsRows(at.rows, count, 1, sparse)
      kernels.okvsGroup(at.rows, count, 1, at.starts, at.order, at.grouped)
      const peeled = kernels.okvsPeel(at.grouped, count, 0, sparse, at.degrees, at.queue, at.stack)
      // what is left of few rows, the dense columns take
      if (count - peeled > denseNeeded(count, 40) - 40) stuck++
    }
    // it bounds what is seen, and not from far: the fit is for rates that nobody can count
    const expected = attempts * 2 ** -bits
    expect(stuck).toBeLessThan(expected + 4 * Math.sqrt(expected))
    expect(stuck).toBeGreaterThan(expected / 16 - 4 * Math.sqrt(expected / 16))
    expect(stuck).toBeGreaterThan(0)
  })

  it('elimination solves what peeling at such rates leaves, until there are fewer columns than keys', () => {
    const sparse = Math.ceil(expansion(512, 1) * 512)
    expect(failures({ parts: 1, load: 512, sparse, dense: 64 }, 512, 100, 'core')).toBe(0)
    expect(failures({ parts: 1, load: 512, sparse: 440, dense: 64 }, 512, 10, 'too few')).toBe(10)
  })

  it('the shapes in use: dense columns enough, rounded up, and room in every part', () => {
    for (const keys of [1, 2, 10, 1000, 40_000, 2 ** 20, 10 ** 7, 2 ** 28]) {
      const { parts, load, sparse, dense } = okvsParameters(keys)
      const bits = 41 + Math.log2(parts)
      expect(dense).toBeGreaterThanOrEqual(denseNeeded(load, bits))
      expect(sparse).toBeGreaterThanOrEqual(expansion(load, bits) * load)
      expect(load * parts).toBeGreaterThanOrEqual(keys)
    }
  })

  it('the shapes of one of 64 runs: six bits more, and dense columns enough for them', () => {
    for (const keys of [1, 1000, 2 ** 20]) {
      const { parts, load, sparse, dense } = okvsParameters(keys, 46)
      const bits = 47 + Math.log2(parts)
      expect(dense).toBeGreaterThanOrEqual(denseNeeded(load, bits))
      expect(sparse).toBeGreaterThanOrEqual(expansion(load, bits) * load)
      expect(load).toBeGreaterThanOrEqual(okvsParameters(keys).load)
    }
  })
})

describe('the load of a bin', () => {
  it('is that of an exact sum of the binomial distribution', () => {
    const tail = (items: number, bins: number, load: number) => {
      let term = (1 - 1 / bins) ** items
      let below = 0
      for (let k = 0; k <= load; k++) {
        below += term
        term *= ((items - k) / (k + 1)) * (1 / bins / (1 - 1 / bins))
      }
      return bins * (1 - below)
    }
    for (const [items, bins] of [
      [100, 4],
      [1000, 10],
      [1000, 3],
    ] as const) {
      const load = maxLoad(items, bins, 20)
      expect(tail(items, bins, load)).toBeLessThan(2 ** -20)
      expect(tail(items, bins, load - 2)).toBeGreaterThan(2 ** -20)
    }
    expect(maxLoad(10, 1, 40)).toBe(10)
    expect(maxLoad(0, 5, 40)).toBe(0)
    expect(maxLoad(5, 100, 400)).toBe(5)
  })
})
