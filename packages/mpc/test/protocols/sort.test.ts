import { type Protocol, runLocally } from '@sluice/mpc'
import {
  type Arithmetic,
  concatenate,
  establish,
  inputOf,
  type Party,
  permutations,
  type SortKey,
  shuffle,
  slice,
  sortBy,
  unshuffle,
} from '@sluice/mpc/replicated'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import {
  at,
  column,
  costOf,
  edgeOr,
  INDICES,
  mod,
  opened,
  openedMany,
  pairs,
  seeded,
  signed,
  stream,
} from './local.js'

const LENGTHS = [0, 1, 2, 63, 64, 65, 1000]

/** Several columns opened as one. */
function table(
  inputs: readonly Words[],
  of: (party: Party, columns: Arithmetic[]) => Protocol<Arithmetic[]>,
) {
  const { output } = opened(function* (party) {
    const columns: Arithmetic[] = []
    for (const [place, values] of inputs.entries()) {
      const owner = INDICES[place % 3]!
      columns.push(yield* inputOf(party, owner, at(party, owner, values)))
    }
    return concatenate(yield* of(party, columns))
  })
  const rows = inputs[0]!.length
  return inputs.map((_, i) => output.slice(i * rows, (i + 1) * rows))
}

/** What each party works out by itself. */
const locally = <T>(of: (party: Party) => T): T[] =>
  runLocally(
    INDICES.map(function* (index): Protocol<T> {
      return of(yield* establish(index, 'ab'.repeat(32), seeded(`alone ${index}`)))
    }),
  ).outputs

const numbers = (length: number) => column(Array.from({ length }, (_, i) => i))

describe('shuffle', () => {
  it.each(LENGTHS)('keeps rows together and loses none, over %i rows', length => {
    const [a, b] = pairs(length, 'shuffle')
    const [x, y, row] = table([a, b, numbers(length)], (party, columns) => shuffle(party, columns))
    expect(row!.toSorted()).toEqual(numbers(length))
    expect(x).toEqual(row!.map(i => a[Number(i)]!))
    expect(y).toEqual(row!.map(i => b[Number(i)]!))
    if (length > 60) expect(row).not.toEqual(numbers(length))
  })

  it.each(LENGTHS)('can be undone, over %i rows', length => {
    const [a, b] = pairs(length, 'undone')
    const back = table([a, b], function* (party, columns) {
      const order = permutations(party, length)
      return yield* unshuffle(party, yield* shuffle(party, columns, order), order)
    })
    expect(back).toEqual([a, b])
  })

  it('keeps the rows of 2,000 small tables, each shuffled by itself and put back', () => {
    const tables = Array.from({ length: 2000 }, (_, place) =>
      stream(`shuffled ${place}`)
        .words(place % 9)
        .map(word => mod(edgeOr(word))),
    )
    const found = openedMany(tables.length, function* (party, place) {
      const rows = tables[place]!.length
      const x = yield* inputOf(party, 2, at(party, 2, tables[place]!))
      const order = permutations(party, rows)
      const moved = yield* shuffle(party, [x], order)
      return concatenate([...moved, ...(yield* unshuffle(party, moved, order))])
    })
    let stayed = 0
    for (const [place, given] of tables.entries()) {
      const [moved, back] = [found[place]!.slice(0, given.length), found[place]!.slice(given.length)]
      expect(moved.toSorted()).toEqual(given.toSorted())
      expect(back).toEqual(given)
      if (given.length === 8 && moved.every((value, i) => value === given[i])) stayed++
    }
    // one in 40,320 of 222, were all values different
    expect(stayed).toBeLessThan(3)
  })

  it('is uniform: every order of three rows comes as often as another', () => {
    const found = new Map<string, number>()
    const outputs = locally(party => {
      const drawn: string[] = []
      for (let i = 0; i < 3000; i++) drawn.push(permutations(party, 3).own.join())
      return drawn
    })
    for (const order of outputs[0]!) found.set(order, (found.get(order) ?? 0) + 1)
    // 500 each with a deviation of 20
    expect([...found.values()].every(count => count > 400 && count < 600)).toBe(true)
    expect(found.size).toBe(6)
  })

  it('is known to no party: a party’s own two permutations leave the third open', () => {
    const outputs = locally(party => {
      const order = permutations(party, 100)
      return [order.own, order.next]
    })
    const [first, second, third] = outputs.map(([own]) => own!.join())
    expect(outputs[0]![1]!.join()).toBe(second)
    expect(outputs[1]![1]!.join()).toBe(third)
    expect(outputs[2]![1]!.join()).toBe(first)
    expect(new Set([first, second, third]).size).toBe(3)
  })
})

