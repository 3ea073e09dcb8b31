import type { Protocol } from '@sluice/mpc'
import {
  type Arithmetic,
  inputOf,
  type OpenedCells,
  openAtLeast,
  type Party,
  totals,
} from '@sluice/mpc/replicated'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { column, signed, stream, three } from './local.js'

interface Given {
  readonly rows: number
  /** by dimension, by row: the category, or −1 for none */
  readonly codes: readonly (readonly number[])[]
  readonly categories: readonly number[]
  /** by measure, by row; null where there is no value */
  readonly measures: readonly (readonly (bigint | null)[])[]
  readonly minimum: bigint
}

function random(seed: string, rows: number, categories: readonly number[], minimum: bigint): Given {
  const words = stream(seed).words(rows * (categories.length + 2))
  const pick = (at: number, among: number) => Number(words[at]! % BigInt(among))
  return {
    rows,
    categories,
    minimum,
    codes: categories.map((count, d) =>
      Array.from({ length: rows }, (_, r) => pick(d * rows + r, count + 1) - 1),
    ),
    measures: [0, 1].map(m =>
      Array.from({ length: rows }, (_, r) => {
        const word = words[(categories.length + m) * rows + r]!
        return word % 5n === 0n ? null : BigInt.asIntN(48, word)
      }),
    ),
  }
}

/** By an ordinary loop. */
function expected({ rows, codes, categories, measures, minimum }: Given) {
  const width = categories.reduce((product, count) => product * count, 1)
  return measures.map(values => {
    const counts = Array<bigint>(width).fill(0n)
    const sums = Array<bigint>(width).fill(0n)
    for (let row = 0; row < rows; row++) {
      const value = values[row]!
      if (value === null || codes.some(code => code[row] === -1)) continue
      const cell = codes.reduce((index, code, d) => index * categories[d]! + code[row]!, 0)
      counts[cell]! += 1n
      sums[cell]! += value
    }
    return counts.map((count, cell) =>
      count >= minimum ? { count, sum: BigInt.asIntN(64, sums[cell]!) } : { count: 0n, sum: 0n },
    )
  })
}

/** Dimensions come from parties 0 and 1 in turn, measures from party 2. */
function* joint(party: Party, given: Given, receivers: readonly number[]): Protocol<OpenedCells | undefined> {
  const { categories, codes, measures, minimum, rows } = given
  const share = (owner: 0 | 1 | 2, values: () => Words): Protocol<Arithmetic> =>
    inputOf(party, owner, party.index === owner ? values() : rows)
  const dimensions: Arithmetic[][] = []
  for (const [d, count] of categories.entries()) {
    const dimension: Arithmetic[] = []
    for (let category = 0; category < count; category++) {
      const flags = () => column(codes[d]!.map(code => (code === category ? 1 : 0)))
      dimension.push(yield* share(d % 2 === 0 ? 0 : 1, flags))
    }
    dimensions.push(dimension)
  }
  const shared: { values: Arithmetic; present: Arithmetic }[] = []
  for (const values of measures) {
    shared.push({
      values: yield* share(2, () => column(values.map(value => value ?? 0n))),
      present: yield* share(2, () => column(values.map(value => (value === null ? 0 : 1)))),
    })
  }
  return yield* openAtLeast(party, yield* totals(party, dimensions, shared), minimum, receivers)
}

const cellsOf = ({ counts, sums, passed }: OpenedCells) =>
  counts.map((column, m) =>
    [...column].map((count, cell) => {
      expect(passed[m]![cell]).toBe(count === 0n ? passed[m]![cell] : 1n)
      return { count, sum: sums[m]![cell]! }
    }),
  )

describe('totals by public groups', () => {
  it.each([
    ['no dimension', random('a', 500, [], 10n)],
    ['one dimension', random('b', 700, [6], 10n)],
    ['two dimensions', random('c', 900, [4, 5], 10n)],
    ['three dimensions', random('d', 900, [3, 2, 4], 10n)],
    ['one row', random('e', 1, [2, 2], 1n)],
    ['no rows', random('f', 0, [3], 1n)],
    ['a minimum of zero', random('g', 20, [9], 0n)],
    ['a minimum that nothing reaches', random('h', 300, [2], 1000n)],
  ])('agree with an ordinary loop: %s', (_, given) => {
    const { outputs } = three(party => joint(party, given, [0, 1, 2]))
    for (const output of outputs) expect(cellsOf(output!)).toEqual(expected(given))
  })

  it('open at the threshold exactly, and nothing below it', () => {
    const codes = [[...Array(9).fill(0), ...Array(10).fill(1), ...Array(11).fill(2)]]
    const given: Given = {
      rows: 30,
      codes,
      categories: [4],
      measures: [Array.from({ length: 30 }, () => -5n)],
      minimum: 10n,
    }
    const { outputs } = three(party => joint(party, given, [0, 1, 2]))
    const { passed, counts, sums } = outputs[0]!
    expect(passed).toEqual([column([0, 1, 1, 0])])
    expect(counts).toEqual([column([0, 10, 11, 0])])
    expect([...sums[0]!]).toEqual([0n, -50n, -55n, 0n])
  })

  it('open to the receivers alone', () => {
    const given = random('receivers', 300, [2], 10n)
    const { outputs } = three(party => joint(party, given, [1]))
    expect(outputs.map(output => output !== undefined)).toEqual([false, true, false])
    expect(cellsOf(outputs[1]!)).toEqual(expected(given))
  })

  it('suppressed cells look the same whatever was in them', () => {
    const alike = (value: bigint, members: number): Given => ({
      rows: 40,
      codes: [Array.from({ length: 40 }, (_, row) => (row < members ? 0 : 1))],
      categories: [2],
      measures: [Array.from({ length: 40 }, (_, row) => (row < members ? value : 1n))],
      minimum: 10n,
    })
    const first = [alike(7n, 3), alike(123_456_789n, 3)].map(
      given => three(party => joint(party, given, [0, 1, 2])).outputs[0]!,
    )
    expect(first[0]).toEqual(first[1])
    expect(signed(first[0]!.counts[0]![0]!)).toBe(0n)
  })

  it('count every row where no value can be missing', () => {
    const { outputs } = three(function* (party): Protocol<OpenedCells | undefined> {
      const values = yield* inputOf(party, 0, party.index === 0 ? column([5, 6, 7]) : 3)
      return yield* openAtLeast(party, yield* totals(party, [], [{ values }]), 3n, [0])
    })
    expect(outputs[0]).toMatchObject({ passed: [column([1])], counts: [column([3])] })
    expect([...outputs[0]!.sums[0]!]).toEqual([18n])
  })
})
