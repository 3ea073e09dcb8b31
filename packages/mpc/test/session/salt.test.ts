import { createHash } from 'node:crypto'
import { canonicalBytes } from '@sluice/core'
import { memoryMesh, type Protocol } from '@sluice/mpc'
import { describe, expect, it } from 'vitest'
import { openSession } from './parties.js'

const HEADER = 9
const COUNT = 77

/** The first party tells the second a number, and the third nothing. */
function* telling(self: number): Protocol<void> {
  const bytes = new Uint8Array([1, COUNT, 0, 0, 0])
  yield {
    send: self === 0 ? [{ to: 1, bytes }] : [],
    receive: self === 1 ? [{ from: 0, bytes: bytes.length }] : [],
  }
}

const digestOf = (...messages: Uint8Array[]): string => {
  const hash = createHash('sha256')
  for (const message of messages) {
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(message.length))
    hash.update(length).update(message)
  }
  return hash.digest('hex')
}

describe('what is recorded of a connection', () => {
  it('is the same at both ends, and tells a third party nothing of a short message', async () => {
    const mesh = memoryMesh(3)
    const heard = [1, 2].map(peer => {
      const chunks: Buffer[] = []
      const stream = mesh[peer]!.get(0)!
      const push = stream.push.bind(stream)
      stream.push = chunk => {
        if (chunk !== null) chunks.push(Buffer.from(chunk))
        return push(chunk)
      }
      return chunks
    })
    const sessions = await Promise.all(mesh.map((streams, self) => openSession(self, { streams })))
    await Promise.all(sessions.map((session, self) => session.run(telling(self))))
    await Promise.all(sessions.map(session => session.end()))

    const [ours, theirs] = [sessions[0]!.transcripts[0]!, sessions[1]!.transcripts[0]!]
    expect([ours.sent, ours.received]).toEqual([theirs.received, theirs.sent])

    const [second, third] = heard.map(chunks => {
      const bytes = Buffer.concat(chunks)
      return JSON.parse(bytes.subarray(HEADER, HEADER + bytes.readUInt32LE(0)).toString())
    })
    expect(third.nonce).toBe(second.nonce)
    expect(third.salt).not.toBe(second.salt)
    const guesses = (hello: object) =>
      Array.from({ length: 128 }, (_, count) =>
        digestOf(canonicalBytes({ ...hello, to: 'bank' }), new Uint8Array([1, count, 0, 0, 0])),
      ).indexOf(ours.sent)
    // whom the number was for, with the greeting that came with it
    expect(guesses(second)).toBe(COUNT)
    expect(guesses(third)).toBe(-1)
  })
})
