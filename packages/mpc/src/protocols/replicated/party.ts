import { hkdfSync, randomBytes } from 'node:crypto'
import { AesCtrPrg, PRG_KEY_BYTES } from '../../prg/aes-ctr.js'
import type { Protocol } from '../../session/protocol.js'

/** The three computing parties are the first three participants, in their order. */
export type Index = 0 | 1 | 2

export const next = (index: Index): Index => ((index + 1) % 3) as Index
export const previous = (index: Index): Index => ((index + 2) % 3) as Index

/**
 * One of three parties of replicated secret sharing (Araki, Furukawa, Lindell, Nof and Ohara, "High-Throughput
 * Semi-Honest Secure Three-Party Computation with an Honest Majority", CCS 2016), over Z_2^64 and Z_2 as in ABY3
 * (Mohassel and Rindal, CCS 2018).
 *
 * Secure against one party that follows the protocol and remembers everything. Any two of the three who put their
 * shares together read everything. A party that does not follow the protocol can change results unnoticed.
 *
 * Holds the correlated randomness of one session: key i is known to party i and the one before it.
 */
export interface Party {
  readonly index: Index
  /** stream of this party's own key, shared with the previous party */
  readonly own: AesCtrPrg
  /** stream of the next party's key */
  readonly next: AesCtrPrg
  /** rows that protocols value by value take at once, a multiple of 64 and the same at all three */
  readonly blockRows: number
}

/** What a block takes is little beside columns that are longer, and its rounds beside what is sent in them. */
export const BLOCK_ROWS = 1 << 20

/**
 * The start: every party gives a fresh seed to the one before it (Araki et al., section 2.2, protocol 2.6). Keys are
 * derived from seed and session, so that no two sessions share a stream.
 *
 * One round; 32 bytes a party.
 *
 * @param session identifier of the session, hexadecimal
 */
export function* establish(
  index: Index,
  session: string,
  random: (bytes: number) => Uint8Array = randomBytes,
  blockRows = BLOCK_ROWS,
): Protocol<Party> {
  const seed = new Uint8Array(random(SEED_BYTES))
  const [received] = yield {
    send: [{ to: previous(index), bytes: seed }],
    receive: [{ from: next(index), bytes: SEED_BYTES }],
  }
  return { index, own: stream(seed, session), next: stream(received!, session), blockRows }
}

const SEED_BYTES = 32

function stream(seed: Uint8Array, session: string): AesCtrPrg {
  const salt = Buffer.from(session, 'hex')
  return new AesCtrPrg(
    new Uint8Array(hkdfSync('sha256', seed, salt, 'sluice-mpc/1 replicated', PRG_KEY_BYTES)),
  )
}
