import { type Protocol, runLocally } from '@sluice/mpc'
import * as dealer from '@sluice/mpc/dealer'
import type { Words } from '@sluice/mpc/ring'
import * as shamir from '@sluice/mpc/shamir'
import { describe, expect, it } from 'vitest'
import { column, seeded } from './local.js'
import { bitwise, ENOUGH, LIMIT, SIGMAS, worst } from './statistics-of-views.js'

// The proofs: Shamir 1979 for t − 1 shares; Damgård and Nielsen 2007 for products among them; Beaver 1991, and Evans,
// Kolesnikov and Rosulek (section 3.4), for products with a dealer.

const ROWS = 3000
const FIRST = column(Array.from({ length: ROWS }, (_, i) => i % 7))
const SECOND = column(Array.from({ length: ROWS }, (_, i) => (6 - (i % 7)) * 1_000_003))
/** Cells that all are below the minimum, so that both inputs open to nothing. */
const MINIMUM = 12n
const CELLS = 300

/** The words of all messages but the highest byte, of which an element has five bits only. */
function lowBytes(messages: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(messages).filter((_, i) => i % 8 !== 7)
}

const zeros = {
  fill: (bytes: Uint8Array) => void bytes.fill(0),
  words: (n: number) => new BigUint64Array(n),
} as never

describe('what t − 1 parties see of sharing by polynomials', () => {
  const committee = { size: 5, threshold: 3 }
  const views = (
    values: Words,
    seed: string,
    spoil: (party: shamir.ShamirParty) => shamir.ShamirParty = p => p,
  ) =>
    runLocally(
      Array.from({ length: 5 }, (_, index) => {
        const party = shamir.shamirParty(index, committee, { random: seeded(`${seed} ${index}`) })
        return protocol(spoil(party), values)
      }),
    ).views
  function* protocol(party: shamir.ShamirParty, values: Words): Protocol<void> {
    const x = yield* shamir.inputOf(party, 4, party.index === 4 ? values : ROWS)
    const needed = shamir.productsOfMinimum(CELLS, MINIMUM)
    const supply = yield* shamir.prepareProducts(party, ROWS + needed)
    yield* shamir.multiply(party, x, x, supply)
    const some = x.slice(0, ROWS / 6)
    yield* shamir.multiplyByTriples(party, some, some, yield* shamir.prepareTriples(party, some.length))
    const doubled = some.slice().fill(shamir.innerProducts([[x, x]])[0]!)
    yield* shamir.lowered(party, doubled, yield* shamir.prepareProducts(party, some.length))
    const counts = yield* shamir.inputOf(party, 3, party.index === 3 ? FIRST.slice(0, CELLS) : CELLS)
    yield* shamir.openAtLeast(party, { counts, sums: x.slice(0, CELLS) }, MINIMUM, [0, 1], supply)
  }
  // where all cells are suppressed, everybody learns zeros, as sharings of zero by random polynomials
  const apart = (seen: Uint8Array[][]) => seen.slice(0, 3).map(lowBytes)

  it('looks uniform, and alike for two inputs that open to nothing', () => {
    const [first, second] = [views(FIRST, 'one'), views(SECOND, 'two')]
    for (const [index, view] of apart(first!).entries()) {
      expect(view.length).toBeGreaterThan(ENOUGH)
      expect(worst(view, apart(second!)[index]!, 7)).toBeLessThan(LIMIT)
      expect(Math.max(...Object.values(bitwise(view)))).toBeLessThan(SIGMAS)
    }
    // two parties who put their shares together, interleaved
    const both = (seen: Uint8Array[][]) => {
      const [a, b] = apart(seen)
      return Uint8Array.from(a!.length < b!.length ? a! : b!, (_, i) => a![i]! ^ b![i]!)
    }
    expect(worst(both(first!), both(second!), 7)).toBeLessThan(LIMIT)
  })

  it('does not where it is broken on purpose, coefficients of zero', () => {
    const broken = [FIRST, SECOND].map(values =>
      apart(views(values, 'broken', p => ({ ...p, coefficients: zeros }))),
    )
    for (const index of [0, 1, 2]) {
      expect(worst(broken[0]![index]!, broken[1]![index]!, 7)).toBeGreaterThan(10 * LIMIT)
    }
  })
})

describe('what n − 1 parties and the dealer see of products with triples', () => {
  const circle = { size: 3, dealer: 3 }
  const needed = ROWS + dealer.productsOfMinimum(CELLS, MINIMUM)
  const views = (
    values: Words,
    seed: string,
    spoil: (party: dealer.DealtParty) => dealer.DealtParty = p => p,
  ) => {
    const random = (who: string) => seeded(`${seed} ${who}`)
    const parties = [0, 1, 2].map(function* (index): Protocol<void> {
      const party = yield* dealer.establish(index, circle, 'cd'.repeat(32), random(`${index}`))
      yield* protocol(spoil(party), values)
    })
    function* dealing(): Protocol<void> {
      const dealing = yield* dealer.establishDealer(circle, 'cd'.repeat(32), random('dealer'))
      yield* dealer.deal(dealing, needed)
      const [a, b] = [FIRST, SECOND].map(({ length }) => new BigUint64Array(length)) as [Words, Words]
      yield* dealer.dealInnerProducts(dealing, pairsOf(a, b))
    }
    return runLocally([...parties, dealing()]).views
  }
  function* protocol(party: dealer.DealtParty, values: Words): Protocol<void> {
    const supply = yield* dealer.prepareProducts(party, needed)
    const x = dealer.inputOf(party, 0, party.index === 0 ? values : ROWS)
    const y = dealer.inputOf(party, 2, party.index === 2 ? values : ROWS)
    yield* dealer.multiply(party, x, y, supply)
    yield* dealer.innerProducts(party, pairsOf(x, y))
    const counts = dealer.inputOf(party, 1, party.index === 1 ? FIRST.slice(0, CELLS) : CELLS)
    yield* dealer.openAtLeast(party, { counts, sums: x.slice(0, CELLS) }, MINIMUM, [0, 1], supply)
  }

  it('looks uniform, and alike for two inputs that open to nothing', () => {
    const [first, second] = [views(FIRST, 'one'), views(SECOND, 'two')]
    for (const index of [0, 1, 2]) {
      const [one, two] = [first[index]!, second[index]!].map(lowBytes)
      expect(one!.length).toBeGreaterThan(ENOUGH)
      expect(worst(one!, two!, 7)).toBeLessThan(LIMIT)
      for (const view of [one!, two!]) expect(Math.max(...Object.values(bitwise(view)))).toBeLessThan(SIGMAS)
    }
    expect([first[3], second[3]]).toEqual([[], []])
  })

  it('does not where it is broken on purpose, triples of zero', () => {
    // the opened masked factors are then the factors, in sum: seen by whoever adds the shares up
    const opened = [FIRST, SECOND].map(values => {
      const seen = views(values, 'broken', party => ({
        ...party,
        dealt: zeros,
        given: streams(party.given),
        taken: streams(party.taken),
      }))
      return lowBytes(seen[1]!)
    })
    expect(worst(opened[0]!, opened[1]!, 7)).toBeGreaterThan(10 * LIMIT)
  })

  /** One column in two pairs: it is masked once. */
  const pairsOf = (x: Words, y: Words): [Words, Words][] => [
    [x, y],
    [x, x],
  ]
  const streams = (of: ReadonlyMap<number, unknown>) => new Map([...of.keys()].map(key => [key, zeros]))
})
