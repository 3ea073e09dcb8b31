import { type Protocol, runLocally } from '@sluice/mpc'
import { type EcdhSum, type EcdhSumOptions, ecdhSum, loadRistretto, logarithm } from '@sluice/mpc/psi'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldValues, seeded, stream } from '../protocols/local.js'
import { openAll } from '../session/parties.js'

const group = await loadRistretto()
const SESSION = 'ab'.repeat(32)
const POINT = 32

/** Items by number: sixteen bytes each, as random as hashes. */
function itemsOf(numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(numbers.length * 16)
  numbers.forEach((number, i) => {
    stream(`item ${number}`).fill(bytes.subarray(i * 16, i * 16 + 16))
  })
  return bytes
}

interface Given {
  /** items of the party without values */
  readonly own: readonly number[]
  /** items of the other, and its values */
  readonly other: readonly number[]
  readonly values: readonly bigint[]
  readonly receiver?: 'owner' | 'other'
  readonly minimum?: number
  readonly session?: string
}

/** Participant 0 adds up, participant 1 owns the values. */
function pair(
  { own, other, values, receiver = 'other', minimum = 0, session = SESSION }: Given,
  random: readonly EcdhSumOptions['random'][] = [],
): Protocol<EcdhSum>[] {
  return [own, other].map((numbers, self) =>
    ecdhSum({
      peer: 1 - self,
      hashes: itemsOf(numbers),
      peerCount: [own, other][1 - self]!.length,
      ...(self === 1 && { values: BigUint64Array.from(values, value => BigInt.asUintN(64, value)) }),
      receiver,
      minimum,
      session,
      group,
      ...(random[self] !== undefined && { random: random[self] }),
    }),
  )
}

const plainSum = ({ own, other, values }: Given) =>
  values.reduce((sum, value, i) => (own.includes(other[i]!) ? sum + value : sum), 0n)
const plainCount = ({ own, other }: Given) => other.filter(number => own.includes(number)).length

async function agree(given: Given, bound: bigint): Promise<void> {
  for (const receiver of ['owner', 'other'] as const) {
    const { outputs } = runLocally(pair({ ...given, receiver }))
    const [learning, learnsNothing] =
      receiver === 'owner' ? [outputs[1]!, outputs[0]] : [outputs[0]!, outputs[1]]
    expect(learnsNothing).toEqual({})
    expect(learning.count).toBe(plainCount(given))
    const sum = await logarithm(learning.total!, bound * BigInt(learning.count!), { group })
    expect(sum).toBe(plainSum(given))
  }
}

const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)

describe('a total over the intersection between two', () => {
  it('agrees with plain reckoning, whatever the sets, values and receiver', async () => {
    const bound = 2n ** 20n
    const numbers = fc.uniqueArray(fc.nat(12), { maxLength: 9 })
    await fc.assert(
      fc.asyncProperty(
        numbers,
        numbers,
        fc.array(fc.bigInt(-bound, bound), { minLength: 9, maxLength: 9 }),
        (own, other, values) => agree({ own, other, values: values.slice(0, other.length) }, bound),
      ),
      { numRuns: 12 },
    )
  })

  it.each<[string, readonly number[], readonly number[]]>([
    ['nothing and nothing', [], []],
    ['nothing', [], upTo(3)],
    ['nothing of the owner', upTo(3), []],
    ['two that share nothing', upTo(4), upTo(5, 10)],
    ['two that are the same', upTo(5), upTo(5)],
  ])('of %s is right', async (_, own, other) => {
    const values = other.map((_, i) => BigInt(i - 1) * 1000n)
    await agree({ own, other, values }, 5000n)
  })

  it('adds up hundreds of values of all sizes, with those at the bound, in several messages', async () => {
    const [own, other] = [upTo(520), upTo(600, 100)]
    const values = [...fieldValues(600, 'values', 28)]
    const { outputs } = runLocally(pair({ own, other, values }))
    expect(outputs[0]!.count).toBe(420)
    const sum = await logarithm(outputs[0]!.total!, 420n * 2n ** 28n, { group })
    expect(sum).toBe(plainSum({ own, other, values }))
  })

  it.each([1n, -1n])('reaches the end of its range: %s', async sign => {
    const bound = 2n ** 24n
    await agree({ own: upTo(3), other: upTo(3), values: upTo(3).map(() => sign * bound) }, bound)
  })

  it('counts items that only pad as nothing', async () => {
    const { outputs } = runLocally(pair({ own: upTo(4), other: upTo(8, 2), values: [5n, 7n, 9n] }))
    expect(outputs[0]!.count).toBe(2)
    expect(await logarithm(outputs[0]!.total!, 100n, { group })).toBe(12n)
  })

  it('opens nothing below the minimum, and asks for nothing', async () => {
    const given = { own: upTo(6), other: upTo(6, 3), values: upTo(6).map(BigInt) }
    for (const receiver of ['owner', 'other'] as const) {
      const learnt = (minimum: number) =>
        runLocally(pair({ ...given, receiver, minimum })).outputs[receiver === 'owner' ? 1 : 0]
      expect(learnt(4)).toEqual({ withheld: true })
      expect(learnt(3)!.count).toBe(3)
    }
    const { views } = runLocally(pair({ ...given, receiver: 'owner', minimum: 4 }))
    expect(views[1]!.at(-1)!.every(byte => byte === 0)).toBe(true)
  })

  it('costs what is said, whatever is shared', () => {
    for (const from of [0, 100]) {
      const { bytesSent } = runLocally(pair({ own: upTo(5), other: upTo(7, from), values: [] }))
      expect(bytesSent).toEqual([5 * 32 + 64, 5 * 16 + 32 + 7 * 96 + 32])
    }
  })

  it('goes over sessions', async () => {
    const sessions = (await openAll()).map(each => (each.status === 'fulfilled' ? each.value : undefined)!)
    const given = {
      own: upTo(5),
      other: upTo(5, 2),
      values: [1n, 20n, -300n, 4n, 5n],
      session: sessions[0]!.id,
    }
    const outputs = await Promise.all(pair(given).map((protocol, self) => sessions[self]!.run(protocol)))
    await Promise.all(sessions.map(session => session.end()))
    expect(await logarithm(outputs[0]!.total!, 1000n, { group })).toBe(-279n)
  })
})

