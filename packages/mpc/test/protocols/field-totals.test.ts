import { type LocalRun, type Protocol, runLocally } from '@sluice/mpc'
import * as dealing from '@sluice/mpc/dealer'
import { combine, fromSigned, modulo } from '@sluice/mpc/field'
import type { Words } from '@sluice/mpc/ring'
import * as shamir from '@sluice/mpc/shamir'
import { describe, expect, it } from 'vitest'
import { column, fieldValues, seeded } from './local.js'

const FIVE = { size: 5, threshold: 3 }
const SEVEN = { size: 7, threshold: 3 }
const everyone = (size: number) => Array.from({ length: size }, (_, index) => index)

function run<T>(
  committee: shamir.Committee,
  protocol: (party: shamir.ShamirParty) => Protocol<T>,
): LocalRun<T> {
  return runLocally(
    everyone(committee.size).map(index =>
      protocol(shamir.shamirParty(index, committee, { random: seeded(`totals ${index}`) })),
    ),
  )
}

const at = (party: { index: number }, owner: number, values: Words) =>
  party.index === owner ? values : values.length
const [a, b, c] = ['a', 'b', 'c'].map(seed => fromSigned(fieldValues(700, seed, 60))) as [Words, Words, Words]
const dot = (x: Words, y: Words) => modulo(x.reduce((total, value, i) => total + value * y[i]!, 0n))
const expected = column([dot(a, b), dot(a, c), dot(b, c), dot(a, a)])

describe('inner products by Shamir’s sharing', () => {
  function* products(party: shamir.ShamirParty, leaving: readonly number[]): Protocol<Words | undefined> {
    const supply = yield* shamir.prepareProducts(party, 4)
    const [x, y, z] = [
      yield* shamir.inputOf(party, 0, at(party, 0, a)),
      yield* shamir.inputOf(party, 1, at(party, 1, b)),
      yield* shamir.inputOf(party, 2, at(party, 2, c)),
    ]
    if (leaving.includes(party.index)) return undefined
    const doubled = shamir.innerProducts([
      [x, y],
      [x, z],
      [y, z],
      [x, x],
    ])
    const lowered = yield* shamir.lowered(party, doubled, supply)
    return (yield* shamir.open(party, lowered, everyone(party.size)))!
  }

  it('add up without a message, and open after one round, whoever of 2t − 1 is there', async () => {
    for (const output of run(FIVE, party => products(party, [])).outputs) expect(output).toEqual(expected)
    // also the one whom other products go through
    const without = run(SEVEN, party => products(party, [0, 5])).outputs
    expect(without[3]).toEqual(expected)
    expect(without[0]).toBeUndefined()
    await expect(() => run(SEVEN, party => products(party, [0, 1, 5]))).toThrowWithCode('PEER_LOST')
  })

  it('do not open before: twice the degree is noticed', async () => {
    const early = () =>
      run(FIVE, function* (party) {
        const x = yield* shamir.inputOf(party, 0, at(party, 0, a))
        return yield* shamir.open(party, shamir.innerProducts([[x, x]]), [0])
      })
    await expect(early).toThrowWithCode('PROTOCOL_VIOLATION')
  })
})

describe('triples that any t finish', () => {
  const product = combine('mul', combine('mul', a, b), b)
  function* products(party: shamir.ShamirParty, leaving: readonly number[]): Protocol<Words | undefined> {
    const triples = yield* shamir.prepareTriples(party, 2 * a.length)
    const x = yield* shamir.inputOf(party, 0, at(party, 0, a))
    const y = yield* shamir.inputOf(party, 1, at(party, 1, b))
    if (leaving.includes(party.index)) return undefined
    const once = yield* shamir.multiplyByTriples(party, x, y, triples)
    return (yield* shamir.open(
      party,
      yield* shamir.multiplyByTriples(party, once, y, triples),
      everyone(party.size),
    ))!
  }

  it('give products, also where all but t have left', async () => {
    for (const output of run(FIVE, party => products(party, [])).outputs) expect(output).toEqual(product)
    expect(run(FIVE, party => products(party, [0, 3])).outputs[4]).toEqual(product)
    await expect(() => run(FIVE, party => products(party, [0, 1, 3]))).toThrowWithCode('PEER_LOST')
  })

  it('test the minimum of entities, likewise', () => {
    const counts = column([0, 9, 10, 11, 4000])
    const sums = fromSigned(new BigInt64Array([1n, -2n, 3n, -4n, 5n]))
    const { outputs } = run(FIVE, function* (party) {
      const supply = yield* shamir.prepareMinimum(party, 5, 10n)
      const shared = {
        counts: yield* shamir.inputOf(party, 0, at(party, 0, counts)),
        sums: yield* shamir.inputOf(party, 1, at(party, 1, sums)),
      }
      if (party.index < 2) return undefined
      return yield* shamir.openAtLeastByTriples(party, shared, 10n, [4], supply)
    })
    expect(outputs.slice(0, 4)).toEqual(Array(4).fill(undefined))
    expect(outputs[4]).toEqual({
      passed: column([0, 0, 1, 1, 1]),
      counts: column([0, 0, 10, 11, 4000]),
      sums: new BigInt64Array([0n, 0n, 3n, -4n, 5n]),
    })
  })
})

