import type { Protocol } from '@sluice/mpc'
import {
  type Arithmetic,
  groupBy,
  groupsIn,
  inputOf,
  type Measure,
  type OpenedGroups,
  openGroups,
  type Party,
  receiveOpened,
} from '@sluice/mpc/replicated'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { column, costOf, edgeOr, INDICES, stream, three } from './local.js'

interface Given {
  readonly keys: readonly (readonly bigint[])[]
  readonly measures: readonly (readonly (bigint | null)[])[]
  /** whether a measure's nulls are shared as presence */
  readonly nullable: boolean
  readonly where?: readonly boolean[]
  readonly entities?: readonly bigint[]
  readonly minimum: bigint
  /** bits of a key, signed; 3 unless it says more */
  readonly keyBits?: number
}

interface Options {
  readonly keys?: number
  readonly measures?: number
  readonly nullable?: boolean
  readonly where?: boolean
  readonly entities?: boolean
  readonly minimum?: bigint
}

function random(
  seed: string,
  rows: number,
  { keys = 1, measures = 1, nullable = false, where = false, entities = false, minimum = 2n }: Options = {},
): Given {
  const words = stream(seed)
  const draw = <T>(of: (word: bigint) => T): T[] => Array.from(words.words(rows), of)
  return {
    keys: Array.from({ length: keys }, () => draw(word => BigInt.asIntN(3, word))),
    measures: Array.from({ length: measures }, () =>
      draw(word => (nullable && word % 3n === 0n ? null : edgeOr(word >> 2n))),
    ),
    nullable,
    minimum,
    ...(where && { where: draw(word => word % 4n !== 0n) }),
    ...(entities && { entities: draw(word => word % 9n) }),
  }
}

/** Tables after each other, their numbers as the first key. */
function numbered(tables: readonly Given[]): Given {
  const all = <T>(of: (given: Given) => readonly T[]): T[] => tables.flatMap(of)
  const first = tables[0]!
  return {
    ...first,
    keyBits: 12,
    keys: [
      tables.flatMap(({ keys }, table) => keys[0]!.map(() => BigInt(table))),
      ...first.keys.map((_, key) => all(({ keys }) => keys[key]!)),
    ],
    measures: first.measures.map((_, m) => all(({ measures }) => measures[m]!)),
    ...(first.where && { where: all(({ where }) => where!) }),
    ...(first.entities && { entities: all(({ entities }) => entities!) }),
  }
}

/** By an ordinary loop. */
function expected({ keys, measures, where, entities, minimum }: Given) {
  const groups = new Map<string, number[]>()
  keys[0]!.forEach((_, row) => {
    if (where?.[row] === false) return
    const key = keys.map(values => values[row]!).join()
    groups.set(key, [...(groups.get(key) ?? []), row])
  })
  const found: Record<string, unknown> = {}
  for (const [key, rows] of groups) {
    const members = BigInt(
      entities === undefined ? rows.length : new Set(rows.map(row => entities[row]!)).size,
    )
    if (members < minimum) continue
    const cells = measures.map(values => {
      const there = rows.map(row => values[row]!).filter(value => value !== null)
      const count = entities === undefined ? BigInt(there.length) : members
      const sum = there.reduce((total, value) => total + value, 0n)
      return count >= minimum ? { count, sum: BigInt.asIntN(64, sum) } : { count: 0n, sum: 0n }
    })
    found[key] = { members, cells }
  }
  return found
}

function* grouped(party: Party, given: Given, receivers: readonly number[], maximumGroups?: number) {
  const { keys, measures, where, entities, minimum, nullable, keyBits = 3 } = given
  const rows = keys[0]!.length
  const share = (owner: 0 | 1 | 2, values: () => Words): Protocol<Arithmetic> =>
    inputOf(party, owner, party.index === owner ? values() : rows)
  const sortKeys: { values: Arithmetic; bits: number; signed: boolean }[] = []
  for (const values of keys)
    sortKeys.push({ values: yield* share(0, () => column(values)), bits: keyBits, signed: true })
  const shared: Measure[] = []
  for (const values of measures) {
    const column1 = yield* share(1, () => column(values.map(value => value ?? 0n)))
    const present = nullable
      ? yield* share(1, () => column(values.map(value => (value === null ? 0 : 1))))
      : undefined
    shared.push(present === undefined ? { values: column1 } : { values: column1, present })
  }
  const options = {
    ...(where && { where: yield* share(2, () => column(where.map(counts => (counts ? 1 : 0)))) }),
    ...(entities && { entities: { values: yield* share(0, () => column(entities)), bits: 4 } }),
    ...(maximumGroups !== undefined && { maximumGroups }),
  }
  return yield* openGroups(party, yield* groupBy(party, sortKeys, shared, options), minimum, receivers)
}

const read = ({ keys, members, measures }: OpenedGroups) =>
  Object.fromEntries(
    Array.from(members, (count, group) => [
      keys.map(values => values[group]!).join(),
      {
        members: count,
        cells: measures.map(measure => {
          expect(measure.passed[group]).toBe(measure.count[group] === 0n ? 0n : 1n)
          return { count: measure.count[group]!, sum: measure.sum[group]! }
        }),
      },
    ]),
  )

const runOf = (given: Given, receivers: readonly number[] = INDICES, maximumGroups?: number) =>
  three(party => grouped(party, given, receivers, maximumGroups))

