import { Rule } from '@sluice/core/desensitize'
import type { ScalarType } from '@sluice/core/plan'
import { describe, expect, it } from 'vitest'
import { applied, columnOf, INTEGER, TEXT, texts, valuesOf } from './apply.ts'

const LONG: ScalarType = { kind: 'integer', bits: 64, signed: true }
const TINY: ScalarType = { kind: 'integer', bits: 8, signed: false }
const FLOAT: ScalarType = { kind: 'float', bits: 64 }
const DATE: ScalarType = { kind: 'date' }
const MOMENT: ScalarType = { kind: 'timestamp' }

async function numbers(rule: unknown, values: unknown[], type: ScalarType) {
  const { column, ...counts } = await applied(rule, columnOf(values, type))
  return { values: valuesOf(column), ...counts }
}

describe('band', () => {
  it('of one width gives the least value, and counts what was one', async () => {
    const rule = { kind: 'band', width: 10, from: 5 }
    expect(await numbers(rule, [5, 14, 15, 4, -6, null], INTEGER)).toEqual({
      values: [5, 5, 15, -5, -15, null],
      changed: 3,
      hidden: 0,
      fixedPoints: 2,
    })
  })

  it('is exact beyond 2^53, and hides what the type cannot hold', async () => {
    const big = 2n ** 62n + 7n
    expect((await numbers({ kind: 'band', width: 10 }, [big, -(2n ** 63n)], LONG)).values).toEqual([
      big - (big % 10n),
      null,
    ])
    expect((await numbers({ kind: 'band', width: 100, from: 50 }, [3, 60], TINY)).values).toEqual([null, 50])
  })

  it('hides NaN and infinities', async () => {
    const rule = { kind: 'band', width: 0.5 }
    expect((await numbers(rule, [0.7, -0.1, Number.NaN, Infinity], FLOAT)).values).toEqual([
      0.5,
      -0.5,
      null,
      null,
    ])
  })

  it('with edges gives names', async () => {
    const rule = { kind: 'band', edges: [18, 60] }
    const { values, changed } = await numbers(rule, [17, 18, 59, 60, null], INTEGER)
    expect(values).toEqual(['<18', '[18,60)', '[18,60)', '>=60', null])
    expect(changed).toBe(4)
  })

  it.each([
    {},
    { width: 0 },
    { width: -1 },
    { width: 1, edges: [1] },
    { edges: [] },
    { edges: [2, 1] },
    { width: '1e3' },
  ])('%o is no band', how => {
    expect(Rule.safeParse({ kind: 'band', ...how }).success).toBe(false)
  })

  it('refuses a width that the column cannot hold, and other types', async () => {
    const half = { kind: 'band', width: 0.5 }
    await expect(applied(half, columnOf([1], INTEGER))).toThrowWithCode('RULE_INVALID', 'rule.band.number')
    await expect(applied(half, columnOf(['1'], TEXT))).toThrowWithCode('RULE_INVALID', 'rule.band.type')
  })
})

describe('round', () => {
  it('takes halves away from zero, and counts multiples', async () => {
    expect(await numbers({ kind: 'round', to: 10 }, [14, 15, -15, -14, 100], INTEGER)).toEqual({
      values: [10, 20, -20, -10, 100],
      changed: 4,
      hidden: 0,
      fixedPoints: 1,
    })
    expect((await numbers({ kind: 'round', to: 0.5 }, [0.74, 0.75, -0.75], FLOAT)).values).toEqual([
      0.5, 1, -1,
    ])
    expect((await numbers({ kind: 'round', to: 10 }, [251, 255], TINY)).values).toEqual([250, null])
    const big = 2n ** 62n
    expect((await numbers({ kind: 'round', to: 1000 }, [big, 2n ** 63n - 1n], LONG)).values).toEqual([
      4611686018427388000n,
      null,
    ])
  })

  it('rounds decimals to the cent that they have', async () => {
    const type: ScalarType = { kind: 'decimal', precision: 10, scale: 2 }
    const words = (value: number) =>
      Uint32Array.of(
        value >>> 0,
        value < 0 ? 0xffffffff : 0,
        value < 0 ? 0xffffffff : 0,
        value < 0 ? 0xffffffff : 0,
      )
    const { column } = await applied(
      { kind: 'round', to: '0.5' },
      columnOf([words(1074), words(-1075), null], type),
    )
    expect(valuesOf(column).map(value => (value === null ? null : (value as Uint32Array)[0]! | 0))).toEqual([
      1050,
      -1100,
      null,
    ])
  })
})

describe('limit', () => {
  it('hides the extremes and nothing else', async () => {
    expect(await numbers({ kind: 'limit', bottom: 18, top: 90 }, [17, 18, 50, 91, null], INTEGER)).toEqual({
      values: [18, 18, 50, 90, null],
      changed: 2,
      hidden: 0,
      fixedPoints: 2,
    })
    const top = 2n ** 60n + 1n
    expect((await numbers({ kind: 'limit', top: String(top) }, [top - 1n, top + 1n], LONG)).values).toEqual([
      top - 1n,
      top,
    ])
  })

  it('refuses bounds that cross or that the type cannot hold', async () => {
    expect(Rule.safeParse({ kind: 'limit', bottom: 2, top: 1 }).success).toBe(false)
    expect(Rule.safeParse({ kind: 'limit' }).success).toBe(false)
    await expect(applied({ kind: 'limit', top: 300 }, columnOf([1], TINY))).toThrowWithCode(
      'RULE_INVALID',
      'rule.limit.number',
    )
  })
})

