import { createHash, createHmac } from 'node:crypto'
import { canonicalBytes } from '@sluice/core'
import { examine, type InputForm } from '@sluice/mpc'
import {
  type DataType,
  Decimal,
  Dictionary,
  Int8,
  Int16,
  Int32,
  Int64,
  makeData,
  Table,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const KEY = new Uint8Array(32).fill(9)
const CATEGORIES = ['采矿', '制造', 'a', 'aa', '𠮷']
const SCALE = 2
const BOUND = 10n ** 17n

const FORM: InputForm = {
  name: 'loans',
  owner: 'bank',
  entity: 'firm',
  columns: [
    { name: 'debt', nullable: true, type: { kind: 'number', scale: SCALE, bound: '1000000000000000' } },
    { name: 'trade', nullable: true, type: { kind: 'category', categories: CATEGORIES } },
  ],
}

/** Types of numbers, with the digits after the point that they have and how many bits. */
const NUMBERS: readonly (readonly [DataType, number, bigint, bigint])[] = [
  ...(
    [
      [new Int8(), 8],
      [new Int16(), 16],
      [new Int32(), 32],
      [new Int64(), 56],
    ] as const
  ).map(([type, bits]) => [type, 0, -(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n] as const),
  ...(
    [
      [new Uint8(), 8],
      [new Uint16(), 16],
      [new Uint32(), 32],
      [new Uint64(), 49],
    ] as const
  ).map(([type, bits]) => [type, 0, 0n, (1n << BigInt(bits)) - 1n] as const),
  [new Decimal(2, 38, 128), 2, -BOUND, BOUND],
  [new Decimal(1, 38, 128), 1, -BOUND / 10n, BOUND / 10n],
  [new Utf8(), 2, -BOUND, BOUND],
  [new Utf8(), 1, -9_999_999_999_999n, 9_999_999_999_999n],
  [new Utf8(), 0, -99n, 999_999n],
]

const numbers = fc.constantFrom(...NUMBERS).chain(([type, scale, lowest, highest]) =>
  fc.record({
    type: fc.constant(type),
    factor: fc.constant(10n ** BigInt(SCALE - scale)),
    scale: fc.constant(scale),
    values: fc.array(
      fc.oneof(
        fc.constant(null),
        fc.bigInt({ min: within(lowest, scale), max: within(highest, scale) }),
        fc.constantFrom(0n, within(lowest, scale), within(highest, scale)),
      ),
      { maxLength: 12 },
    ),
  }),
)

/** Nothing in a column is beyond the bound. */
function within(value: bigint, scale: number): bigint {
  const most = BOUND / 10n ** BigInt(SCALE - scale)
  return value > most ? most : value < -most ? -most : value
}

/** Four words of a decimal of 128 bits, the lowest first. */
const words = (value: bigint) =>
  new Uint32Array(BigUint64Array.of(BigInt.asUintN(64, value), BigInt.asUintN(64, value >> 64n)).buffer)

/** As a text file writes a number with so many digits after the point. */
function written(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return value < 0n ? `-${text}` : text
}

function column(type: DataType, values: readonly (bigint | null)[], scale = 0): Vector {
  if (type instanceof Utf8)
    return vectorFromArray(
      values.map(value => (value === null ? null : written(value, scale))),
      type,
    )
  const isWide = [Int64, Uint64].some(wide => type instanceof wide)
  return vectorFromArray(
    values.map(value => {
      if (value === null) return null
      if (type instanceof Decimal) return words(value)
      return isWide ? value : Number(value)
    }),
    type,
  )
}

const texts = fc.array(fc.oneof(fc.constant(null), fc.constantFrom(...CATEGORIES, 'b', 'aaa', '采', '')), {
  maxLength: 12,
})
const names = fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 6 }), { minLength: 12, maxLength: 12 })

/** By code points, as an ordinary comparison of their lists does. */
function byCodePoints(a: string, b: string): number {
  const [left, right] = [a, b].map(text => [...text].map(character => character.codePointAt(0)!))
  const place = left!.findIndex((point, at) => point !== right![at])
  if (place < 0) return left!.length - right!.length
  return left![place]! - (right![place] ?? -1)
}

/** The fingerprint as its definition says, value by value. */
function defined(
  entities: readonly string[],
  values: readonly (bigint | null)[],
  trades: readonly (string | null)[],
) {
  const mac = (bytes: Uint8Array) => createHmac('sha256', KEY).update(bytes).digest('hex')
  const listed = createHash('sha256')
    .update(entities.map(text => `${text.length}:${text}`).join(''))
    .digest()
  const placeOf = (text: string) => (CATEGORIES.includes(text) ? CATEGORIES.indexOf(text) : -2)
  const digests = [
    BigUint64Array.from(values, value => BigInt.asUintN(64, value ?? 0n)),
    BigUint64Array.from(values, value => (value === null ? 0n : 1n)),
    Int32Array.from(trades, text => (text === null ? -1 : placeOf(text))),
    new Int32Array(0),
  ].map(({ buffer }) => mac(new Uint8Array(buffer)))
  const { entity, columns } = FORM
  return mac(
    canonicalBytes({
      version: 'sluice.joint.fingerprint/1',
      entity,
      columns,
      rows: entities.length,
      entities: mac(listed),
      digests,
    }),
  )
}

