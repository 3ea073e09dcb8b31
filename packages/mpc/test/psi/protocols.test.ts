import type { Duplex } from 'node:stream'
import { approveJob, meet, memoryPair, reservePort, Session, type SessionJob } from '@sluice/mpc'
import { type ItemHashes, kkrt16, loadRistretto, type PsiProtocol, rr22 } from '@sluice/mpc/psi'
import { describe, expect, it } from 'vitest'
import { job, people } from '../session/parties.js'
import { intersectAll, items, plainJoin } from './local.js'

const PROTOCOLS: PsiProtocol[] = [kkrt16, rr22]

/** Two sets with so many items in common, the other's backwards. */
function sets(own: number, other: number, common: number, seed: string): [ItemHashes, ItemHashes] {
  const pool = items(own + other - common, seed)
  const second = new Uint8Array(other * 16)
  for (let i = 0; i < other; i++) {
    const from = pool.length - 16 * (i + 1)
    second.set(pool.subarray(from, from + 16), 16 * i)
  }
  return [pool.slice(0, own * 16), second]
}

const pair: SessionJob = { ...job, participants: job.participants.slice(0, 2) }

/** Both sides over a session each, on these two ends of a connection. */
async function overSessions(protocol: PsiProtocol, ends: readonly Duplex[], sizes: [number, number, number]) {
  const group = await loadRistretto()
  const [own, other] = sets(...sizes, 'over sessions')
  const sessions = await Promise.all(
    ends.map(async (end, self) => {
      const approval = await approveJob(pair.digest, people[self]!)
      return Session.open({ job: pair, self, approval, streams: new Map([[1 - self, end]]) })
    }),
  )
  const [matched] = await Promise.all([
    (async () => {
      const receive = await sessions[0]!.run(protocol.receiver({ session: sessions[0]!.id, peer: 1, group }))
      return sessions[0]!.run(receive(own, other.length / 16))
    })(),
    (async () => {
      const send = await sessions[1]!.run(protocol.sender({ session: sessions[1]!.id, peer: 0, group }))
      await sessions[1]!.run(send(other, own.length / 16))
    })(),
  ])
  await Promise.all(sessions.map(session => session.end()))
  expect(matched).toEqual(plainJoin(own, other))
}

describe.each(PROTOCOLS)('$name', protocol => {
  it('finds what both have, whatever the sizes and the overlap, run after run on one set-up', () => {
    const sizes: [number, number, number][] = [
      [0, 0, 0],
      [0, 10, 0],
      [10, 0, 0],
      [1, 1, 0],
      [1, 1, 1],
      [1, 2000, 1],
      [2000, 1, 1],
      [2000, 3000, 0],
      [2000, 3000, 1999],
      [3000, 3000, 3000],
      [17_000, 33_000, 9_000],
      [100_000, 60_000, 30_000],
    ]
    const rounds = sizes.map((size, round) => sets(...size, `${round}`))
    const { matched } = intersectAll(protocol, rounds)
    rounds.forEach(([own, other], round) => {
      const expected = plainJoin(own, other)
      expect(Buffer.compare(matched[round]!, expected)).toBe(0)
      expect(expected.reduce((sum, bit) => sum + bit, 0)).toBe(sizes[round]![2])
    })
  })

  it('draws fresh randomness for each run: the same sets give other messages', () => {
    const round = sets(300, 300, 100, 'the same')
    const { run } = intersectAll(protocol, [round, round])
    for (const view of run.views) {
      const seen = view.map(message => Buffer.from(message).toString('latin1'))
      expect(new Set(seen).size).toBe(seen.length)
    }
  })

  it('goes over sessions in memory', async () => {
    await overSessions(protocol, memoryPair(), [3000, 2000, 500])
  })

  it('goes over sessions with mutual TLS', async () => {
    const participants = await Promise.all(
      people.slice(0, 2).map(async ({ name, publicKey }) => ({
        name,
        key: publicKey,
        address: { host: '127.0.0.1', port: await reservePort() },
      })),
    )
    const streams = await Promise.all(
      people.slice(0, 2).map((signer, self) => meet({ participants, self, signer, wait: 20 })),
    )
    await overSessions(protocol, [streams[0]!.get(1)!, streams[1]!.get(0)!], [40_000, 50_000, 20_000])
  })

  it.each([0, 1])('what participant %i gets altered on its way is no crash and no hang', async to => {
    const [own, other] = sets(200, 200, 100, 'altered')
    const expected = plainJoin(own, other)
    const { run } = intersectAll(protocol, [[own, other]])
    const messages = run.views[to]!.length
    for (let spoiled = 0; spoiled < messages; spoiled++) {
      let seen = -1
      const attempt = () =>
        intersectAll(protocol, [[own, other]], (bytes, _, target) => {
          if (target === to && ++seen === spoiled) bytes.fill(0xff)
          return bytes
        })
      const outcome = (() => {
        try {
          return attempt().matched[0]!
        } catch (error) {
          return error as Error & { code?: string }
        }
      })()
      // a wrong answer never holds an item that the other does not have
      if (outcome instanceof Error) expect(outcome.code).toBe('PROTOCOL_VIOLATION')
      else expect(outcome.every((bit, index) => bit <= expected[index]!)).toBe(true)
    }
  })

  it('refuses a message that is too short or too long', async () => {
    for (const change of [-1, 1]) {
      await expect(() =>
        intersectAll(protocol, [sets(50, 50, 10, 'lengths')], bytes => new Uint8Array(bytes.length + change)),
      ).toThrowWithCode('INTERNAL')
    }
  })
})
