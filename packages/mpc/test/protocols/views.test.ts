import { type Protocol, runLocally } from '@sluice/mpc'
import {
  type Arithmetic,
  and,
  bitsOf,
  bitsToArithmetic,
  completeCases,
  divide,
  divideByPublic,
  establish,
  extreme,
  extremes,
  groupBy,
  histogram,
  type Index,
  innerProducts,
  inputOf,
  isNegative,
  isZero,
  join,
  kthLargest,
  lessThan,
  multiply,
  open,
  openAtLeast,
  openEach,
  openFromEntities,
  openGroups,
  openMeans,
  type Party,
  permutations,
  provide,
  quantiles,
  ranked,
  receiveFrom,
  regress,
  scatter,
  score,
  shuffle,
  slice,
  sortBy,
  squareRoot,
  subtract,
  toBits,
  total,
  totals,
  truncate,
  truncateProbabilistically,
  unshuffle,
} from '@sluice/mpc/replicated'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { column, INDICES, seeded, signed, stream } from './local.js'
import { againstUniform, bitwise, ENOUGH, followsInput, LIMIT, SIGMAS, worst } from './statistics-of-views.js'

// The proofs are those of Araki et al. 2016 (section 4) and of ABY3 (Mohassel and Rindal 2018, appendix), and for what
// is composed of their products, openings and inputs the composition of semi-honest protocols (Canetti, "Security and
// Composition of Multiparty Cryptographic Protocols", Journal of Cryptology 2000); for what shuffles and opens, those of
// the papers which the protocols name. The permutations that are opened, permutations.test.ts looks at.

const ROWS = 4000

const plain = column(Array.from({ length: ROWS }, (_, i) => i % 7))
const other = column(Array.from({ length: ROWS }, (_, i) => 6 - (i % 7)))
const far = column(Array.from({ length: ROWS }, (_, i) => (i % 7) * 1_000_003))

interface Case {
  /** values of each column */
  readonly rows: number
  readonly run: (party: Party, x: Arithmetic, y: Arithmetic) => Protocol<unknown>
}

const decimals = { base: 10, digits: 4 } as const

/** Every protocol over two columns of parties 0 and 1. Nothing is opened but what both inputs have in common. */
const CASES: Record<string, Case> = {
  multiply: { rows: ROWS, run: (party, x, y) => multiply(party, x, y) },
  innerProducts: {
    rows: 60,
    *run(party, x, y) {
      const row = (share: Arithmetic, at: number) => slice(share, at, at + 1)
      const pairs = Array.from(
        { length: 3600 },
        (_, i) => [row(x, i % 60), row(y, Math.floor(i / 60))] as const,
      )
      yield* innerProducts(party, pairs)
    },
  },
  isNegative: { rows: ROWS, run: (party, x, y) => isNegative(party, subtract(x, y)) },
  lessThan: { rows: ROWS, run: (party, x, y) => lessThan(party, x, y) },
  isZero: { rows: ROWS, run: (party, x, y) => isZero(party, subtract(x, y)) },
  toBits: { rows: 1000, run: (party, x) => toBits(party, x) },
  'bitsOf, and, bitsToArithmetic': {
    rows: ROWS,
    *run(party) {
      const words = ROWS / 16
      const bits = yield* bitsOf(party, 0, party.index === 0 ? plain.slice(0, words) : words)
      yield* bitsToArithmetic(party, yield* and(party, bits, bits), words * 64)
    },
  },
  truncate: { rows: 1000, run: (party, x) => truncate(party, x, 7) },
  truncateProbabilistically: { rows: ROWS, run: (party, x) => truncateProbabilistically(party, x, 7) },
  divideByPublic: { rows: 500, run: (party, x) => divideByPublic(party, x, 1000n) },
  divide: { rows: 64, run: (party, x, y) => divide(party, x, y, { bits: 30, fraction: decimals }) },
  squareRoot: { rows: 64, run: (party, x) => squareRoot(party, x, { bits: 40, digits: 2 }) },
  histogram: { rows: 1000, run: (party, values) => histogram(party, { values }, [0n, 3n, 500n]) },
  score: { rows: ROWS, run: (party, x, y) => score(party, [x, x, y], slice(y, 0, 4)) },
  completeCases: {
    rows: 2000,
    run: (party, x, y) =>
      completeCases(party, [
        { values: x, present: y },
        { values: y, present: x },
      ]),
  },
  'scatter and openFromEntities': {
    rows: 500,
    *run(party, x, y) {
      const { count, deviations } = yield* scatter(party, { columns: [x, y], bound: 2n ** 24n })
      yield* openFromEntities(party, { count, values: deviations }, 1_000_000n, [0, 1, 2])
    },
  },
  'regress, with correlations': {
    rows: 64,
    run: (party, x, y) =>
      regress(
        party,
        { columns: [x, y], bound: 2n ** 24n },
        { minimum: 2n ** 40n, digits: 2, receivers: [0, 1, 2] },
      ),
  },
  openMeans: {
    rows: 64,
    run: (party, x, y) =>
      openMeans(party, { counts: x, sums: y }, { minimum: 2n ** 40n, fraction: decimals }, [0, 1, 2]),
  },
  'totals and openAtLeast': {
    rows: 1000,
    *run(party, x, y) {
      const cells = yield* totals(party, [Array(30).fill(x), Array(30).fill(y)], [{ values: x, present: y }])
      yield* openAtLeast(party, cells, 2n ** 60n, [])
    },
  },
  shuffle: { rows: ROWS, run: (party, x, y) => shuffle(party, [x, y]) },
  sortBy: { rows: 2000, run: (party, x, y) => sortBy(party, [{ values: x, bits: 24 }], [y]) },
  unshuffle: {
    rows: ROWS,
    run: (party, x, y) => unshuffle(party, [x, y], permutations(party, ROWS)),
  },
  'groupBy and openGroups': {
    rows: 1000,
    *run(party, x, y) {
      const groups = yield* groupBy(party, [{ values: x, bits: 24 }], [{ values: y }], { maximumGroups: 7 })
      yield* openGroups(party, groups, 1_000_000n, [0, 1, 2])
    },
  },
  join: {
    rows: 1000,
    run: (party, x, y) =>
      join(
        party,
        { keys: [{ values: x, bits: 24 }] },
        { keys: [{ values: slice(y, 0, 1), bits: 24 }], columns: [slice(x, 0, 1)] },
      ),
  },
  quantiles: {
    rows: 1000,
    run: (party, x) => quantiles(party, { values: x, bits: 24 }, [{ numerator: 1, denominator: 2 }]),
  },
  kthLargest: {
    rows: 1000,
    run: (party, x) => kthLargest(party, { values: x, bits: 24 }, 5),
  },
  extreme: { rows: 1000, run: (party, x) => extreme(party, 'largest', x) },
  'extremes by cells': { rows: 500, run: (party, x, y) => extremes(party, x, [x, y]) },
  'ranked by cells, and openEach': {
    rows: 500,
    *run(party, x, y) {
      const half = { numerator: 1, denominator: 2 }
      const { values, counts } = yield* ranked(party, { values: x, bits: 24 }, [x, y], [half])
      yield* openEach(party, [counts, counts], values, [])
    },
  },
}

