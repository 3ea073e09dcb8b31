import type { Protocol } from '@sluice/mpc'
import {
  type Arithmetic,
  concatenate,
  extreme,
  extremes,
  inputOf,
  known,
  kthLargest,
  type OrderStatistics,
  type Party,
  quantiles,
  type Rank,
  ranked,
  sortBy,
} from '@sluice/mpc/replicated'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { at, column, costOf, opened, openedMany, pairs, signed, stream } from './local.js'

const FRACTIONS = [
  [0, 1],
  [1, 4],
  [1, 2],
  [9, 10],
  [1, 1],
].map(([numerator, denominator]) => ({ numerator: numerator!, denominator: denominator! }))

type Of = (party: Party, values: Arithmetic, present?: Arithmetic) => Protocol<OrderStatistics>

/** The statistics, then how many values they are of. */
function statistics(values: Words, present: Words | undefined, of: Of): bigint[] {
  const { output } = opened(function* (party) {
    const x = yield* inputOf(party, 0, at(party, 0, values))
    const there = present === undefined ? undefined : yield* inputOf(party, 2, at(party, 2, present))
    const found = yield* of(party, x, there)
    return concatenate([found.values, found.count])
  })
  return [...output].map(signed)
}

/** The same of many columns, side by side. */
function statisticsOfMany(given: readonly { values: Words; present: Words | undefined }[], of: Of) {
  const outputs = openedMany(given.length, function* (party, place) {
    const { values, present } = given[place]!
    const x = yield* inputOf(party, 0, at(party, 0, values))
    const is = present === undefined ? undefined : yield* inputOf(party, 2, at(party, 2, present))
    const found = yield* of(party, x, is)
    return concatenate([found.values, found.count])
  })
  return outputs.map(output => [...output].map(signed))
}

const there = (values: Words, present?: Words) =>
  [...values].map(signed).filter((_, i) => present === undefined || present[i] === 1n)
const ascending = (values: bigint[]) => values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))

/** The smallest value with at least the fraction at or below it. */
function discrete(
  sorted: bigint[],
  { numerator, denominator }: { numerator: number; denominator: number },
): bigint {
  const need = BigInt(numerator) * BigInt(sorted.length)
  return sorted.find((_, i) => BigInt(i + 1) * BigInt(denominator) >= need) ?? 0n
}

const ones = (length: number) => new BigUint64Array(length).fill(1n)
const some = (length: number, seed: string) =>
  stream(seed)
    .words(length)
    .map(word => (word % 3n === 0n ? 0n : 1n))

describe('quantiles', () => {
  const of: Of = (party, values, present) =>
    quantiles(party, { values, bits: 62, signed: true }, FRACTIONS, present)

  it.each([0, 1, 2, 5, 64, 101])('of %i values, all there and some missing', length => {
    const [values] = pairs(length, 'quantiles', 62)
    for (const present of [undefined, some(length, 'there')]) {
      const sorted = ascending(there(values, present))
      expect(statistics(values, present, of)).toEqual([
        ...FRACTIONS.map(fraction => discrete(sorted, fraction)),
        BigInt(sorted.length),
      ])
    }
  })

  it('of 100 small columns, with and without values that are missing', () => {
    const given = Array.from({ length: 100 }, (_, table) => ({
      values: column(Array.from(stream(`small ${table}`).words(table % 8), word => BigInt.asIntN(4, word))),
      present: table % 5 === 0 ? some(table % 8, `there ${table}`) : undefined,
    }))
    const small: Of = (party, values, present) =>
      quantiles(party, { values, bits: 4, signed: true }, FRACTIONS, present)
    statisticsOfMany(given, small).forEach((found, place) => {
      const sorted = ascending(there(given[place]!.values, given[place]!.present))
      expect(found).toEqual([...FRACTIONS.map(f => discrete(sorted, f)), BigInt(sorted.length)])
    })
  })

  it('of columns without any value are zero', () => {
    expect(statistics(column([5, 6, 7]), column([0, 0, 0]), of)).toEqual([0n, 0n, 0n, 0n, 0n, 0n])
  })

  it('refuse fractions that are none', async () => {
    for (const [numerator, denominator] of [
      [2, 1],
      [-1, 2],
      [0.5, 1],
      [1, 0],
    ]) {
      const fraction = { numerator: numerator!, denominator: denominator! }
      const wrong: Of = (party, values) => quantiles(party, { values, bits: 8 }, [fraction])
      await expect(() => statistics(column([1]), undefined, wrong)).toThrowWithCode('PARAMETER_INVALID')
    }
  })
})

