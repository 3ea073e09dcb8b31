import { combine, reduce } from '../../field/kernels.js'
import { bytesOf, wordsOf } from '../../prg/aes-ctr.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import { type DealtParty, partiesOf } from './party.js'

/**
 * Opens a column to the named participants and to nobody else. There is no fairness: a receiver who has what it needs
 * can leave before the others have theirs.
 *
 * One round; every party sends one element for each value to each receiver.
 *
 * @param receivers indices of participants
 * @returns the values, at a party that receives
 */
export function* open(
  party: DealtParty,
  share: Words,
  receivers: readonly number[],
): Protocol<Words | undefined> {
  const others = partiesOf(party).filter(other => other !== party.index)
  const receives = receivers.includes(party.index)
  const shares = yield {
    send: receivers.filter(to => to !== party.index).map(to => ({ to, bytes: bytesOf(share) })),
    receive: receives ? others.map(from => ({ from, bytes: share.byteLength })) : [],
  }
  return receives ? added(shares, share) : undefined
}

/**
 * The side of a receiver that is no computing party.
 *
 * @param size how many parties compute
 */
export function* receiveOpened(size: number, length: number): Protocol<Words> {
  const shares = yield {
    send: [],
    receive: partiesOf({ size }).map(from => ({ from, bytes: length * 8 })),
  }
  return added(shares, new BigUint64Array(length))
}

function added(shares: readonly Uint8Array<ArrayBuffer>[], own: Words): Words {
  return shares.reduce((sum, share) => combine('add', sum, reduce(wordsOf(share))), own)
}
