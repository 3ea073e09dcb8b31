import { createHash } from 'node:crypto'
import {
  approveJob,
  memoryMesh,
  memoryPair,
  type Protocol,
  runLocally,
  type Session,
  together,
} from '@sluice/mpc'
import { describe, expect, it } from 'vitest'
import { job, openAll, openSession, people } from './parties.js'

/** Everybody sends their message around the ring, twice, and returns what came. */
function* ring(self: number, size: number): Protocol<string> {
  const bytes = new Uint8Array(size).fill(self + 1)
  const [next, previous] = [(self + 1) % 3, (self + 2) % 3]
  const [first] = yield { send: [{ to: next, bytes }], receive: [{ from: previous, bytes: size }] }
  const [second] = yield { send: [{ to: next, bytes: first! }], receive: [{ from: previous, bytes: size }] }
  return `${first![0]}${second!.at(-1)}`
}

const values = (results: PromiseSettledResult<Session>[]): Session[] =>
  results.map(result => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })

async function failures(results: Promise<PromiseSettledResult<unknown>[]>) {
  return (await results).map(result =>
    result.status === 'rejected'
      ? { code: result.reason.code, party: result.reason.facts?.party, message: result.reason.message }
      : undefined,
  )
}

describe('a session', () => {
  it.each([1, 1000, 300_000, 3_000_000])('carries messages of %i bytes and ends clearly', async size => {
    const sessions = values(await openAll())
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(1)
    const outputs = await Promise.all(sessions.map((session, self) => session.run(ring(self, size))))
    expect(outputs).toEqual(['32', '13', '21'])
    await Promise.all(sessions.map(session => session.end()))
    expect(sessions[0]!.traffic.rounds).toBe(2)
    expect(sessions[0]!.traffic.bytesSent).toBeGreaterThanOrEqual(2 * size)
  })

  it('waits for a party that is slower to end, whose heart and the others’ beat on', async () => {
    const limits = { heartbeat: 10, silence: 10_000, inbox: 8 << 20 }
    const sessions = values(await openAll({ limits }, { limits }, { limits }))
    const early = Promise.all(sessions.slice(0, 2).map(session => session.end()))
    await new Promise(resolve => setTimeout(resolve, 200))
    await Promise.all([early, sessions[2]!.end()])
  })

  it('is another each time', async () => {
    const ids = await Promise.all([openAll(), openAll()].map(async all => values(await all)[0]!.id))
    expect(new Set(ids).size).toBe(2)
  })

  it('runs protocols side by side in the rounds of the longest', async () => {
    const sessions = values(await openAll())
    const outputs = await Promise.all(
      sessions.map((session, self) => session.run(together(ring(self, 10), ring(self, 70_000)))),
    )
    expect(outputs).toEqual([
      ['32', '32'],
      ['13', '13'],
      ['21', '21'],
    ])
    expect(sessions[0]!.traffic.rounds).toBe(2)
  })

  it('refuses a party with another job, and names it', async () => {
    const other = { ...job, digest: createHash('sha256').update('another job').digest('hex') }
    const found = await failures(openAll({}, { job: other }, {}))
    expect(found.map(failure => failure?.code)).toEqual(['JOB_MISMATCH', 'JOB_MISMATCH', 'JOB_MISMATCH'])
    expect([found[0]?.party, found[2]?.party]).toEqual(['bank', 'bank'])
  })

  it('refuses a party that did not sign the job', async () => {
    const forged = await approveJob(job.digest, people[0]!)
    const found = await failures(openAll({}, { approval: forged }, {}))
    expect(found[0]).toMatchObject({ code: 'JOB_MISMATCH', party: 'bank' })
    expect(found[0]?.message).toContain('has not signed this job')
  })

  it('fails everywhere, naming who is to blame, when one party fails', async () => {
    const sessions = values(await openAll())
    const runs = sessions.map((session, self) =>
      self === 1
        ? session.run(
            (function* (): Protocol<string> {
              yield { send: [], receive: [] }
              throw new Error('a secret value 4711')
            })(),
          )
        : session.run(ring(self, 100_000)),
    )
    const found = await failures(Promise.allSettled(runs))
    expect(found[1]?.code).toBe('INTERNAL')
    expect(found[1]?.message).not.toContain('4711')
    for (const self of [0, 2]) expect(found[self]).toMatchObject({ code: 'PEER_STOPPED', party: 'bank' })
    await expect(sessions[0]!.run(ring(0, 1))).toThrowWithCode('PEER_STOPPED')
  })

  it('names a party whose connection broke', async () => {
    const mesh = memoryMesh(3)
    const sessions = values(
      await Promise.allSettled(mesh.map((streams, self) => openSession(self, { streams }))),
    )
    const runs = [0, 1].map(self => sessions[self]!.run(ring(self, 100)))
    for (const stream of mesh[2]!.values()) stream.destroy()
    const found = await failures(Promise.allSettled(runs))
    for (const failure of found) expect(failure).toMatchObject({ code: 'PEER_LOST', party: 'operator' })
  })

  it('loses a party that stays silent, and keeps one that only computes', async () => {
    const limits = { heartbeat: 20, silence: 100, inbox: 1 << 20 }
    const [ours] = memoryPair()
    const mesh = memoryMesh(2)
    const silent = openSession(0, { streams: new Map([[1, ours]]), limits })
    await expect(silent).toThrowWithCode('PEER_LOST')
    const pair = await Promise.all(mesh.map((streams, self) => openSession(self, { streams, limits })))
    const late = (function* (): Protocol<number> {
      const [bytes] = yield { send: [], receive: [{ from: 1, bytes: 1 }] }
      return bytes![0]!
    })()
    const received = pair[0]!.run(late)
    await new Promise(resolve => setTimeout(resolve, 400))
    await pair[1]!.run(
      (function* (): Protocol<void> {
        yield { send: [{ to: 0, bytes: new Uint8Array([9]) }], receive: [] }
      })(),
    )
    expect(await received).toBe(9)
    await Promise.all(pair.map(session => session.end()))
  })

  it('ends at its deadline and at a signal', async () => {
    const slow = openSession(0, { streams: new Map([[1, memoryPair()[0]]]), seconds: 0.05 })
    await expect(slow).toThrowWithCode('TIME_EXCEEDED')
    const controller = new AbortController()
    const stopped = openSession(0, { streams: new Map([[1, memoryPair()[0]]]), signal: controller.signal })
    controller.abort()
    await expect(stopped).toThrowWithCode('INTERRUPTED')
  })
})

describe('protocols without a network', () => {
  it('run in one process with everybody’s view', () => {
    const { outputs, views, rounds, bytesSent } = runLocally([0, 1, 2].map(self => ring(self, 5)))
    expect(outputs).toEqual(['32', '13', '21'])
    expect(rounds).toBe(2)
    expect(bytesSent).toEqual([10, 10, 10])
    expect(views[0]!.map(view => view[0])).toEqual([3, 2])
  })

  it('that do not fit each other are refused', async () => {
    await expect(() => runLocally([ring(0, 5), ring(1, 6), ring(2, 5)])).toThrowWithCode('INTERNAL')
  })
})
