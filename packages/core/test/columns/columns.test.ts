import { arrowSchemaOf, arrowTypeOf, columnSchemasOf, gather, scalarTypeOf } from '@sluice/core/columns'
import type { ScalarType } from '@sluice/core/plan'
import {
  Dictionary,
  Field,
  Int32,
  List,
  type RecordBatch,
  Schema,
  Table,
  TimestampMillisecond,
  TimestampNanosecond,
  tableFromIPC,
  tableToIPC,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { failure } from '../failure.ts'

const TYPES: readonly ScalarType[] = [
  { kind: 'boolean' },
  ...([8, 16, 32, 64] as const).flatMap(bits => [
    { kind: 'integer', bits, signed: true } as const,
    { kind: 'integer', bits, signed: false } as const,
  ]),
  { kind: 'decimal', precision: 18, scale: 3 },
  { kind: 'float', bits: 32 },
  { kind: 'float', bits: 64 },
  { kind: 'text' },
  { kind: 'date' },
  { kind: 'time' },
  { kind: 'timestamp' },
]

describe('types', () => {
  it.each(TYPES)('%o is the same there and back', type => {
    expect(scalarTypeOf(arrowTypeOf(type))).toEqual(type)
  })

  it('a 128-bit integer travels as a decimal', () => {
    const type = scalarTypeOf(arrowTypeOf({ kind: 'integer', bits: 128, signed: true }))
    expect(type).toEqual({ kind: 'decimal', precision: 38, scale: 0 })
  })

  it('a schema is the same there and back', () => {
    const columns = TYPES.map((type, index) => ({ name: `列${index}`, type }))
    expect(columnSchemasOf(arrowSchemaOf(columns))).toEqual(columns)
  })

  it('refuses what has no counterpart, and names that are doubled', () => {
    for (const type of [
      new List(new Field('x', new Int32(), true)),
      new TimestampNanosecond(),
      new TimestampMillisecond('Asia/Shanghai'),
    ]) {
      expect(scalarTypeOf(type)).toBeNull()
      expect(failure(() => columnSchemasOf(new Schema([new Field('a', type)]))).rule).toBe('schema.type')
    }
    expect(scalarTypeOf(new Dictionary(new Utf8(), new Int32()))).toEqual({ kind: 'text' })
    const twice = new Schema([new Field('a', new Int32()), new Field('a', new Int32())])
    expect(failure(() => columnSchemasOf(twice)).rule).toBe('schema.name')
  })
})

describe('gather', () => {
  const values: Record<ScalarType['kind'], (seed: number) => unknown> = {
    boolean: seed => seed % 2 === 0,
    integer: seed => seed % 100,
    decimal: seed => Uint32Array.of(seed, 0, 0, 0),
    float: seed => seed / 2,
    text: seed => ['', '数闸', 'a', '😀x'][seed % 4],
    date: seed => new Date(seed * 86_400_000),
    time: seed => BigInt(seed),
    timestamp: seed => seed * 1000,
  }

  it.each(TYPES)('picks rows of %o across chunks, as a loop over values does', type => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.option(fc.nat({ max: 1000 })), { minLength: 1, maxLength: 20 }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 40 }),
        (chunks, picks) => {
          const arrow = arrowTypeOf(type)
          const value = (seed: number | null) => {
            if (seed === null) return null
            const made = values[type.kind](seed)
            return type.kind === 'integer' && type.bits === 64 ? BigInt(made as number) : made
          }
          const whole = new Vector(chunks.flatMap(chunk => vectorFromArray(chunk.map(value), arrow).data))
          // a slice has an offset into its buffers
          const vector = whole.slice(Math.min(1, whole.length - 1))
          const table = new Table({ a: vector })
          const rows = Uint32Array.from(picks, ([row]) => row % vector.length)
          const nulls = Uint8Array.from(picks, ([, isNull]) => (isNull ? 1 : 0))
          const gathered = tableFromIPC(tableToIPC(gather(table, rows, new Map([[0, nulls]]))))
          const expected = [...rows].map((row, i) => (nulls[i] === 1 ? null : vector.get(row)))
          expect([...gathered.getChildAt(0)!]).toEqual(expected)
        },
      ),
      { seed: 31, numRuns: 60 },
    )
  })

  it('picks from a dictionary, and from nothing', () => {
    const vector = vectorFromArray(['x', 'y', null, 'x'], new Dictionary(new Utf8(), new Int32()))
    const table = new Table({ a: vector })
    expect([...gather(table, Uint32Array.of(3, 2, 1)).getChildAt(0)!]).toEqual(['x', null, 'y'])
    const empty = gather(
      new Table(new Schema([new Field('a', new Utf8(), true)]), [] as RecordBatch[]),
      new Uint32Array(0),
    )
    expect([empty.numRows, empty.numCols]).toEqual([0, 1])
  })
})