describe('inner products with a dealer', () => {
  const circle = { size: 3, dealer: 3 }
  const SESSION = 'd7'.repeat(32)
  function runDealt(protocol: (party: dealing.DealtParty) => Protocol<Words>, pairs: [Words, Words][]) {
    const parties = everyone(3).map(function* (index): Protocol<Words | undefined> {
      return yield* protocol(yield* dealing.establish(index, circle, SESSION, seeded(`dealt ${index}`)))
    })
    function* dealer(): Protocol<undefined> {
      yield* dealing.dealInnerProducts(
        yield* dealing.establishDealer(circle, SESSION, seeded('deals')),
        pairs,
      )
    }
    return runLocally<Words | undefined>([...parties, dealer()])
  }
  /** Columns of the lengths that the parties have, each in the pairs that they have it in. */
  const like = () => {
    const [x, y, z] = [a, b, c].map(({ length }) => new BigUint64Array(length)) as [Words, Words, Words]
    return [
      [x, y],
      [x, z],
      [y, z],
      [x, x],
    ] as [Words, Words][]
  }

  it('are those of an ordinary loop', () => {
    const { outputs } = runDealt(function* (party) {
      const [x, y, z] = [
        dealing.inputOf(party, 0, at(party, 0, a)),
        dealing.inputOf(party, 1, at(party, 1, b)),
        dealing.inputOf(party, 2, at(party, 2, c)),
      ]
      const products = yield* dealing.innerProducts(party, [
        [x, y],
        [x, z],
        [y, z],
        [x, x],
      ])
      return (yield* dealing.open(party, products, [0, 1, 2]))!
    }, like())
    for (const output of outputs.slice(0, 3)) expect(output).toEqual(expected)
    expect(outputs[3]).toBeUndefined()
  })

  it('mask every column once, in one round', () => {
    const nothing: [Words, Words][] = [[new BigUint64Array(0), new BigUint64Array(0)]]
    const none = runDealt(party => dealing.innerProducts(party, nothing), nothing)
    const all = runDealt(party => dealing.innerProducts(party, like()), like())
    expect(all.rounds).toBe(none.rounds)
    // three columns to two others; the dealer one element for each of three pairs more
    const sent = all.bytesSent.map((bytes, index) => bytes - none.bytesSent[index]!)
    expect(sent).toEqual([...Array(3).fill(3 * 700 * 8 * 2), 3 * 8])
  })
})

describe('what these cost', () => {
  it('is what the documentation says', () => {
    const length = 600
    const share = new BigUint64Array(length)
    const cost = <T>(
      before: (party: shamir.ShamirParty) => Protocol<T>,
      protocol: (party: shamir.ShamirParty, given: T) => Protocol<unknown>,
    ) => {
      const [base, full] = [false, true].map(more =>
        run(FIVE, function* (party): Protocol<unknown> {
          const given = yield* before(party)
          return more ? yield* protocol(party, given) : undefined
        }),
      )
      return {
        rounds: full!.rounds - base!.rounds,
        elements: full!.bytesSent.map((bytes, index) => (bytes - base!.bytesSent[index]!) / 8 / length),
      }
    }
    function* nothing(): Protocol<void> {
      yield { send: [], receive: [] }
    }
    const lowering = cost(
      party => shamir.prepareProducts(party, length),
      (party, supply) => shamir.lowered(party, share, supply),
    )
    expect(lowering).toEqual({ rounds: 1, elements: Array(5).fill(4) })
    // three times the preparation of a product, and one product through the king
    const triples = cost(nothing, party => shamir.prepareTriples(party, length))
    expect(triples).toEqual({ rounds: 3, elements: [8 + 4, 8 + 1, 8 + 1, 8 + 1, 8 + 1] })
    const product = cost(
      party => shamir.prepareTriples(party, length),
      (party, supply) => shamir.multiplyByTriples(party, share, share, supply),
    )
    expect(product).toEqual({ rounds: 1, elements: Array(5).fill(8) })
    // twelve factors in four levels of products, then the mask; the test to everybody, nothing of suppressed cells
    const minimum = cost(
      party => shamir.prepareMinimum(party, length, 12n),
      (party, supply) => shamir.openAtLeastByTriples(party, { counts: share, sums: share }, 12n, [0], supply),
    )
    expect(minimum).toEqual({ rounds: 4 + 3, elements: Array(5).fill(8 * 12 + 4) })
  })
})
