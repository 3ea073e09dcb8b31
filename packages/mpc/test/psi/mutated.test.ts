import { isSluiceError } from '@sluice/core'
import { approveJob, memoryPair, type Protocol, Session, type SessionJob } from '@sluice/mpc'
import { type ItemHashes, kkrt16, loadRistretto, type PsiProtocol, rr22 } from '@sluice/mpc/psi'
import { describe, expect, it } from 'vitest'
import { stream } from '../protocols/local.js'
import { job, people } from '../session/parties.js'
import { channels, intersectAll, items, plainJoin } from './local.js'

// what a peer of the fast protocols may say; of the others in hostile.test.ts, of frames in test/session/hostile.test.ts

const pool = items(9, 'mutated')
const sets: [ItemHashes, ItemHashes] = [pool.slice(0, 6 * 16), pool.slice(3 * 16)]
const expected = plainJoin(...sets)
/** more than 100,000 changed messages by SLUICE_SOAK=1 */
const TIMES = process.env['SLUICE_SOAK'] ? 250 : 1
const timeout = 60_000 * Math.ceil(TIMES / 10)

type Said = (honest: Uint8Array<ArrayBuffer>, index: number) => Uint8Array<ArrayBuffer>

/** Runs a protocol against whoever answers each message that it waits for. */
function against<T>(protocol: Protocol<T>, answer: (bytes: number) => Uint8Array<ArrayBuffer>): T {
  let step = protocol.next()
  while (!step.done) step = protocol.next(step.value.receive.map(({ bytes }) => answer(bytes)))
  return step.value
}

/** One side again, with the randomness of the recorded session, against a peer that says something else. */
function replayed(
  protocol: PsiProtocol,
  side: 0 | 1,
  runs: number,
  view: readonly Uint8Array[],
  said: Said,
): (Uint8Array | undefined)[] {
  const channel = channels(protocol.name)[side]
  let next = 0
  const answer = (bytes: number) => {
    const message = said(Uint8Array.from(view[next]!), next++)
    expect(message).toHaveLength(bytes)
    return message
  }
  const [own, theirs] = [sets[side], sets[1 - side]!.length / 16]
  if (side === 1) {
    const send = against(protocol.sender(channel), answer)
    for (let run = 0; run < runs; run++) against(send(own, theirs), answer)
    return []
  }
  const receive = against(protocol.receiver(channel), answer)
  return Array.from({ length: runs }, () => against(receive(own, theirs), answer))
}

describe.each([
  { protocol: rr22, runs: 100 },
  { protocol: kkrt16, runs: 20 },
])('a peer of $protocol.name that sends something else', ({ protocol, runs }) => {
  const rounds = Array.from({ length: runs }, () => sets)
  const { views } = intersectAll(protocol, rounds).run
  const elsewhere = intersectAll(protocol, rounds, undefined, 'c4'.repeat(32)).run.views
  /** messages of a run; what is larger serves many */
  const ofRun = (message: Uint8Array) => protocol === kkrt16 || message.length < 8192
  const zeros = new Uint8Array(expected.length)

  it('is not there: what was recorded gives what it gave', () => {
    expect(replayed(protocol, 0, runs, views[0]!, honest => honest)).toEqual(rounds.map(() => expected))
    expect(() => replayed(protocol, 1, runs, views[1]!, honest => honest)).not.toThrow()
  })

  const changes: [string, (message: Uint8Array) => boolean][] = [['the messages of a run', ofRun]]
  if (protocol === rr22) changes.push(['those that serve many runs too', () => true])

  it.each(changes)('changed in %s, is no crash, and no match that is none', { timeout }, (_, chosen) => {
    let [changed, found] = [0, 0]
    for (let time = 0; time < TIMES; time++) {
      for (const side of [0, 1] as const) {
        const random = stream(`${protocol.name} ${side} ${time}`)
        const outcomes = replayed(protocol, side, runs, views[side]!, (honest, index) => {
          if (index === 0 || !chosen(honest)) return honest
          changed++
          return mutated(honest, new Uint32Array(random.words(2).buffer))
        })
        for (const matched of side === 0 ? outcomes : []) {
          expect(matched!.every((bit, item) => bit <= expected[item]!)).toBe(true)
          found += matched!.filter(bit => bit === 1).length
        }
      }
    }
    expect(changed).toBeGreaterThanOrEqual(TIMES * 2 * runs)
    // a changed bit spoils one value of several
    if (chosen === ofRun) expect(found).toBeGreaterThan(TIMES * runs)
  })

  it('of an earlier run or of another session, matches nothing', () => {
    const last = new Map<number, Uint8Array<ArrayBuffer>>()
    const earlier: Said = (honest, index) => {
      if (index === 0 || !ofRun(honest)) return honest
      const before = last.get(honest.length) ?? new Uint8Array(honest.length)
      last.set(honest.length, honest)
      return before
    }
    for (const matched of replayed(protocol, 0, runs, views[0]!, earlier)) expect(matched).toEqual(zeros)
    const other: Said = (honest, index) => (index === 0 ? honest : Uint8Array.from(elsewhere[0]![index]!))
    for (const matched of replayed(protocol, 0, runs, views[0]!, other)) expect(matched).toEqual(zeros)
    const setUp: Said = (_, index) => Uint8Array.from(elsewhere[0]![index]!)
    for (const matched of replayed(protocol, 0, 5, views[0]!, setUp)) expect(matched).toEqual(zeros)
  })

  it('changed in the set-up, is refused, or matches nothing that is not shared', { timeout }, () => {
    const random = stream(`${protocol.name} set-up`)
    const seen = new Set<string>()
    for (let attempt = 0; attempt < Math.min(6 * TIMES, 300); attempt++) {
      const side = attempt % 2 === 0 ? 0 : 1
      try {
        const [matched] = replayed(protocol, side, 1, views[side]!, (honest, index) =>
          index === 0 ? mutated(honest, new Uint32Array(random.words(2).buffer)) : honest,
        )
        expect((matched ?? zeros).every((bit, item) => bit <= expected[item]!)).toBe(true)
        seen.add('closed')
      } catch (error) {
        if (!isSluiceError(error)) throw error
        seen.add(error.code)
      }
    }
    expect([...seen].filter(code => code !== 'closed')).toEqual(['PROTOCOL_VIOLATION'])
  })
})

