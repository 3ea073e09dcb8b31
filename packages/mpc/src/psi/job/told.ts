import { SluiceError } from '@sluice/core'
import type { Protocol } from '../../session/protocol.js'
import { HashIndex } from '../hash-index.js'
import { ITEM_BYTES, type ItemHashes } from '../item-hash.js'

/**
 * The side that learned which items are shared tells the other, by their hashes under the session: 16 bytes each,
 * after their number in four bytes. The other has only its word that these are all.
 */
export function* tellShared(peer: number, hashes: ItemHashes, matched: Uint8Array): Protocol<void> {
  const shared = [...matched.keys()].filter(item => matched[item] === 1)
  const bytes = new Uint8Array(shared.length * ITEM_BYTES)
  shared.forEach((item, i) => {
    bytes.set(hashes.subarray(item * ITEM_BYTES, (item + 1) * ITEM_BYTES), i * ITEM_BYTES)
  })
  const head = new Uint8Array(4)
  new DataView(head.buffer).setUint32(0, shared.length, true)
  yield {
    send: [
      { to: peer, bytes: head },
      { to: peer, bytes },
    ],
    receive: [],
  }
}

/**
 * @returns 1 for each own item that is shared
 * @throws SluiceError PROTOCOL_VIOLATION where it is told of items that it does not have, or of more than there are
 */
export function* hearShared(peer: number, hashes: ItemHashes, peerCount: number): Protocol<Uint8Array> {
  const [head] = yield { send: [], receive: [{ from: peer, bytes: 4 }] }
  const count = new DataView(head!.buffer, head!.byteOffset).getUint32(0, true)
  const own = hashes.length / ITEM_BYTES
  if (count > Math.min(own, peerCount)) throw violated()
  const [told] = yield { send: [], receive: [{ from: peer, bytes: count * ITEM_BYTES }] }
  const matched = new Uint8Array(own)
  for (const place of new HashIndex(hashes).places(told!)) {
    if (place < 0 || matched[place] === 1) throw violated()
    matched[place] = 1
  }
  return matched
}

function violated(): SluiceError {
  return new SluiceError('PROTOCOL_VIOLATION', 'the shared items that were told are not those of this set', {
    rule: 'psi.told',
    remedy: 'Ask the other party which version runs there, then start the job again on both sides.',
  })
}
