import type { Protocol } from '@sluice/mpc'
import { type Arithmetic, concatenate, inputOf, join, type Party, slice } from '@sluice/mpc/replicated'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { column, costOf, edgeOr, mod, opened, openedMany, stream } from './local.js'

interface Given {
  readonly left: readonly (bigint | null)[]
  readonly right: readonly (bigint | null)[]
  readonly columns: readonly (readonly bigint[])[]
}

/** Keys of ±2^9; the right side's are all different, and one in `nulls` is missing. */
function random(seed: string, many: number, few: number, nulls: bigint, columns = 2): Given {
  const words = stream(seed)
  const keys = [...new Set(Array.from(words.words(4 * few + 1), word => BigInt.asIntN(6, word)))]
  const orNull = (value: bigint, word: bigint) => (nulls > 0n && word % nulls === 0n ? null : value)
  const right = keys.slice(0, few).map((key, i) => orNull(key, words.words(1)[0]! + BigInt(i)))
  return {
    left: Array.from(words.words(many), word => orNull(BigInt.asIntN(6, word), word >> 32n)),
    right,
    columns: Array.from({ length: columns }, () => Array.from(words.words(right.length), edgeOr)),
  }
}

function expected({ left, right, columns }: Given) {
  return left.map(key => {
    const partner = key === null ? -1 : right.indexOf(key)
    return {
      matched: partner >= 0,
      values: columns.map(values => (partner < 0 ? 0n : mod(values[partner]!))),
    }
  })
}

/** The join of one table: flags, then columns. */
function* joining(party: Party, { left, right, columns }: Given): Protocol<Arithmetic> {
  const share = (party: Party, owner: 0 | 1 | 2, values: readonly bigint[]): Protocol<Arithmetic> =>
    inputOf(party, owner, party.index === owner ? column(values) : values.length)
  const flags = (values: readonly (bigint | null)[]) => values.map(value => (value === null ? 0n : 1n))
  const filled = (values: readonly (bigint | null)[]) => values.map(value => value ?? 0n)
  const one = {
    keys: [{ values: yield* share(party, 0, filled(left)), bits: 6, signed: true }],
    ...(left.includes(null) && { present: yield* share(party, 0, flags(left)) }),
  }
  const payload: Arithmetic[] = []
  const key = yield* share(party, 1, filled(right))
  for (const values of columns) payload.push(yield* share(party, 2, values))
  const other = {
    keys: [{ values: key, bits: 6, signed: true }],
    ...(right.includes(null) && { present: yield* share(party, 1, flags(right)) }),
    columns: payload,
  }
  const result = yield* join(party, one, other)
  return concatenate([result.matched, ...result.columns])
}

const rowsOf = ({ left, columns }: Given, output: Words) =>
  left.map((_, row) => ({
    matched: output[row] === 1n,
    values: columns.map((_, i) => output[(i + 1) * left.length + row]!),
  }))

const joined = (given: Given) => rowsOf(given, opened(party => joining(party, given)).output)

/** Many small tables at once: the table's number is the first of two keys. */
function joinedByTable(tables: readonly Given[]) {
  const width = tables[0]!.columns.length
  const all = (of: (given: Given) => readonly bigint[]) => tables.flatMap(of)
  const numbered = (of: (given: Given) => readonly unknown[]) =>
    tables.flatMap((given, table) => of(given).map(() => BigInt(table)))
  const side = (keys: (given: Given) => readonly (bigint | null)[]) => ({
    table: numbered(keys),
    keys: all(given => keys(given).map(key => key ?? 0n)),
    present: all(given => keys(given).map(key => (key === null ? 0n : 1n))),
  })
  const [one, other] = [side(({ left }) => left), side(({ right }) => right)]
  const { output } = opened(function* (party) {
    const share = (owner: 0 | 1 | 2, values: readonly bigint[]) =>
      inputOf(party, owner, party.index === owner ? column(values) : values.length)
    const sides = []
    for (const { table, keys, present } of [one, other]) {
      sides.push({
        keys: [
          { values: yield* share(1, table), bits: 12 },
          { values: yield* share(0, keys), bits: 6, signed: true },
        ],
        present: yield* share(2, present),
      })
    }
    const columns: Arithmetic[] = []
    for (let i = 0; i < width; i++)
      columns.push(
        yield* share(
          0,
          all(given => given.columns[i]!),
        ),
      )
    const result = yield* join(party, sides[0]!, { ...sides[1]!, columns })
    return concatenate([result.matched, ...result.columns])
  })
  const rows = one.keys.length
  return Array.from({ length: rows }, (_, row) => ({
    matched: output[row] === 1n,
    values: Array.from({ length: width }, (_, i) => output[(i + 1) * rows + row]!),
  }))
}

describe('join of many to one', () => {
  it.each([
    [0, 0],
    [5, 0],
    [0, 5],
    [1, 1],
    [64, 20],
    [65, 63],
    [300, 40],
  ])('agrees with an ordinary loop: %i rows with %i', (many, few) => {
    const given = random(`${many} ${few}`, many, few, 0n)
    expect(joined(given)).toEqual(expected(given))
  })

  it('of 40 small tables, each by itself, with keys that are missing on either side', () => {
    const tables = Array.from({ length: 40 }, (_, table) =>
      random(`table ${table}`, (table * 7) % 30, (table * 5) % 12, 3n, table % 3),
    )
    const outputs = openedMany(tables.length, (party, place) => joining(party, tables[place]!))
    for (const [place, given] of tables.entries())
      expect(rowsOf(given, outputs[place]!)).toEqual(expected(given))
  })

  it('of 4,000 small tables at once, whose numbers are a second key', () => {
    const tables = Array.from({ length: 4000 }, (_, table) =>
      random(`of many ${table}`, table % 5, Math.floor(table / 5) % 5, 4n),
    )
    expect(joinedByTable(tables)).toEqual(tables.flatMap(expected))
  })

  it('of keys at the edges of their size, zero among them', () => {
    const keys = [-32n, -1n, 0n, 1n, 31n]
    const given: Given = { left: [...keys, ...keys, 5n], right: [0n, 31n, -32n], columns: [[7n, -8n, 9n]] }
    expect(joined(given)).toEqual(expected(given))
  })

  it('ends where a key is twice on the right, but not where keys are missing twice', async () => {
    const given = { left: [1n, 2n], right: [2n, 3n, 2n], columns: [] }
    await expect(() => joined(given)).toThrowWithCode('PARAMETER_INVALID')
    const missing: Given = { left: [1n, 2n], right: [2n, null, null], columns: [[5n, 6n, 7n]] }
    expect(joined(missing)).toEqual(expected(missing))
  })
})

describe('what it costs', () => {
  it('is what the documentation says', () => {
    const rows = 6400
    const { rounds, bits } = costOf(column(Array.from({ length: rows }, (_, row) => row)), (party, x) => {
      const key = (values: Arithmetic) => [{ values, bits: 32 }]
      const few = slice(x, 0, 64)
      return join(party, { keys: key(x) }, { keys: key(few), columns: [few] })
    })
    const total = (bits.reduce((sum, sent) => sum + sent) * rows) / 8
    // bytes a row of both sides, of the left, and less for the right alone than those again
    expect(total).toBeGreaterThan(2788 * (rows + 64) + 48 * rows)
    expect(total).toBeLessThan(2788 * (rows + 64) + 48 * rows + 2788 * 64)
    expect(rounds).toBeLessThanOrEqual(231)
  })
})
