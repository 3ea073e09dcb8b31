import type { Protocol } from '@sluice/mpc'
import {
  type Arithmetic,
  atLeast,
  bitsToArithmetic,
  concatenate,
  groupBy,
  inputOf,
  isZero,
  join,
  known,
  lessThan,
  open,
  openGroups,
  type Party,
  sortBy,
} from '@sluice/mpc/replicated'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { at, column, edgeOr, INDICES, mod, pairs, signed, stream, three } from './local.js'

/** What all three open, and what it took, with columns taken so many rows at once. */
function taken(a: Words, b: Words, blockRows: number, protocol: Run) {
  const run = three(
    function* (party): Protocol<unknown> {
      const x = yield* inputOf(party, 0, at(party, 0, a))
      return yield* protocol(party, x, yield* inputOf(party, 1, at(party, 1, b)))
    },
    { blockRows },
  )
  expect(run.outputs[1]).toEqual(run.outputs[0])
  expect(run.outputs[2]).toEqual(run.outputs[0])
  return { output: run.outputs[0] as Words, rounds: run.rounds, bytes: run.bytesSent }
}

type Run = (party: Party, x: Arithmetic, y: Arithmetic) => Protocol<unknown>

const WHOLE = 1 << 20
const LENGTHS = [0, 1, 64, 65, 127, 128, 129, 300]

describe('a column longer than a block', () => {
  const compared: Run = function* (party, x, y) {
    const rows = x.own.length
    const bits = [yield* lessThan(party, x, y), yield* atLeast(party, x, -5n), yield* isZero(party, y)]
    const columns: Arithmetic[] = []
    for (const found of bits) columns.push(yield* bitsToArithmetic(party, found, rows))
    return yield* open(party, concatenate(columns), INDICES)
  }

  it.each(LENGTHS)('of %i values is compared as a loop does', rows => {
    const [a, b] = pairs(rows, `compared ${rows}`, 61)
    const small = b.map((value, row) => (row % 3 === 0 ? 0n : value))
    const of = (test: (x: bigint, y: bigint) => boolean) =>
      [...a].map((x, row) => test(signed(x), signed(small[row]!)))
    const expected = [of((x, y) => x < y), of(x => x >= -5n), of((_, y) => y === 0n)].flat()
    for (const blockRows of [64, 128, WHOLE])
      expect(taken(a, small, blockRows, compared).output).toEqual(column(expected.map(Number)))
  })

  it('takes the rounds of each block, and no byte more', () => {
    const [a, b] = pairs(320, 'rounds', 61)
    // the seeds, two columns shared, and the opening
    const beside = 4
    const whole = taken(a, b, WHOLE, compared)
    const blocks = taken(a, b, 64, compared)
    expect(whole.rounds - beside).toBe(8 + 8 + 7 + 3 * 2)
    expect(blocks.rounds - beside).toBe(5 * (8 + 8 + 7 + 3 * 2))
    expect(blocks.bytes).toEqual(whole.bytes)
  })

  const KEY = { bits: 4, signed: true }
  const sorted: Run = function* (party, x, y) {
    const keys = [
      { values: x, ...KEY, descending: true },
      { values: y, bits: 64, signed: true },
    ]
    return yield* open(party, concatenate(yield* sortBy(party, keys, [x, y])), INDICES)
  }
  const grouped: Run = function* (party, x, y) {
    const measures = [{ values: y }]
    const groups = yield* groupBy(party, [{ values: x, ...KEY }], measures)
    const { keys, members, measures: found } = (yield* openGroups(party, groups, 2n, INDICES))!
    const rows = [...members].map((count, group) => [keys[0]![group]!, count, found[0]!.sum[group]!] as const)
    return rows.sort(([one], [other]) => Number(one - other))
  }
  const joined: Run = function* (party, x, y) {
    const partners = known(party, column([-8, -3, 0, 1, 2, 7]))
    const right = { keys: [{ values: partners, ...KEY }], columns: [partners] }
    const { matched, columns } = yield* join(party, { keys: [{ values: x, ...KEY }] }, right)
    return yield* open(party, concatenate([matched, ...columns, y]), INDICES)
  }

  const given = (rows: number): [Words, Words] => {
    const words = stream(`rows ${rows}`)
    return [
      column(Array.from(words.words(rows), word => BigInt.asIntN(4, word))),
      column(Array.from(words.words(rows), edgeOr)),
    ]
  }

  it.each(LENGTHS)('of %i keys is sorted', rows => {
    const [a, b] = given(rows)
    const places = [...a.keys()].sort((i, j) => {
      const [x, y] = [signed(a[j]!) - signed(a[i]!), signed(b[i]!) - signed(b[j]!)]
      return Math.sign(Number(x === 0n ? y : x))
    })
    const expected = [a, b].flatMap(values => places.map(place => values[place]!))
    expect(taken(a, b, 64, sorted).output).toEqual(column(expected))
  })

  it.each(LENGTHS)('of %i keys is grouped', rows => {
    const [a, b] = given(rows)
    const sums = new Map<bigint, [bigint, bigint]>()
    a.forEach((key, row) => {
      const [count, sum] = sums.get(signed(key)) ?? [0n, 0n]
      sums.set(signed(key), [count + 1n, signed(mod(sum + b[row]!))])
    })
    const expected = [...sums]
      .filter(([, [count]]) => count >= 2n)
      .map(([key, [count, sum]]) => [key, count, sum])
      .sort(([one], [other]) => Number(one! - other!))
    expect(taken(a, b, 64, grouped).output).toEqual(expected)
  })

  it.each(LENGTHS)('of %i keys is joined', rows => {
    const [a, b] = given(rows)
    const met = [...a].map(key => [-8n, -3n, 0n, 1n, 2n, 7n].includes(signed(key)))
    const expected = [...met.map(Number), ...[...a].map((key, row) => (met[row] ? key : 0n)), ...b]
    expect(taken(a, b, 64, joined).output).toEqual(column(expected))
  })
})
