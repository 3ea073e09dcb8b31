import { arrowTypeOf, scalarTypeOf } from '@sluice/core/columns'
import {
  type Column,
  columnOfVector,
  type DesensitizeContext,
  Desensitizer,
  dataOfColumn,
  type Treatment,
} from '@sluice/core/desensitize'
import {
  Bool,
  DateMillisecond,
  Decimal,
  Dictionary,
  Int32,
  makeVector,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow'
import { describe, expect, it } from 'vitest'

const context: DesensitizeContext = {
  dataset: 'register',
  key: () => {
    throw new Error('nothing here asks for a key')
  },
  table: () => new Map(),
  random: size => new Uint8Array(size),
  whole: () => {
    throw new Error('nothing here asks for a whole column')
  },
}
const text = (values: (string | null)[]): Column => columnOfVector(vectorFromArray(values, new Utf8()))
const values = (column: Column) => [...makeVector(dataOfColumn(column))]

const SCHEMA = [
  { name: 'name', type: { kind: 'text' } },
  { name: 'city', type: { kind: 'text' } },
  { name: 'age', type: { kind: 'integer', bits: 32, signed: true } },
] as const

const open = (treatments: Record<string, Treatment>) =>
  Desensitizer.open(SCHEMA, new Map(Object.entries(treatments)), context)

describe('a desensitizer', () => {
  it('drops what nobody spoke of, keeps what it was told to, and counts every value', async () => {
    const desensitizer = await open({ name: { kind: 'constant', value: '某人' }, age: 'keep' })
    expect(desensitizer.columns.map(column => column.name)).toEqual(['name', 'age'])
    const ages = columnOfVector(vectorFromArray([30, null, 41], new Int32()))
    const chunk = [text(['张三', '某人', null]), text(['杭州', '宁波', null]), ages]
    const [name, age] = desensitizer.apply(chunk)
    desensitizer.apply(chunk)
    expect(values(name!)).toEqual(['某人', '某人', '某人'])
    expect(values(age!)).toEqual([30, null, 41])
    expect(desensitizer.report()).toEqual([
      {
        column: 'name',
        kind: 'constant',
        said: true,
        counts: { rows: 6, nulls: 2, changed: 2, hidden: 0, fixedPoints: 2 },
      },
      {
        column: 'city',
        kind: 'drop',
        said: false,
        counts: { rows: 6, nulls: 2, changed: 4, hidden: 0, fixedPoints: 0 },
      },
      {
        column: 'age',
        kind: 'keep',
        said: true,
        counts: { rows: 6, nulls: 2, changed: 0, hidden: 0, fixedPoints: 4 },
      },
    ])
  })

  it('leaves no value of a column that is made null, and none of one that is dropped', async () => {
    const desensitizer = await open({
      name: { kind: 'nullify' },
      age: { kind: 'nullify' },
      city: { kind: 'drop' },
    })
    const out = desensitizer.apply([
      text(['张三']),
      text(['杭州']),
      columnOfVector(vectorFromArray([30], new Int32())),
    ])
    expect(out.map(values)).toEqual([[null], [null]])
    expect(
      JSON.stringify(
        out.map(column => ('bytes' in column ? [...column.bytes] : [...column.values].map(Number))),
      ),
    ).toBe('[[],[0]]')
  })

  it('refuses a column that is not there and a rule on a type that it does not know', async () => {
    await expect(() => open({ phone: 'keep' })).toThrowWithCode('NAME_UNKNOWN', 'columns.phone')
    await expect(() => open({ age: { kind: 'constant', value: 'x' } })).toThrowWithCode(
      'RULE_INVALID',
      'rule.constant.type',
    )
  })
})

describe('columns and Arrow', () => {
  const words = (low: number) => Uint32Array.of(low, 0, 0, 0)

  it.each([
    ['text', vectorFromArray(['a', null, '数闸', ''], new Utf8())],
    ['dictionary', vectorFromArray(['a', null, 'b', 'a'], new Dictionary(new Utf8(), new Int32()))],
    ['boolean', vectorFromArray([true, null, false, true], new Bool())],
    ['decimal', vectorFromArray([words(1), null, words(7)], new Decimal(2, 18, 128))],
    [
      'date in milliseconds',
      vectorFromArray([new Date(0), null, new Date('1969-12-31')], new DateMillisecond()),
    ],
  ] as [string, Vector][])('%s comes through whole, sliced and in chunks', (_, vector) => {
    const usual = makeVector(dataOfColumn(columnOfVector(vector)))
    const shown = (of: Vector) => [...of].map(value => (value === null ? null : String(value)))
    expect(shown(usual)).toEqual(shown(vector))
    expect(usual.type.toString()).toBe(arrowTypeOf(scalarTypeOf(vector.type)!).toString())
    const slice = columnOfVector(vector.slice(1))
    expect(shown(makeVector(dataOfColumn(slice)))).toEqual(shown(vector).slice(1))
    const chunks = new Vector([vector.slice(0, 2).data[0]!, vector.slice(1).data[0]!])
    expect(shown(makeVector(dataOfColumn(columnOfVector(chunks))))).toEqual([
      ...shown(vector).slice(0, 2),
      ...shown(vector).slice(1),
    ])
  })
})
