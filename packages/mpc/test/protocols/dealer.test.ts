import { type LocalRun, type Protocol, runLocally, together } from '@sluice/mpc'
import {
  affineOf,
  type Circle,
  type Dealer,
  type DealtParty,
  deal,
  establish,
  establishDealer,
  inputOf,
  multiply,
  type OpenedFieldCells,
  open,
  openAtLeast,
  prepareProducts,
  productsOfMinimum,
  provide,
  receiveAtLeast,
  receiveFrom,
  receiveOpened,
} from '@sluice/mpc/dealer'
import { combine, fromSigned, modulo, sum } from '@sluice/mpc/field'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { column, fieldValues, seeded } from './local.js'

const SIZES = [2, 3, 5, 8]
const LENGTHS = [0, 1, 2, 3000]
const SESSION = 'd1'.repeat(32)

/** Parties 0 to size − 1, then the dealer, then the others. */
function run<T>(
  size: number,
  protocol: (party: DealtParty) => Protocol<T>,
  dealing: (dealer: Dealer) => Protocol<unknown>,
  others: Protocol<T>[] = [],
): LocalRun<T | undefined> {
  const circle: Circle = { size, dealer: size }
  const parties = everyone(size).map(function* (index): Protocol<T | undefined> {
    return yield* protocol(yield* establish(index, circle, SESSION, seeded(`dealer ${index}`)))
  })
  function* dealer(): Protocol<undefined> {
    yield* dealing(yield* establishDealer(circle, SESSION, seeded('the dealer')))
  }
  return runLocally<T | undefined>([...parties, dealer(), ...others])
}

function* nothing(): Protocol<void> {
  yield { send: [], receive: [] }
}

/** All parties have got this, and the dealer nothing. */
function agree(outputs: readonly (Words | undefined)[], size: number, expected: Words): void {
  expect(outputs[0]).toEqual(expected)
  for (const output of outputs.slice(0, size))
    expect(Buffer.from(output!.buffer).equals(Buffer.from(expected.buffer))).toBe(true)
  expect(outputs[size]).toBeUndefined()
}

const everyone = (size: number) => Array.from({ length: size }, (_, index) => index)
const at = (party: DealtParty, owner: number, values: Words): Words | number =>
  party.index === owner ? values : values.length

describe('n parties and a dealer agree with plain arithmetic', () => {
  it.each(SIZES.flatMap(size => LENGTHS.map(length => ({ size, length }))))(
    'sums and public terms among $size over $length values',
    ({ size, length }) => {
      const owned = everyone(size).map(owner => fieldValues(length, `column ${owner}`, 56))
      const { outputs } = run(
        size,
        function* (party) {
          const columns = owned.map((values, owner) =>
            inputOf(party, owner, at(party, owner, fromSigned(values))),
          )
          const added = columns.reduce((total, column) => combine('add', total, column))
          const shares = [added, affineOf(party, columns[0]!, -3n, 7n), new BigUint64Array(columns.map(sum))]
          const opened = yield* together(...shares.map(share => open(party, share, everyone(size))))
          return column(opened.flatMap(words => [...words!]))
        },
        nothing,
      )
      const expected = column([
        ...Array.from({ length }, (_, i) => modulo(owned.reduce((total, values) => total + values[i]!, 0n))),
        ...Array.from(owned[0]!, x => modulo(-3n * x + 7n)),
        ...owned.map(values => modulo(values.reduce((total, x) => total + x, 0n))),
      ])
      agree(outputs, size, expected)
    },
  )

  it.each(SIZES.flatMap(size => LENGTHS.map(length => ({ size, length }))))(
    'products among $size over $length values',
    ({ size, length }) => {
      const [a, b] = ['a', 'b'].map(seed => fromSigned(fieldValues(length, seed, 60))) as [Words, Words]
      const { outputs } = run(
        size,
        function* (party) {
          const supply = yield* prepareProducts(party, 2 * length)
          const [x, y] = [inputOf(party, 0, at(party, 0, a)), inputOf(party, 1, at(party, 1, b))]
          const product = yield* multiply(party, yield* multiply(party, x, y, supply), y, supply)
          expect(supply.left).toBe(0)
          return (yield* open(party, product, everyone(size)))!
        },
        dealer => deal(dealer, 2 * length),
      )
      agree(
        outputs,
        size,
        a.map((x, i) => modulo(x * b[i]! * b[i]!)),
      )
    },
  )

  it('columns come from providers outside, and go to receivers outside alone', () => {
    const owned = fromSigned(fieldValues(500, 'outside', 60))
    function* outside(): Protocol<Words | undefined> {
      yield* provide(owned, 3, seeded('provider'))
      return yield* receiveOpened(3, 500)
    }
    const { outputs } = run<Words | undefined>(
      3,
      function* (party) {
        return yield* open(party, affineOf(party, yield* receiveFrom(party, 4, 500), 2n, 1n), [1, 4])
      },
      nothing,
      [outside()],
    )
    const expected = owned.map(x => modulo(2n * x + 1n))
    expect(outputs).toEqual([undefined, expected, undefined, undefined, expected])
  })
})

