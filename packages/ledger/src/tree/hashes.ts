import { hash } from 'node:crypto'

/** RFC 6962, section 2.1, with SHA-256. */
export const HASH_BYTES = 32

export function leafHash(entry: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(entry.length + 1)
  message[0] = 0x00
  message.set(entry, 1)
  return hash('sha256', message, 'buffer')
}

const node = Buffer.alloc(1 + 2 * HASH_BYTES, 0x01)

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  // one buffer for all calls: hashing is synchronous and this is the hottest call of the tree
  node.set(left, 1)
  node.set(right, 1 + HASH_BYTES)
  return hash('sha256', node, 'buffer')
}

/** The root of the tree without leaves. */
export function emptyRoot(): Buffer {
  return hash('sha256', Buffer.alloc(0), 'buffer')
}
