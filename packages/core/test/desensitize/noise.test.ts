import { type Column, columnOfVector, type FixedColumn, randomPermutation } from '@sluice/core/desensitize'
import { Bool, DateDay, Decimal, Float64, Int8, Int32, Int64, Uint8, vectorFromArray } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { seeded } from './cipher/vectors.ts'
import { applied, texts } from './keyed.ts'

const PEOPLE = ['李', '王', '李', null, '', '张', '王']
const entity = texts(PEOPLE)

describe('date shift', () => {
  const RULE = { kind: 'date-shift', key: 'k', domain: 'health', entity: 'person', days: 30 }
  const day = (text: string) => new Date(`${text}T00:00:00Z`)
  const dates = columnOfVector(
    vectorFromArray(
      [
        day('2020-01-01'),
        day('2020-01-01'),
        day('2020-03-01'),
        day('2020-01-01'),
        day('2020-01-01'),
        null,
        day('2021-12-31'),
      ],
      new DateDay(),
    ),
  )
  const DAY = 86_400_000

  it('moves all dates of one person by the same days, in every column and dataset', async () => {
    const { values, counts } = await applied(RULE, dates, { entity })
    expect(counts).toEqual({ rows: 7, nulls: 1, changed: 4, hidden: 2, fixedPoints: 0 })
    const [first, second, third] = values.map(Number)
    expect(third! - first!).toBe(60 * DAY)
    expect(values.slice(3, 6)).toEqual([null, null, null])
    expect(Number(values[6]) - second!).toBe(730 * DAY)
    const elsewhere = await applied(RULE, dates, { entity, dataset: 'loans', column: 'd', chunk: 2 })
    expect(elsewhere.values).toEqual(values)
    const otherDomain = await applied({ ...RULE, domain: 'tax' }, dates, { entity })
    expect(otherDomain.values).not.toEqual(values)
  })

  it('shifts by every day up to the limit, never by none, and about evenly', async () => {
    const people = texts(Array.from({ length: 60_000 }, (_, i) => `p${i}`))
    const same = {
      type: { kind: 'date' } as const,
      length: 60_000,
      validity: null,
      values: new Int32Array(60_000),
    }
    const { columns } = await applied(RULE, same, { entity: people })
    const seen = new Map<number, number>()
    for (const shift of (columns[0] as { values: Int32Array }).values)
      seen.set(shift, (seen.get(shift) ?? 0) + 1)
    expect([...seen.keys()].sort((a, b) => a - b)).toEqual([
      ...Array.from({ length: 30 }, (_, i) => i - 30),
      ...Array.from({ length: 30 }, (_, i) => i + 1),
    ])
    // chi-square with 59 degrees of freedom: above 110 with a chance below 10^-4; a shift twice as likely gives over 900
    const chiSquare = [...seen.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
    expect(chiSquare).toBeLessThan(110)
  })

  it('moves timestamps by whole days, and hides what leaves the calendar', async () => {
    const moments: Column = {
      type: { kind: 'timestamp' },
      length: 3,
      validity: null,
      values: BigInt64Array.of(1_600_000_000_123_456n, 253_402_300_799_999_999n, -62_135_596_800_000_000n),
    }
    const long = { ...RULE, days: 3650 }
    const { columns, counts } = await applied(long, moments, { entity: texts(['李', '李', '李']) })
    const [first] = (columns[0] as { values: BigInt64Array }).values
    expect((first! - 1_600_000_000_123_456n) % 86_400_000_000n).toBe(0n)
    expect(counts).toMatchObject({ changed: 2, hidden: 1 })
  })

  it('refuses other types', async () => {
    await expect(applied(RULE, texts(['2020-01-01']), { entity })).toThrowWithCode(
      'RULE_INVALID',
      'rule.date-shift.type',
    )
    const flags = columnOfVector(
      vectorFromArray(
        PEOPLE.map(() => true),
        new Bool(),
      ),
    )
    await expect(applied(RULE, dates, { entity: flags })).toThrowWithCode('RULE_INVALID')
  })
})

describe('noise', () => {
  const EDGE = [2n ** 63n - 1n, -(2n ** 63n), 5n, 2n ** 60n]
  const RULE = { kind: 'noise', key: 'k', domain: 'wages', entity: 'person', scale: 100 }
  const wages = columnOfVector(vectorFromArray([5000, 6000, 5000, 7000, 7000, null, 8000], new Int32()))

  it('is the same for a cell however often it is asked for, and another for another', async () => {
    const { values, counts } = await applied(RULE, wages, { entity })
    expect(counts).toEqual({ rows: 7, nulls: 1, changed: 4, hidden: 2, fixedPoints: 0 })
    expect(values[0]).toBe(values[2])
    expect(Number(values[1]) - 6000).not.toBe(Number(values[6]) - 8000)
    const again = await applied(RULE, wages, { entity, chunk: 3, dataset: 'next-year' })
    expect(again.values).toEqual(values)
    const otherColumn = await applied(RULE, wages, { entity, column: 'bonus' })
    expect(otherColumn.values).not.toEqual(values)
  })

  it.each(['laplace', 'uniform'] as const)('has the distribution that it says: %s', async distribution => {
    const count = 100_000
    const people = texts(Array.from({ length: count }, (_, i) => `p${i}`))
    const zeros: Column = {
      type: { kind: 'float', bits: 64 },
      length: count,
      validity: null,
      values: new Float64Array(count),
    }
    const { columns } = await applied({ ...RULE, distribution, scale: 10 }, zeros, { entity: people })
    const sample = (columns[0] as { values: Float64Array }).values.slice().sort()
    const cdf = (x: number) =>
      distribution === 'uniform' ? (x + 10) / 20 : x < 0 ? Math.exp(x / 10) / 2 : 1 - Math.exp(-x / 10) / 2
    const distance = sample.reduce((most, x, i) => Math.max(most, Math.abs((i + 0.5) / count - cdf(x))), 0)
    // Kolmogorov and Smirnov: above 0.0068 with a chance below 2·10^-4; a scale that is off by 5 % gives over 0.009
    expect(distance).toBeLessThan(0.0068)
    const scaled = sample.reduce(
      (most, x, i) => Math.max(most, Math.abs((i + 0.5) / count - cdf(x * 1.05))),
      0,
    )
    expect(scaled).toBeGreaterThan(0.0068)
  })

  it('counts what it leaves as it was, and hides what the type does not hold', async () => {
    const people = texts(['a', 'b', 'c', 'd'])
    const small = await applied({ ...RULE, scale: 1e-9 }, wages, { entity })
    expect(small.counts).toMatchObject({ changed: 0, fixedPoints: 4, hidden: 2 })
    // a buffer longer than its column: what lies beyond must not come along
    const full = columnOfVector(vectorFromArray([127, -128, 127, -128], new Int8()))
    const narrow = await applied({ ...RULE, scale: 1e6 }, full, { entity: people })
    expect(narrow.values).toEqual([null, null, null, null])
    expect([...(narrow.columns[0] as { values: Int8Array }).values]).toEqual([0, 0, 0, 0])
    const unsigned = columnOfVector(vectorFromArray([0, 255, 0, 255], new Uint8()))
    for (const value of (await applied({ ...RULE, scale: 50 }, unsigned, { entity: people })).values) {
      if (value !== null) expect(value).toSatisfy(inner => Number(inner) >= 0 && Number(inner) <= 255)
    }
    const edge = columnOfVector(vectorFromArray(EDGE, new Int64()))
    const wide = await applied({ ...RULE, scale: 1e14 }, edge, { entity: people })
    for (const [i, value] of wide.values.entries()) {
      if (value !== null)
        expect(Number((value as bigint) - EDGE[i]!)).toSatisfy(d => Math.abs(Number(d)) < 1e16)
    }
    const odd = columnOfVector(vectorFromArray([Number.NaN, Number.POSITIVE_INFINITY, 1, -1], new Float64()))
    expect((await applied(RULE, odd, { entity: people })).counts).toMatchObject({ hidden: 2, changed: 2 })
  })

  it('keeps the places of a decimal, and hides what it does not hold', async () => {
    const words = (value: bigint) => new Uint32Array(BigInt64Array.of(value, value < 0n ? -1n : 0n).buffer)
    const most = 10n ** 18n - 1n
    const decimals = columnOfVector(
      vectorFromArray([12_345n, -12_345n, 0n, most].map(words), new Decimal(2, 18, 128)),
    )
    const people = texts(['a', 'b', 'c', 'd'])
    const { columns, counts } = await applied({ ...RULE, distribution: 'uniform', scale: 10 }, decimals, {
      entity: people,
    })
    const after = new BigInt64Array((columns[0] as FixedColumn).values.slice().buffer)
    for (const [row, value] of [12_345n, -12_345n, 0n].entries()) {
      const noise = after[2 * row]! - value
      expect(noise).not.toBe(0n)
      expect(noise).toSatisfy(found => found <= 1000n && found >= -1000n)
      expect(after[2 * row + 1]).toBe(after[2 * row]! < 0n ? -1n : 0n)
    }
    expect(counts.changed + counts.hidden).toBe(4)
  })

  it('refuses other types', async () => {
    const decimals = columnOfVector(vectorFromArray([Uint32Array.of(1, 0, 0, 0)], new Decimal(2, 30, 128)))
    for (const column of [texts(['1']), decimals]) {
      await expect(applied(RULE, column, { entity })).toThrowWithCode('RULE_INVALID', 'rule.noise.type')
    }
  })
})

describe('shuffle', () => {
  const RULE = { kind: 'shuffle' }

  it.each([
    ['text', texts(['a', 'b', '数闸', '', null, '😀'])],
    ['boolean', columnOfVector(vectorFromArray([true, false, null, true, true, false], new Bool()))],
    ['integer', columnOfVector(vectorFromArray([1, 2, null, 4, 5, 6], new Int32()))],
    [
      'decimal',
      columnOfVector(
        vectorFromArray(
          [1, 2, 3, 4, 5, 6].map(low => Uint32Array.of(low, low, 0, 0)),
          new Decimal(2, 18, 128),
        ),
      ),
    ],
  ] as [string, Column][])('%s: every value is still there, once', async (_, column) => {
    const before = (await applied({ kind: 'shuffle' }, column, { random: size => new Uint8Array(size) }))
      .values
    const { values, counts } = await applied(RULE, column, { chunk: 4 })
    const sorted = (list: readonly unknown[]) => list.map(value => JSON.stringify([String(value)])).sort()
    expect(sorted(values)).toEqual(sorted(before))
    expect(counts.hidden).toBe(0)
    expect(counts.nulls + counts.changed + counts.fixedPoints).toBe(6)
  })

  it('puts every order out as often as another', () => {
    const random = seeded(17)
    const seen = new Map<string, number>()
    for (let i = 0; i < 6000; i++) {
      const order = randomPermutation(4, random(32)).join('')
      seen.set(order, (seen.get(order) ?? 0) + 1)
    }
    expect(seen.size).toBe(24)
    // chi-square with 23 degrees of freedom: above 60 with a chance below 5·10^-5
    const chiSquare = [...seen.values()].reduce((sum, count) => sum + (count - 250) ** 2 / 250, 0)
    expect(chiSquare).toBeLessThan(60)
  })

  it('is a permutation of a million, that its seed decides', () => {
    const order = randomPermutation(1_000_000, seeded(1)(32))
    const seen = new Uint8Array(1_000_000)
    let fixed = 0
    for (let i = 0; i < order.length; i++) {
      seen[order[i]!] = 1
      if (order[i] === i) fixed++
    }
    expect(seen.every(mark => mark === 1)).toBe(true)
    expect(fixed).toBeLessThan(20)
    expect(randomPermutation(1000, seeded(1)(32))).toEqual(randomPermutation(1000, seeded(1)(32)))
    expect(randomPermutation(1000, seeded(1)(32))).not.toEqual(randomPermutation(1000, seeded(2)(32)))
  })
})