/** Flips a bit, overwrites four bytes, or fills it all. */
function mutated(bytes: Uint8Array<ArrayBuffer>, words: Uint32Array): Uint8Array<ArrayBuffer> {
  const at = words[0]! % bytes.length
  const kind = words[1]! % 8
  if (kind === 0) bytes.fill(words[2]! & 255)
  else if (kind < 3) bytes.set(new Uint8Array(words.buffer, 8, Math.min(4, bytes.length - at)), at)
  else bytes[at]! ^= 1 << (words[2]! & 7)
  return bytes
}

describe.each([rr22, kkrt16])('over sessions, a peer of $name', protocol => {
  const pair: SessionJob = { ...job, participants: job.participants.slice(0, 2) }

  /** What an honest side ends with, against a peer that sets up honestly and then does as it likes. */
  async function honest(side: 0 | 1, peer: (session: Session) => Promise<unknown>): Promise<unknown> {
    const group = await loadRistretto()
    const sessions = await Promise.all(
      memoryPair().map(async (end, self) => {
        const approval = await approveJob(pair.digest, people[self]!)
        return Session.open({ job: pair, self, approval, streams: new Map([[1 - self, end]]), seconds: 20 })
      }),
    )
    type Run = (hashes: ItemHashes, peerCount: number) => Protocol<unknown>
    const role = (self: number): Protocol<Run> => {
      const channel = { session: sessions[self]!.id, peer: 1 - self, group }
      return self === 0 ? protocol.receiver(channel) : protocol.sender(channel)
    }
    const [own, other] = [sessions[side]!, sessions[1 - side]!]
    const ending = (async () => {
      const intersect = await own.run(role(side))
      await own.run(intersect(sets[side], sets[1 - side]!.length / 16))
      await own.end()
    })()
    const leaving = other.run(role(1 - side)).then(() => peer(other))
    const [ended] = await Promise.allSettled([ending, leaving])
    return ended.status === 'rejected' ? ended.reason : undefined
  }

  it.each([0, 1] as const)(
    'that ends early: participant %i stops with a code, and does not wait',
    async side => {
      const error = await honest(side, session => session.end())
      expect(isSluiceError(error) && error.code).toMatch(/^(PROTOCOL_VIOLATION|PEER_STOPPED|PEER_LOST)$/)
    },
  )

  it.each([0, 1] as const)('that sends other lengths: participant %i refuses them', async side => {
    const error = await honest(side, session =>
      session.run(
        (function* (): Protocol<void> {
          const message = { to: side, bytes: new Uint8Array(5) }
          yield { send: [message, message], receive: [] }
        })(),
      ),
    )
    expect(isSluiceError(error) && error.code).toBe('PROTOCOL_VIOLATION')
  })
})