type Spoil = (party: Party) => Party

/** What each party receives while two columns are shared and the protocol runs, message by message. */
function messagesOf(
  { rows, run }: Case,
  [a, b]: readonly [Words, Words],
  seed: string,
  spoil: Spoil = party => party,
) {
  const { views } = runLocally(
    INDICES.map(function* (index: Index): Protocol<void> {
      const party = spoil(yield* establish(index, 'ab'.repeat(32), seeded(`${seed} ${index}`)))
      const x = yield* inputOf(party, 0, index === 0 ? a.slice(0, rows) : rows)
      const y = yield* inputOf(party, 1, index === 1 ? b.slice(0, rows) : rows)
      yield* run(party, x, y)
    }),
  )
  return views.map(messages => messages.slice(1))
}

const viewsOf = (...given: Parameters<typeof messagesOf>) =>
  messagesOf(...given).map(messages => Buffer.concat(messages))

const zeros = {
  fill: (bytes: Uint8Array) => void bytes.fill(0),
  words: (n: number) => new BigUint64Array(n),
}
const withoutMasks: Spoil = party => ({ ...party, own: zeros, next: zeros }) as never

const FIRST = [plain, other] as const
const SECOND = [far, far.map(x => x + 5n)] as const

describe('what one party sees of a protocol', () => {
  it.each(Object.entries(CASES))('%s: looks uniform, and alike for two inputs', (name, found) => {
    const seen = [FIRST, SECOND].map((inputs, which) => messagesOf(found, inputs, `${name} ${which}`))
    const views = seen.map(parties => parties.map(messages => Buffer.concat(messages)))
    for (const index of INDICES) {
      const [one, two] = views.map(parties => parties[index]!) as [Buffer, Buffer]
      expect(one.length).toBe(two.length)
      expect(worst(one, two, 8)).toBeLessThan(LIMIT)
      for (const view of [one, two].filter(({ length }) => length > 0))
        expect(Math.max(...Object.values(bitwise(view)))).toBeLessThan(SIGMAS)
      for (const [which, inputs] of [FIRST, SECOND].entries())
        for (const input of inputs)
          expect(followsInput(seen[which]![index]!, input.slice(0, found.rows))).toBeLessThan(SIGMAS)
    }
    expect(Math.max(...views[0]!.map(({ length }) => length))).toBeGreaterThan(ENOUGH)
  })

  it.each(Object.entries(CASES))(
    '%s: does not where it is broken on purpose, masks of zeros',
    (name, found) => {
      const messages = messagesOf(found, FIRST, name, withoutMasks)
      const seen = messages.map(received => Buffer.concat(received))
      expect(Math.max(...seen.map(view => worst(view, view, 8)))).toBeGreaterThan(10 * LIMIT)
      const bits = seen.filter(({ length }) => length > 0).map(bitwise)
      for (const statistic of ['monobit', 'runs', 'serial'] as const)
        expect(Math.max(...bits.map(of => of[statistic]))).toBeGreaterThan(SIGMAS)
      const input = FIRST[0].slice(0, found.rows)
      expect(Math.max(...messages.map(received => followsInput(received, input)))).toBeGreaterThan(SIGMAS)
    },
  )

  it.each([
    'multiply',
    'lessThan',
    'truncate',
    'shuffle',
    'sortBy',
    'groupBy and openGroups',
    'join',
    'quantiles',
    'kthLargest',
  ])('%s: does not where a session’s keys are used for two inputs', name => {
    const difference = (seeds: readonly [string, string]) => {
      const [first, second] = [FIRST, SECOND].map((inputs, which) =>
        viewsOf(CASES[name]!, inputs, seeds[which]!),
      )
      const found = first!.map((view, index) => view.map((byte, i) => byte ^ second![index]![i]!))
      return Math.max(...found.filter(({ length }) => length > 0).map(againstUniform))
    }
    expect(difference(['fresh', 'keys'])).toBeLessThan(LIMIT)
    expect(difference(['one key', 'one key'])).toBeGreaterThan(10 * LIMIT)
  })

  it('does not where one mask is used twice', () => {
    const again: Spoil = ({ index }) => {
      const block = (key: number) => {
        const bytes = new Uint8Array(seeded(`again ${key % 3}`)(1 << 20))
        return {
          fill: (target: Uint8Array) => target.set(bytes.subarray(0, target.length)),
          words: (n: number) => new BigUint64Array(bytes.slice(0, n * 8).buffer),
        }
      }
      return { index, own: block(index), next: block(index + 1) } as never
    }
    const found = CASES['multiply']!
    const [one, two] = [FIRST, SECOND].map(inputs => viewsOf(found, inputs, 'again', again)[1]!)
    // two inputs under one mask: their difference is there to be read
    const difference = Uint8Array.from(one!.subarray(0, 8 * ROWS), (byte, i) => byte ^ two![i]!)
    expect(againstUniform(difference)).toBeGreaterThan(10 * LIMIT)
  })
})

