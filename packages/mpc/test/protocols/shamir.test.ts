import { type LocalRun, type Protocol, runLocally, together } from '@sluice/mpc'
import { combine, fromSigned, modulo, ORDER, sum, toSigned } from '@sluice/mpc/field'
import type { Words } from '@sluice/mpc/ring'
import {
  affineOf,
  inputOf,
  multiply,
  type OpenedFieldCells,
  open,
  openAtLeast,
  prepareProducts,
  productsOfMinimum,
  provide,
  random,
  receiveAtLeast,
  receiveFrom,
  receiveOpened,
  type ShamirParty,
  shamirParty,
} from '@sluice/mpc/shamir'
import { describe, expect, it } from 'vitest'
import { column, fieldValues, seeded } from './local.js'

const COMMITTEES = [
  { size: 2, threshold: 2 },
  { size: 3, threshold: 2 },
  { size: 5, threshold: 3 },
  { size: 7, threshold: 3 },
  { size: 7, threshold: 7 },
]
const FIVE = { size: 5, threshold: 3 }
const LENGTHS = [0, 1, 2, 3000]

function run<T>(
  committee: { size: number; threshold: number },
  protocol: (party: ShamirParty) => Protocol<T>,
  others: Protocol<T>[] = [],
  alter?: Parameters<typeof runLocally>[1],
): LocalRun<T> {
  const parties = Array.from({ length: committee.size }, (_, index) =>
    protocol(shamirParty(index, committee, { random: seeded(`shamir ${index}`) })),
  )
  return runLocally([...parties, ...others], alter)
}

const at = (party: ShamirParty, owner: number, column: Words): Words | number =>
  party.index === owner ? column : column.length
/** Everybody has got this. */
function agree(outputs: readonly Words[], expected: Words): void {
  expect(outputs[0]).toEqual(expected)
  for (const output of outputs) expect(Buffer.compare(bytesOf(output), bytesOf(expected))).toBe(0)
}

const bytesOf = (words: Words) => new Uint8Array(words.buffer)
const everyone = ({ size }: { size: number }) => Array.from({ length: size }, (_, index) => index)

describe('n parties agree with plain arithmetic', () => {
  it.each(COMMITTEES.flatMap(committee => LENGTHS.map(length => ({ ...committee, length }))))(
    'sums of a column of each of $size parties, $threshold needed, over $length values',
    ({ length, ...committee }) => {
      const owned = everyone(committee).map(owner => fieldValues(length, `column ${owner}`, 56))
      const { outputs } = run(committee, function* (party): Protocol<Words> {
        const columns: Words[] = []
        for (const [owner, column] of owned.entries()) {
          columns.push(yield* inputOf(party, owner, at(party, owner, fromSigned(column))))
        }
        const added = columns.reduce((total, column) => combine('add', total, column))
        const totals = new BigUint64Array(columns.map(sum))
        const [first, second, third] = [added, affineOf(columns[0]!, -3n, 7n), totals]
        const opened = [first, second, third].map(share => open(party, share, everyone(committee)))
        return column((yield* together(...opened)).flatMap(words => [...words!]))
      })
      const expected = column([
        ...Array.from({ length }, (_, i) => modulo(owned.reduce((total, column) => total + column[i]!, 0n))),
        ...Array.from(owned[0]!, x => modulo(-3n * x + 7n)),
        ...owned.map(column => modulo(column.reduce((total, x) => total + x, 0n))),
      ])
      agree(outputs, expected)
    },
  )

  it.each(
    COMMITTEES.filter(({ size, threshold }) => size >= 2 * threshold - 1).flatMap(committee =>
      LENGTHS.map(length => ({ ...committee, length })),
    ),
  )('products among $size parties, $threshold needed, over $length values', ({ length, ...committee }) => {
    const [a, b] = ['a', 'b'].map(seed => fromSigned(fieldValues(length, seed, 60))) as [Words, Words]
    const { outputs } = run(committee, function* (party): Protocol<Words> {
      const supply = yield* prepareProducts(party, 2 * length)
      const x = yield* inputOf(party, 0, at(party, 0, a))
      const y = yield* inputOf(party, 1, at(party, 1, b))
      const product = yield* multiply(party, yield* multiply(party, x, y, supply), y, supply)
      return (yield* open(party, product, everyone(committee)))!
    })
    agree(
      outputs,
      a.map((x, i) => modulo(x * b[i]! * b[i]!)),
    )
  })

  it('columns come from providers outside, and go to receivers outside alone', () => {
    const owned = fieldValues(500, 'outside', 60)
    function* outside(): Protocol<Words | undefined> {
      yield* provide(fromSigned(owned), FIVE, seeded('provider'))
      return yield* receiveOpened(FIVE, 500)
    }
    const { outputs } = run<Words | undefined>(
      FIVE,
      function* (party) {
        return yield* open(party, affineOf(yield* receiveFrom(5, 500), 2n, 0n), [1, 5])
      },
      [outside()],
    )
    const expected = fromSigned(owned).map(x => modulo(2n * x))
    expect(outputs).toEqual([undefined, expected, undefined, undefined, undefined, expected])
  })

  it('random elements are shared alike, and differ', () => {
    const { outputs } = run(FIVE, function* (party): Protocol<Words> {
      const supply = yield* prepareProducts(party, 1000)
      return (yield* open(party, random(supply, 1000), everyone(FIVE)))!
    })
    for (const output of outputs) expect(output).toEqual(outputs[0])
    expect(new Set(outputs[0]).size).toBe(1000)
    expect(outputs[0]!.every(element => element < ORDER)).toBe(true)
  })
})

