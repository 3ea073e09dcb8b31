import { randomBytes } from 'node:crypto'
import type { Protocol } from '../session/protocol.js'
import { arena } from './arena.js'
import { receiveBaseOts, sendBaseOts } from './base-ot.js'
import { BitColumns, bitsOf, everyOther, wholeWords } from './bit-columns.js'
import type { PsiChannel } from './protocol.js'

/** Bytes of a row of correlated transfers. */
export const ROW_BYTES = 16
const COLUMNS = 128

/** The side that knows Δ: of every transfer it gets q. */
export interface CorrelatedSender {
  /** 16 bytes, the same for all transfers of the session */
  readonly delta: Uint8Array
  /** @returns `count` rows of 16 bytes */
  extend(count: number): Protocol<Uint8Array<ArrayBuffer>>
}

/** The side that chooses: of every transfer it gets t = q ⊕ choice · Δ. */
export interface CorrelatedReceiver {
  /**
   * @param choices a bit for each transfer, packed, the lowest of a byte first
   * @returns `count` rows of 16 bytes
   */
  extend(choices: Uint8Array, count: number): Protocol<Uint8Array<ArrayBuffer>>
}

/**
 * Correlated oblivious transfers by extension (Ishai, Kilian, Nissim and Petrank, "Extending Oblivious Transfers
 * Efficiently", CRYPTO 2003, section 3, before the hash), from 128 base transfers with AES-128 in counter mode as the
 * generator. Both sides must follow the protocol: a receiver who does not learns Δ.
 *
 * Set-up: one round. An extension: one message of 16 bytes a transfer, from the receiver.
 */
export function* correlatedSender(channel: PsiChannel): Protocol<CorrelatedSender> {
  const { random = randomBytes, peer } = channel
  const delta = new Uint8Array(random(ROW_BYTES))
  const columns = new BitColumns(yield* receiveBaseOts(channel, bitsOf(delta)))
  return {
    delta,
    *extend(count) {
      const rows = wholeWords(count)
      const size = rows * ROW_BYTES
      const memory = arena({ columns: size, rows: size, received: size, delta: ROW_BYTES })
      columns.draw(memory, memory.at.rows, rows)
      const [received] = yield { send: [], receive: [{ from: peer, bytes: size }] }
      memory.bytes.received.set(received!)
      memory.bytes.delta.set(delta)
      memory.kernels.xorMasked(memory.at.rows, memory.at.received, memory.at.delta, ROW_BYTES, rows)
      return memory.bytes.rows.slice(0, count * ROW_BYTES)
    },
  }
}

export function* correlatedReceiver(channel: PsiChannel): Protocol<CorrelatedReceiver> {
  const pairs = yield* sendBaseOts(channel, COLUMNS)
  const columns = [0, 1].map(choice => new BitColumns(everyOther(pairs, choice)))
  return {
    *extend(choices, count) {
      const rows = wholeWords(count)
      const size = rows * ROW_BYTES
      const memory = arena({ columns: size, rows: size, sent: size, choices: rows / 8 })
      columns[0]!.draw(memory, memory.at.rows, rows)
      columns[1]!.draw(memory, memory.at.sent, rows)
      memory.kernels.xorInto(memory.at.sent, memory.at.rows, size)
      memory.bytes.choices.set(choices)
      memory.kernels.flipWhere(memory.at.sent, memory.at.choices, rows)
      yield { send: [{ to: channel.peer, bytes: memory.bytes.sent.slice() }], receive: [] }
      return memory.bytes.rows.slice(0, count * ROW_BYTES)
    },
  }
}
