import { type Column, columnOfVector, type FixedColumn, type TextColumn } from '@sluice/core/desensitize'
import { makeData, makeVector, Utf8 } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { generator } from './apply.ts'
import { FULL, VALUES as MOST } from './fuzzed.ts'
import { applied } from './keyed.ts'

/** SLUICE_FUZZ=full tries a million. */
const VALUES = FULL ? MOST : MOST / 5
const SCALE = 100
const PERSONS = 997
const KEYED = { key: 'k', domain: 'd', entity: 'person' }

/** Of every magnitude, with the ends of the types, zeros, halves and, in floats, what is no number. */
function numbers(type: FixedColumn['type']): FixedColumn {
  const random = generator(11)
  const length = VALUES
  const validity = new Uint8Array(length / 8).fill(0xdf)
  if (type.kind === 'float') {
    const odd = [NaN, Infinity, -Infinity, -0, Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324, 0.5]
    const values = Float64Array.from({ length }, () =>
      random(8) === 0 ? odd[random(odd.length)]! : (random(2 ** 31) - 2 ** 30) / 10 ** random(9),
    )
    return { type, length, validity, values }
  }
  if (type.kind === 'date') {
    const values = Int32Array.from({ length }, () =>
      random(8) === 0 ? [-719_162, 2_932_896, -2_000_000_000][random(3)]! : random(60_000) - 30_000,
    )
    return { type, length, validity, values }
  }
  const most = type.kind === 'decimal' ? 10n ** 18n - 1n : 2n ** 63n - 1n
  const one = () =>
    random(8) === 0
      ? [most, -most, most - 1n, 0n, 50n, -50n, 2n ** 53n + 1n][random(7)]!
      : BigInt(random(2 ** 31) - 2 ** 30) * 10n ** BigInt(random(9))
  if (type.kind !== 'decimal') return { type, length, validity, values: BigInt64Array.from({ length }, one) }
  const words = new BigInt64Array(2 * length)
  for (let i = 0; i < length; i++) {
    words[2 * i] = one()
    words[2 * i + 1] = words[2 * i]! < 0n ? -1n : 0n
  }
  return { type, length, validity, values: new Uint32Array(words.buffer) }
}

const INTEGERS = numbers({ kind: 'integer', bits: 64, signed: true })
const FLOATS = numbers({ kind: 'float', bits: 64 })
const DECIMALS = numbers({ kind: 'decimal', precision: 18, scale: 2 })
const DATES = numbers({ kind: 'date' })
const PEOPLE = people()

/** People; every 97th row is nobody's. */
function people(): TextColumn {
  const names = Array.from({ length: VALUES }, (_, i) => (i % 97 === 0 ? '' : `p${i % PERSONS}`))
  const offsets = new Int32Array(VALUES + 1)
  for (let i = 0; i < VALUES; i++) offsets[i + 1] = offsets[i]! + names[i]!.length
  const data = makeData({
    type: new Utf8(),
    length: VALUES,
    nullCount: 0,
    valueOffsets: offsets,
    data: new TextEncoder().encode(names.join('')),
  })
  return columnOfVector(makeVector(data)) as TextColumn
}

/** A value as a number of the rule: what a decimal's integer is a hundredth of. */
type Reader = (index: number) => number | bigint
const reader = ({ type, values }: FixedColumn): Reader => {
  if (type.kind !== 'decimal') return index => values[index]!
  const words = new BigInt64Array(values.buffer, values.byteOffset, values.length / 2)
  return index => words[2 * index]!
}
const there = ({ validity }: Column, i: number) =>
  validity === null || ((validity[i >> 3]! >> (i & 7)) & 1) === 1

type Holds = (before: number | bigint, after: number | bigint, row: number) => boolean

const multiple =
  (width: bigint, half: boolean): Holds =>
  (before, after) => {
    if (typeof before === 'number') {
      const distance = Math.abs((after as number) - before)
      const slack = Math.abs(before) * 1e-9
      return half ? distance <= Number(width) / 2 + slack : distance <= Number(width) + slack
    }
    const distance = before - (after as bigint)
    if ((after as bigint) % width !== 0n) return false
    return half ? 2n * (distance < 0n ? -distance : distance) <= width : distance >= 0n && distance < width
  }
const between =
  (least: number, most: number): Holds =>
  (before, after) => {
    if (before < least) return Number(after) === least
    if (before > most) return Number(after) === most
    return after === before || (before === 0 && after === 0)
  }

