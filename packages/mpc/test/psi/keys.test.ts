import { messagesOf } from '@sluice/core/desensitize/cipher'
import {
  boundToSession,
  distinct,
  HashIndex,
  ITEM_BYTES,
  itemHashes,
  keysOf,
  NORMALIZATIONS,
  type Normalization,
  normalized,
  normalizedText,
  permuted,
  randomPermutation,
} from '@sluice/mpc/psi'
import { AesCtrPrg } from '@sluice/mpc/ring'
import { Binary, DateDay, Int64, Table, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const JOB = '11'.repeat(32)
const all = new Set<Normalization>(NORMALIZATIONS)

function texts(values: readonly string[], rules: readonly Normalization[]): string[] {
  const { bytes, offsets } = normalized(messagesOf(values.map(value => Buffer.from(value))), rules)
  return values.map((_, i) => Buffer.from(bytes.subarray(offsets[i], offsets[i + 1])).toString())
}

const text = (values: readonly (string | null)[]) => vectorFromArray(values, new Utf8())
const key = (values: readonly (string | null)[], normalize: readonly Normalization[] = []) => ({
  name: 'id',
  vector: text(values),
  normalize,
})
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('the declared form of keys', () => {
  it('takes width, ends, letters and the check character of identity numbers to one form', () => {
    expect(normalizedText('　ｓｌ－１２　', all)).toBe('SL-12')
    expect(normalizedText('\u200b ab\t', new Set(['trim']))).toBe('ab')
    for (const x of ['x', 'X', '×', 'х', 'Χ']) {
      expect(normalizedText(`11010519491231002${x}`, all)).toBe('11010519491231002X')
    }
    expect(normalizedText('11010519491231002ｘ', all)).toBe('11010519491231002X')
  })

  it('leaves alone what no rule names', () => {
    expect(normalizedText(' ｓx ', new Set())).toBe(' ｓx ')
    expect(normalizedText('1101051949123100x', new Set(['identity']))).toBe('1101051949123100x')
    expect(normalizedText('ß é', new Set(['case']))).toBe('ß é')
  })

  it('leaves a column alone that has it, and sees what has not: an end, a letter, an x, what is no ASCII', () => {
    const column = messagesOf(['SL-12', '', '11010519491231002X'].map(value => Buffer.from(value)))
    expect(normalized(column, NORMALIZATIONS)).toBe(column)
    for (const value of [' A', 'A\t', 'Aa', '11010519491231002x', 'Ａ']) {
      expect(texts(['B', value, 'C'], NORMALIZATIONS)).toEqual(['B', normalizedText(value, all), 'C'])
    }
    expect(texts(['11010519491231002x'], ['identity'])).toEqual(['11010519491231002X'])
  })

  it('is the same for whole columns as for one text, and stays what it is when it is applied again', () => {
    const piece = fc.constantFrom(
      'a',
      'Z',
      'x',
      'X',
      ' ',
      '\t',
      '　',
      'ｘ',
      '９',
      '×',
      '1',
      '中',
      '\u200b',
      '\ufeff',
      '\0',
    )
    const value = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map(pieces => pieces.join('')),
      fc.tuple(fc.stringMatching(/^\d{17}$/), piece).map(pieces => pieces.join('')),
    )
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), fc.subarray([...NORMALIZATIONS]), (values, rules) => {
        const once = texts(values, rules)
        expect(once).toEqual(values.map(each => normalizedText(each, new Set(rules))))
        expect(texts(once, rules)).toEqual(once)
      }),
    )
  })
})