describe('sums by a secret key', () => {
  it.each([0, 1, 2, 3, 63, 64, 65, 700])('agree with an ordinary loop over %i rows', rows => {
    const given = random(`rows ${rows}`, rows, { minimum: rows < 4 ? 1n : 5n })
    for (const output of runOf(given).outputs) expect(read(output!)).toEqual(expected(given))
  })

  const kinds: [string, Options][] = [
    ['two keys', { keys: 2 }],
    ['two measures', { measures: 2 }],
    ['values that are missing', { nullable: true, measures: 2 }],
    ['rows that do not count', { where: true }],
    ['rows that do not count and values that are missing', { where: true, nullable: true }],
    ['entities of several rows', { entities: true }],
    ['entities, and rows that do not count', { entities: true, where: true, keys: 2 }],
    ['no measure', { measures: 0 }],
    ['a minimum that nothing reaches', { minimum: 1000n }],
  ]
  it.each(kinds)('with %s, many small tables', (kind, options) => {
    for (let table = 0; table < 8; table++) {
      const given = random(`${kind} ${table}`, table * 5, options)
      expect(read(runOf(given).outputs[0]!)).toEqual(expected(given))
    }
  })

  it.each(kinds)('with %s, 2,000 small tables at once, whose numbers are a key', (kind, options) => {
    const tables = Array.from({ length: 2000 }, (_, table) =>
      random(`${kind} of ${table}`, table % 9, options),
    )
    const given = numbered(tables)
    expect(read(runOf(given).outputs[0]!)).toEqual(expected(given))
  })

  it('open to the receivers alone, and to one outside', () => {
    const given = random('receivers', 60)
    const none = runOf(given, [1])
    expect(none.outputs.map(output => output !== undefined)).toEqual([false, true, false])
    const outside = function* (): Protocol<OpenedGroups | undefined> {
      const flags = yield* receiveOpened(60)
      const width = flags.filter(flag => flag === 1n).length
      return groupsIn(yield* receiveOpened(width * 5), 1, 1)
    }
    const { outputs } = three<OpenedGroups | undefined>(party => grouped(party, given, [3]), {
      others: [outside()],
    })
    expect(outputs.slice(0, 3)).toEqual([undefined, undefined, undefined])
    expect(read(outputs[3]!)).toEqual(expected(given))
  })

  it('come in an order that says nothing of what lies between them', () => {
    const orders = ['a', 'b', 'c', 'd', 'e', 'f'].map(seed => {
      const given = random('order', 200)
      const { outputs } = three(party => grouped(party, given, INDICES), { seed })
      return [...outputs[0]!.keys[0]!].join()
    })
    expect(new Set(orders).size).toBeGreaterThan(3)
  })

  it('refuse more groups than are allowed, and no fewer', async () => {
    const given = random('many', 100)
    const groups = Object.keys(expected({ ...given, minimum: 1n })).length
    expect(read(runOf(given, INDICES, groups).outputs[0]!)).toEqual(expected(given))
    await expect(() => runOf(given, INDICES, groups - 1)).toThrowWithCode('RESULT_TOO_LARGE')
  })

  it('refuse a minimum that would open what fills up, and entities beside missing values', async () => {
    await expect(() => runOf({ ...random('zero', 9), minimum: 0n })).toThrowWithCode('PARAMETER_INVALID')
    const both = random('both', 9, { entities: true, nullable: true })
    await expect(() => runOf(both)).toThrowWithCode('PARAMETER_INVALID')
  })

  it('show the same of a suppressed group whatever was in it', () => {
    const alike = (value: bigint): Given => ({
      keys: [[1n, 1n, 1n, 2n]],
      measures: [[1n, 2n, 3n, value]],
      nullable: false,
      minimum: 2n,
    })
    const [first, second] = [alike(7n), alike(123_456_789n)].map(given => runOf(given).outputs[0]!)
    expect(first).toEqual(second)
    expect([...first!.keys[0]!]).toEqual([1n])
  })
})

describe('what it costs', () => {
  it('is what the documentation says', () => {
    const rows = 6400
    const values = column(Array.from({ length: rows }, (_, row) => row % 10))
    const { rounds, bits } = costOf(values, function* (party, x) {
      return yield* openGroups(
        party,
        yield* groupBy(party, [{ values: x, bits: 32 }], [{ values: x }]),
        10n,
        INDICES,
      )
    })
    // of all three: a sort with two columns, equality and its bit, the last rows to the front, three products
    const sorted = 3 * 151 + 32 + 32 * (477 + 9) + 2 * 6 * 64
    const grouped = 3 * 63 + 64 + 4 * 64 + 32 * (6 + 9) + 4 * 6 * 64 + 3 * 3 * 64
    // a comparison and its bit, four products, six columns shuffled, one opened of all groups and five of ten
    const released = 3 * 181 + 64 + 4 * 64 + 4 * 3 * 64 + 6 * 6 * 64 + 3 * 64 + (10 * 5 * 3 * 64) / rows
    expect(bits.reduce((sum, sent) => sum + sent)).toBe(sorted + grouped + released)
    // all rounds there are, of which no party takes part in each
    expect(rounds).toBeLessThanOrEqual(91 + 7 + 2 + 3 + 4 + 1 + 16)
  })
})