describe('the threshold of the k largest', () => {
  it('is the k-th from above, of those that are there', async () => {
    const [values] = pairs(90, 'top', 40)
    const present = some(90, 'top there')
    for (const k of [1, 2, 20]) {
      const of: Of = (party, x, is) => kthLargest(party, { values: x, bits: 40, signed: true }, k, is)
      for (const given of [undefined, present]) {
        const sorted = ascending(there(values, given))
        expect(statistics(values, given, of)).toEqual([sorted.at(-k)!, BigInt(sorted.length)])
      }
    }
    const given = Array.from({ length: 400 }, (_, table) => ({
      values: column(
        Array.from(stream(`k of ${table}`).words(1 + (table % 7)), word => BigInt.asIntN(4, word)),
      ),
      present: undefined,
    }))
    const second: Of = (party, x) =>
      kthLargest(party, { values: x, bits: 4, signed: true }, Math.min(2, x.own.length))
    statisticsOfMany(given, second).forEach((found, place) => {
      const sorted = ascending(there(given[place]!.values))
      expect(found[0]).toBe(sorted.at(-2) ?? sorted[0])
    })
    const none: Of = (party, x) => kthLargest(party, { values: x, bits: 40 }, 91)
    await expect(() => statistics(values, undefined, none)).toThrowWithCode('PARAMETER_INVALID')
  })
})

/** Tables of up to seven rows, each of which is a cell; some rows are in none. */
function cellsOf(tables: number, seed: string, value: (word: bigint) => bigint) {
  const given = Array.from({ length: tables }, (_, table) =>
    Array.from(stream(`${seed} ${table}`).words(table % 8), word => ({
      value: value(word >> 8n),
      isIn: word % 4n !== 0n,
    })),
  )
  const rows = given.flatMap((cell, place) => cell.map(row => ({ ...row, place })))
  return {
    values: column(rows.map(row => (row.isIn ? row.value : 0n))),
    flags: given.map((_, place) => column(rows.map(row => (row.isIn && row.place === place ? 1 : 0)))),
    plain: given.map(cell => ascending(cell.filter(row => row.isIn).map(row => row.value))),
  }
}

/** What a protocol over the cells of many runs gives, by cell. */
function ofCells(
  runs: readonly ReturnType<typeof cellsOf>[],
  of: (party: Party, values: Arithmetic, cells: Arithmetic[], run: number) => Protocol<readonly Arithmetic[]>,
): bigint[][] {
  const outputs = openedMany(runs.length, function* (party, place) {
    const { values, flags } = runs[place]!
    const x = yield* inputOf(party, 0, at(party, 0, values))
    const cells: Arithmetic[] = []
    for (const flag of flags) cells.push(yield* inputOf(party, 1, at(party, 1, flag)))
    return concatenate(yield* of(party, x, cells, place))
  })
  return outputs.flatMap((output, run) => {
    const cells = runs[run]!.flags.length
    return Array.from({ length: cells }, (_, cell) =>
      Array.from({ length: output.length / cells }, (_, i) => signed(output[i * cells + cell]!)),
    )
  })
}

describe('ranks of 2,000 small tables', () => {
  it('as cells, sixteen at a time, are the quantiles and thresholds of each', () => {
    const ranksOf = (run: number): readonly Rank[] => [
      FRACTIONS[run % 5]!,
      { numerator: 1 + (run % 3), denominator: 3 },
      { largest: 1 + (run % 4) },
      { smallest: 1 + (run % 5) },
    ]
    const runs = Array.from({ length: 125 }, (_, run) =>
      cellsOf(16, `rank ${run}`, word => BigInt.asIntN(run % 2 === 0 ? 4 : 9, word)),
    )
    const found = ofCells(runs, function* (party, values, cells, run) {
      const all = yield* ranked(party, { values, bits: 9, signed: true }, cells, ranksOf(run))
      return [...all.values, all.counts]
    })
    const tables = runs.flatMap(({ plain }) => plain)
    expect(tables).toHaveLength(2000)
    tables.forEach((sorted, place) => {
      const values = found[place]!
      expect(values.at(-1)).toBe(BigInt(sorted.length))
      ranksOf(Math.floor(place / 16)).forEach((rank, i) => {
        // of fewer values it is that of another cell, which is never opened
        const [needed, expected] =
          'largest' in rank
            ? [rank.largest, sorted.at(-rank.largest)]
            : 'smallest' in rank
              ? [rank.smallest, sorted[rank.smallest - 1]]
              : [1, sorted.length === 0 ? undefined : discrete(sorted, rank)]
        if (sorted.length >= needed) expect(values[i]).toBe(expected)
      })
    })
  })
})

