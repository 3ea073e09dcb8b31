import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import {
  approveJob,
  meet,
  memoryMesh,
  type Protocol,
  reservePort,
  Session,
  type SessionJob,
} from '@sluice/mpc'
import { combine, fromSigned } from '@sluice/mpc/field'
import type { Words } from '@sluice/mpc/ring'
import { inputOf, multiply, open, prepareProducts, type ShamirParty, shamirParty } from '@sluice/mpc/shamir'
import { expect, it } from 'vitest'
import { person } from './parties.js'

const people = ['bureau', 'bank', 'hospital', 'university', 'operator'].map(person)
const job: SessionJob = {
  digest: createHash('sha256').update('a sum of five').digest('hex'),
  participants: people.map(({ name, publicKey }) => ({ name, key: publicKey })),
}
const EVERYONE = [0, 1, 2, 3, 4]
const ROWS = 1000

function* inputs(party: ShamirParty): Protocol<Words> {
  let total: Words = new BigUint64Array(ROWS)
  for (const owner of EVERYONE) {
    const own = fromSigned(new BigInt64Array(ROWS).fill(10n ** BigInt(owner)))
    total = combine('add', total, yield* inputOf(party, owner, party.index === owner ? own : ROWS))
  }
  return total
}

/** Five sessions; those in `leaving` break off between their inputs and the opening. */
async function sums(leaving: readonly number[], mayLeave: boolean, mesh = memoryMesh(5)) {
  const sessions = await Promise.all(
    mesh.map(async (streams, self) =>
      Session.open({ job, self, approval: await approveJob(job.digest, people[self]!), streams, mayLeave }),
    ),
  )
  const parties = EVERYONE.map(index => shamirParty(index, { size: 5, threshold: 3 }))
  const totals = await Promise.all(sessions.map((session, index) => session.run(inputs(parties[index]!))))
  for (const index of leaving) for (const stream of mesh[index]!.values()) stream.destroy()
  return Promise.allSettled(
    sessions.map(async (session, index) => {
      const opened = await session.run(open(parties[index]!, totals[index]!, EVERYONE))
      await session.end()
      return { value: opened![ROWS - 1], left: [...session.left].sort() }
    }),
  )
}

/** Five parties who met over TLS. */
async function tlsMesh(): Promise<Map<number, Duplex>[]> {
  const participants = await Promise.all(
    job.participants.map(async participant => ({
      ...participant,
      address: { host: '127.0.0.1', port: await reservePort() },
    })),
  )
  return Promise.all(people.map((signer, self) => meet({ participants, self, signer, wait: 20 })))
}

it('goes on without those who left, and says who did', async () => {
  const results = await sums([1, 4], true)
  for (const index of [0, 2, 3]) {
    expect(results[index]).toEqual({ status: 'fulfilled', value: { value: 11_111n, left: [1, 4] } })
  }
  for (const index of [1, 4])
    expect(results[index]).toMatchObject({ status: 'rejected', reason: { code: 'PEER_LOST' } })
})

it('goes on over TLS too, whose connections break', async () => {
  const results = await sums([0, 3], true, await tlsMesh())
  for (const index of [1, 2, 4]) {
    expect(results[index]).toEqual({ status: 'fulfilled', value: { value: 11_111n, left: [0, 3] } })
  }
})

it('fails where too few are left', async () => {
  for (const result of await sums([0, 1, 4], true)) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'PEER_LOST' } })
  }
})

it('keeps what came whole before a party left, and nothing of what did not', async () => {
  const mesh = memoryMesh(5)
  const [first, second] = await Promise.all(
    [0, 1].map(async self =>
      Session.open({
        job,
        self,
        approval: await approveJob(job.digest, people[self]!),
        streams: new Map([[1 - self, mesh[self]!.get(1 - self)!]]),
        mayLeave: true,
      }),
    ),
  )
  function* saying(): Protocol<void> {
    yield { send: [{ to: 0, bytes: new Uint8Array([7, 7, 7]) }], receive: [] }
  }
  function* hearing(): Protocol<number[][]> {
    const receive = [3, 3].map(bytes => ({ from: 1, bytes, optional: true }))
    return (yield { send: [], receive }).map(message => [...message])
  }
  await second!.run(saying())
  while (first!.traffic.bytesReceived < second!.traffic.bytesSent)
    await new Promise(resolve => setImmediate(resolve))
  const gone = mesh[0]!.get(1)!
  mesh[1]!.get(0)!.destroy()
  await new Promise(resolve => gone.once('close', resolve))
  expect(await first!.run(hearing())).toEqual([[7, 7, 7], []])
  expect(first!.left).toEqual([1])
})

it('ends for everybody where nobody may leave', async () => {
  for (const result of await sums([1], false)) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: expect.stringMatching(/^PEER_/) } })
  }
})

it('ends where something is due from who left, and names them', async () => {
  const mesh = memoryMesh(5)
  const sessions = await Promise.all(
    mesh.map(async (streams, self) =>
      Session.open({
        job,
        self,
        approval: await approveJob(job.digest, people[self]!),
        streams,
        mayLeave: true,
      }),
    ),
  )
  for (const stream of mesh[2]!.values()) stream.destroy()
  const results = await Promise.allSettled(
    sessions.map((session, index) => session.run(inputs(shamirParty(index, { size: 5, threshold: 3 })))),
  )
  expect(results[0]).toMatchObject({
    status: 'rejected',
    reason: { code: 'PEER_LOST', facts: { party: 'hospital' } },
  })
  for (const result of results) expect(result.status).toBe('rejected')
})

it('ends where the king leaves, through whom products go, and names it', async () => {
  const mesh = memoryMesh(5)
  const sessions = await Promise.all(
    mesh.map(async (streams, self) =>
      Session.open({
        job,
        self,
        approval: await approveJob(job.digest, people[self]!),
        streams,
        mayLeave: true,
      }),
    ),
  )
  const parties = EVERYONE.map(index => shamirParty(index, { size: 5, threshold: 3 }, { king: 2 }))
  const supplies = await Promise.all(
    sessions.map((session, index) => session.run(prepareProducts(parties[index]!, ROWS))),
  )
  for (const stream of mesh[2]!.values()) stream.destroy()
  const column = new BigUint64Array(ROWS)
  const results = await Promise.allSettled(
    sessions.map((session, index) =>
      session.run(multiply(parties[index]!, column, column, supplies[index]!)),
    ),
  )
  const reasons = results.map(result => (result.status === 'rejected' ? result.reason : undefined))
  expect(reasons.map(reason => reason?.code)).toEqual(Array(5).fill('PEER_LOST'))
  expect(reasons[0].facts.party).toBe('hospital')
})
