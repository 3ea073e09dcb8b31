import { connect as connectPlain, createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type Duplex, Transform } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import {
  approveJob,
  type Endpoint,
  type MeetEvent,
  type MeetOptions,
  meet,
  type Protocol,
  reservePort,
  Session,
} from '@sluice/mpc'
import { describe, expect, it } from 'vitest'
import { job, people, person } from '../session/parties.js'

async function endpoints(host = '127.0.0.1'): Promise<Endpoint[]> {
  return Promise.all(
    people.map(async ({ name, publicKey }) => ({
      name,
      key: publicKey,
      address: { host, port: await reservePort(host) },
    })),
  )
}

const come = (participants: readonly Endpoint[], self: number, more: Partial<MeetOptions> = {}) =>
  meet({ participants, self, signer: people[self]!, wait: 20, ...more })

const close = (streams: ReadonlyMap<number, Duplex>[]) => {
  for (const stream of streams.flatMap(map => [...map.values()])) stream.destroy()
}

function* around(self: number, bytes: Uint8Array<ArrayBuffer>): Protocol<Uint8Array> {
  const incoming = { from: (self + 2) % 3, bytes: bytes.length }
  const [received] = yield { send: [{ to: (self + 1) % 3, bytes }], receive: [incoming] }
  return received!
}

