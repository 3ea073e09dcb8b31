import { SluiceError } from '@sluice/core'
import { reduce } from '../../field/kernels.js'
import { bytesOf, wordsOf } from '../../prg/aes-ctr.js'
import type { Words } from '../../ring/slots.js'
import type { Incoming, Protocol } from '../../session/protocol.js'
import { type Committee, pointOf, type ShamirParty } from './party.js'
import { interpolate } from './polynomial.js'

/**
 * Opens a column to the named participants and to nobody else, from the shares of any t parties; whoever has left
 * since the inputs is not needed. There is no fairness: a receiver who has what it needs can leave before the others
 * have theirs.
 *
 * One round; every party sends one element for each value to each receiver. Where more than t shares arrive, all of
 * them have to lie on one polynomial: up to n − t changed ones are noticed, though not whose they are.
 *
 * @param receivers indices of participants
 * @returns the values, at a party that receives
 * @throws SluiceError PEER_LOST where fewer than t parties are left, PROTOCOL_VIOLATION where shares do not fit
 */
export function* open(
  party: ShamirParty,
  share: Words,
  receivers: readonly number[],
): Protocol<Words | undefined> {
  const send = receivers.filter(to => to !== party.index).map(to => ({ to, bytes: bytesOf(share) }))
  if (!receivers.includes(party.index)) {
    yield { send, receive: [] }
    return undefined
  }
  const shares = yield* gather(party, share.length, send, new Map([[party.index, share]]))
  return reconstruct(shares, party.threshold)
}

/** The side of a receiver that is no computing party. */
export function* receiveOpened(committee: Committee, length: number): Protocol<Words> {
  return reconstruct(yield* gather(committee, length, [], new Map()), committee.threshold)
}

/** The shares of whoever is still there. */
export function* gather(
  { size }: Committee,
  length: number,
  send: readonly { to: number; bytes: Uint8Array<ArrayBuffer> }[],
  known: ReadonlyMap<number, Words>,
): Protocol<Map<number, Words>> {
  const receive: Incoming[] = Array.from({ length: size }, (_, from) => from)
    .filter(from => !known.has(from))
    .map(from => ({ from, bytes: length * 8, optional: true }))
  const received = yield { send, receive }
  const shares = new Map(known)
  receive.forEach(({ from, bytes }, position) => {
    if (received[position]!.length === bytes) shares.set(from, reduce(wordsOf(received[position]!)))
  })
  return shares
}

/** The values of polynomials with `coefficients` coefficients. */
export function reconstruct(shares: ReadonlyMap<number, Words>, coefficients: number): Words {
  if (shares.size < coefficients) {
    throw new SluiceError('PEER_LOST', `${shares.size} parties are left, and ${coefficients} are needed`, {
      remedy: 'See what the terminals of the others say; then every party starts the job again.',
      facts: { left: shares.size, needed: coefficients },
    })
  }
  const enough = new Map([...shares].slice(0, coefficients))
  for (const [index, share] of [...shares].slice(coefficients)) {
    const expected = interpolate(enough, pointOf(index))
    if (!share.every((element, i) => element === expected[i])) throw inconsistent()
  }
  return interpolate(enough, 0n)
}

function inconsistent(): SluiceError {
  return new SluiceError('PROTOCOL_VIOLATION', 'The shares that arrived do not fit each other', {
    remedy: 'Ask every operator which version runs there; then every party starts the job again.',
  })
}