describe('parties who leave', () => {
  const owned = everyone(FIVE).map(owner => fieldValues(200, `column ${owner}`, 56))
  /** The parties in `leaving` are gone after the inputs. */
  function* sums(party: ShamirParty, leaving: readonly number[]): Protocol<Words | undefined> {
    const columns: Words[] = []
    for (const [owner, column] of owned.entries()) {
      columns.push(yield* inputOf(party, owner, at(party, owner, fromSigned(column))))
    }
    if (leaving.includes(party.index)) return undefined
    const total = columns.reduce((sum, column) => combine('add', sum, column))
    return yield* open(party, total, everyone(FIVE))
  }
  const expected = column(
    Array.from({ length: 200 }, (_, i) => modulo(owned.reduce((total, column) => total + column[i]!, 0n))),
  )
  const pairsOfFive = everyone(FIVE).flatMap(a => everyone(FIVE).flatMap(b => (a < b ? [[a, b]] : [])))

  it.each(pairsOfFive)(
    'any three of five finish without %i and %i, whose columns stay in the sum',
    (a, b) => {
      const { outputs } = run(FIVE, party => sums(party, [a, b]))
      outputs.forEach((output, index) => {
        expect(output).toEqual([a, b].includes(index) ? undefined : expected)
      })
    },
  )

  it('two of five do not, and say how many are needed', async () => {
    await expect(() => run(FIVE, party => sums(party, [0, 2, 4]))).toThrowWithCode('PEER_LOST')
  })

  it('products go on without those who left, as long as the king and 2t − 1 are there', async () => {
    const committee = { size: 7, threshold: 3 }
    const product = (leaving: readonly number[]) =>
      run(committee, function* (party): Protocol<Words | undefined> {
        const supply = yield* prepareProducts(party, 200)
        const x = yield* inputOf(party, 0, at(party, 0, fromSigned(owned[0]!)))
        if (leaving.includes(party.index)) return undefined
        const square = yield* multiply(party, x, x, supply)
        return yield* open(party, square, [1])
      }).outputs[1]
    expect(product([3, 6])).toEqual(fromSigned(owned[0]!).map(x => modulo(x * x)))
    await expect(() => product([3, 5, 6])).toThrowWithCode('PEER_LOST')
  })
})

describe('shares that were changed', () => {
  const opened = (committee: { size: number; threshold: number }) =>
    run(
      committee,
      function* (party): Protocol<Words | undefined> {
        const share = yield* inputOf(party, 0, at(party, 0, column([5, 6, 7])))
        return yield* open(party, share, [0])
      },
      [],
      (bytes, from, to) =>
        from === 1 && to === 0 ? bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) : bytes,
    ).outputs[0]

  it('are noticed where more arrive than are needed', async () => {
    await expect(() => opened({ size: 3, threshold: 2 })).toThrowWithCode('PROTOCOL_VIOLATION')
  })

  it('are not where as many arrive as are needed', () => {
    expect(opened({ size: 2, threshold: 2 })).not.toEqual(column([5, 6, 7]))
  })
})

