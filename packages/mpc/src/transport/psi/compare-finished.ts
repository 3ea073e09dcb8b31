import type { HelperRoles } from '../../psi/helper.js'
import { PARTITIONS } from '../../psi/job/buckets.js'
import type { Protocol } from '../../session/protocol.js'
import type { FinishedPart } from './kept-helper-run.js'
import { cutOtherwise } from './records-of-run.js'

/** What one party has of a run with a helper. */
export interface Has {
  /** digest of what everybody brings and of how it is cut */
  readonly inputs: string
  readonly finished: ReadonlyMap<number, FinishedPart>
  /** the result is here */
  readonly isFinished: boolean
  /** the answer was about to be opened */
  readonly isOpened: boolean
}

/** What they have together. */
export interface HasAll {
  /** the receiver has the result */
  readonly isOver: boolean
  /** somebody knows that the receiver may have had the answer */
  readonly isOpened: boolean
  /** a part is finished where everybody has it of one session */
  readonly done: ReadonlySet<number>
}

/** One round; 545 bytes to each other party. @throws SluiceError JOB_MISMATCH where another party cuts otherwise */
export function* compareFinished(
  { self, helper, owners, receiver, nameOf }: HelperRoles,
  { inputs, finished, isFinished, isOpened }: Has,
): Protocol<HasAll> {
  const peers = [helper, ...owners].filter(index => index !== self)
  const said = new Uint8Array(DIGEST_BYTES + 1 + PARTITIONS * SESSION_BYTES)
  said.set(Buffer.from(inputs, 'hex'))
  said[DIGEST_BYTES] = (isFinished ? FINISHED : 0) | (isOpened ? OPENED : 0)
  for (const [part, { session }] of finished) {
    said.set(Buffer.from(session, 'hex').subarray(0, SESSION_BYTES), placeOf(part))
  }
  const heard = yield {
    send: peers.map(to => ({ to, bytes: said.slice() })),
    receive: peers.map(from => ({ from, bytes: said.length })),
  }
  const other = heard.findIndex(message => !isSame(message, said, 0, DIGEST_BYTES))
  if (other >= 0) throw cutOtherwise(nameOf(peers[other]!))
  const stateOf = (message: Uint8Array): number => message[DIGEST_BYTES]!
  const receivers = self === receiver ? said : heard[peers.indexOf(receiver)]!
  const done = [...finished.keys()].filter(part =>
    heard.every(message => isSame(message, said, placeOf(part), SESSION_BYTES)),
  )
  return {
    isOver: (stateOf(receivers) & FINISHED) !== 0,
    isOpened: [said, ...heard].some(message => (stateOf(message) & OPENED) !== 0),
    done: new Set(done),
  }
}

const DIGEST_BYTES = 32
/** of a session's identifier; zeros say that a part is not finished */
const SESSION_BYTES = 8
const FINISHED = 1
const OPENED = 2

const placeOf = (part: number): number => DIGEST_BYTES + 1 + part * SESSION_BYTES

function isSame(one: Uint8Array, other: Uint8Array, start: number, bytes: number): boolean {
  return Buffer.compare(one.subarray(start, start + bytes), other.subarray(start, start + bytes)) === 0
}