describe('keys of rows', () => {
  it('of two columns are two different ones however the texts are cut', () => {
    const pair = (a: string, b: string) => hex(keysOf([key([a]), key([b])]).messages.bytes)
    expect(pair('ab', 'c')).not.toBe(pair('a', 'bc'))
    fc.assert(
      fc.property(
        fc.tuple(fc.string({ minLength: 1 }), fc.string({ minLength: 1 })),
        fc.tuple(fc.string({ minLength: 1 }), fc.string({ minLength: 1 })),
        (a, b) => {
          const same = a[0] === b[0] && a[1] === b[1]
          expect(pair(...a) === pair(...b)).toBe(same)
        },
      ),
    )
  })

  it('are missing where a column is null, or empty in its one form', () => {
    const keys = keysOf([key(['a', null, '  ', 'd'], ['trim']), key(['1', '2', '3', null])])
    expect([...keys.rows]).toEqual([0])
  })

  it('are the same from text, numbers and dates', () => {
    const id = vectorFromArray([91110000n, null], new Int64())
    const day = vectorFromArray([new Date('2024-02-29'), null], new DateDay())
    const numbers = keysOf([
      { name: 'id', vector: id, normalize: [] },
      { name: 'day', vector: day, normalize: [] },
    ])
    expect(hex(numbers.messages.bytes)).toBe(
      hex(keysOf([key(['91110000']), key(['2024-02-29'])]).messages.bytes),
    )
  })

  it('do not depend on the batches in which a table came', () => {
    const whole = new Table({ id: text(['a', null, '中文', 'd', '']) })
    const parts = new Table({ id: text(['a', null]) }).concat(new Table({ id: text(['中文', 'd', '']) }))
    for (const table of [whole, parts, parts.slice(1, 4)]) {
      const vector = table.getChild('id')!
      const keys = keysOf([{ name: 'id', vector, normalize: [] }])
      const found = [...keys.rows].map(row => vector.get(row))
      const { bytes, offsets } = keys.messages
      const read = found.map((_, i) =>
        Buffer.from(bytes.subarray(offsets[i]! + 4, offsets[i + 1])).toString(),
      )
      expect(read).toEqual(found)
    }
  })

  it('of bytes are those bytes, also where they are no UTF-8, and are brought to no other form', async () => {
    const values = [Uint8Array.of(0xff, 0), Uint8Array.of(0xfe, 0), new Uint8Array(0), Uint8Array.of(0xff)]
    const column = { name: 'id', vector: vectorFromArray(values, new Binary()) }
    const keys = keysOf([{ ...column, normalize: [] }])
    expect([...keys.rows]).toEqual([0, 1, 3])
    expect(hex(keys.messages.bytes)).toBe('02000000ff0002000000fe0001000000ff')
    await expect(() => keysOf([{ ...column, normalize: ['trim'] }])).toThrowWithCode('SCHEMA_INVALID')
  })

  it('of another type are refused', async () => {
    const vector = vectorFromArray([1.5])
    await expect(() => keysOf([{ name: 'id', vector, normalize: [] }])).toThrowWithCode('SCHEMA_INVALID')
  })
})

describe('hashes of items', () => {
  const items = Array.from({ length: 3000 }, (_, i) => Buffer.from(`item ${i % 2000}`))
  const hashes = itemHashes(messagesOf(items), JOB)

  it('are equal for equal items alone, and others for another job and another session', () => {
    const { hashes: set, itemOf } = distinct(hashes)
    expect(set.length).toBe(2000 * ITEM_BYTES)
    expect([...itemOf]).toEqual(items.map((_, i) => i % 2000))
    const [one, two] = ['22', '33'].map(byte => boundToSession(set, byte.repeat(32)))
    expect(distinct(one!).hashes.length).toBe(set.length)
    for (const other of [one!, two!, itemHashes(messagesOf(items), '44'.repeat(32))]) {
      expect(new HashIndex(set).places(other).every(place => place === -1)).toBe(true)
    }
    expect(hex(one!)).not.toBe(hex(two!))
  })

  it('are found as a map finds them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(30), { maxLength: 60 }),
        fc.array(fc.nat(30), { maxLength: 60 }),
        (own, other) => {
          const of = (values: readonly number[]) =>
            // hashes that agree in the words by which slots are chosen
            Uint8Array.from(values.flatMap(value => [...new Uint8Array(15), value]))
          const map = new Map<number, number>()
          own.forEach((value, i) => {
            if (!map.has(value)) map.set(value, i)
          })
          const found = new HashIndex(of(own)).places(of(other))
          expect([...found]).toEqual(other.map(value => map.get(value) ?? -1))
          expect(distinct(of(own)).hashes.length / ITEM_BYTES).toBe(map.size)
        },
      ),
    )
  })
})

describe('a random order', () => {
  const seeded = (seed: number) => (bytes: number) => {
    const stream = new Uint8Array(bytes)
    new AesCtrPrg(Buffer.alloc(16, seed)).fill(stream)
    return stream
  }

  it('has everything once, and moves pieces whole', () => {
    const order = randomPermutation(1000)
    expect([...order].sort((a, b) => a - b)).toEqual([...order.keys()])
    const pieces = Uint8Array.from({ length: 8001 }, (_, i) => (i - 1) >> 3)
    for (const from of [pieces.slice(1), pieces.subarray(1)]) {
      expect([...permuted(from, order, 8)].filter((_, i) => i % 8 === 5)).toEqual(
        [...order].map(i => i & 255),
      )
      expect([...permuted(from, Uint32Array.of(3, 7, 3), 8)].filter((_, i) => i % 8 === 2)).toEqual([3, 7, 3])
    }
    expect([...randomPermutation(0)]).toEqual([])
  })

  it('is any of the orders, each as often: chi-square over the 24 of four, at 23 degrees below 64 (p > 1e-5)', () => {
    const seen = new Map<string, number>()
    for (let i = 0; i < 4800; i++) {
      const order = randomPermutation(4, bytes =>
        Buffer.concat([Buffer.from([i & 255, i >> 8]), Buffer.alloc(bytes - 2)]),
      ).join()
      seen.set(order, (seen.get(order) ?? 0) + 1)
    }
    const distance = [...seen.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0)
    expect(seen.size).toBe(24)
    expect(distance).toBeLessThan(64)
    expect(randomPermutation(50, seeded(1)).join()).toBe(randomPermutation(50, seeded(1)).join())
    expect(randomPermutation(50, seeded(1)).join()).not.toBe(randomPermutation(50, seeded(2)).join())
  })
})