describe('the minimum of entities', () => {
  const counts = [0, 1, 2, 9, 10, 11, 500, 1_000_000]
  const totals = fieldValues(counts.length, 'totals', 50)
  function* cells(party: ShamirParty, minimum: bigint, receivers: readonly number[]) {
    const supply = yield* prepareProducts(party, productsOfMinimum(counts.length, minimum))
    const shared = yield* inputOf(party, 0, at(party, 0, column(counts)))
    const sums = yield* inputOf(party, 1, at(party, 1, fromSigned(totals)))
    const opened = yield* openAtLeast(party, { counts: shared, sums }, minimum, receivers, supply)
    expect(supply.left).toBeLessThan(FIVE.size)
    return opened
  }
  const expected = (minimum: bigint) => {
    const passed = counts.map(count => BigInt(count) >= minimum)
    return {
      passed: column(passed.map(Number)),
      counts: column(counts.map((count, cell) => (passed[cell] ? count : 0))),
      sums: totals.map((total, cell) => (passed[cell] ? total : 0n)),
    }
  }

  it.each([-1n, 0n, 1n, 2n, 3n, 10n, 11n, 501n, 1000n])(
    'opens cells from %i on, and nothing of others',
    minimum => {
      const { outputs } = run(FIVE, party => cells(party, minimum, [0, 4]))
      expect(outputs[0]).toEqual(expected(minimum))
      expect(outputs).toEqual([expected(minimum), undefined, undefined, undefined, expected(minimum)])
    },
  )

  it('holds towards a receiver outside', () => {
    const { outputs } = run<OpenedFieldCells | undefined>(FIVE, party => cells(party, 10n, [5]), [
      receiveAtLeast(FIVE, counts.length),
    ])
    expect(outputs).toEqual([...Array(5).fill(undefined), expected(10n)])
  })

  it('sends no share of a suppressed cell', () => {
    const sent = (minimum: bigint) =>
      run<OpenedFieldCells | undefined>(FIVE, party => cells(party, minimum, [0])).views[0]!.at(-1)!.length
    expect(sent(10n)).toBe(2 * 8 * 4)
    expect(sent(2_000n)).toBe(2 * 8)
  })

  it('refuses a minimum that it cannot test', async () => {
    await expect(() => productsOfMinimum(5, 1_000_000n)).toThrowWithCode('JOB_INVALID')
  })
})

describe('what it costs', () => {
  it('is what the documentation says: rounds, and elements that each party sends for a value', () => {
    const length = 600
    const cost = (
      before: (party: ShamirParty) => Protocol<unknown>,
      protocol: (party: ShamirParty, given: never) => Protocol<unknown>,
    ) => {
      const [base, full] = [false, true].map(more =>
        run(FIVE, function* (party): Protocol<unknown> {
          const given = yield* before(party)
          return more ? yield* protocol(party, given as never) : undefined
        }),
      )
      return {
        rounds: full!.rounds - base!.rounds,
        elements: full!.bytesSent.map((bytes, index) => (bytes - base!.bytesSent[index]!) / 8 / length),
      }
    }
    const share = new BigUint64Array(length)
    function* nothing(): Protocol<void> {
      yield { send: [], receive: [] }
    }
    expect(cost(nothing, party => inputOf(party, 1, at(party, 1, share)))).toEqual({
      rounds: 1,
      elements: [0, 4, 0, 0, 0],
    })
    expect(cost(nothing, party => open(party, share, [0, 1]))).toEqual({
      rounds: 1,
      elements: [1, 1, 2, 2, 2],
    })
    expect(cost(nothing, party => prepareProducts(party, length))).toEqual({
      rounds: 1,
      elements: Array(5).fill(8 / 3),
    })
    expect(
      cost(
        party => prepareProducts(party, length),
        (party, supply) => multiply(party, share, share, supply),
      ),
    ).toEqual({ rounds: 2, elements: [4, 1, 1, 1, 1] })
    // twelve factors in four levels of products, then the mask; the test to everybody, nothing of suppressed cells
    const minimum = cost(
      party => prepareProducts(party, productsOfMinimum(length, 12n)),
      (party, supply) => openAtLeast(party, { counts: share, sums: share }, 12n, [0], supply),
    )
    expect(minimum).toEqual({ rounds: 2 * 4 + 4, elements: [4 * 12 + 4, 16, 16, 16, 16] })
  })
})

describe('what cannot be', () => {
  it.each([
    { size: 3, threshold: 1 },
    { size: 3, threshold: 4 },
    { size: 1, threshold: 1 },
    { size: 5, threshold: 2.5 },
    { size: 100_000, threshold: 3 },
  ])('a committee of $size with a threshold of $threshold', async committee => {
    await expect(() => shamirParty(0, committee)).toThrowWithCode('JOB_INVALID')
    await expect(() => runLocally([provide(new BigUint64Array(1), committee)])).toThrowWithCode('JOB_INVALID')
  })

  it('products where fewer than 2t − 1 take part, and products without a supply', async () => {
    await expect(() => run({ size: 4, threshold: 3 }, party => prepareProducts(party, 5))).toThrowWithCode(
      'JOB_INVALID',
    )
    await expect(() =>
      run(FIVE, function* (party) {
        const supply = yield* prepareProducts(party, 3)
        yield* multiply(party, new BigUint64Array(2), new BigUint64Array(2), supply)
        yield* multiply(party, new BigUint64Array(2), new BigUint64Array(2), supply)
      }),
    ).toThrowWithCode('INTERNAL')
  })

  it('signed sums keep their sign', () => {
    const { outputs } = run(FIVE, function* (party): Protocol<BigInt64Array> {
      const share = yield* inputOf(party, 2, at(party, 2, fromSigned(new BigInt64Array([-5n, 3n]))))
      return toSigned((yield* open(party, new BigUint64Array([sum(share)]), everyone(FIVE)))!)
    })
    expect(outputs[0]).toEqual(new BigInt64Array([-2n]))
  })
})