describe('sort', () => {
  /** By an ordinary, stable sort. */
  const sorted = (keys: readonly { values: Words; down?: boolean; signed?: boolean }[], rows: number) =>
    Array.from({ length: rows }, (_, i) => i).sort((i, j) => {
      for (const { values, down, signed: isSigned } of keys) {
        const read = (x: bigint) => (isSigned ? signed(x) : x)
        const [a, b] = [read(values[i]!), read(values[j]!)]
        if (a !== b) return a < b === (down !== true) ? -1 : 1
      }
      return i - j
    })

  it.each(LENGTHS)('is stable, with columns that follow, over %i rows', length => {
    const keys = stream('keys')
      .words(length)
      .map(x => x >> 59n)
    const [b] = pairs(length, 'payload')
    const [key, payload, row] = table([keys, b, numbers(length)], (party, columns) =>
      sortBy(party, [{ values: columns[0]!, bits: 5 }], columns),
    )
    const order = sorted([{ values: keys }], length)
    expect([...row!].map(Number)).toEqual(order)
    expect([...key!]).toEqual(order.map(i => keys[i]!))
    expect([...payload!]).toEqual(order.map(i => b[i]!))
  })

  it.each([1, 2, 3, 4, 31, 32, 33, 64])('by keys of %i bits, signed and descending too', bits => {
    const words = stream(`bits ${bits}`).words(300)
    const cut = words.map(x => x >> BigInt(64 - bits))
    const extended = words.map(x => mod(signed(x) >> BigInt(64 - bits)))
    for (const [values, isSigned] of [
      [cut, false],
      [extended, true],
    ] as const) {
      const down = bits % 2 === 0
      const [row] = table([numbers(300), values], function* (party, columns) {
        const key: SortKey = { values: columns[1]!, bits, signed: isSigned, descending: down }
        return [...(yield* sortBy(party, [key], [columns[0]!])), slice(columns[1]!, 0, 300)]
      })
      expect([...row!].map(Number)).toEqual(sorted([{ values, down, signed: isSigned }], 300))
    }
  })

  it('of 500 small tables, each by itself', () => {
    const tables = Array.from({ length: 500 }, (_, table) => {
      const words = stream(`table ${table}`).words(2 * (table % 10))
      const [keys, payload] = [words.slice(0, table % 10), words.slice(table % 10)]
      return {
        keys: keys.map(word => mod(BigInt.asIntN(3, word))),
        payload: payload.map(w => mod(edgeOr(w))),
      }
    })
    const found = openedMany(tables.length, function* (party, place) {
      const { keys, payload } = tables[place]!
      const values = yield* inputOf(party, 0, at(party, 0, keys))
      const follows = yield* inputOf(party, 1, at(party, 1, payload))
      const key = { values, bits: 3, signed: true, descending: place % 2 === 1 }
      return concatenate(yield* sortBy(party, [key], [values, follows]))
    })
    for (const [place, { keys, payload }] of tables.entries()) {
      const order = sorted([{ values: keys, down: place % 2 === 1, signed: true }], keys.length)
      expect([...found[place]!]).toEqual([...order.map(i => keys[i]!), ...order.map(i => payload[i]!)])
    }
  })

  it('of 5,000 small tables at once, whose numbers are a second key', () => {
    const rows = stream('rows of tables')
      .words(5000)
      .map(word => word % 7n)
    const numbers = column([...rows].flatMap((count, table) => Array<number>(Number(count)).fill(table)))
    const keys = stream('keys of tables')
      .words(numbers.length)
      .map(word => mod(BigInt.asIntN(6, word)))
    const payload = stream('what follows')
      .words(numbers.length)
      .map(word => mod(edgeOr(word)))
    const [numbered, key, follows] = table([numbers, keys, payload], (party, columns) => {
      const key = { values: columns[1]!, bits: 6, signed: true, descending: true }
      return sortBy(party, [{ values: columns[0]!, bits: 13 }, key], columns)
    })
    const order = sorted([{ values: numbers }, { values: keys, down: true, signed: true }], numbers.length)
    expect(numbered).toEqual(numbers)
    expect([...key!]).toEqual(order.map(i => keys[i]!))
    expect([...follows!]).toEqual(order.map(i => payload[i]!))
  })

  it('by several keys, the first first', () => {
    const [a, b] = [
      stream('a')
        .words(500)
        .map(x => x >> 61n),
      stream('b')
        .words(500)
        .map(x => mod(signed(x) >> 60n)),
    ]
    const [row] = table([numbers(500), a, b], function* (party, columns) {
      const keys: SortKey[] = [
        { values: columns[1]!, bits: 3, descending: true },
        { values: columns[2]!, bits: 40, signed: true },
      ]
      return [...(yield* sortBy(party, keys, [columns[0]!])), columns[1]!, columns[2]!]
    })
    const order = sorted(
      [
        { values: a, down: true },
        { values: b, signed: true },
      ],
      500,
    )
    expect([...row!].map(Number)).toEqual(order)
  })

  it('refuses keys that it cannot sort by', async () => {
    const sortOne = (key: (values: Arithmetic) => SortKey[]) => () =>
      table([column([1, 2])], (party, columns) => sortBy(party, key(columns[0]!), columns))
    await expect(sortOne(() => [])).toThrowWithCode('PARAMETER_INVALID')
    await expect(sortOne(values => [{ values, bits: 65 }])).toThrowWithCode('PARAMETER_INVALID')
    await expect(sortOne(values => [{ values: slice(values, 0, 1), bits: 8 }])).toThrowWithCode(
      'PARAMETER_INVALID',
    )
  })

  it('stops where shares were altered so that places are no permutation', async () => {
    const run = () =>
      runLocally(
        INDICES.map(function* (index): Protocol<unknown> {
          const party = yield* establish(index, 'ab'.repeat(32), seeded(`altered ${index}`))
          const values = yield* inputOf(party, 0, index === 0 ? numbers(50) : 50)
          return yield* sortBy(party, [{ values, bits: 6 }], [values])
        }),
        (bytes, from, to) => (from === 0 && to === 1 ? bytes.map(byte => byte ^ 64) : bytes),
      )
    await expect(run).toThrowWithCode('PROTOCOL_VIOLATION')
  })
})

describe('what it costs', () => {
  it('is what the documentation says', () => {
    const [a] = pairs(6400, 'costs')
    // of three rounds a party takes part in two
    expect(costOf(a, (party, x) => shuffle(party, [x]))).toEqual({ rounds: 2, bits: [128, 128, 128] })
    // the bits; ten digits of three bits, and one of two that leaves its lane behind; the column; lanes are 32 bits
    const sent = 151 + 32 * (10 * (7 + 1 + 6 + 1) + (3 + 1 + 4 + 1)) + 32 * 3 + 128
    expect(costOf(a, (party, x) => sortBy(party, [{ values: x, bits: 32 }], [x]))).toEqual({
      // of a digit's seven rounds no party takes part in more than six
      rounds: 6 + 11 * 6 + 5,
      bits: [sent + 32, sent, sent],
    })
  })
})