describe('date-part', () => {
  it.each([
    ['month', '2024-05-01'],
    ['quarter', '2024-04-01'],
    ['year', '2024-01-01'],
  ])('dates and moments to the %s', async (to, expected) => {
    const day = new Date('2024-05-17')
    const rule = { kind: 'date-part', to }
    expect((await numbers(rule, [day], DATE)).values).toEqual([Date.parse(expected)])
    const moments = await numbers(
      rule,
      [Date.parse('2024-05-17T10:20:30.5Z'), Date.parse('1969-12-31T23:00:00Z')],
      MOMENT,
    )
    expect(moments.values[0]).toBe(Date.parse(expected))
    expect(new Date(moments.values[1] as number).getUTCFullYear()).toBe(1969)
    expect((await numbers(rule, [new Date(expected)], DATE)).fixedPoints).toBe(1)
  })

  it('every day of four hundred years keeps its month', async () => {
    const days = Array.from({ length: 146_097 }, (_, i) => new Date((i - 80_000) * 86_400_000))
    const { values } = await numbers({ kind: 'date-part', to: 'month' }, days, DATE)
    for (const [i, day] of days.entries()) {
      const expected = Date.UTC(2000, day.getUTCMonth(), 1) + 0
      const found = new Date(values[i] as number)
      if (found.getUTCDate() !== 1 || found.getUTCMonth() !== new Date(expected).getUTCMonth())
        expect.fail(String(day))
      if (found.getUTCFullYear() !== day.getUTCFullYear()) expect.fail(String(day))
    }
  })

  it('written dates', async () => {
    const values = [
      '2024-05-17',
      '20240517',
      '2023-02-29',
      '2024-02-29',
      '2024-13-01',
      '2024-5-17',
      '0999-01-01',
      '２０２４-05-17',
      '2024/05/17',
      '',
    ]
    expect(await texts({ kind: 'date-part', to: 'month' }, values)).toEqual([
      '2024-05',
      '2024-05',
      null,
      '2024-02',
      null,
      null,
      null,
      null,
      null,
      null,
    ])
    expect(await texts({ kind: 'date-part', to: 'quarter' }, values.slice(0, 2))).toEqual([
      '2024-Q2',
      '2024-Q2',
    ])
    expect(await texts({ kind: 'date-part', to: 'year' }, values.slice(0, 2))).toEqual(['2024', '2024'])
  })
})

describe('division', () => {
  it('zeroes what is below the level', async () => {
    const rule = { kind: 'division', to: 'city' }
    const { column, ...counts } = await applied(
      rule,
      columnOf([
        '330106',
        '330100',
        '330106001',
        '330106001002',
        '33010',
        '030106',
        '33010a',
        '３３０１０６',
        '',
        null,
      ]),
    )
    expect(valuesOf(column)).toEqual([
      '330100',
      '330100',
      '330100000',
      '330100000000',
      null,
      null,
      null,
      null,
      null,
      null,
    ])
    expect(counts).toEqual({ changed: 3, hidden: 5, fixedPoints: 1 })
    expect(
      (await numbers({ kind: 'division', to: 'province' }, [330106, 99999, 1000000], INTEGER)).values,
    ).toEqual([330000, null, null])
  })
})

describe('tables', () => {
  const table = (name: string) => {
    expect(name).toBe('jobs.csv')
    return new Map([
      ['医生', ['卫生', '*']],
      ['教师', ['教育', '*']],
      ['其他', ['其他', '*']],
    ])
  }

  it('a hierarchy leads up, and hides what it does not have', async () => {
    const rule = { kind: 'hierarchy', table: 'jobs.csv', level: 1 }
    const { column, ...counts } = await applied(rule, columnOf(['医生', '其他', '律师', '', null]), { table })
    expect(valuesOf(column)).toEqual(['卫生', '其他', null, null, null])
    expect(counts).toEqual({ changed: 1, hidden: 2, fixedPoints: 1 })
    expect(await texts({ ...rule, level: 2 }, ['教师'], { table })).toEqual(['*'])
    await expect(texts({ ...rule, level: 3 }, ['教师'], { table })).toThrowWithCode(
      'RULE_INVALID',
      'rule.hierarchy.level',
    )
  })

  it('a dictionary replaces, and hides what it does not have', async () => {
    const values = { 男: 'M', 女: 'F' }
    expect(await texts({ kind: 'replace', values }, ['男', '女', '男 ', 'M'])).toEqual(['M', 'F', null, null])
    expect(await texts({ kind: 'replace', table: 'jobs.csv' }, ['医生'], { table })).toEqual(['卫生'])
    expect(Rule.safeParse({ kind: 'replace', values: {} }).success).toBe(false)
    expect(Rule.safeParse({ kind: 'replace', table: '../secret' }).success).toBe(false)
  })
})
