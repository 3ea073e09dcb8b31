import { runLocally } from '@sluice/mpc'
import { type HelperOptions, helperPsi, kkrt16, rr22 } from '@sluice/mpc/psi'
import { describe, expect, it } from 'vitest'
import { cuckooBins, okvsParameters, voleShape } from '../../dist/psi/parts.js'
import { intersectAll, items, SESSION } from './local.js'

// what docs/psi.md and docs/psi-protocols.md say that a session costs, to the byte

/** Bytes of a pseudorandom value of two sets. */
const bytesOfValue = (own: number, other: number) => Math.ceil((40 + Math.log2(own) + Math.log2(other)) / 8)
const words = (rows: number) => Math.ceil(rows / 64) * 64

/** Bytes of each side, of RR22 with so many items of the receiver and the sender. */
function rr22Bytes(own: number, other: number): [receiver: number, sender: number] {
  const { parts, sparse, dense } = okvsParameters(own)
  const columns = parts * (sparse + dense)
  const { trees, depth } = voleShape(columns)
  const transfers = 16 * words(trees * (128 + depth))
  return [
    128 * 32 + transfers + 32 + 16 * columns,
    128 * 64 + trees * (depth + 2) * 16 + other * bytesOfValue(own, other),
  ]
}

describe('a session costs what is said', () => {
  const [own, other] = [3000, 2000]
  const [first, second] = [items(own, 'own'), items(other, 'other')]

  it('of RR22, to the byte', () => {
    expect(intersectAll(rr22, [[first, second]]).run.bytesSent).toEqual(rr22Bytes(own, other))
  })

  it('of KKRT16, to the byte', () => {
    expect(intersectAll(kkrt16, [[first, second]]).run.bytesSent).toEqual([
      512 * 32 + 64 * cuckooBins(own),
      512 * 64 + 3 * other * bytesOfValue(3 * own, other),
    ])
  })

  it.each([
    [16, 336],
    [18, 274],
    [20, 260],
  ])('of RR22 between two sets of 2^%i, at most %i bits an item', (power, most) => {
    const [receiver, sender] = rr22Bytes(2 ** power, 2 ** power)
    expect(((receiver + sender) * 8) / 2 ** power).toBeLessThan(most)
    expect(((receiver + sender) * 8) / 2 ** power).toBeGreaterThan(most * 0.95)
  })

  it.each([
    ['which', 3, [0, 0, 1 + 13]],
    ['count', 3, [0, 0, 5]],
  ] as const)('with a helper: %s, in %i rounds', (learns, most, told) => {
    const { rounds, bytesSent } = runLocally(helped(learns))
    expect(rounds).toBe(most)
    expect(bytesSent).toEqual([32 + 50 * 16 + told[0], 100 * 16 + told[1], told[2]])
  })

  it('with a helper: a total takes 18 rounds, and eight bytes more an item of its owner and the helper', () => {
    const [{ rounds, bytesSent }, large] = [runLocally(helped('sum')), runLocally(helped('sum', 10))]
    expect(rounds).toBe(18)
    const more = bytesSent.map((bytes, party) => large.bytesSent[party]! - bytes)
    expect(more).toEqual([450 * (16 + 8), 900 * 16, 450 * 8])
  })

  function helped(learns: HelperOptions['learns'], times = 1) {
    const sets = [items(50 * times, 'a'), items(100 * times, 'b')]
    const sizes = new Map(sets.map((set, owner) => [owner, set.length / 16]))
    return [0, 1, 2].map(self =>
      helperPsi({
        ...{ self, helper: 2, owners: [0, 1], nameOf: String, sizes, learns, minimum: 0, session: SESSION },
        receiver: learns === 'which' || learns === 'count' ? 1 : 0,
        ...(self < 2 && { hashes: sets[self]! }),
        ...(learns === 'sum' && { sumOwner: 0 }),
        ...(learns === 'sum' && self === 0 && { values: new BigUint64Array(50 * times).fill(3n) }),
      }),
    )
  }
})