describe('what the dealer could do', () => {
  const values = fromSigned(fieldValues(100, 'secret', 60))
  function* square(party: DealtParty): Protocol<Words> {
    const supply = yield* prepareProducts(party, 100)
    const x = inputOf(party, 1, at(party, 1, values))
    return (yield* open(party, yield* multiply(party, x, x, supply), everyone(3)))!
  }

  it('it gets no message', () => {
    const { views, bytesSent } = run(3, square, dealer => deal(dealer, 100))
    expect(views[3]).toEqual([])
    expect(bytesSent[3]).toBe(3 * 32 + 100 * 8)
  })

  it('it falsifies products unnoticed', () => {
    function* falsely(dealer: Dealer): Protocol<void> {
      const { value } = deal(dealer, 100).next()
      const send = value!.send.map(({ to, bytes }) => ({ to, bytes: bytes.map(byte => byte ^ 1) }))
      yield { send, receive: [] }
    }
    const { outputs } = run(3, square, falsely)
    expect(outputs[0]).not.toEqual(values.map(x => modulo(x * x)))
    expect(outputs[1]).toEqual(outputs[0])
  })

  it('with any one party it reads every factor of a product', () => {
    const dealt: Words[] = []
    const seen: Words[] = []
    run(
      3,
      function* (party) {
        const supply = yield* prepareProducts(party, 100)
        dealt.push(supply.take(100)[0]!)
        // the triple is spent here on purpose: what is opened below is x − a, as a product would open it
        const x = inputOf(party, 1, at(party, 1, values))
        const masked = yield* open(party, combine('sub', x, dealt.at(-1)!), [2])
        if (masked !== undefined) seen.push(masked)
      },
      dealer => deal(dealer, 100),
    )
    const a = dealt.reduce((total, share) => combine('add', total, share))
    expect(combine('add', seen[0]!, a)).toEqual(values)
  })
})

describe('triples', () => {
  it('are never used twice', async () => {
    await expect(() =>
      run(
        2,
        function* (party) {
          const supply = yield* prepareProducts(party, 5)
          yield* multiply(party, new BigUint64Array(3), new BigUint64Array(3), supply)
          yield* multiply(party, new BigUint64Array(3), new BigUint64Array(3), supply)
        },
        dealer => deal(dealer, 5),
      ),
    ).toThrowWithCode('INTERNAL')
    const { outputs } = run(
      2,
      function* (party): Protocol<Words[]> {
        const supply = yield* prepareProducts(party, 4)
        return [...supply.take(2), ...supply.take(2)]
      },
      dealer => deal(dealer, 4),
    )
    expect(new Set(outputs.slice(0, 2).flatMap(columns => columns!.flatMap(words => [...words]))).size).toBe(
      24,
    )
  })
})