describe('what is opened', () => {
  /** Several steps, and at the end one value that both inputs have in common. */
  function* composed(party: Party, [a, b]: readonly [Words, Words]): Protocol<bigint> {
    const x = yield* inputOf(party, 0, party.index === 0 ? a : ROWS)
    const y = yield* inputOf(party, 1, party.index === 1 ? b : ROWS)
    const less = yield* bitsToArithmetic(party, yield* isNegative(party, subtract(x, y)), ROWS)
    const same = yield* bitsToArithmetic(party, yield* isZero(party, subtract(x, y)), ROWS)
    const product = yield* multiply(party, yield* multiply(party, x, less), same)
    return signed((yield* open(party, total(product), [0, 1, 2]))![0]!)
  }

  it('is the same for two inputs with the same output, and so are the views', () => {
    const [first, second] = [FIRST, SECOND].map((inputs, which) =>
      runLocally(
        INDICES.map(function* (index): Protocol<bigint> {
          const party = yield* establish(index, 'ab'.repeat(32), seeded(`composed ${which} ${index}`))
          return yield* composed(party, inputs)
        }),
      ),
    )
    expect(first!.outputs).toEqual([0n, 0n, 0n])
    expect(second!.outputs).toEqual(first!.outputs)
    for (const index of INDICES) {
      const [one, two] = [first!, second!].map(({ views }) => Buffer.concat(views[index]!))
      expect(worst(one!, two!, 8)).toBeLessThan(LIMIT)
    }
  })
})

describe('what the three see of a provider outside', () => {
  const seen = (values: Words, random: (bytes: number) => Uint8Array) =>
    runLocally<unknown>([
      ...INDICES.map(function* (index): Protocol<unknown> {
        const party = { index, own: stream('unused'), next: stream('unused'), blockRows: 1 << 20 }
        return yield* receiveFrom(party, 3, values.length)
      }),
      provide(values, random),
    ]).views.slice(0, 3)

  it('is uniform, and shows where seeds are used twice', () => {
    const [first, second] = [plain, far].map((values, which) => seen(values, seeded(`provider ${which}`)))
    for (const index of INDICES) {
      const [one, two] = [first!, second!].map(views => Buffer.concat(views[index]!))
      if (index > 0) expect(worst(one!, two!, 8)).toBeLessThan(LIMIT)
      else expect([one!.length, two!.length]).toEqual([32, 32])
    }
    const [rest, again] = [plain, far].map(
      values => seen(values, seeded('twice'))[2]!.find(({ length }) => length > 32)!,
    )
    const difference = Uint8Array.from(rest!, (byte, i) => byte ^ again![i]!)
    expect(againstUniform(difference)).toBeGreaterThan(10 * LIMIT)
  })
})
