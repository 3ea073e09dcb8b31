import { type Protocol, runLocally } from '@sluice/mpc'
import {
  type Arithmetic,
  establish,
  extreme,
  groupBy,
  inputOf,
  join,
  known,
  kthLargest,
  open,
  openGroups,
  type Party,
  permutations,
  quantiles,
  shuffle,
  slice,
  sortBy,
} from '@sluice/mpc/replicated'
import type { Words } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { column, INDICES, seeded } from './local.js'
import { permutationsIn, type Revealed, statisticsOf, strongest } from './statistics-of-permutations.js'
import { SIGMAS } from './statistics-of-views.js'

// Sorts, and what is made of them, open the places that rows go to, after a shuffle of rows and places together. That this
// says nothing is shown by Hamada, Ikarashi, Chida and Takahashi, "Oblivious Radix Sort" (ePrint 2014/121, section 4) and
// Chida et al. (ePrint 2019/695, section 3.3), given a shuffle whose permutation no party knows: Laur, Willemson and Zhang
// (ISC 2011, theorem 1) and, replicated, Araki et al. (CCS 2021, section 4). Here is looked at what is opened, and a
// protocol without its shuffle, or with two thirds of it, has to be seen.

const ROWS = 512
const plain = column(Array.from({ length: ROWS }, (_, i) => i % 7))
/** other keys with the same output: as many groups of the same sizes, and the same order of rows */
const far = plain.map(x => x * 1_000_003n)

interface Case {
  readonly rows: number
  readonly run: (party: Party, x: Arithmetic) => Protocol<unknown>
  /** the column as it is sorted; as it is given unless it says so */
  readonly sorted?: (values: Words) => Words
}

const CASES: Record<string, Case> = {
  sortBy: { rows: ROWS, run: (party, x) => sortBy(party, [{ values: x, bits: 24 }], [x]) },
  'groupBy and openGroups': {
    rows: ROWS,
    *run(party, x) {
      const groups = yield* groupBy(party, [{ values: x, bits: 24 }], [{ values: x }], { maximumGroups: 7 })
      yield* openGroups(party, groups, 1_000_000n, [0, 1, 2])
    },
  },
  join: {
    rows: ROWS,
    // the right side, which is the last row here, comes first
    sorted: values => values.map((_, i) => values[(i + ROWS - 1) % ROWS]!),
    run: (party, x) => {
      const [many, few] = [slice(x, 0, ROWS - 1), slice(x, ROWS - 1, ROWS)]
      return join(
        party,
        { keys: [{ values: many, bits: 24 }] },
        { keys: [{ values: few, bits: 24 }], columns: [few] },
      )
    },
  },
  quantiles: {
    rows: ROWS,
    run: (party, x) => quantiles(party, { values: x, bits: 24 }, [{ numerator: 1, denominator: 2 }]),
  },
  kthLargest: { rows: ROWS, run: (party, x) => kthLargest(party, { values: x, bits: 24 }, 5) },
}

type Spoil = (party: Party) => Party

/** Permutations opened while a column is shared and the protocol runs. */
function openedBy({ rows, run }: Case, values: Words, seed: string, spoil: Spoil = party => party) {
  const revealed: Revealed = [[], [], []]
  runLocally(
    INDICES.map(function* (index): Protocol<void> {
      const party = spoil(yield* establish(index, 'ab'.repeat(32), seeded(`${seed} ${index}`)))
      yield* run(party, yield* inputOf(party, 0, index === 0 ? values : values.length))
    }),
    (bytes, from, to) => {
      if (to === (from + 1) % 3 && bytes.length === rows * 4)
        revealed[from as 0 | 1 | 2].push(new Uint32Array(bytes.slice().buffer))
      return bytes
    },
  )
  return permutationsIn(revealed)
}

/** Streams whose draws for a permutation of so many rows leave every row where it is: as `permutations` reads them. */
function unmoving(rows: number, keys: readonly number[]): Spoil {
  const still = (source: Party['own']): Party['own'] =>
    ({
      words: (length: number) => source.words(length),
      fill(target: Uint8Array<ArrayBuffer>) {
        if (target.length !== (rows + 15) * 4) source.fill(target)
        else
          new Uint32Array(target.buffer, target.byteOffset, rows + 15).forEach((_, i, lanes) => {
            lanes[i] = Math.max(0, rows - 1 - i)
          })
      },
    }) as Party['own']
  return party => ({
    ...party,
    own: keys.includes(party.index) ? still(party.own) : party.own,
    next: keys.includes((party.index + 1) % 3) ? still(party.next) : party.next,
  })
}

