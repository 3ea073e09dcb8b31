import { createHash, type Hash } from 'node:crypto'

/**
 * A SHA-256 under way that is bound to a session and a purpose: what is hashed here collides with nothing that
 * another session or another step hashes.
 *
 * @param session 64 hexadecimal digits
 * @param purpose which step, such as `rr22 okvs`
 * @param number which of several alike, such as the number of the run in its session
 */
export function domainHash(session: string, purpose: string, number: number): Hash {
  const head = Buffer.alloc(34)
  head.write(session, 'hex')
  head.writeUInt16LE(purpose.length, 32)
  const count = Buffer.alloc(8)
  count.writeBigUInt64LE(BigInt(number))
  return createHash('sha256').update(head).update(purpose).update(count)
}

/** 32 bytes that every participant of the session can compute: the key of a public hash, the seed of a public code. */
export function domainKey(session: string, purpose: string, number = 0): Uint8Array<ArrayBuffer> {
  return new Uint8Array(domainHash(session, purpose, number).digest())
}