/** What fits is what the rule may keep; whatever else is there has to be hidden. */
const RULES: [name: string, object, FixedColumn, Holds][] = [
  ['integers', { kind: 'round', to: 1000 }, INTEGERS, multiple(1000n, true)],
  ['decimals', { kind: 'round', to: 10 }, DECIMALS, multiple(10n * BigInt(SCALE), true)],
  ['floats', { kind: 'round', to: 1000 }, FLOATS, multiple(1000n, true)],
  ['integers', { kind: 'band', width: 500 }, INTEGERS, multiple(500n, false)],
  ['decimals', { kind: 'band', width: 5 }, DECIMALS, multiple(5n * BigInt(SCALE), false)],
  ['floats', { kind: 'band', width: 500 }, FLOATS, multiple(500n, false)],
  ['integers', { kind: 'limit', bottom: -1000, top: 100_000 }, INTEGERS, between(-1000, 100_000)],
  ['decimals', { kind: 'limit', bottom: -10, top: 1000 }, DECIMALS, between(-10 * SCALE, 1000 * SCALE)],
  ['floats', { kind: 'limit', bottom: -1000, top: 100_000 }, FLOATS, between(-1000, 100_000)],
  [
    'integers',
    { kind: 'noise', ...KEYED, distribution: 'uniform', scale: 1000 },
    INTEGERS,
    (a, b) => within(a, b, 1000),
  ],
  [
    'decimals',
    { kind: 'noise', ...KEYED, distribution: 'uniform', scale: 10 },
    DECIMALS,
    (a, b) => within(a, b, 10 * SCALE),
  ],
  [
    'floats',
    { kind: 'noise', ...KEYED, distribution: 'uniform', scale: 1000 },
    FLOATS,
    (a, b) => within(a, b, 1000),
  ],
  ['dates', { kind: 'date-shift', ...KEYED, days: 30 }, DATES, (a, b) => a !== b && within(a, b, 30)],
]

function within(before: number | bigint, after: number | bigint, most: number): boolean {
  if (typeof before === 'bigint') {
    const distance = (after as bigint) - before
    return distance <= BigInt(most) && distance >= -BigInt(most)
  }
  return Math.abs((after as number) - before) <= most + Math.abs(before) * 1e-9
}

describe(`${VALUES} fuzzed numbers`, () => {
  it.each(RULES)(
    '%s through %o: what passes is what the rule says, and is counted',
    async (_, rule, column, holds) => {
      const { columns, counts } = await applied(rule, column, 'entity' in rule ? { entity: PEOPLE } : {})
      const after = columns[0] as FixedColumn
      const [old, now] = [reader(column), reader(after)]
      const found = { rows: VALUES, nulls: 0, changed: 0, hidden: 0, fixedPoints: 0 }
      for (let i = 0; i < VALUES; i++) {
        if (!there(column, i)) {
          found.nulls++
          if (there(after, i)) expect.fail('a null became a value')
          continue
        }
        const [before, next] = [old(i), now(i)]
        if (!there(after, i)) {
          found.hidden++
          if (Number(next) !== 0) expect.fail('a hidden value left its number')
          continue
        }
        if (typeof before === 'number' && !Number.isFinite(before)) expect.fail('what is no number passed')
        if ('entity' in rule && i % 97 === 0) expect.fail('a value of nobody passed')
        if (!holds(before, next, i)) expect.fail('a value passed that the rule does not give')
        if (before === next) found.fixedPoints++
        else found.changed++
      }
      expect(counts).toEqual(found)
      expect(found.changed).toBeGreaterThan(VALUES / 10)
    },
  )

  it('all dates of a person move by one shift', async () => {
    const { columns } = await applied({ kind: 'date-shift', ...KEYED, days: 30 }, DATES, { entity: PEOPLE })
    const after = columns[0] as FixedColumn
    const shifts = new Map<number, number>()
    for (let i = 0; i < VALUES; i++) {
      if (!there(DATES, i) || !there(after, i)) continue
      const shift = Number(after.values[i]) - Number(DATES.values[i])
      const known = shifts.get(i % PERSONS) ?? shift
      if (known !== shift) expect.fail('two shifts of one person')
      shifts.set(i % PERSONS, known)
    }
    expect(shifts.size).toBe(PERSONS)
  })

  it('a shuffle keeps every value, and counts those that stay', async () => {
    const { columns, counts } = await applied({ kind: 'shuffle' }, INTEGERS)
    const after = columns[0] as FixedColumn
    const sorted = (column: FixedColumn) =>
      BigInt64Array.from((column.values as BigInt64Array).filter((_, i) => there(column, i))).sort()
    expect(Buffer.compare(Buffer.from(sorted(INTEGERS).buffer), Buffer.from(sorted(after).buffer))).toBe(0)
    let same = 0
    for (let i = 0; i < VALUES; i++) {
      if (there(INTEGERS, i) && there(after, i) && INTEGERS.values[i] === after.values[i]) same++
    }
    expect(counts.fixedPoints).toBe(same)
    expect(same).toBeLessThan(VALUES / 20)
  })
})
