import type { Duplex } from 'node:stream'
import { approveJob, memoryPair, type Protocol, type Session } from '@sluice/mpc'
import { AesCtrPrg } from '@sluice/mpc/ring'
import { describe, expect, it } from 'vitest'
import { Link } from '../../dist/session/link.js'
import { job, openSession, people } from './parties.js'

const HELLO = 1
const DATA = 2
const END = 4
const STOP = 5

function frame(kind: number, message: number, body: Uint8Array, length = body.length): Buffer {
  const bytes = Buffer.alloc(9)
  bytes.writeUInt32LE(length, 0)
  bytes.writeUInt8(kind, 4)
  bytes.writeUInt32LE(message, 5)
  return Buffer.concat([bytes, body])
}

const END_FRAME = frame(END, 0, Buffer.alloc(0))
const LOST_ANOTHER = frame(STOP, 0, Buffer.from('{"code":"PEER_LOST"}'))
const approval = await approveJob(job.digest, people[1]!)
const greeting = {
  version: 'sluice-mpc/2',
  from: 'bank',
  to: 'bureau',
  job: job.digest,
  approval,
  nonce: '0'.repeat(64),
  salt: '1'.repeat(64),
}
const hello = frame(HELLO, 0, Buffer.from(JSON.stringify(greeting)))
const message = Buffer.alloc(1000, 7)

function* receiving(bytes: number): Protocol<number> {
  const [received] = yield { send: [], receive: [{ from: 1, bytes }] }
  return received!.length
}

/** An honest party against a peer that says exactly these bytes and hangs up. */
async function against(...said: Uint8Array[]): Promise<{ session?: Session; error?: Error; theirs: Duplex }> {
  const [ours, theirs] = memoryPair()
  theirs.resume()
  theirs.on('error', () => undefined)
  for (const bytes of said) theirs.write(bytes)
  theirs.end()
  try {
    const session = await openSession(0, { streams: new Map([[1, ours]]), seconds: 20 })
    await session.run(receiving(message.length))
    await session.end()
    return { session, theirs }
  } catch (error) {
    return { error: error as Error, theirs }
  }
}

describe('a peer that does not keep to the protocol', () => {
  it('is not there: an honest one passes', async () => {
    const { error } = await against(hello, frame(DATA, 1, message), END_FRAME)
    expect(error).toBeUndefined()
  })

  const pieces = [message.subarray(0, 400), message.subarray(400)]
  const cases: [string, Uint8Array[], string][] = [
    ['garbage', [Buffer.from('GET / HTTP/1.1\r\nHost: bank\r\n\r\n')], 'PROTOCOL_VIOLATION'],
    ['a greeting that is no JSON', [frame(HELLO, 0, Buffer.from('{'))], 'PROTOCOL_VIOLATION'],
    ['a greeting of another', [frame(HELLO, 0, encoded({ from: 'operator' }))], 'PROTOCOL_VIOLATION'],
    ['a greeting for another', [frame(HELLO, 0, encoded({ to: 'operator' }))], 'PROTOCOL_VIOLATION'],
    ['another version', [frame(HELLO, 0, encoded({ version: 'sluice-mpc/1' }))], 'PROTOCOL_VIOLATION'],
    ['no nonce', [frame(HELLO, 0, encoded({ nonce: '' }))], 'PROTOCOL_VIOLATION'],
    ['no salt', [frame(HELLO, 0, encoded({ salt: '' }))], 'PROTOCOL_VIOLATION'],
    ['another job', [frame(HELLO, 0, encoded({ job: 'f'.repeat(64) }))], 'JOB_MISMATCH'],
    ['no signature', [frame(HELLO, 0, encoded({ approval: '' }))], 'JOB_MISMATCH'],
    ['shares before its greeting', [frame(DATA, 1, message)], 'PROTOCOL_VIOLATION'],
    ['two greetings', [hello, hello], 'PROTOCOL_VIOLATION'],
    ['a gigabyte in one frame', [hello, frame(DATA, 1, message, 1 << 30)], 'PROTOCOL_VIOLATION'],
    ['an empty data frame', [hello, frame(DATA, 1, Buffer.alloc(0))], 'PROTOCOL_VIOLATION'],
    ['too long a message', [hello, frame(DATA, 1, Buffer.alloc(1001))], 'PROTOCOL_VIOLATION'],
    [
      'too short a message',
      [hello, frame(DATA, 1, pieces[0]!), frame(DATA, 2, pieces[1]!)],
      'PROTOCOL_VIOLATION',
    ],
    ['an old frame', [hello, frame(DATA, 1, pieces[0]!), frame(DATA, 0, pieces[1]!)], 'PROTOCOL_VIOLATION'],
    ['one message too many', [hello, frame(DATA, 1, message), frame(DATA, 2, message)], 'PROTOCOL_VIOLATION'],
    ['an end before its message', [hello, END_FRAME], 'PROTOCOL_VIOLATION'],
    ['a message after its end', [hello, END_FRAME, frame(DATA, 1, message)], 'PROTOCOL_VIOLATION'],
    // in one piece, for who is done does not read on
    [
      'two ends',
      [hello, Buffer.concat([frame(DATA, 1, message), END_FRAME, END_FRAME])],
      'PROTOCOL_VIOLATION',
    ],
    ['half a message', [hello, frame(DATA, 1, message.subarray(0, 500), 1000)], 'PEER_LOST'],
    ['nothing', [], 'PEER_LOST'],
    ['a stop', [hello, frame(STOP, 0, Buffer.from('{"code":"FILE_MISSING"}'))], 'PEER_STOPPED'],
    // a dealer is done long before the others, and may lose one of them meanwhile
    [
      'a stop after its end',
      [hello, Buffer.concat([frame(DATA, 1, message), END_FRAME, LOST_ANOTHER])],
      'PEER_STOPPED',
    ],
    [
      'a stop in its own words',
      [hello, frame(STOP, 0, Buffer.from('{"code":"\u001b[31m"}'))],
      'PEER_STOPPED',
    ],
  ]

  it.each(cases)('sends %s', async (_, said, code) => {
    const { error } = await against(...said)
    await expect(() => {
      throw error
    }).toThrowWithCode(code)
    expect(error?.message).toContain('"bank"')
    expect(error?.message).not.toContain('\u001b')
  })

  it('greets as the version before did, without a salt: its version is named', async () => {
    const { salt, ...former } = { ...greeting, version: 'sluice-mpc/1' }
    const { error } = await against(frame(HELLO, 0, Buffer.from(JSON.stringify(former))))
    expect(error?.message).toBe('"bank" speaks another version of the protocol')
  })

  it('sends a gigabyte of frames: it is held back, and memory stays bounded', async () => {
    const [ours, theirs] = memoryPair()
    theirs.on('error', () => undefined)
    theirs.resume()
    theirs.write(hello)
    const session = await openSession(0, { streams: new Map([[1, ours]]), seconds: 20 })
    const before = process.memoryUsage().arrayBuffers
    const piece = frame(DATA, 1, Buffer.alloc(262_144))
    let written = 0
    while (written < 2 ** 30 && theirs.writable) {
      if (!theirs.write(piece)) {
        const drained = await Promise.race([
          new Promise(resolve => theirs.once('drain', () => resolve(true))),
          new Promise(resolve => setTimeout(() => resolve(false), 300)),
        ])
        if (!drained) break
      }
      written += piece.length
    }
    expect(written).toBeLessThan(16 << 20)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20)
    await expect(session.run(receiving(10))).toThrowWithCode('PROTOCOL_VIOLATION')
  })

  it('sends greetings and shares that were tampered with: 5,000 sessions', async () => {
    const random = new AesCtrPrg(Buffer.alloc(16, 5))
    const codes = await outcomes(5_000, async () => {
      const { error } = await against(mutate(whole, new Uint32Array(random.words(8).buffer)))
      return error
    })
    expect(codes).toEqual(['JOB_MISMATCH', 'PEER_LOST', 'PEER_STOPPED', 'PROTOCOL_VIOLATION', 'passed'])
  })

  it('sends 100,000 mutated frames: each ends with a coded error that names it, or passes unharmed', async () => {
    const random = new AesCtrPrg(Buffer.alloc(16, 6))
    const codes = await outcomes(100_000, () =>
      onLink(mutate(whole, new Uint32Array(random.words(8).buffer))),
    )
    expect(codes).toEqual(['PEER_LOST', 'PEER_STOPPED', 'PROTOCOL_VIOLATION', 'passed'])
  })
})

