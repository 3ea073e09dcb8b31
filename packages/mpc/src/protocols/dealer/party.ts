import { hkdfSync, randomBytes } from 'node:crypto'
import { SluiceError } from '@sluice/core'
import { affine } from '../../field/kernels.js'
import { AesCtrPrg, PRG_KEY_BYTES } from '../../prg/aes-ctr.js'
import type { Words } from '../../ring/slots.js'
import type { Protocol } from '../../session/protocol.js'

/** Who takes part: participants 0 to size − 1 compute, and one other participant deals. */
export interface Circle {
  readonly size: number
  /** index of the dealer, `size` or above */
  readonly dealer: number
}

/**
 * One of n parties of additive secret sharing over the field of order 2^61 − 1, with products out of triples that a
 * named dealer makes (Beaver, "Efficient Multiparty Protocols Using Circuit Randomization", CRYPTO 1991; Evans,
 * Kolesnikov and Rosulek, "A Pragmatic Introduction to Secure Multi-Party Computation", section 3.4): x is the sum of
 * one share of each party.
 *
 * Secure against any n − 1 of the parties together that follow the protocol, **as long as the dealer is with none of
 * them**. The dealer gets no message, so that by itself it learns nothing, whatever it does. With any one party it
 * reads every factor of every product; inputs of which only sums are opened it does not. A dealer that deals wrong
 * triples falsifies products unnoticed; so does a party that does not follow the protocol.
 *
 * Holds the keys of one session.
 */
export interface DealtParty extends Circle {
  readonly index: number
  /** by party: stream of its shares of this party's inputs */
  readonly given: ReadonlyMap<number, AesCtrPrg>
  /** by party: stream of this party's shares of its inputs */
  readonly taken: ReadonlyMap<number, AesCtrPrg>
  /** stream of this party's shares of triples, which the dealer has too */
  readonly dealt: AesCtrPrg
  /** stream that nobody else has */
  readonly own: AesCtrPrg
}

/** The dealer's keys: for each party the stream of its shares of triples. */
export interface Dealer extends Circle {
  readonly streams: readonly AesCtrPrg[]
}

/**
 * The start: every party gives every other a seed for its inputs, the dealer gives every party one for triples. Keys
 * are derived from seed, session and direction, so that no two streams are one.
 *
 * One round; a party sends 32 bytes to every other, the dealer to every party.
 *
 * @param session identifier of the session, hexadecimal
 * @throws SluiceError JOB_INVALID where the dealer is one of the parties, or there are fewer than two
 */
export function* establish(
  index: number,
  circle: Circle,
  session: string,
  random: (bytes: number) => Uint8Array = randomBytes,
): Protocol<DealtParty> {
  checkCircle(circle)
  const others = partiesOf(circle).filter(other => other !== index)
  const seeds = others.map(() => new Uint8Array(random(SEED_BYTES)))
  const received = yield {
    send: others.map((to, position) => ({ to, bytes: seeds[position]! })),
    receive: [...others, circle.dealer].map(from => ({ from, bytes: SEED_BYTES })),
  }
  const streamOf = (seed: Uint8Array, from: number, to: number): AesCtrPrg => stream(seed, session, from, to)
  return {
    ...circle,
    index,
    given: new Map(others.map((to, position) => [to, streamOf(seeds[position]!, index, to)])),
    taken: new Map(others.map((from, position) => [from, streamOf(received[position]!, from, index)])),
    dealt: streamOf(received.at(-1)!, circle.dealer, index),
    own: new AesCtrPrg(random(PRG_KEY_BYTES)),
  }
}

/** The dealer's side. */
export function* establishDealer(
  circle: Circle,
  session: string,
  random: (bytes: number) => Uint8Array = randomBytes,
): Protocol<Dealer> {
  checkCircle(circle)
  const seeds = partiesOf(circle).map(() => new Uint8Array(random(SEED_BYTES)))
  yield { send: seeds.map((bytes, to) => ({ to, bytes })), receive: [] }
  return { ...circle, streams: seeds.map((seed, to) => stream(seed, session, circle.dealer, to)) }
}

/** `factor · a + term` with a public factor and term; the term goes to party 0. */
export function affineOf(party: DealtParty, share: Words, factor: bigint, term: bigint): Words {
  return affine(share, factor, party.index === 0 ? term : 0n)
}

export function partiesOf({ size }: { readonly size: number }): number[] {
  return Array.from({ length: size }, (_, index) => index)
}

const SEED_BYTES = 32
const MOST = 1000

function stream(seed: Uint8Array, session: string, from: number, to: number): AesCtrPrg {
  const salt = Buffer.from(session, 'hex')
  const info = `sluice-mpc/1 dealer ${from} ${to}`
  return new AesCtrPrg(new Uint8Array(hkdfSync('sha256', seed, salt, info, PRG_KEY_BYTES)))
}

function checkCircle({ size, dealer }: Circle): void {
  const whole = Number.isInteger(size) && Number.isInteger(dealer)
  if (whole && size >= 2 && size <= MOST && dealer >= size) return
  throw new SluiceError('JOB_INVALID', 'The dealer and the parties do not fit', {
    rule: 'dealer.parties',
    remedy: `Take 2 to ${MOST} parties, and a dealer who is none of them.`,
  })
}
