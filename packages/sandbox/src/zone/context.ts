import type { Entry, Ledger, Predicate, Receipt, Untimed } from '@sluice/ledger'
import type { Signer } from '@sluice/ledger/keys'
import type { ChildPool } from '../isolation/pool.js'
import type { Gate } from '../sql/gate.js'
import type { ZoneLayout } from './layout.js'
import type { ZoneState } from './state.js'

/** What the parts of a zone (principals, datasets, requests, runs) share. */
export interface ZoneContext {
  readonly layout: ZoneLayout
  readonly ledger: Ledger
  /** the present moment; injected, so that tests can turn the clock */
  readonly now: () => Date
  /** the state as it was last read; `refreshed` reads what other processes have added since */
  readonly state: () => ZoneState
  refreshed(): Promise<ZoneState>
  /**
   * Holds the zone's lock while `work` checks and records, so that what was checked still holds when it is
   * written. Never held while an engine works.
   */
  change<T>(work: (transaction: Transaction) => Promise<T>, options?: ChangeOptions): Promise<T>
  /** the warm child that parses and binds */
  gate(): Promise<Gate>
  /** single-use children for registrations and runs */
  engine(): Promise<ChildPool>
}

export interface ChangeOptions {
  /** null: cannot be cancelled, not by the zone’s own signal either */
  readonly signal?: AbortSignal | null | undefined
}

/** What somebody signed elsewhere, with the enrolled principals whose signatures on it hold. */
export interface OpenedEnvelope {
  readonly predicate: Predicate
  readonly signers: readonly string[]
}

export interface Transaction {
  readonly state: ZoneState
  /** @throws SluiceError FILE_FORMAT, SIGNATURE_INVALID, KEY_UNKNOWN */
  open(envelope: Uint8Array): OpenedEnvelope
  /** signs, appends and waits until it is durable; returns the entry's index */
  append(predicate: Predicate, signer: Signer): Promise<number>
  /** the same for what the zone makes itself: a run, a release, a refusal; it is dated as it is written */
  record(predicate: Untimed, signer: Signer): Promise<Entry>
  /** the same for an envelope that was signed elsewhere */
  import(envelope: Uint8Array): Promise<number>
  /** the receipt of an entry, also of one that was just appended: it is published first */
  receipt(index: number): Promise<Receipt>
}