const whole = Buffer.concat([
  hello,
  frame(DATA, 1, message.subarray(0, 400)),
  frame(DATA, 1, message.subarray(400)),
  frame(END, 0, Buffer.alloc(0)),
])
const headers = [0, hello.length, hello.length + 409, hello.length + 409 + 609]

/** What became of so many connections, many at a time: every error has to name the peer. */
async function outcomes(count: number, connect: () => Promise<Error | undefined>): Promise<string[]> {
  const found = new Set<string>()
  for (let done = 0; done < count; done += 250) {
    const errors = await Promise.all(Array.from({ length: 250 }, connect))
    for (const error of errors) {
      const { code, facts } = (error ?? {}) as { code?: string; facts?: { party?: string } }
      if (error !== undefined && facts?.party !== 'bank') throw error
      found.add(code ?? 'passed')
    }
  }
  return [...found].sort()
}

/** The same against a connection alone, which checks no signature. */
async function onLink(said: Uint8Array): Promise<Error | undefined> {
  const [ours, theirs] = memoryPair()
  theirs.resume()
  theirs.on('error', () => undefined)
  theirs.end(said)
  const link = new Link(ours, 'bank')
  try {
    await link.greeting()
    await link.receive(message.length)
    await link.end()
    return undefined
  } catch (error) {
    return error as Error
  } finally {
    ours.destroy()
  }
}

function encoded(change: Partial<Record<keyof typeof greeting, string>>): Buffer {
  return Buffer.from(JSON.stringify({ ...greeting, ...change }))
}

/** Flips, overwrites, cuts, doubles or inserts, half of the time in a header. */
function mutate(whole: Buffer, words: Uint32Array): Buffer {
  const bytes = Buffer.from(whole)
  const at =
    words[0]! % 2 === 0 ? headers[words[1]! % headers.length]! + (words[2]! % 9) : words[1]! % bytes.length
  switch (words[3]! % 6) {
    case 0:
      bytes[at]! ^= 1 << (words[4]! % 8)
      return bytes
    case 1:
      bytes[at] = words[4]! % 8
      return bytes
    case 2:
      return bytes.subarray(0, at)
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(words[4]! % bytes.length)])
    case 4:
      return Buffer.concat([bytes, bytes.subarray(at)])
    default:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(words.buffer, 16, 12), bytes.subarray(at)])
  }
}