describe('an input', () => {
  it('has the fingerprint of its values, whatever Arrow types hold them and however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        numbers,
        texts,
        names,
        fc.boolean(),
        fc.integer({ min: 1, max: 5 }),
        async ({ type, factor, scale, values: found }, trades, entities, coded, cut) => {
          const rows = Math.min(found.length, trades.length)
          const ids = entities.slice(0, rows).sort(byCodePoints)
          const [values, kinds] = [found.slice(0, rows), trades.slice(0, rows)]
          const text = coded ? new Dictionary(new Utf8(), new Int32()) : new Utf8()
          const table = new Table({
            firm: vectorFromArray(ids, text),
            debt: column(type, values, scale),
            trade: vectorFromArray(kinds, text),
          })
          const parts = Array.from({ length: Math.ceil(rows / cut) }, (_, i) =>
            table.slice(i * cut, Math.min(rows, (i + 1) * cut)),
          )
          const scaled = values.map(value => (value === null ? null : value * factor))
          const wanted = defined(ids, scaled, kinds)
          expect((await examine(table, FORM, KEY)).fingerprint).toBe(wanted)
          expect((await examine(() => parts, FORM, KEY)).fingerprint).toBe(wanted)
          if (rows < 2) return
          const turned = new Table({
            firm: vectorFromArray([...ids].reverse(), text),
            debt: column(type, values, scale),
            trade: vectorFromArray(kinds, text),
          })
          await expect(examine(turned, FORM, KEY)).toThrowWithCode('SCHEMA_INVALID', 'job.rows')
        },
      ),
      { numRuns: 200, seed: 20261201 },
    )
  })

  const misspelt: readonly (readonly [string, string])[] = [
    ...['', '-', '.5', '5.', '1.2.3', '--1', '+1', '1e3', ' 1', '1.234', '１', '0x1', '1-'].map(
      text => [text, 'job.columns'] as const,
    ),
    ['1000000000000000.01', 'job.bound'],
    ['-9999999999999999999', 'job.bound'],
  ]

  it.each(misspelt)('is refused where a number is written "%s"', async (text, rule) => {
    const [debt, trade] = FORM.columns
    const table = new Table({
      firm: vectorFromArray(['a'], new Utf8()),
      debt: vectorFromArray([text], new Utf8()),
      trade: vectorFromArray(['a'], new Utf8()),
    })
    const form = { ...FORM, columns: [{ ...debt!, nullable: false }, trade!] }
    const code = rule === 'job.bound' ? 'PARAMETER_INVALID' : 'SCHEMA_INVALID'
    await expect(examine(table, form, KEY)).toThrowWithCode(code, rule)
  })

  const beyond: readonly (readonly [string, Vector])[] = [
    ['one more than the bound', column(new Int64(), [BOUND / 100n + 1n])],
    ['one less than its negative', column(new Int64(), [-BOUND / 100n - 1n])],
    ['2^63 of an unsigned type', column(new Uint64(), [2n ** 63n])],
    ['2^64 of a decimal', column(new Decimal(2, 38, 128), [2n ** 64n])],
    ['−2^63 − 1 of a decimal', column(new Decimal(2, 38, 128), [-(2n ** 63n) - 1n])],
    ['what times its scale comes round to zero', column(new Int64(), [2n ** 62n])],
  ]

  it.each(beyond)('is refused with %s', async (_, debt) => {
    const table = new Table({
      firm: vectorFromArray(['a'], new Utf8()),
      debt,
      trade: vectorFromArray(['a'], new Utf8()),
    })
    await expect(examine(table, FORM, KEY)).toThrowWithCode('PARAMETER_INVALID', 'job.bound')
  })

  it('has the nulls that a dictionary holds among its values', async () => {
    const type = new Dictionary(new Utf8(), new Int32())
    const encoded = (values: readonly (string | null)[], data: number[]) =>
      new Vector([
        makeData({
          type,
          length: data.length,
          data: Int32Array.from(data),
          dictionary: vectorFromArray(values, new Utf8()),
        }),
      ])
    const debt = column(new Int8(), [1n, 2n, 3n])
    const firm = vectorFromArray(['a', 'b', 'c'], new Utf8())
    const of = (trade: Vector) => examine(new Table({ firm, debt, trade }), FORM, KEY)
    const plain = await of(vectorFromArray(['a', null, 'aa'], new Utf8()))
    expect(await of(encoded(['a', null, 'aa'], [0, 1, 2]))).toEqual(plain)
    expect((await of(encoded(['a', '', 'aa'], [0, 1, 2]))).fingerprint).not.toBe(plain.fingerprint)
    const nobody = new Table({
      firm: encoded([null, 'b', 'c'], [0, 1, 2]),
      debt,
      trade: vectorFromArray(['a', 'a', 'a'], new Utf8()),
    })
    await expect(examine(nobody, FORM, KEY)).toThrowWithCode('SCHEMA_INVALID', 'job.rows')
  })

  it('is refused where a row has no entity, or one that is no text', async () => {
    for (const firm of [vectorFromArray(['a', null], new Utf8()), vectorFromArray([1, 2], new Int32())]) {
      const table = new Table({
        firm,
        debt: column(new Int8(), [1n, 2n]),
        trade: vectorFromArray(['a', 'a'], new Utf8()),
      })
      await expect(examine(table, FORM, KEY)).toThrowWithCode('SCHEMA_INVALID', 'job.rows')
    }
  })
})
