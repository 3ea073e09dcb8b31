import { createHmac } from 'node:crypto'
import { type Messages, messageCount } from './messages.js'

export const HMAC_BYTES = 32

/**
 * HMAC of every message of a column (RFC 2104, FIPS 198-1), 32 bytes each, one after the other. Node has no bulk call for
 * it: about a tenth of the speed of `cmacColumn`.
 */
export function hmacColumn(digest: 'sha256' | 'sm3', key: Uint8Array, messages: Messages): Uint8Array {
  const { bytes, offsets } = messages
  const count = messageCount(messages)
  const tags = new Uint8Array(count * HMAC_BYTES)
  for (let row = 0; row < count; row++) {
    const message = bytes.subarray(offsets[row]!, offsets[row + 1]!)
    tags.set(createHmac(digest, key).update(message).digest(), row * HMAC_BYTES)
  }
  return tags
}
