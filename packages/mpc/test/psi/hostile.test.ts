import { isSluiceError } from '@sluice/core'
import { messagesOf } from '@sluice/core/desensitize/cipher'
import { type Protocol, runLocally } from '@sluice/mpc'
import {
  answerPrepared,
  approvePsi,
  askPrepared,
  boundToSession,
  decodeHead,
  decodePayload,
  ecdhPsi,
  encodeHead,
  encodePayload,
  freshPsiJob,
  helperPsi,
  itemHashes,
  loadRistretto,
  openInputs,
  parsePsiJob,
  Questions,
  readPsiItems,
} from '@sluice/mpc/psi'
import { AesCtrPrg } from '@sluice/mpc/ring'
import { Table, Utf8, vectorFromArray } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { cpuSeconds } from '../../../core/test/cpu.ts'
import { people } from '../session/parties.js'

// lengths, order and ends of messages are the connection's affair: test/session/hostile.test.ts mutates those

const group = await loadRistretto()
const SESSION = 'cd'.repeat(32)
const hashesOf = (items: readonly string[]) =>
  boundToSession(itemHashes(messagesOf(items.map(item => Buffer.from(item))), '11'.repeat(32)), SESSION)
const sets = [hashesOf(['a', 'b', 'c']), hashesOf(['b', 'c', 'd'])]

const nameOf = (owner: number) => `party ${owner}`

/** What was seen of so many runs in each of which one message was changed on its way. */
function outcomes(count: number, seed: number, protocols: () => Protocol<unknown>[]): Map<string, number> {
  const random = new AesCtrPrg(Buffer.alloc(16, seed))
  const seen = new Map<string, number>()
  for (let run = 0; run < count; run++) {
    const words = new Uint32Array(random.words(4).buffer)
    let [turn, changed] = [words[0]! % 8, false]
    const outcome = outcomeOf(() =>
      runLocally(protocols(), bytes => {
        if (turn-- !== 0 || bytes.length === 0) return bytes
        changed = true
        mutate(bytes, words)
        return bytes
      }),
    )
    const name = changed || outcome !== 'passed' ? outcome : 'unchanged'
    seen.set(name, (seen.get(name) ?? 0) + 1)
  }
  return seen
}

function outcomeOf(action: () => unknown): string {
  try {
    action()
    return 'passed'
  } catch (error) {
    // anything but a coded error fails the test, with its stack
    if (!isSluiceError(error) || error.code === 'INTERNAL') throw error
    return error.code
  }
}

/** Flips a bit, or overwrites four bytes or all of it. */
function mutate(bytes: Uint8Array, words: Uint32Array): void {
  const at = words[1]! % bytes.length
  if (words[2]! % 4 === 0) bytes.fill(words[3]! & 255)
  else if (words[2]! % 4 === 1)
    bytes.set(new Uint8Array(words.buffer, 12, Math.min(4, bytes.length - at)), at)
  else bytes[at]! ^= 1 << (words[3]! & 7)
}