describe('parties that meet over mutual TLS', () => {
  // a container may have no IPv6
  const hosts = [
    '127.0.0.1',
    ...(Object.values(networkInterfaces())
      .flat()
      .some(at => at?.address === '::1')
      ? ['::1']
      : []),
  ]
  it.each(hosts)('at %s, run a protocol and end', async host => {
    const participants = await endpoints(host)
    const events: MeetEvent[] = []
    const message = new Uint8Array(2_000_000).fill(5)
    const outputs = await Promise.all(
      people.map(async (signer, self) => {
        const streams = await come(participants, self, { onEvent: event => events.push(event) })
        const approval = await approveJob(job.digest, signer)
        const session = await Session.open({ job, self, approval, streams })
        const output = await session.run(around(self, message))
        await session.end()
        return output
      }),
    )
    for (const output of outputs) expect(Buffer.compare(output, message)).toBe(0)
    expect(events.filter(({ kind }) => kind === 'connected')).toHaveLength(6)
  })

  it.each([
    [2, 1, 0],
    [1, 2, 0],
    [0, 2, 1],
  ])('whoever starts first: %i, %i, %i', async (...order) => {
    const participants = await endpoints()
    const meeting: Promise<Map<number, Duplex>>[] = []
    for (const self of order) {
      meeting.push(come(participants, self))
      await new Promise(resolve => setTimeout(resolve, 150))
    }
    const streams = await Promise.all(meeting)
    expect(streams.map(map => [...map.keys()].sort())).toEqual(
      order.map(self => [0, 1, 2].filter(other => other !== self)),
    )
    close(streams)
  })

  it('says who did not come', async () => {
    const participants = await endpoints()
    const error = await come(participants, 0, { wait: 0.3 }).catch(thrown => thrown)
    expect(error.code).toBe('PEER_AWAY')
    expect(error.facts.parties).toEqual(['bank', 'operator'])
  })

  it('says that a port is taken, at once', async () => {
    const participants = await endpoints()
    const taken = createServer()
    await new Promise<void>(resolve => taken.listen(participants[0]!.address, resolve))
    await expect(come(participants, 0)).toThrowWithCode('ADDRESS_UNAVAILABLE')
    taken.close()
  })

  it('stops at a signal, and lets go of the port', async () => {
    const participants = await endpoints()
    const controller = new AbortController()
    const waiting = come(participants, 0, { signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    await expect(waiting).toThrowWithCode('INTERRUPTED')
    const streams = await Promise.all([0, 1, 2].map(self => come(participants, self)))
    close(streams)
  })

  it('a caller with a wrong key is turned away, told so, and disturbs nobody', async () => {
    const participants = await endpoints()
    const refused: MeetEvent[] = []
    const first = come(participants, 0, { onEvent: event => event.kind === 'refused' && refused.push(event) })
    const impostor = async () => {
      const [self, signer] = [1, { ...person('impostor'), name: 'bank' }]
      const streams = await meet({ participants: participants.slice(0, 2), self, signer, wait: 20 })
      const approval = await approveJob(job.digest, people[1]!)
      return Session.open({ job, self, approval, streams, seconds: 20 })
    }
    const error = await impostor().catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'PEER_UNTRUSTED', facts: { party: 'bureau' } })
    expect(error.message).toBe('"bureau" refuses this party’s certificate')
    const others = [1, 2].map(self => come(participants, self))
    close(await Promise.all([first, ...others]))
    expect(refused[0]).toMatchObject({ kind: 'refused', reason: expect.stringContaining('not signed') })
  })

  it('a caller with a wrong key learns so while others are still away', async () => {
    const participants = await endpoints()
    const controller = new AbortController()
    const first = come(participants, 0, { signal: controller.signal }).catch(error => error)
    const signer = { ...person('impostor'), name: 'operator' }
    // the bank, on whom the operator waits too, never comes
    const error = await come(participants, 2, { signer }).catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'PEER_UNTRUSTED', facts: { party: 'bureau' } })
    controller.abort()
    expect((await first).code).toBe('INTERRUPTED')
  })

  it('a wrong key where a party should be ends it, naming the party', async () => {
    const participants = await endpoints()
    const wrong = participants.map((endpoint, self) =>
      self === 0 ? { ...endpoint, key: person('another').publicKey } : endpoint,
    )
    const controller = new AbortController()
    const bureau = come(participants, 0, { signal: controller.signal }).catch(error => error)
    const error = await come(wrong, 1).catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'PEER_UNTRUSTED', facts: { party: 'bureau' } })
    controller.abort()
    expect((await bureau).code).toBe('INTERRUPTED')
  })

  it('accepts a clock that is hours off and refuses one that is days off', async () => {
    const participants = await endpoints()
    const off = (hours: number) => () => new Date(Date.now() + hours * 3_600_000)
    close(
      await Promise.all([
        come(participants, 0, { now: off(20) }),
        come(participants, 1),
        come(participants, 2),
      ]),
    )
    const controller = new AbortController()
    const bureau = come(participants, 0, { now: off(-24 * 9), signal: controller.signal }).catch(
      error => error,
    )
    await expect(come(participants, 1)).toThrowWithCode('PEER_UNTRUSTED')
    controller.abort()
    await bureau
  })

  it('is not disturbed by strangers: plain text, no certificate, TLS 1.2, many who say nothing', async () => {
    const participants = await endpoints()
    const reasons: string[] = []
    const onEvent = (event: MeetEvent) => event.kind === 'refused' && reasons.push(event.reason)
    const listening = new Promise<MeetEvent>(resolve => {
      void come(participants, 0, {
        onEvent: event => (event.kind === 'listening' ? resolve(event) : onEvent(event)),
      }).then(streams => meetings.push(streams))
    })
    const meetings: Map<number, Duplex>[] = []
    await listening
    const { host, port } = participants[0]!.address!
    const silent = Array.from({ length: 30 }, () => connectPlain({ host, port }).on('error', () => undefined))
    const plain = connectPlain({ host, port }).on('error', () => undefined)
    plain.resume().end('GET / HTTP/1.1\r\n\r\n')
    await new Promise(resolve => plain.once('close', resolve))
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const socket = connectTls({ host, port, rejectUnauthorized: false, maxVersion })
      await new Promise(resolve =>
        socket
          .on('error', () => undefined)
          .resume()
          .once('close', resolve),
      )
    }
    meetings.push(...(await Promise.all([1, 2].map(self => come(participants, self)))))
    while (meetings.length < 3) await new Promise(resolve => setTimeout(resolve, 10))
    for (const socket of silent) socket.destroy()
    close(meetings)
    expect(reasons.length).toBeGreaterThanOrEqual(3)
    expect(reasons).toContainEqual(expect.stringContaining('cannot be read'))
  })

  it('gets through a slow and halting network', async () => {
    const participants = await endpoints()
    const slowed = await Promise.all(participants.map(endpoint => slow(endpoint.address!.port)))
    const through = participants.map((endpoint, index) => ({
      ...endpoint,
      address: { host: '127.0.0.1', port: slowed[index]!.port },
    }))
    const message = new Uint8Array(300_000).fill(9)
    const outputs = await Promise.all(
      people.map(async (signer, self) => {
        const streams = await come(through, self, { listen: participants[self]!.address! })
        const approval = await approveJob(job.digest, signer)
        const session = await Session.open({ job, self, approval, streams })
        const output = await session.run(around(self, message))
        await session.end()
        return output
      }),
    )
    for (const output of outputs) expect(Buffer.compare(output, message)).toBe(0)
    for (const { server } of slowed) server.close()
  })
})

/** A proxy that passes on small pieces, each after a delay that differs, and sometimes halts. */
async function slow(target: number): Promise<{ port: number; server: Server }> {
  const server = createServer({ allowHalfOpen: true }, client => {
    const upstream = connectPlain({ host: '127.0.0.1', port: target, allowHalfOpen: true })
    client.pipe(halting()).pipe(upstream)
    upstream.pipe(halting()).pipe(client)
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as { port: number }).port, server }
}

function halting(): Transform {
  let count = 0
  return new Transform({
    transform(chunk, _encoding, callback) {
      count++
      setTimeout(() => callback(null, chunk), count % 7 === 0 ? 40 : count % 3)
    },
  })
}
