import { approveJob, type Endpoint, meet, type Protocol, reservePort, Session } from '@sluice/mpc'
import { describe, expect, it } from 'vitest'
import { job, people } from '../session/parties.js'
import { type Fault, proxy, type Relay, type Weather } from './proxy.js'
import { SORTED, sortTogether } from './sorting.js'

const endpoints = (): Promise<Endpoint[]> =>
  Promise.all(
    people.map(async ({ name, publicKey }) => ({
      name,
      key: publicKey,
      address: { host: '127.0.0.1', port: await reservePort() },
    })),
  )

const quick = { heartbeat: 100, silence: 1_500, inbox: 1 << 20 }

/** Three parties, of whom the bank reaches the bureau through the weather; what became of each, by name. */
async function through(weather: Weather, seed: string, everywhere = false) {
  const participants = await endpoints()
  const relays: Relay[] = await Promise.all(
    participants.map(({ address }, index) => proxy(address!.port, weather, `${seed} ${index}`)),
  )
  const relayed = participants.map((participant, index) =>
    index === 0 || everywhere
      ? { ...participant, address: { host: '127.0.0.1', port: relays[index]!.port } }
      : participant,
  )
  const results = await Promise.allSettled(
    people.map((_, self) =>
      sortTogether(self === 1 || everywhere ? relayed : participants, self, {
        limits: quick,
        listen: participants[self]!.address,
      }),
    ),
  )
  for (const { close } of relays) close()
  return results
}

function* waiting(): Protocol<number> {
  const [received] = yield { send: [], receive: [{ from: 1, bytes: 1000 }] }
  return received!.length
}

describe('a bad network', () => {
  it.each<[string, Weather]>([
    ['slow', { delay: 6 }],
    ['in small pieces', { piece: 700 }],
    [
      'that halts, as where packets are lost',
      { piece: 4000, delay: 2, stall: { every: 40, milliseconds: 200 } },
    ],
  ])('%s: everybody gets the right result', async (name, weather) => {
    for (const result of await through(weather, name, true))
      expect(result).toEqual({ status: 'fulfilled', value: SORTED })
  })

  it.each<[Fault, number]>([
    ['cut', 6_000],
    ['cut', 12_000],
    ['silence', 6_000],
    ['silence', 12_000],
    ['deaf', 12_000],
    ['full', 12_000],
  ])('%s after %i bytes: nobody hangs or gets anything, and errors name a party', async (kind, bytes) => {
    const results = await through({ fault: { after: bytes, kind } }, kind)
    const found = results.map(result => (result.status === 'rejected' ? result.reason : undefined))
    const names = people.map(({ name }) => name)
    for (const error of found) {
      expect(['PEER_LOST', 'PEER_STOPPED']).toContain(error?.code)
      expect(names).toContain(error.facts.party)
    }
    // one of the two saw it; whom the others name may be whoever told them, and about whom
    const lost = found.map(({ code, facts }) => (code === 'PEER_LOST' ? facts.party : undefined))
    expect(lost[0] === 'bank' || lost[1] === 'bureau').toBe(true)
  })

  it('a party that announces a gigabyte is refused at once, however much it sends', async () => {
    const participants = await endpoints()
    const [first, second] = participants.slice(0, 2) as [Endpoint, Endpoint]
    const two = { ...job, participants: job.participants.slice(0, 2) }
    const honest = (async () => {
      const streams = await meet({ participants: [first, second], self: 0, signer: people[0]!, wait: 20 })
      const approval = await approveJob(job.digest, people[0]!)
      const session = await Session.open({ job: two, self: 0, approval, streams, seconds: 30 })
      return session.run(waiting())
    })().catch(error => error)
    const streams = await meet({ participants: [first, second], self: 1, signer: people[1]!, wait: 20 })
    const stream = streams.get(0)!
    stream.on('error', () => undefined).resume()
    const greeting = {
      version: 'sluice-mpc/2',
      from: 'bank',
      to: 'bureau',
      job: job.digest,
      approval: await approveJob(job.digest, people[1]!),
      nonce: '0'.repeat(64),
      salt: '1'.repeat(64),
    }
    const frame = (kind: number, length: number, body: Uint8Array): Buffer => {
      const header = Buffer.alloc(9)
      header.writeUInt32LE(length, 0)
      header.writeUInt8(kind, 4)
      return Buffer.concat([header, body])
    }
    const hello = Buffer.from(JSON.stringify(greeting))
    stream.write(frame(1, hello.length, hello))
    stream.write(frame(2, 2 ** 30, Buffer.alloc(1 << 16)))
    const before = process.memoryUsage().arrayBuffers
    let sent = 0
    const piece = Buffer.alloc(1 << 18)
    while (sent < 2 ** 30 && !stream.destroyed) {
      sent += piece.length
      if (stream.write(piece)) continue
      await new Promise(resolve => stream.once('drain', resolve).once('close', resolve))
    }
    expect(await honest).toMatchObject({ code: 'PROTOCOL_VIOLATION', facts: { party: 'bank' } })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20)
    expect(sent).toBeLessThan(2 ** 30)
  })
})
