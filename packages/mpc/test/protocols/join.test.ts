import type { Protocol } from '@sluice/mpc'
import { type Arithmetic, concatenate, inputOf, join, type Party, slice } from '@sluice/mpc/replicated'
import { describe, expect, it } from 'vitest'
import { column, costOf, mod, opened, stream } from './local.js'

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
    columns: Array.from({ length: columns }, () =>
      Array.from(words.words(right.length), word => BigInt.asIntN(64, word)),
    ),
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

function joined({ left, right, columns }: Given) {
  const share = (party: Party, owner: 0 | 1 | 2, values: readonly bigint[]): Protocol<Arithmetic> =>
    inputOf(party, owner, party.index === owner ? column(values) : values.length)
  const flags = (values: readonly (bigint | null)[]) => values.map(value => (value === null ? 0n : 1n))
  const filled = (values: readonly (bigint | null)[]) => values.map(value => value ?? 0n)
  const { output } = opened(function* (party) {
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
  })
  return left.map((_, row) => ({
    matched: output[row] === 1n,
    values: columns.map((_, i) => output[(i + 1) * left.length + row]!),
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

  it('of many small tables, with keys that are missing on either side', () => {
    for (let table = 0; table < 20; table++) {
      const given = random(`table ${table}`, (table * 7) % 30, (table * 5) % 12, 3n, table % 3)
      expect(joined(given)).toEqual(expected(given))
    }
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