describe('extremes', () => {
  it.each([0, 1, 2, 3, 7, 64, 65, 333])('of %i values', length => {
    const [values] = pairs(length, `extremes ${length}`, 61)
    for (const present of [undefined, some(length, 'extremes there'), column(Array(length).fill(0))]) {
      const sorted = ascending(there(values, present))
      const count = BigInt(sorted.length)
      const smallest: Of = (party, x, is) => extreme(party, 'smallest', x, is)
      const largest: Of = (party, x, is) => extreme(party, 'largest', x, is)
      expect(statistics(values, present, smallest)).toEqual([sorted[0] ?? 0n, count])
      expect(statistics(values, present, largest)).toEqual([sorted.at(-1) ?? 0n, count])
    }
  })
})

describe('extremes of hundreds of columns', () => {
  it('agree with a plain look at each', () => {
    const edges = [2n ** 61n - 1n, 1n - 2n ** 61n, 0n, -1n]
    const given = Array.from({ length: 500 }, (_, table) => {
      const length = table % 7
      const words = stream(`extreme ${table}`).words(length)
      return {
        values: column(
          Array.from(words, word =>
            word % 5n === 0n ? edges[Number((word >> 8n) % 4n)]! : BigInt.asIntN(61, word),
          ),
        ),
        present: table % 3 === 0 ? some(length, `extreme there ${table}`) : undefined,
      }
    })
    const largest: Of = (party, x, is) => extreme(party, 'largest', x, is)
    statisticsOfMany(given, largest).forEach((found, place) => {
      const sorted = ascending(there(given[place]!.values, given[place]!.present))
      expect(found).toEqual([sorted.at(-1) ?? 0n, BigInt(sorted.length)])
    })
  })
})

describe('extremes of 2,000 small tables', () => {
  it('as cells, eight at a time, are the smallest and the largest of each', () => {
    const edges = [2n ** 61n - 1n, 1n - 2n ** 61n, 0n, -1n]
    const runs = Array.from({ length: 250 }, (_, run) =>
      cellsOf(8, `extremes ${run}`, word =>
        word % 5n === 0n ? edges[Number((word >> 8n) % 4n)]! : BigInt.asIntN(56, word) * 16n,
      ),
    )
    const found = ofCells(runs, function* (party, values, cells) {
      const { smallest, largest } = yield* extremes(party, values, cells)
      return [smallest, largest]
    })
    runs
      .flatMap(({ plain }) => plain)
      .forEach((sorted, place) => {
        expect(found[place]).toEqual([sorted[0] ?? 2n ** 61n, sorted.at(-1) ?? -(2n ** 61n)])
      })
  })
})

describe('what it costs', () => {
  it('is what the documentation says: a comparison, its bit and a product for each value but one', () => {
    const rows = 8192
    const [values] = pairs(rows, 'costs', 61)
    const { rounds, bits } = costOf(values, (party, x) => extreme(party, 'largest', x))
    let sent = 0
    for (let pairsLeft = rows / 2; pairsLeft >= 1; pairsLeft /= 2)
      sent += 181 * Math.ceil(pairsLeft / 64) * 64 + (64 + 64) * pairsLeft
    expect(rounds).toBe(11 * 13)
    expect(bits.slice(1)).toEqual([sent / rows, sent / rows])
  })

  it('of extremes by cells: two knock-outs a cell side by side, and a product of each cell', () => {
    const rows = 8192
    const [values] = pairs(rows, 'costs', 61)
    const { rounds, bits } = costOf(values, (party, x) => extremes(party, x, [known(party, ones(rows)), x]))
    let sent = 2 * 64 * rows
    for (let pairsLeft = rows / 2; pairsLeft >= 1; pairsLeft /= 2)
      sent += 181 * Math.ceil((4 * pairsLeft) / 64) * 64 + (64 + 64) * 4 * pairsLeft
    expect(rounds).toBe(1 + 11 * 13)
    expect(bits.slice(1)).toEqual([sent / rows, sent / rows])
  })

  it('of quantiles by cells: a sort, a division by a public number, and a look-up for each row, cell and fraction', () => {
    const rows = 4096
    const values = pairs(rows, 'costs', 31)[0].map(value => value & 0xffffn)
    const half = { numerator: 1, denominator: 2 }
    const last = { numerator: 1, denominator: 1 }
    const of = (ranks: Rank[]) =>
      costOf(values, (party, x) => ranked(party, { values: x, bits: 16 }, [x, x, x], ranks))
    const sorted = costOf(values, (party, x) =>
      sortBy(
        party,
        [
          { values: x, bits: 2 },
          { values: x, bits: 16 },
        ],
        [x],
      ),
    )
    const [one, two] = [of([last]), of([last, half])]
    // of the party that takes part in most of them, which is not the same one throughout
    expect([one.rounds - sorted.rounds, two.rounds - one.rounds]).toEqual([8, 17])
    for (const index of [0, 1, 2]) {
      const lookUp = index === 0 ? 127 + 128 : 127
      expect(Math.abs(one.bits[index]! - sorted.bits[index]! - 3 * lookUp)).toBeLessThan(1)
    }
  })
})