describe('a peer whose messages are wrong', () => {
  it('in ECDH: 500 changed runs end with a coded error, or with an answer', () => {
    const seen = outcomes(500, 1, () =>
      sets.map((hashes, self) =>
        ecdhPsi({
          peer: 1 - self,
          hashes,
          peerCount: 3,
          learns: { own: 'which', peer: 'count' },
          session: SESSION,
          group,
        }),
      ),
    )
    expect([...seen.keys()].sort()).toEqual(['PROTOCOL_VIOLATION', 'passed', 'unchanged'])
  })

  it('does not keep a helper busy with items that it made up to fall together', () => {
    const count = 1 << 17
    const alike = new Uint8Array(count * 16)
    const words = new Uint32Array(alike.buffer)
    for (let item = 0; item < count; item++) words[4 * item + 3] = item
    const sizes = new Map([0, 1].map(owner => [owner, count]))
    const common = { self: 2, helper: 2, owners: [0, 1], nameOf, sizes, minimum: 1, session: SESSION }
    const helper = helperPsi({ ...common, receiver: 1, learns: 'count' })
    helper.next()
    helper.next([])
    let value: unknown
    const seconds = cpuSeconds(() => {
      value = helper.next([alike, alike.slice()]).value
    })
    expect(seconds).toBeLessThan(10)
    expect(value).toMatchObject({ send: [{ to: 1, bytes: Uint8Array.of(1, 0, 0, 2, 0) }] })
  })

  it.each(['which', 'count', 'sum'] as const)('with a helper, thousands of changed runs: %s', learns => {
    const values = new BigUint64Array([1n, 2n, 3n])
    const seen = outcomes(learns === 'sum' ? 200 : 3_000, 3, () =>
      [0, 1, 2].map(self =>
        helperPsi({
          self,
          helper: 2,
          owners: [0, 1],
          nameOf,
          sizes: new Map([
            [0, 3],
            [1, 3],
          ]),
          receiver: 1,
          learns,
          minimum: 1,
          session: SESSION,
          ...(self < 2 && { hashes: sets[self]! }),
          sumOwner: 0,
          ...(self === 0 && { values }),
        }),
      ),
    )
    expect([...seen.keys()].sort()).toEqual(
      learns === 'sum'
        ? ['PROTOCOL_VIOLATION', 'passed', 'unchanged'].filter(name => seen.has(name))
        : ['PROTOCOL_VIOLATION', 'passed', 'unchanged'],
    )
    expect(seen.get('passed')).toBeGreaterThan(0)
  })

  const counting = (alter: Parameters<typeof runLocally>[1]) =>
    runLocally(
      [0, 1, 2].map(self =>
        helperPsi({
          ...{ self, helper: 2, owners: [0, 1], nameOf, receiver: 1, learns: 'count', minimum: 1 },
          sizes: new Map([
            [0, 3],
            [1, 3],
          ]),
          session: SESSION,
          ...(self < 2 && { hashes: sets[self]! }),
        }),
      ),
      alter,
    )

  it('is named to the helper, where it gives one item twice', async () => {
    const run = () =>
      counting((bytes, from) => {
        if (from === 1 && bytes.length === 3 * 16) bytes.copyWithin(16, 0, 16)
        return bytes
      })
    expect(counting(bytes => bytes).outputs[1]).toEqual({ count: 2 })
    await expect(run).toThrowWithCode('PROTOCOL_VIOLATION')
    try {
      run()
    } catch (error) {
      expect(isSluiceError(error) && error.facts).toEqual({ party: 'party 1' })
    }
  })

  it('who helps and counts more than there are is refused', async () => {
    const run = () =>
      counting((bytes, from) => {
        if (from === 2) bytes[1] = 4
        return bytes
      })
    await expect(run).toThrowWithCode('PROTOCOL_VIOLATION')
  })

  it('about its input: of 2,000 changed openings none is taken for what was signed', async () => {
    const job = parsePsiJob({
      ...freshPsiJob(),
      purpose: 'a test',
      parties: people
        .slice(0, 2)
        .map(({ name, publicKey: key }) => ({ name, key, host: '127.0.0.1', port: 1 })),
      protocol: 'ecdh',
      key: [{ name: 'id', normalize: [] }],
      size: { floor: 1, ceiling: 16, step: 4 },
      receivers: [{ name: 'bank', learns: 'which' }],
      payload: [],
      minimumIntersection: 0,
      quota: { runs: 1, lifetimeItems: 100 },
      seconds: 60,
    })
    const table = new Table({ id: vectorFromArray(['a', 'b'], new Utf8()) })
    const items = await readPsiItems(job, [table], { key: ['id'] })
    const approvals = await Promise.all([0, 1].map(self => approvePsi(job, people[self]!, items)))
    const seen = outcomes(2_000, 4, () => [0, 1].map(self => openInputs(job, self, approvals[self]!)))
    expect([...seen.keys()].sort()).toEqual(['JOB_MISMATCH', 'unchanged'])
  })

  it('when it asks a prepared set or answers for one: of 300 changed runs, points that are none are refused', () => {
    const scalar = group.randomScalar()
    const seen = outcomes(300, 6, () => [
      askPrepared({ peer: 1, questions: new Questions(sets[0]!, group) }),
      answerPrepared(0, scalar, 3, group),
    ])
    expect([...seen.keys()].sort()).toEqual(['PROTOCOL_VIOLATION', 'passed', 'unchanged'])
    expect(seen.get('PROTOCOL_VIOLATION')).toBeGreaterThan(30)
  })

  it('in columns that it hands over, and at the head of prepared sets: 100,000 changed ones', () => {
    const columns = new Table({
      name: vectorFromArray(['甲', null, 'c'], new Utf8()),
      tax: vectorFromArray(['1', '2', '3'], new Utf8()),
    })
    const stream = encodePayload({ places: Uint32Array.of(0, 2, 1), columns })
    expect(decodePayload(stream, 3, ['name', 'tax']).columns.numRows).toBe(3)
    const file = encodeHead({
      ...{ set: '1a'.repeat(32), key: '2b'.repeat(32), index: '3c'.repeat(32) },
      ...{ epoch: 1, expires: '2027-01-01T00:00:00.000Z', count: 3, bits: 0 },
      columns: [{ name: 'id', normalize: ['trim'] }],
    })
    expect(decodeHead(file).head.count).toBe(3)
    const random = new AesCtrPrg(Buffer.alloc(16, 5))
    const seen = new Set<string>()
    for (let i = 0; i < 50_000; i++) {
      const words = new Uint32Array(random.words(4).buffer)
      const [one, other] = [stream.slice(), file.slice()]
      mutate(one, words)
      mutate(other, words)
      seen.add(
        outcomeOf(() => {
          const { places, columns: read } = decodePayload(one, 3, ['name', 'tax'])
          // what was taken can be read, to the last value
          return [places, [...read.getChildAt(0)!], [...read.getChildAt(1)!]]
        }),
      )
      seen.add(outcomeOf(() => decodeHead(other)))
    }
    expect([...seen].sort()).toEqual(['FILE_FORMAT', 'PROTOCOL_VIOLATION', 'passed'])
  })
})