describe('the minimum of entities', () => {
  const counts = [0, 1, 2, 9, 10, 11, 500, 1_000_000]
  const totals = fieldValues(counts.length, 'totals', 50)
  const expected = (minimum: bigint) => {
    const passed = counts.map(count => BigInt(count) >= minimum)
    return {
      passed: column(passed.map(Number)),
      counts: column(counts.map((count, cell) => (passed[cell] ? count : 0))),
      sums: totals.map((total, cell) => (passed[cell] ? total : 0n)),
    }
  }
  const cells = (
    minimum: bigint,
    receivers: readonly number[],
    others: Protocol<OpenedFieldCells | undefined>[] = [],
  ) =>
    run<OpenedFieldCells | undefined>(
      3,
      function* (party) {
        const supply = yield* prepareProducts(party, productsOfMinimum(counts.length, minimum))
        const shared = inputOf(party, 0, at(party, 0, column(counts)))
        const sums = inputOf(party, 1, at(party, 1, fromSigned(totals)))
        const opened = yield* openAtLeast(party, { counts: shared, sums }, minimum, receivers, supply)
        expect(supply.left).toBe(0)
        return opened
      },
      dealer => deal(dealer, productsOfMinimum(counts.length, minimum)),
      others,
    ).outputs

  it.each([-1n, 0n, 1n, 2n, 3n, 10n, 11n, 501n, 1000n])(
    'opens cells from %i on, and nothing of others',
    minimum => {
      expect(cells(minimum, [0, 2])).toEqual([expected(minimum), undefined, expected(minimum), undefined])
    },
  )

  it('holds towards a receiver outside', () => {
    const opened = cells(10n, [4], [receiveAtLeast(3, counts.length)])
    expect(opened).toEqual([...Array(4).fill(undefined), expected(10n)])
  })
})

describe('what it costs', () => {
  it('is what the documentation says: rounds, and elements that each participant sends for a value', () => {
    const length = 600
    const size = 3
    const share = new BigUint64Array(length)
    const cost = (
      protocol: (party: DealtParty) => Protocol<unknown>,
      dealing: (dealer: Dealer) => Protocol<unknown> = nothing,
    ) => {
      const [base, full] = [run(size, nothing, nothing), run(size, protocol, dealing)]
      return {
        rounds: full.rounds - base.rounds,
        elements: full.bytesSent.map((bytes, index) => (bytes - base.bytesSent[index]!) / 8 / length),
      }
    }
    const prepare = (party: DealtParty) => prepareProducts(party, length)
    const dealing = (dealer: Dealer) => deal(dealer, length)
    function* product(party: DealtParty): Protocol<void> {
      yield* multiply(party, share, share, yield* prepare(party))
    }
    expect(cost(prepare, dealing)).toEqual({ rounds: 1, elements: [0, 0, 0, 1] })
    expect(cost(product, dealing)).toEqual({ rounds: 2, elements: [4, 4, 4, 1] })
    expect(cost(party => open(party, share, [0, 1]))).toEqual({ rounds: 1, elements: [1, 1, 2, 0] })
    const needed = productsOfMinimum(length, 12n)
    function* minimum(party: DealtParty): Protocol<void> {
      const supply = yield* prepareProducts(party, needed)
      yield* openAtLeast(party, { counts: share, sums: share }, 12n, [0], supply)
    }
    // a round of triples; twelve factors in four levels of products, and the mask; the test to everybody
    expect(cost(minimum, dealer => deal(dealer, needed))).toEqual({
      rounds: 1 + 4 + 3,
      elements: [...Array(3).fill(4 * 12 + 2), 12],
    })
    function* input(party: DealtParty): Protocol<void> {
      inputOf(party, 1, at(party, 1, share))
      yield* nothing()
    }
    expect(cost(input)).toEqual({ rounds: 0, elements: [0, 0, 0, 0] })
  })
})

describe('what cannot be', () => {
  it.each([
    { size: 1, dealer: 1 },
    { size: 3, dealer: 2 },
    { size: 2.5, dealer: 3 },
    { size: 100_000, dealer: 100_000 },
  ])('$size parties with the dealer at $dealer', async circle => {
    await expect(() => runLocally([establish(0, circle, SESSION)])).toThrowWithCode('JOB_INVALID')
    await expect(() => runLocally([establishDealer(circle, SESSION)])).toThrowWithCode('JOB_INVALID')
  })
})
