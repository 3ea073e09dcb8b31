import { randomBytes } from 'node:crypto'
import { reduce } from '../../field/kernels.js'
import { bytesOf, wordsOf } from '../../prg/aes-ctr.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'
import { type Committee, checkCommittee, coefficientsFrom, type ShamirParty } from './party.js'
import { evaluate } from './polynomial.js'

/**
 * A column of one of the parties becomes shared (Shamir 1979). A party that has all inputs can finish without whoever
 * gave them; where an owner leaves before everybody has its shares, the session ends.
 *
 * One round; the owner sends one element for each value to every other party.
 *
 * @param values field elements, see `fromSigned`, at the owner; their number, at the others
 */
export function* inputOf(party: ShamirParty, owner: number, values: Words | number): Protocol<Words> {
  if (party.index !== owner) return yield* receiveFrom(owner, values as number)
  const { size, threshold, coefficients } = party
  const shares = evaluate(values as Words, threshold - 1, size, coefficients)
  const others = shares.map((share, to) => ({ to, bytes: bytesOf(share) })).filter(({ to }) => to !== owner)
  yield { send: others, receive: [] }
  return shares[owner]!
}

/**
 * The same for an owner that computes nothing; the parties run `receiveFrom`.
 *
 * One round; the owner sends one element for each value to every party.
 *
 * @throws SluiceError JOB_INVALID where the threshold does not fit
 */
export function* provide(
  values: Words,
  committee: Committee,
  random: (bytes: number) => Uint8Array = randomBytes,
): Protocol<void> {
  checkCommittee(committee)
  const { size, threshold } = committee
  const shares = evaluate(values, threshold - 1, size, coefficientsFrom(random))
  yield { send: shares.map((share, to) => ({ to, bytes: bytesOf(share) })), receive: [] }
}

/** @param provider index of the participant whose column it is */
export function* receiveFrom(provider: number, length: number): Protocol<Words> {
  const [share] = yield { send: [], receive: [{ from: provider, bytes: length * 8 }] }
  return reduce(wordsOf(share!))
}
