import type { Checkpoint } from '../checkpoint/checkpoint.js'
import type { Envelope } from '../entries/envelope.js'
import type {
  JointBreak,
  JointEnd,
  JointStart,
  PsiBreak,
  PsiEnd,
  PsiRotation,
  PsiSet,
  PsiStart,
  Refusal,
  Release,
  Run,
  Sample,
} from '../entries/predicates.js'
import type { Signer } from '../keys/signer.js'
import type { Receipt } from '../receipts/receipt.js'

/** An entry and where it stands. */
export interface Entry {
  readonly index: number
  readonly envelope: Envelope
}

/** What a zone, or a party of joint jobs and intersections, makes itself, before its time is known. */
export type Untimed =
  | Omit<Run, 'time'>
  | Omit<Release, 'time'>
  | Omit<Sample, 'time'>
  | Omit<Refusal, 'time'>
  | Omit<JointStart, 'time'>
  | Omit<JointEnd, 'time'>
  | Omit<JointBreak, 'time'>
  | Omit<PsiStart, 'time'>
  | Omit<PsiEnd, 'time'>
  | Omit<PsiBreak, 'time'>
  | Omit<PsiSet, 'time'>
  | Omit<PsiRotation, 'time'>

/**
 * Everything that is published: acknowledged entries under the newest signed checkpoint. Needs no lock, and may be
 * asked while another process writes.
 */
export interface LedgerReader {
  /** number of entries */
  size(): Promise<number>
  /** entries from `from` on (0: the founding), in order; as many as there are at the call */
  entries(from?: number): AsyncIterable<Entry>
  /** @throws SluiceError NAME_UNKNOWN where there is no such entry */
  entry(index: number): Promise<Envelope>
  /** the newest one, with the cosignatures that came in for it */
  checkpoint(): Promise<Checkpoint>
  /** @throws SluiceError NAME_UNKNOWN where there is no such entry */
  receipt(index: number): Promise<Receipt>
  /** that the tree of `from` entries is a prefix of that of `to` (default: the newest); RFC 6962, section 2.1.2 */
  consistency(from: number, to?: number): Promise<Uint8Array[]>
}

/** What the holder of the lock can do. It has caught up with what others appended, and reads what it appended itself. */
export interface LedgerWriter extends LedgerReader {
  /**
   * Resolves to the entry's index when the journal holding it is synced. Calls that wait at the same time share one
   * sync; entries keep the order of the calls. A failure leaves the ledger without this entry, and without those that
   * were appended after it.
   *
   * @throws SluiceError CLOCK_BEHIND, DISK_FULL, BRAND_INVALID; ZONE_DAMAGED: the disk failed, and whether the entry is in
   *   the ledger will be known when it is opened anew
   */
  append(envelope: Envelope): Promise<number>
  /** Takes the time, signs and appends, so that times stand in the entries' order also when calls overlap. */
  record(predicate: Untimed, signer: Signer): Promise<Entry>
  /** Publishes what was appended: tiles, then the signed checkpoint. Reading does it first, `exclusive` at its end. */
  flush(): Promise<void>
}

export interface ExclusiveOptions {
  /** milliseconds to wait for another holder of the lock; default 30,000, 0: not at all */
  readonly wait?: number | undefined
  /** called once, when it turns out that somebody else has the lock */
  readonly onWait?: (() => void) | undefined
  readonly signal?: AbortSignal | undefined
}