const numbers = ({ sorted }: Case, values: Words): number[] => Array.from(sorted?.(values) ?? values, Number)

describe('the places that are opened', () => {
  it.each(Object.entries(CASES))('%s: are random permutations, and alike for two inputs', (name, found) => {
    for (const [which, values] of [plain, far].entries()) {
      const opened = [1, 2].flatMap(run => openedBy(found, values, `${name} ${which} ${run}`))
      // eight digits of three bits, and more where rows are put back
      expect(opened.length).toBeGreaterThanOrEqual(16)
      expect(strongest(statisticsOf(opened, numbers(found, values)))).toBeLessThan(SIGMAS)
      // nor is one of them opened twice
      expect(new Set(opened.map(places => places.join())).size).toBe(opened.length)
    }
  })

  it.each(Object.entries(CASES))('%s: show where they are opened without a shuffle', (name, found) => {
    const opened = openedBy(found, plain, name, unmoving(ROWS, [0, 1, 2]))
    const seen = statisticsOf(opened, numbers(found, plain))
    expect(seen.follows).toBeGreaterThan(3 * SIGMAS)
    expect(seen.ascents).toBeGreaterThan(SIGMAS)
  })

  it.each(Object.entries(CASES))('%s: show where keys are used twice', (name, found) => {
    const [first, second] = [plain, far].map(values => openedBy(found, values, `${name} again`))
    const both = [...first!, ...second!].map(places => places.join())
    expect(new Set(both).size).toBeLessThan(both.length)
  })

  it('extremes open none', () => {
    const found = { rows: ROWS, run: (party: Party, x: Arithmetic) => extreme(party, 'largest', x) }
    expect(openedBy(found, plain, 'none')).toEqual([])
  })
})

describe('what a party knows of a shuffle', () => {
  /** The opened order with what a party knows of it taken off, by party: the third's permutation, if all is well. */
  function remaining(seed: string, spoil: Spoil = party => party): Uint32Array[] {
    const { outputs } = runLocally(
      INDICES.map(function* (index) {
        const party = spoil(yield* establish(index, 'ab'.repeat(32), seeded(`${seed} ${index}`)))
        const order = permutations(party, ROWS)
        const rows = known(
          party,
          BigUint64Array.from({ length: ROWS }, (_, row) => BigInt(row)),
        )
        const [moved] = yield* shuffle(party, [rows], order)
        const opened = Uint32Array.from((yield* open(party, moved!, INDICES))!, Number)
        return { opened, order }
      }),
    )
    // opened[k] = first[second[third[k]]]
    return outputs.map(({ opened, order: { own, next } }, index) => {
      const [back, further] = [inverseOf(own), inverseOf(next)]
      if (index === 0) return opened.map(row => further[back[row]!]!)
      if (index === 1) return opened.map((_, k) => opened[further[back[k]!]!]!)
      return opened.map((_, k) => further[opened[back[k]!]!]!)
    })
  }
  const inverseOf = (order: Uint32Array): Uint32Array => {
    const out = new Uint32Array(order.length)
    order.forEach((to, from) => {
      out[to] = from
    })
    return out
  }
  const rows = Array.from({ length: ROWS }, (_, row) => row)

  it('leaves a random permutation', () => {
    const runs = Array.from({ length: 10 }, (_, run) => remaining(`left ${run}`))
    for (const index of INDICES)
      expect(
        strongest(
          statisticsOf(
            runs.map(found => found[index]!),
            rows,
          ),
        ),
      ).toBeLessThan(SIGMAS)
  })

  it.each([0, 1, 2])(
    'leaves nothing to who knows the two others, where permutation %i does not move',
    still => {
      const runs = Array.from({ length: 10 }, (_, run) => remaining(`still ${run}`, unmoving(ROWS, [still])))
      for (const index of INDICES) {
        const seen = strongest(
          statisticsOf(
            runs.map(found => found[index]!),
            rows,
          ),
        )
        // party i knows the permutations i and i + 1
        if ((index + 2) % 3 === still) expect(seen).toBeGreaterThan(10 * SIGMAS)
        else expect(seen).toBeLessThan(SIGMAS)
      }
    },
  )
})