describe('the owner’s view of a total', () => {
  const given: Given = {
    own: [1, 4, 6],
    other: upTo(7),
    values: upTo(7).map(i => BigInt(100 * i)),
    receiver: 'owner',
  }

  /** Which sets of its own ciphertexts the owner can tell that the sum is made of. */
  function explained(views: Uint8Array[][]): number[][] {
    const sent = views[0]!.at(-1)!
    const nonces = upTo(7).map(i => sent.subarray(i * 2 * POINT, i * 2 * POINT + POINT))
    const told = views[1]!.at(-1)!.subarray(5, 5 + POINT)
    return upTo(2 ** 7 - 1, 1)
      .map(set => upTo(7).filter(i => (set >> i) & 1))
      .filter(set => {
        const [first, ...others] = set.map(i => nonces[i]!)
        return Buffer.from(others.reduce((sum, nonce) => group.add(sum, nonce), first!)).equals(told)
      })
  }

  it('does not tell which of its ciphertexts were added up', () => {
    for (let run = 0; run < 5; run++) expect(explained(runLocally(pair(given)).views)).toEqual([])
  })

  it('would, without the fresh encryption of zero', () => {
    const drawn: Uint8Array[] = []
    const random = seeded('adder')
    const recorded = (bytes: number) => {
      drawn.push(random(bytes))
      return drawn.at(-1)!
    }
    const { views } = runLocally(pair(given, [recorded]), (bytes, from) => {
      if (from !== 0 || bytes.length !== 5 + 2 * POINT) return bytes
      // a mask's scalar and the order's key were drawn before the encryption of zero
      const nonce = group.multiplyBase(group.reduced(drawn[2]!))
      bytes.set(group.subtract(bytes.subarray(5, 5 + POINT), nonce), 5)
      return bytes
    })
    expect(explained(views)).toHaveLength(1)
    expect(explained(views)[0]).toHaveLength(3)
  })

  it('says nothing of the total that it opens for the other', () => {
    const opened = () =>
      Buffer.from(runLocally(pair({ ...given, receiver: 'other' })).views[0]!.at(-1)!).toString('hex')
    expect(opened()).not.toBe(opened())
  })
})

describe('a peer whose messages are wrong', () => {
  const given: Given = { own: upTo(4), other: upTo(5, 2), values: upTo(5).map(BigInt) }
  const altered =
    (change: (bytes: Uint8Array<ArrayBuffer>, from: number) => void, more: Partial<Given> = {}) =>
    () =>
      runLocally(pair({ ...given, ...more }), (bytes, from) => {
        change(bytes, from)
        return bytes
      })

  const messages: readonly [string, number, number, Partial<Given>][] = [
    ['masked items of the adder', 0, 4 * POINT, {}],
    ['the key', 1, POINT, {}],
    ['masked items of the owner', 1, 5 * POINT, {}],
    ['ciphertexts', 1, 5 * 2 * POINT, {}],
    ['the blinded sum', 0, 2 * POINT, {}],
  ]

  it.each(messages)('is refused: %s', async (_, from, length, more) => {
    for (const bad of [new Uint8Array(POINT), new Uint8Array(POINT).fill(255)]) {
      const run = altered((bytes, sender) => {
        if (sender === from && bytes.length === length) bytes.set(bad)
      }, more)
      await expect(run).toThrowWithCode('PROTOCOL_VIOLATION')
    }
  })

  it('is refused whether or not the item is shared whose ciphertext is none', async () => {
    for (const at of upTo(5)) {
      const run = altered(bytes => {
        if (bytes.length === 5 * 2 * POINT) bytes.fill(255, at * 2 * POINT, at * 2 * POINT + POINT)
      })
      await expect(run).toThrowWithCode('PROTOCOL_VIOLATION')
    }
  })

  it('is refused with one item twice, shared or not', async () => {
    for (const at of upTo(4)) {
      const run = altered((bytes, from) => {
        if (from === 1 && bytes.length === 5 * POINT)
          bytes.copyWithin((at + 1) * POINT, at * POINT, (at + 1) * POINT)
      })
      await expect(run).toThrowWithCode('PROTOCOL_VIOLATION')
    }
  })

  it('is refused with one item twice of the adder, who could tell it by its number', async () => {
    const run = altered((bytes, from) => {
      if (from === 0 && bytes.length === 4 * POINT) bytes.copyWithin(POINT, 0, POINT)
    })
    await expect(run).toThrowWithCode('PROTOCOL_VIOLATION')
  })

  it('is refused with more shared items than there are', async () => {
    const run = altered(
      (bytes, from) => {
        if (from === 0 && bytes.length === 5 + 2 * POINT) bytes[1] = 5
      },
      { receiver: 'owner' },
    )
    await expect(run).toThrowWithCode('PROTOCOL_VIOLATION')
  })
})
