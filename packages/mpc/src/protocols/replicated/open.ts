import { bytesOf, wordsOf } from '../../prg/aes-ctr.js'
import { combine, type Words } from '../../ring/kernels.js'
import type { Outgoing, Protocol } from '../../session/protocol.js'
import { next, type Party, previous } from './party.js'
import type { Arithmetic } from './shares.js'

/**
 * Opens a column to the named participants and to nobody else. There is no fairness: a receiver who has what it
 * needs can leave before the others have theirs.
 *
 * One round; a receiving party gets one ring element for each value, a receiver outside the three gets three.
 *
 * @param receivers indices of participants
 * @returns the values, at a party that receives
 */
export function* open(
  party: Party,
  share: Arithmetic,
  receivers: readonly number[],
): Protocol<Words | undefined> {
  const { index } = party
  const send: Outgoing[] = []
  if (receivers.includes(next(index))) send.push({ to: next(index), bytes: bytesOf(share.own) })
  for (const to of receivers.filter(receiver => receiver > 2)) send.push({ to, bytes: bytesOf(share.own) })
  if (!receivers.includes(index)) {
    yield { send, receive: [] }
    return undefined
  }
  const [missing] = yield { send, receive: [{ from: previous(index), bytes: share.own.byteLength }] }
  return combine('add', combine('add', share.own, share.next), wordsOf(missing!))
}

/** The side of a receiver outside the three. */
export function* receiveOpened(length: number): Protocol<Words> {
  const shares = yield { send: [], receive: [0, 1, 2].map(from => ({ from, bytes: length * 8 })) }
  return shares.map(wordsOf).reduce((sum, share) => combine('add', sum, share))
}
